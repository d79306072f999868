"""The open API over sockets: profile, password, services, devices, keys, logins, the log, and what admins do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.support.browser import Answer, Browser
from tests.support.server import SECRET, Server, start_server

ANN = "ann@hongyan.test"
ADMIN = "admin@hongyan.test"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


def browser(server: Server) -> Browser:
    endpoint = server.app.endpoints["https"]
    return Browser(endpoint.host, endpoint.port, server.tls)


async def entered(server: Server, name: str = ANN, secret: str = SECRET) -> Browser:
    web = browser(server)
    assert (await web.log_in(name, secret)).status == 201
    return web


class Program:
    """A program with a key."""

    def __init__(self, server: Server, key: str) -> None:
        self._web = browser(server)
        self._headers = {"Authorization": f"Bearer {key}", "Sec-Fetch-Site": "", "Origin": ""}

    async def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] = {}) -> Answer:
        return await self._web.ask(method, path, body, headers={**self._headers, **headers})


async def program(server: Server, web: Browser, *scopes: str) -> Program:
    made = await web.ask("POST", "/api/v1/keys", {"label": "script", "scopes": scopes})
    assert made.status == 201, made.body
    return Program(server, made.json()["secret"])


async def test_a_profile_is_changed_and_the_language_follows(server: Server) -> None:
    web = await entered(server)
    changed = await web.ask("PATCH", "/api/v1/profile", {"name": "安", "locale": "zh"})
    assert (changed.json()["name"], changed.json()["locale"]) == ("安", "zh")
    assert (await web.ask("GET", "/api/v1/nothing")).header("content-language") == "en", "nobody is known yet"
    assert (await web.ask("PATCH", "/api/v1/profile", {"name": "a\u202eb"})).status == 422
    assert (await web.ask("GET", "/api/v1/profile")).json()["name"] == "安"


async def test_a_new_password_ends_everything_but_the_browser_that_set_it(server: Server) -> None:
    web, other = await entered(server), await entered(server)
    imap = await server.imap("ann")
    key = await program(server, web, "account:read")
    refused = await web.ask("PUT", "/api/v1/password", {"password": "\u0007"})
    assert refused.json()["errors"][0]["pointer"] == "#/password"
    assert (await web.ask("PUT", "/api/v1/password", {"password": "another goose"})).status == 204
    assert b"BYE" in await imap.line()
    assert (await other.ask("GET", "/api/v1/session")).status == 401
    assert (await key.ask("GET", "/api/v1/profile")).status == 401
    assert (await web.ask("GET", "/api/v1/session")).status == 200
    assert (await browser(server).log_in(ANN, SECRET)).status == 401
    await entered(server, secret="another goose")


async def test_a_service_that_is_switched_off_ends_its_connections(server: Server) -> None:
    web = await entered(server)
    imap = await server.imap("ann")
    assert (await web.ask("GET", "/api/v1/services")).json() == {"imap": True, "pop3": True, "smtp": True}
    off = await web.ask("PUT", "/api/v1/services", {"imap": False, "pop3": False, "smtp": True})
    assert off.json() == {"imap": False, "pop3": False, "smtp": True}
    assert b"BYE" in await imap.line()
    assert (await web.ask("GET", "/api/v1/session")).status == 200, "the web is not among them"


async def test_a_device_is_seen_and_ended_at_once(server: Server) -> None:
    web, other = await entered(server), await entered(server)
    devices = (await web.ask("GET", "/api/v1/devices")).json()["devices"]
    assert [(each["label"], each["is_this"]) for each in devices] == [
        ("Firefox on Linux", True),
        ("Firefox on Linux", False),
    ]
    assert (await web.ask("DELETE", f"/api/v1/devices/{devices[1]['number']}")).status == 204
    assert (await other.ask("GET", "/api/v1/session")).status == 401
    third = await entered(server)
    assert (await web.ask("DELETE", "/api/v1/devices")).status == 204
    assert (await third.ask("GET", "/api/v1/session")).status == 401
    assert (await web.ask("GET", "/api/v1/session")).status == 200
    bob = await entered(server, "bob@hongyan.test")
    assert (await bob.ask("DELETE", f"/api/v1/devices/{devices[0]['number']}")).status in (204, 404)
    assert (await web.ask("GET", "/api/v1/session")).status == 200, "it is not bob's"


async def test_the_log_of_logins_tells_of_the_web_too(server: Server) -> None:
    web = await entered(server)
    await browser(server).log_in(ANN, "wrong")
    await server.app.services.entrance.logins.flush()
    logins = (await web.ask("GET", "/api/v1/logins?limit=10")).json()["logins"]
    told = {(each["service"], each["result"], each["client"]) for each in logins}
    assert {("web", "ok", "Firefox on Linux"), ("web", "wrong-secret", "Firefox on Linux")} <= told


async def test_a_key_opens_its_scopes_and_no_more(server: Server) -> None:
    web = await entered(server)
    key = await program(server, web, "account:read")
    assert (await key.ask("GET", "/api/v1/profile")).json()["address"] == ANN
    for method, path, body in (
        ("PATCH", "/profile", {"name": "x"}),
        ("GET", "/log", None),
        ("GET", "/keys", None),
        ("DELETE", "/session", None),
        ("POST", "/app-passwords", {"label": "x"}),
        ("PUT", "/password", {"password": "stolen goose"}),
        ("POST", "/second-factor", None),
        ("GET", "/admin/accounts", None),
    ):
        answer = await key.ask(method, f"/api/v1{path}", body)
        assert (answer.status, answer.problem) == (403, "scope"), path
    (known,) = (await web.ask("GET", "/api/v1/keys")).json()["keys"]
    assert (await web.ask("DELETE", f"/api/v1/keys/{known['number']}")).status == 204
    assert (await key.ask("GET", "/api/v1/profile")).problem == "wrong-key"


async def test_a_key_is_no_cookie_and_a_cookie_no_key(server: Server) -> None:
    web = await entered(server)
    made = (await web.ask("POST", "/api/v1/keys", {"label": "x", "scopes": ["mail"]})).json()["secret"]
    assert (await Program(server, web.cookies["__Host-hongyan"]).ask("GET", "/api/v1/profile")).status == 401
    other = browser(server)
    other.cookies = {"__Host-hongyan": made}
    for path in ("/api/v1/profile", "/jmap/session"):
        assert (await other.ask("GET", path)).status == 401


async def test_only_an_admin_makes_a_key_for_admins(server: Server) -> None:
    web = await entered(server)
    refused = await web.ask("POST", "/api/v1/keys", {"label": "x", "scopes": ["account:read", "admin:read"]})
    assert refused.json()["errors"][0]["pointer"] == "#/scopes"
    assert (await web.ask("POST", "/api/v1/keys", {"label": "x", "scopes": []})).status == 422


async def test_an_account_reads_what_became_of_its_own_messages(server: Server) -> None:
    await server.bring(ANN, "Hello")
    web, bob = await entered(server), await entered(server, "bob@hongyan.test")
    messages = (await web.ask("GET", "/api/v1/log?limit=5")).json()["messages"]
    assert len(messages) == 1
    assert (await bob.ask("GET", "/api/v1/log")).json()["messages"] == []
    assert (await web.ask("GET", "/api/v1/log?since=yesterday")).status == 422
    assert (await web.ask("GET", "/api/v1/log?limit=many")).json()["errors"][0]["parameter"] == "limit"


async def test_what_is_for_admins_is_for_nobody_else(server: Server) -> None:
    document = (await (await entered(server)).ask("GET", "/api/openapi.json")).json()
    web = await entered(server)
    paths = [(path, method) for path, methods in document["paths"].items() for method in methods if "/admin/" in path]
    assert len(paths) > 15
    for path, method in paths:
        asked = re.sub(r"\{\w+\}", "x", path)
        answer = await web.ask(method.upper(), asked, {} if method == "post" else None)
        assert (answer.status, answer.problem) == (403, "admins-only"), path


async def test_an_admin_makes_an_account_by_the_operation_of_the_command_line(server: Server) -> None:
    web = await entered(server, ADMIN)
    made = await web.ask("POST", "/api/v1/admin/accounts", {"address": "new@hongyan.test", "password": "new goose"})
    assert made.status == 200, made.body
    assert (await entered(server, "new@hongyan.test", "new goose")) is not None
    listed = (await web.ask("GET", "/api/v1/admin/accounts")).json()["accounts"]
    assert "new@hongyan.test" in [each["address"] for each in listed]
    assert (await web.ask("POST", "/api/v1/admin/accounts", {"address": "new@hongyan.test"})).status == 409
    assert (await web.ask("POST", "/api/v1/admin/accounts", {"address": "no address"})).status == 422
    dns = await web.ask("GET", "/api/v1/admin/domains/hongyan.test/dns")
    assert dns.status == 200
    assert (await web.ask("GET", "/api/v1/admin/queue")).status == 200
    assert (await web.ask("GET", "/api/v1/admin/bans")).json() == {"bans": []}
    trail = await server.app.services.directory.audit.query(event_prefix="directory:account:created")
    assert trail[0].actor == ADMIN
    assert trail[0].peer == "127.0.0.1"


async def test_a_program_of_an_admin_reads_or_changes(server: Server) -> None:
    web = await entered(server, ADMIN)
    reader, writer = await program(server, web, "admin:read"), await program(server, web, "admin:write")
    body = {"address": "sales@hongyan.test", "targets": [ANN]}
    assert (await reader.ask("POST", "/api/v1/admin/aliases", body)).problem == "scope"
    assert (await writer.ask("POST", "/api/v1/admin/aliases", body)).status == 200
    aliases = (await reader.ask("GET", "/api/v1/admin/aliases")).json()["aliases"]
    assert "sales@hongyan.test" in [each["address"] for each in aliases]


async def test_the_page_of_the_api_names_every_route_and_asks_no_other_host(server: Server) -> None:
    web = browser(server)
    page = await web.ask("GET", "/api/docs")
    document = (await web.ask("GET", "/api/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    text = page.body.decode()
    assert all(f"<code>{path}</code>" in text for path in document["paths"])
    assert "<script" not in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    assert "style-src 'sha256-" in page.header("content-security-policy")
    assert "default-src 'none'" in page.header("content-security-policy")
