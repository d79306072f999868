"""Passkeys over sockets: made, shown with the password and alone, copied, replayed, of another site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.config import Config
from tests.support.authenticator import Authenticator
from tests.support.browser import Answer, Browser
from tests.support.clock import FakeClock
from tests.support.server import SECRET, Server, start_server

ANN = "ann@hongyan.test"


def accept_passwords(config: Config) -> Config:
    return replace(config, login=replace(config.login, accept_password=("imap",)))


@pytest.fixture
async def server(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Server]:
    async with start_server(tmp_path, clock=clock, change=accept_passwords) as server:
        yield server


def browser(server: Server) -> Browser:
    endpoint = server.app.endpoints["https"]
    return Browser(endpoint.host, endpoint.port, server.tls)


async def entered(server: Server, name: str = ANN) -> Browser:
    web = browser(server)
    assert (await web.log_in(name, SECRET)).status == 201
    return web


async def made(web: Browser, key: Authenticator, label: str = "laptop") -> Answer:
    options = await web.ask("POST", "/api/v1/passkeys/options")
    assert options.status == 200, options.body
    return await web.ask("POST", "/api/v1/passkeys", {"label": label, "credential": key.create(options.json())})


async def enrolled(server: Server) -> tuple[Browser, Authenticator, list[str]]:
    web = await entered(server)
    key = Authenticator(web.origin)
    answer = await made(web, key)
    assert answer.status == 201, answer.body
    return web, key, answer.json()["recovery_codes"]


async def asked(web: Browser) -> dict[str, object]:
    return dict((await web.ask("POST", "/api/v1/session/passkey/options")).json())


async def alone(web: Browser, key: Authenticator) -> Answer:
    return await web.ask("POST", "/api/v1/session/passkey", {"passkey": key.get(await asked(web))})


async def test_a_passkey_is_the_second_factor_and_brings_recovery_codes(server: Server) -> None:
    web, key, codes = await enrolled(server)
    assert len(codes) == 10
    state = (await web.ask("GET", "/api/v1/second-factor")).json()
    assert (state["is_on"], state["has_authenticator"], state["passkeys"]) == (True, False, 1)
    other = browser(server)
    begun = await other.log_in(ANN, SECRET)
    assert begun.json() == {"state": "second-factor", "session": None, "ways": ["passkey", "recovery-code"]}
    assert (await other.ask("GET", "/api/v1/profile")).problem == "second-factor-needed"
    options = await asked(other)
    assert len(options["allowCredentials"]) == 1  # type: ignore[arg-type]  # a list of JSON
    shown = await other.ask("POST", "/api/v1/session/second-factor", {"passkey": key.get(options)})
    assert shown.json()["state"] == "open"
    third = browser(server)
    await third.log_in(ANN, SECRET)
    assert (await third.ask("POST", "/api/v1/session/second-factor", {"code": codes[0]})).status == 201


async def test_with_a_passkey_the_password_opens_no_mail_program(server: Server) -> None:
    web = await entered(server)
    for known in (await web.ask("GET", "/api/v1/app-passwords")).json()["app_passwords"]:
        await web.ask("DELETE", f"/api/v1/app-passwords/{known['number']}")
    await server.imap("ann", SECRET)  # the password itself
    await made(web, Authenticator(web.origin))
    imap = await server.connect("imaps")
    await imap.line()
    assert b"AUTHENTICATIONFAILED" in (await imap.try_command("a", f'LOGIN {ANN} "{SECRET}"'))[-1]


async def test_a_passkey_that_knows_its_owner_opens_the_web_alone(server: Server) -> None:
    _, key, _ = await enrolled(server)
    web = browser(server)
    opened = await alone(web, key)
    assert (opened.status, opened.json()["session"]["address"]) == (201, ANN)
    (passkey,) = (await web.ask("GET", "/api/v1/passkeys")).json()["passkeys"]
    assert (passkey["label"], passkey["host"]) == ("laptop", "localhost")
    assert passkey["used_at"]
    key.recognises = False
    refused = await alone(browser(server), key)
    assert refused.json()["errors"][0]["pointer"] == "#/passkey"


async def test_an_operator_may_want_the_password_as_well(tmp_path: Path, clock: FakeClock) -> None:
    def together(config: Config) -> Config:
        return replace(config, web=replace(config.web, passkeys=replace(config.web.passkeys, alone=False)))

    async with start_server(tmp_path, clock=clock, change=together) as server:
        _, key, _ = await enrolled(server)
        assert (await alone(browser(server), key)).problem == "passkey-alone"


async def test_what_a_passkey_answered_counts_once_and_in_time(server: Server, clock: FakeClock) -> None:
    _, key, _ = await enrolled(server)
    web = browser(server)
    answer = key.get(await asked(web))
    assert (await web.ask("POST", "/api/v1/session/passkey", {"passkey": answer})).status == 201
    assert (await browser(server).ask("POST", "/api/v1/session/passkey", {"passkey": answer})).status == 422
    late = key.get(await asked(web := browser(server)))
    clock.advance(301)
    refused = await web.ask("POST", "/api/v1/session/passkey", {"passkey": late}, headers={"Accept-Language": "zh"})
    assert refused.json()["errors"][0]["detail"] == "时间过长，请重试。"


async def test_a_copy_of_a_passkey_that_counts_is_found_out(server: Server) -> None:
    web = await entered(server)
    key = Authenticator(web.origin, count=7)
    await made(web, key)
    key.count = 8
    assert (await alone(browser(server), key)).status == 201
    for count in (8, 7, 0):
        key.count = count
        assert (await alone(browser(server), key)).status == 422, count


async def test_what_was_answered_to_another_site_is_worth_nothing(server: Server) -> None:
    web, key, _ = await enrolled(server)
    right = key.origin
    for origin, host in ((f"{right}0", "localhost"), ("https://evil.test", "localhost"), (right, "evil.test")):
        key.origin, key.host = origin, host
        assert (await alone(browser(server), key)).status == 422
    false = Authenticator("https://evil.test", handle=b"another")
    assert (await made(web, false)).json()["errors"][0]["pointer"] == "#/credential"


async def test_a_challenge_is_for_what_it_was_made(server: Server) -> None:
    web, key, _ = await enrolled(server)
    register = (await web.ask("POST", "/api/v1/passkeys/options")).json()
    stolen = key.get(register)
    assert (await browser(server).ask("POST", "/api/v1/session/passkey", {"passkey": stolen})).status == 422
    mine = key.get(await asked(web))  # of a session of ann's: not for a login
    assert (await browser(server).ask("POST", "/api/v1/session/passkey", {"passkey": mine})).status == 422
    made_up = {**register, "challenge": "AAAA"}
    assert (await browser(server).ask("POST", "/api/v1/session/passkey", {"passkey": key.get(made_up)})).status == 422


async def test_a_passkey_of_another_account_is_no_second_factor(server: Server) -> None:
    _, anns, _ = await enrolled(server)
    bob = await entered(server, "bob@hongyan.test")
    bobs = Authenticator(bob.origin, handle=b"bob's")
    await made(bob, bobs)
    web = browser(server)
    await web.log_in(ANN, SECRET)
    answer = bobs.get(await asked(web))
    assert (await web.ask("POST", "/api/v1/session/second-factor", {"passkey": answer})).status == 422
    thief = replace(bobs, handle=anns.handle)
    assert (await made(bob, thief)).problem == "already-exists"
    assert (await made(bob, replace(bobs, handle=b"x" * 1024))).status == 422


async def test_a_maker_s_chain_of_certificates_is_not_read(server: Server) -> None:
    web = await entered(server)
    options = (await web.ask("POST", "/api/v1/passkeys/options")).json()
    credential = Authenticator(web.origin).create(options, statement={"alg": -7, "sig": b"x", "x5c": [b"\x30" * 900]})
    answer = await web.ask("POST", "/api/v1/passkeys", {"label": "x", "credential": credential})
    assert answer.json()["errors"][0]["pointer"] == "#/credential"


async def test_a_step_up_by_passkey_and_the_end_of_the_last_one(server: Server, clock: FakeClock) -> None:
    web, key, _ = await enrolled(server)
    clock.advance(400)
    path = "/api/v1/passkeys/1"
    (passkey,) = (await web.ask("GET", "/api/v1/passkeys")).json()["passkeys"]
    path = f"/api/v1/passkeys/{passkey['number']}"
    assert (await web.ask("DELETE", path)).problem == "step-up-needed"
    assert (await web.ask("POST", "/api/v1/session/step-up", {"password": SECRET})).status == 422
    stepped = await web.ask("POST", "/api/v1/session/step-up", {"passkey": key.get(await asked(web))})
    assert stepped.json()["is_stepped_up"]
    assert (await web.ask("DELETE", path)).status == 204
    assert (await web.ask("DELETE", path)).status == 404
    state = (await web.ask("GET", "/api/v1/second-factor")).json()
    assert (state["is_on"], state["recovery_codes"]) == (False, 0)
    assert (await browser(server).log_in(ANN, SECRET)).json()["state"] == "open"
    assert (await alone(browser(server), key)).status == 422


async def test_there_are_so_many_passkeys_and_no_more(server: Server) -> None:
    web = await entered(server)
    for number in range(10):
        assert (await made(web, Authenticator(web.origin, handle=b"%d" % number))).status == 201
    assert (await made(web, Authenticator(web.origin, handle=b"one more"))).status == 409


async def test_by_an_address_there_are_no_passkeys(server: Server) -> None:
    web = await entered(server)
    web.name = "127.0.0.1"
    assert (await web.ask("POST", "/api/v1/passkeys/options")).status == 422
