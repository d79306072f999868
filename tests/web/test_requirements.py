"""What is asked first, over sockets: a second factor that the organisation wants, a password after a stranger."""

from __future__ import annotations

from base64 import b32decode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.audit.events import CLI
from hongyan.auth.totp import code_at, step_at
from tests.support.browser import Browser
from tests.support.clock import FakeClock
from tests.support.server import SECRET, Server, start_server

ANN = "ann@hongyan.test"
ADMIN = "admin@hongyan.test"


@pytest.fixture
async def server(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Server]:
    async with start_server(tmp_path, clock=clock) as server:
        yield server


async def entered(server: Server, name: str = ANN, secret: str = SECRET) -> Browser:
    endpoint = server.app.endpoints["https"]
    web = Browser(endpoint.host, endpoint.port, server.tls)
    assert (await web.log_in(name, secret)).status == 201
    return web


async def enforce(server: Server, *, required: bool = True) -> Browser:
    admin = await entered(server, ADMIN)
    body = {"domain": "hongyan.test", "required": required}
    assert (await admin.ask("POST", "/api/v1/admin/domains/second-factor", body)).status == 200
    return admin


async def test_who_has_no_second_factor_sets_one_up_and_does_nothing_else_before(
    server: Server, clock: FakeClock
) -> None:
    before = await entered(server)
    key = (await before.ask("POST", "/api/v1/keys", {"label": "x", "scopes": ["account:read", "mail"]})).json()[
        "secret"
    ]
    await enforce(server)
    web = await entered(server)
    assert (await web.ask("GET", "/api/v1/session")).json()["requirement"] == "second-factor"
    for each in (before, web):
        for method, path, body in (
            ("GET", "/app-passwords", None),
            ("POST", "/app-passwords", {"label": "phone"}),
            ("PATCH", "/profile", {"name": "x"}),
            ("PUT", "/password", {"password": "another goose"}),
        ):
            assert (await each.ask(method, f"/api/v1{path}", body)).problem == "second-factor-required", path
        assert (await each.ask("GET", "/jmap/session")).status == 403
    program = {"Authorization": f"Bearer {key}", "Cookie": "", "Sec-Fetch-Site": "", "Origin": ""}
    assert (await web.ask("GET", "/jmap/session", headers=program)).status == 403
    begun = await web.ask("POST", "/api/v1/second-factor")
    secret = b32decode(begun.json()["secret"])
    code = code_at(secret, step_at(clock.now()))
    assert (await web.ask("POST", "/api/v1/second-factor/confirm", {"code": code})).status == 200
    assert (await web.ask("GET", "/api/v1/session")).json()["requirement"] is None
    assert (await web.ask("GET", "/api/v1/app-passwords")).status == 200


async def test_an_admin_is_asked_as_well_and_may_be_asked_no_more(server: Server) -> None:
    admin = await enforce(server)
    refused = await admin.ask("GET", "/api/v1/admin/accounts", headers={"Accept-Language": "zh"})
    assert refused.json()["detail"] == "您的单位要求两步验证，请先设置。"


async def test_a_domain_that_asks_no_more_lets_all_in(server: Server) -> None:
    domains = server.app.services.directory.domains
    (known,) = domains.list_domains()
    await domains.require_second_factor(known.domain, CLI, required=True)
    web = await entered(server)
    assert (await web.ask("GET", "/api/v1/app-passwords")).status == 403
    await domains.require_second_factor(known.domain, CLI, required=False)
    assert (await web.ask("GET", "/api/v1/app-passwords")).status == 200
