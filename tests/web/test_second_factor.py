"""The second factor over sockets: set up, asked for, replayed, guessed, lost; and a browser that is bound for a day."""

from __future__ import annotations

from base64 import b32decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hongyan.auth.totp import code_at, step_at
from hongyan.config import Config
from tests.support.browser import Browser
from tests.support.clock import FakeClock
from tests.support.server import SECRET, Server, start_server

ANN = "ann@hongyan.test"
CODE = "/api/v1/session/second-factor"


@pytest.fixture
async def server(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Server]:
    async with start_server(tmp_path, clock=clock, change=accept_passwords) as server:
        yield server


def accept_passwords(config: Config) -> Config:
    """Let IMAP take the account's password, so that it is seen when it does not any more."""
    return replace(config, login=replace(config.login, accept_password=("imap",)))


def browser(server: Server) -> Browser:
    endpoint = server.app.endpoints["https"]
    return Browser(endpoint.host, endpoint.port, server.tls)


async def enrolled(server: Server, clock: FakeClock) -> tuple[Browser, bytes, list[str]]:
    """Return a browser whose account has a second factor, its secret and the recovery codes; the code is used up."""
    web = browser(server)
    await web.log_in(ANN, SECRET)
    begun = await web.ask("POST", "/api/v1/second-factor")
    assert begun.status == 201
    assert begun.json()["qr_code"].startswith("<svg")
    secret = b32decode(begun.json()["secret"])
    assert (await web.ask("GET", "/api/v1/second-factor")).json()["is_on"] is False
    confirmed = await web.ask("POST", "/api/v1/second-factor/confirm", {"code": code(secret, clock)})
    assert confirmed.status == 200, confirmed.body
    clock.advance(30)
    return web, secret, confirmed.json()["recovery_codes"]


def code(secret: bytes, clock: FakeClock, steps: int = 0) -> str:
    return code_at(secret, step_at(clock.now()) + steps)


async def test_the_password_alone_opens_nothing_but_the_question_for_a_code(server: Server, clock: FakeClock) -> None:
    await server.imap("ann", SECRET)
    _, secret, _ = await enrolled(server, clock)
    web = browser(server)
    begun = await web.log_in(ANN, SECRET, remember=True)
    ways = ["code", "recovery-code"]
    assert begun.json() == {"state": "second-factor", "session": None, "ways": ways}
    for method, path in (("GET", "/session"), ("GET", "/app-passwords"), ("POST", "/session/step-up")):
        answer = await web.ask(method, f"/api/v1{path}", {"password": SECRET} if method == "POST" else None)
        assert answer.problem == "second-factor-needed"
    pending = dict(web.cookies)
    opened = await web.ask("POST", CODE, {"code": code(secret, clock)})
    assert opened.json()["session"]["is_remembered"]
    assert web.cookies != pending, "the session has a new id"
    assert (await web.ask("GET", "/api/v1/session")).json()["has_second_factor"]
    web.cookies = pending
    assert (await web.ask("GET", "/api/v1/session")).status == 401


async def test_mail_programs_need_app_passwords_once_a_second_factor_is_on(server: Server, clock: FakeClock) -> None:
    web = browser(server)
    await web.log_in(ANN, SECRET)
    for known in (await web.ask("GET", "/api/v1/app-passwords")).json()["app_passwords"]:
        await web.ask("DELETE", f"/api/v1/app-passwords/{known['number']}")
    await server.imap("ann", SECRET)  # the password itself
    web, _, _ = await enrolled(server, clock)
    imap = await server.connect("imaps")
    await imap.line()
    said = await imap.try_command("a", f'LOGIN {ANN} "{SECRET}"')
    assert b"AUTHENTICATIONFAILED" in said[-1]
    made = (await web.ask("POST", "/api/v1/app-passwords", {"label": "phone"})).json()["secret"]
    await server.imap("ann", made)


async def test_a_second_factor_ends_what_the_password_opened_and_jmap_takes_no_password_alone(
    server: Server, clock: FakeClock
) -> None:
    web = browser(server)
    await web.log_in(ANN, SECRET)
    for known in (await web.ask("GET", "/api/v1/app-passwords")).json()["app_passwords"]:
        await web.ask("DELETE", f"/api/v1/app-passwords/{known['number']}")
    imap, basic = await server.imap("ann", SECRET), b64encode(f"{ANN}:{SECRET}".encode()).decode()
    fields = {"Authorization": f"Basic {basic}", "Cookie": ""}
    assert (await web.ask("GET", "/jmap/session", headers=fields)).status == 200
    await enrolled(server, clock)
    assert b"BYE" in await imap.line()
    assert (await web.ask("GET", "/jmap/session", headers=fields)).status == 401
    pending = browser(server)
    await pending.log_in(ANN, SECRET)
    assert (await pending.ask("GET", "/jmap/session")).status == 401


async def test_a_code_is_taken_once_also_by_two_at_the_same_time(server: Server, clock: FakeClock) -> None:
    _, secret, _ = await enrolled(server, clock)
    right = code(secret, clock)
    first, second = browser(server), browser(server)
    await first.log_in(ANN, SECRET)
    await second.log_in(ANN, SECRET)
    assert (await first.ask("POST", CODE, {"code": right})).status == 201
    again = await second.ask("POST", CODE, {"code": right})
    assert (again.status, again.json()["errors"][0]["pointer"]) == (422, "#/code")
    assert (await second.ask("POST", CODE, {"code": code(secret, clock, -1)})).status == 422, "an earlier one"


async def test_a_code_opens_only_its_own_account(server: Server, clock: FakeClock) -> None:
    _, secret, codes = await enrolled(server, clock)
    bob = browser(server)
    await bob.log_in("bob@hongyan.test", SECRET)
    assert (await bob.ask("POST", CODE, {"code": code(secret, clock)})).status == 401
    assert (await bob.ask("POST", CODE, {"code": codes[0]})).status == 401


async def test_codes_cannot_be_guessed(server: Server, clock: FakeClock) -> None:
    _, secret, _ = await enrolled(server, clock)
    web = browser(server)
    await web.log_in(ANN, SECRET)
    for _ in range(5):
        assert (await web.ask("POST", CODE, {"code": "000000"})).status == 422
    await web.log_in(ANN, SECRET)
    stopped = await web.ask("POST", CODE, {"code": code(secret, clock)})
    assert (stopped.status, stopped.problem) == (429, "too-many-codes")
    clock.advance(301)
    await web.log_in(ANN, SECRET)
    assert (await web.ask("POST", CODE, {"code": code(secret, clock)})).status == 201


async def test_a_login_that_waits_for_its_code_does_so_for_minutes(server: Server, clock: FakeClock) -> None:
    _, secret, _ = await enrolled(server, clock)
    web = browser(server)
    await web.log_in(ANN, SECRET)
    clock.advance(301)
    assert (await web.ask("POST", CODE, {"code": code(secret, clock)})).status == 401


async def test_a_recovery_code_opens_once(server: Server, clock: FakeClock) -> None:
    web, _, codes = await enrolled(server, clock)
    assert len(set(codes)) == 10
    other = browser(server)
    await other.log_in(ANN, SECRET)
    assert (await other.ask("POST", CODE, {"code": codes[0].upper()})).status == 201
    assert (await web.ask("GET", "/api/v1/second-factor")).json()["recovery_codes"] == 9
    await other.log_in(ANN, SECRET)
    assert (await other.ask("POST", CODE, {"code": codes[0]})).status == 422
    fresh = (await web.ask("POST", "/api/v1/second-factor/recovery-codes")).json()["recovery_codes"]
    assert (await other.ask("POST", CODE, {"code": codes[1]})).status == 422, "all were replaced"
    assert (await other.ask("POST", CODE, {"code": fresh[0]})).status == 201


async def test_a_step_up_asks_for_a_code_and_not_for_the_password(server: Server, clock: FakeClock) -> None:
    web, secret, _ = await enrolled(server, clock)
    clock.advance(301)
    assert (await web.ask("DELETE", "/api/v1/second-factor")).problem == "step-up-needed"
    wrong = await web.ask("POST", "/api/v1/session/step-up", {"password": SECRET})
    assert wrong.json()["errors"][0]["pointer"] == "#/code"
    assert (await web.ask("POST", "/api/v1/session/step-up", {"code": code(secret, clock)})).status == 200
    assert (await web.ask("DELETE", "/api/v1/second-factor")).status == 204
    assert (await browser(server).log_in(ANN, SECRET)).json()["state"] == "open"
    assert (await web.ask("DELETE", "/api/v1/second-factor")).status == 404


async def test_an_authenticator_in_force_is_not_replaced(server: Server, clock: FakeClock) -> None:
    web, _, _ = await enrolled(server, clock)
    assert (await web.ask("POST", "/api/v1/second-factor")).status == 409
    assert (await web.ask("POST", "/api/v1/second-factor/confirm", {"code": "000000"})).status == 404


async def test_a_bound_browser_needs_no_code_for_a_day_to_the_second(server: Server, clock: FakeClock) -> None:
    _, secret, _ = await enrolled(server, clock)
    web = browser(server)
    await web.log_in(ANN, SECRET)
    assert (await web.ask("POST", CODE, {"code": code(secret, clock), "bind": True})).status == 201
    used = dict(web.cookies)
    clock.advance(timedelta(hours=12).total_seconds())
    again = await web.log_in(ANN, SECRET)
    assert again.json()["state"] == "open"
    assert not again.json()["session"]["is_stepped_up"], "the browser was shown, and nobody's second factor"
    assert web.cookies["__Host-hongyan-browser"] != used["__Host-hongyan-browser"]
    thief = browser(server)
    thief.cookies = used
    assert (await thief.log_in(ANN, SECRET)).json()["state"] == "second-factor", "a binding is used once"
    clock.advance(timedelta(hours=12).total_seconds())
    assert (await web.log_in(ANN, SECRET)).json()["state"] == "open", "24:00:00"
    clock.advance(1)
    assert (await web.log_in(ANN, SECRET)).json()["state"] == "second-factor", "24:00:01"


async def test_a_binding_is_of_one_browser_one_account_and_revocable(server: Server, clock: FakeClock) -> None:
    owner, secret, _ = await enrolled(server, clock)
    web = browser(server)
    await web.log_in(ANN, SECRET)
    await web.ask("POST", CODE, {"code": code(secret, clock), "bind": True})
    other = browser(server)
    other.cookies, other.agent = dict(web.cookies), "curl/8.5.0"
    assert (await other.log_in(ANN, SECRET)).json()["state"] == "second-factor"
    devices = (await owner.ask("GET", "/api/v1/devices")).json()["devices"]
    (bound,) = [each for each in devices if each["kind"] == "binding"]
    assert bound["label"] == "Firefox on Linux"
    assert (await owner.ask("DELETE", f"/api/v1/devices/{bound['number']}")).status == 204
    assert (await web.log_in(ANN, SECRET)).json()["state"] == "second-factor"


async def test_the_secret_is_not_readable_in_the_database(server: Server, clock: FakeClock, tmp_path: Path) -> None:
    _, secret, codes = await enrolled(server, clock)
    octets = b"".join(path.read_bytes() for path in tmp_path.rglob("*.db*"))
    assert octets
    assert secret not in octets
    assert codes[0].replace("-", "").encode() not in octets
