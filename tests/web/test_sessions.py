"""Logging in to the web over sockets, and what strangers and other sites try."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hongyan.audit.events import CLI
from hongyan.auth.sessions import WebSessions
from hongyan.config import Config
from hongyan.errors import StorageFailed
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from tests.support.browser import Browser
from tests.support.clock import FakeClock
from tests.support.server import SECRET, Server, start_server

ANN = "ann@hongyan.test"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


def browser(server: Server, *, secure: bool = True, agent: str | None = None) -> Browser:
    endpoint = server.app.endpoints["https" if secure else "http"]
    made = Browser(endpoint.host, endpoint.port, server.tls if secure else None)
    if agent is not None:
        made.agent = agent
    return made


async def entered(server: Server, *, secure: bool = True, **wishes: object) -> Browser:
    made = browser(server, secure=secure)
    assert (await made.log_in(ANN, SECRET, **wishes)).status == 201
    return made


async def test_a_browser_logs_in_is_known_and_logs_out(server: Server) -> None:
    web = browser(server)
    assert (await web.ask("GET", "/api/v1/session")).problem == "login-needed"
    answer = await web.log_in(ANN, SECRET)
    assert answer.status == 201
    assert answer.json()["state"] == "open"
    assert answer.json()["session"]["is_stepped_up"]
    (cookie,) = web.set_cookies
    assert cookie.startswith("__Host-hongyan=hys_")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"Path=/", "HttpOnly", "SameSite=Strict", "Secure"}
    shown = await web.ask("GET", "/api/v1/session")
    assert (shown.status, shown.json()["address"]) == (200, ANN)
    assert shown.header("access-control-allow-origin") == ""
    stolen = dict(web.cookies)
    assert (await web.ask("DELETE", "/api/v1/session")).status == 204
    assert web.cookies == {}
    web.cookies = stolen
    assert (await web.ask("GET", "/api/v1/session")).status == 401, "the session ended at the server"


async def test_plain_http_serves_loopback_with_a_cookie_of_its_own(server: Server) -> None:
    web = await entered(server, secure=False)
    assert web.set_cookies[0].startswith("hongyan=hys_")
    assert "Secure" not in web.set_cookies[0]
    assert (await web.ask("GET", "/api/v1/session")).status == 200
    proxied = await web.ask("GET", "/api/v1/session", headers={"X-Forwarded-For": "192.0.2.1"})
    assert proxied.problem == "tls-required", "a proxy on loopback may bring anybody"


async def test_only_a_remembered_session_outlives_the_browsers_window(server: Server) -> None:
    web = await entered(server, remember=True)
    assert "Max-Age=2592000" in web.set_cookies[0] or "Max-Age=2591999" in web.set_cookies[0]
    assert "Max-Age" not in (await entered(server)).set_cookies[0]


async def test_a_login_always_makes_a_new_session_and_ends_the_old(server: Server) -> None:
    web = await entered(server)
    planted = dict(web.cookies)
    assert (await web.log_in("bob@hongyan.test", SECRET)).status == 201
    assert web.cookies != planted
    web.cookies = planted
    assert (await web.ask("GET", "/api/v1/session")).status == 401
    strange = browser(server)
    strange.cookies = {"__Host-hongyan": "hys_" + "A" * 54}
    assert (await strange.log_in(ANN, SECRET)).status == 201
    assert strange.cookies["__Host-hongyan"] != "hys_" + "A" * 54


@pytest.mark.parametrize(
    "token",
    ["", "x", "hys_", "hys_" + "A" * 54, "hys_" + "_" * 54, "hys_" + "A" * 1000, "hyk_" + "é", "hys_%00", "hys_A A"],
)
async def test_a_token_of_any_form_opens_nothing(server: Server, token: str) -> None:
    web = browser(server)
    web.cookies = {"__Host-hongyan": token}
    assert (await web.ask("GET", "/api/v1/session")).status == 401


async def test_a_wrong_password_meets_the_brakes_of_imap(server: Server) -> None:
    web = browser(server)
    first = await web.log_in(ANN, "wrong")
    assert (first.status, first.problem) == (401, "wrong-secret")
    assert first.json()["detail"] == (await web.log_in("nobody@hongyan.test", "wrong")).json()["detail"]
    imap = await server.connect("imaps")
    await imap.line()
    for _ in range(5):
        await imap.try_command("a", f"LOGIN {ANN} wrong")
    for _ in range(4):
        assert (await web.log_in(ANN, "wrong")).status == 401
    stopped = await web.log_in(ANN, SECRET)
    assert (stopped.status, stopped.problem) == (429, "too-many-failures")
    assert int(stopped.header("retry-after")) > 0
    assert web.cookies == {}


async def test_a_new_password_ends_all_sessions(server: Server) -> None:
    web = await entered(server)
    account = await server.account("ann")
    await server.app.services.directory.passwords.change(account.account_id, Secret("another goose"), CLI)
    assert (await web.ask("GET", "/api/v1/session")).status == 401


async def test_an_account_that_is_suspended_or_not_for_the_web_is_shut_out_at_once(server: Server) -> None:
    web = await entered(server)
    accounts, account = server.app.services.directory.accounts, await server.account("ann")
    await accounts.switch_service(account.account_id, Service.WEB, on=False, actor=CLI)
    assert (await web.ask("GET", "/api/v1/session")).status == 401
    await accounts.switch_service(account.account_id, Service.WEB, on=True, actor=CLI)
    assert (await web.ask("GET", "/api/v1/session")).status == 200
    await accounts.suspend(account.account_id, CLI)
    assert (await web.ask("GET", "/api/v1/session")).status == 401


# Other sites.

CROSS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "", "Origin": "https://evil.test"},
    {"Sec-Fetch-Site": "", "Origin": "null"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://localhost:1"},
    {"Sec-Fetch-Site": "", "Origin": ""},
]


@pytest.mark.parametrize("headers", CROSS)
async def test_no_other_site_changes_anything_with_our_cookie(server: Server, headers: dict[str, str]) -> None:
    web = await entered(server)
    body = {"label": "evil"}
    assert (await web.ask("POST", "/api/v1/app-passwords", body, headers=headers)).problem == "cross-site"
    assert (await web.ask("DELETE", "/api/v1/session", headers=headers)).problem == "cross-site"
    assert (await web.ask("GET", "/api/v1/session")).status == 200


@pytest.mark.parametrize("headers", CROSS[:6])
async def test_no_other_site_logs_a_browser_in(server: Server, headers: dict[str, str]) -> None:
    body = {"name": ANN, "password": SECRET}
    answer = await browser(server).ask("POST", "/api/v1/session", body, headers=headers)
    assert answer.problem == "cross-site"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_no_other_site_reads_with_our_cookie(server: Server, site: str) -> None:
    web = await entered(server)
    assert (await web.ask("GET", "/api/v1/session", headers={"Sec-Fetch-Site": site})).problem == "cross-site"
    assert (await web.ask("GET", "/api/v1/session", headers={"Sec-Fetch-Site": "none"})).status == 200


async def test_an_old_browser_is_known_by_its_origin(server: Server) -> None:
    web = await entered(server)
    answer = await web.ask("POST", "/api/v1/app-passwords", {"label": "old"}, headers={"Sec-Fetch-Site": ""})
    assert answer.status == 201


async def test_a_form_cannot_send_what_is_taken(server: Server) -> None:
    web = await entered(server)
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = await web.ask("POST", "/api/v1/app-passwords", {"label": "x"}, headers={"Content-Type": kind})
        assert answer.status == 415
    preflight = await web.ask("OPTIONS", "/api/v1/session", headers={"Sec-Fetch-Site": ""})
    assert preflight.status == 405
    assert preflight.header("access-control-allow-methods") == ""


# App passwords, and what a mail program is told.


async def test_an_app_password_made_in_the_web_opens_imap_until_it_is_revoked(server: Server) -> None:
    web = await entered(server)
    made = await web.ask("POST", "/api/v1/app-passwords", {"label": "手机", "services": ["imap"]})
    assert made.status == 201
    secret, number = made.json()["secret"], made.json()["app_password"]["number"]
    assert len(secret.split()) == 4
    imap = await server.imap("ann", secret)
    await imap.command("b", "NOOP")
    listed = (await web.ask("GET", "/api/v1/app-passwords")).json()["app_passwords"]
    assert [each["label"] for each in listed] == ["demonstration", "手机"]
    assert secret not in str(listed)
    assert (await web.ask("DELETE", f"/api/v1/app-passwords/{number}")).status == 204
    assert b"BYE" in await imap.line()
    assert (await web.ask("DELETE", f"/api/v1/app-passwords/{number}")).status == 404


async def test_nobody_revokes_what_is_anothers(server: Server) -> None:
    web, bob = await entered(server), browser(server)
    await bob.log_in("bob@hongyan.test", SECRET)
    made = (await web.ask("POST", "/api/v1/app-passwords", {"label": "mine"})).json()["app_password"]["number"]
    assert (await bob.ask("DELETE", f"/api/v1/app-passwords/{made}")).status in (204, 404)
    labels = [each["label"] for each in (await web.ask("GET", "/api/v1/app-passwords")).json()["app_passwords"]]
    assert "mine" in labels


async def test_an_app_password_is_not_made_long_after_the_login(tmp_path: Path, clock: FakeClock) -> None:
    async with start_server(tmp_path, clock=clock) as server:
        web = await entered(server)
        clock.advance(301)
        refused = await web.ask("POST", "/api/v1/app-passwords", {"label": "late"})
        assert (refused.status, refused.problem) == (403, "step-up-needed")
        wrong = await web.ask("POST", "/api/v1/session/step-up", {"password": "wrong"})
        assert wrong.json()["errors"] == [{"pointer": "#/password", "detail": "The password is wrong."}]
        assert (await web.ask("POST", "/api/v1/session/step-up", {"password": SECRET})).json()["is_stepped_up"]
        assert (await web.ask("POST", "/api/v1/app-passwords", {"label": "late"})).status == 201


async def test_server_information_names_the_sockets_that_listen(server: Server) -> None:
    web = await entered(server)
    told = (await web.ask("GET", "/api/v1/server-info")).json()
    assert told["user_name"] == ANN
    names = {("imap", "tls"): "imaps", ("imap", "starttls"): "imap", ("smtp", "tls"): "submissions"}
    ports = {(each["service"], each["security"]): each["port"] for each in told["servers"]}
    for way, name in names.items():
        assert ports[way] == server.app.endpoints[name].port  # type: ignore[index]
    assert (await web.ask("GET", "/api/v1/server-info")).json()["configuration"] == told["configuration"]


# Time.


async def test_a_session_ends_when_it_is_idle_and_when_it_is_old(tmp_path: Path, clock: FakeClock) -> None:
    async with start_server(tmp_path, clock=clock) as server:
        web = await entered(server)
        for _ in range(12):
            clock.advance(3600 - 1)
            assert (await web.ask("GET", "/api/v1/session")).status == 200
        clock.advance(60)
        assert (await web.ask("GET", "/api/v1/session")).status == 401, "it is twelve hours old"
        idle = await entered(server)
        clock.advance(3601)
        assert (await idle.ask("GET", "/api/v1/session")).status == 401


async def test_a_remembered_session_exchanges_its_token_each_day_and_a_stolen_old_one_ends_it(
    tmp_path: Path, clock: FakeClock
) -> None:
    async with start_server(tmp_path, clock=clock) as server:
        web = await entered(server, remember=True)
        first = dict(web.cookies)
        clock.advance(24 * 3600)
        assert (await web.ask("GET", "/api/v1/session")).status == 200
        assert web.cookies != first
        thief = browser(server)
        thief.cookies = dict(first)
        assert (await thief.ask("GET", "/api/v1/session")).status == 200, "what was under way is answered"
        clock.advance(61)
        assert (await web.ask("GET", "/api/v1/session")).status == 200
        thief.cookies = dict(first)
        assert (await thief.ask("GET", "/api/v1/session")).status == 401
        assert (await web.ask("GET", "/api/v1/session")).status == 401, "two have had the token"
        again = await entered(server, remember=True)
        clock.advance(timedelta(days=13).total_seconds())
        assert (await again.ask("GET", "/api/v1/session")).status == 200


# What is wrong is named, in the reader's language.


async def test_each_wrong_field_is_named_in_the_readers_language(server: Server) -> None:
    web = await entered(server)
    body = {"label": "", "services": ["imap", "ftp"], "more": 1}
    english = (await web.ask("POST", "/api/v1/app-passwords", body)).json()
    assert {each["pointer"] for each in english["errors"]} == {"#/label", "#/services/1", "#/more"}
    chinese = await web.ask(
        "POST", "/api/v1/app-passwords", body, headers={"Accept-Language": "fr, zh-CN;q=0.9, en;q=0.8"}
    )
    assert chinese.header("content-language") == "zh"
    details = {each["pointer"]: each["detail"] for each in chinese.json()["errors"]}
    assert details["#/more"] == "没有这个字段。"
    assert all(ord(detail[0]) > 0x2000 for detail in details.values())


@pytest.mark.parametrize(
    "raw",
    [b"{", b"\xff", b"[" * 60_000, b'{"label": 1e999}', b'{"label":"a","label":"b"}', b'{"label":NaN}', b"9" * 5000],
)
async def test_what_is_no_json_is_refused(server: Server, raw: bytes) -> None:
    web = await entered(server)
    assert (await web.ask("POST", "/api/v1/app-passwords", raw=raw)).status in (400, 422)


@pytest.mark.parametrize("label", ["\0", "\ud800", "x" * 65, 7, None, ["a"], "\u202e"])
async def test_what_is_no_label_is_refused(server: Server, label: object) -> None:
    web = await entered(server)
    assert (await web.ask("POST", "/api/v1/app-passwords", {"label": label})).status == 422


async def test_a_disk_that_fails_is_told_with_a_reference(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise StorageFailed(cause="secret path")

    monkeypatch.setattr(WebSessions, "find", fail)
    web = browser(server)
    web.cookies = {"__Host-hongyan": "hys_x"}
    answer = await web.ask("GET", "/api/v1/session")
    assert answer.status == 500
    assert answer.json()["instance"].startswith("urn:hongyan:request:")
    assert b"secret" not in answer.body


def with_limits(config: Config) -> Config:
    return replace(config, web=replace(config.web, sessions=replace(config.web.sessions, per_account=2)))


async def test_the_longest_unused_session_makes_room(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=with_limits) as server:
        first, second, third = [await entered(server) for _ in range(3)]
        assert (await first.ask("GET", "/api/v1/session")).status == 401
        assert (await second.ask("GET", "/api/v1/session")).status == 200
        assert (await third.ask("GET", "/api/v1/session")).status == 200


# JMAP, on the same session.

JMAP = {"using": ["urn:ietf:params:jmap:core"], "methodCalls": [["Core/echo", {"hello": True}, "a"]]}


async def test_a_session_opens_jmap_for_our_own_pages_alone(server: Server) -> None:
    web = await entered(server)
    told = await web.ask("GET", "/jmap/session")
    assert (told.status, told.json()["username"]) == (200, ANN)
    assert (await web.ask("POST", "/jmap", JMAP)).json()["methodResponses"][0][1] == {"hello": True}
    for headers in CROSS:
        assert (await web.ask("POST", "/jmap", JMAP, headers=headers)).status == 403
    await web.ask("DELETE", "/api/v1/session", headers={"Origin": web.origin})
    assert (await web.ask("POST", "/jmap", JMAP)).status == 401


async def test_a_key_for_mail_opens_jmap_and_another_does_not(server: Server) -> None:
    web = await entered(server)
    statuses = []
    for scope in ("mail", "account:read"):
        made = await web.ask("POST", "/api/v1/keys", {"label": "x", "scopes": [scope]})
        headers = {"Authorization": f"Bearer {made.json()['secret']}", "Origin": "", "Cookie": ""}
        statuses.append((await web.ask("POST", "/jmap", JMAP, headers=headers)).status)
    assert statuses == [200, 403]
    headers = {"Authorization": "Bearer hyk_x", "Origin": "", "Cookie": ""}
    assert (await web.ask("POST", "/jmap", JMAP, headers=headers)).status == 401
