"""A login that was somebody else's, over sockets: he is out, and the owner sets a new password before all else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.clock import FakeClock
from tests.support.server import SECRET, Server, start_server

ANN = "ann@hongyan.test"


@pytest.fixture
async def server(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Server]:
    async with start_server(tmp_path, clock=clock) as server:
        yield server


async def entered(server: Server, secret: str = SECRET) -> Browser:
    endpoint = server.app.endpoints["https"]
    web = Browser(endpoint.host, endpoint.port, server.tls)
    assert (await web.log_in(ANN, secret)).status == 201
    return web


async def test_a_stranger_is_out_and_nothing_goes_on_before_a_new_password(server: Server) -> None:
    web, stranger = await entered(server), await entered(server)
    key = await web.ask("POST", "/api/v1/keys", {"label": "x", "scopes": ["account:read"]})
    phone = await web.ask("POST", "/api/v1/app-passwords", {"label": "phone"})
    imap = await server.imap("ann", phone.json()["secret"])
    await server.app.services.entrance.logins.flush()
    logins = (await web.ask("GET", "/api/v1/logins")).json()["logins"]
    (his,) = [each for each in logins if each["label"] == "phone"]
    wrong = {"address": "192.0.2.9", "service": "imap"}
    assert (await web.ask("POST", "/api/v1/logins/not-me", wrong)).status == 404
    body = {name: his[name] for name in ("address", "service", "label")}
    done = await web.ask("POST", "/api/v1/logins/not-me", body)
    assert done.status == 200, done.body
    assert (done.json()["sessions"], done.json()["app_passwords"]) == (2, ["phone"])
    assert done.json()["steps"][0] == "new-password"
    assert b"BYE" in await imap.line()
    assert (await stranger.ask("GET", "/api/v1/session")).status == 401
    program = {"Authorization": f"Bearer {key.json()['secret']}", "Cookie": "", "Sec-Fetch-Site": "", "Origin": ""}
    assert (await web.ask("GET", "/api/v1/profile", headers=program)).status == 401
    assert (await web.ask("GET", "/api/v1/session")).json()["requirement"] == "new-password"
    assert (await web.ask("GET", "/api/v1/app-passwords")).problem == "new-password-required"
    assert (await web.ask("GET", "/jmap/session")).status == 403
    again = await entered(server)
    assert (await again.ask("GET", "/api/v1/devices")).problem == "new-password-required", "he knows the password still"
    assert (await web.ask("PUT", "/api/v1/password", {"password": "another goose"})).status == 204
    assert (await web.ask("GET", "/api/v1/app-passwords")).status == 200
    assert (await again.ask("GET", "/api/v1/session")).status == 401
