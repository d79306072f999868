"""What people set for themselves over sockets: how mail is served, time zone, addresses, storage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.browser import Browser
from tests.support.server import SECRET, Server, start_server

ANN = "ann@hongyan.test"
ADMIN = "admin@hongyan.test"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


async def entered(server: Server, name: str = ANN, secret: str = SECRET) -> Browser:
    endpoint = server.app.endpoints["https"]
    web = Browser(endpoint.host, endpoint.port, server.tls)
    assert (await web.log_in(name, secret)).status == 201
    return web


async def test_what_is_set_for_pop3_is_what_pop3_does(server: Server) -> None:
    await server.bring(ANN, "Hello")
    web = await entered(server)
    before = (await web.ask("GET", "/api/v1/mail-settings")).json()
    assert before["pop3"] == {"days": 0, "fetched": "keep", "keep_days": 0, "deleted": "expunge"}
    changed = await web.ask("PATCH", "/api/v1/mail-settings", {"pop3": {"days": 30, "deleted": "trash"}})
    assert changed.json()["pop3"] == {"days": 30, "fetched": "keep", "keep_days": 0, "deleted": "trash"}
    await delete_by_pop3(server)
    imap = await server.imap("ann")
    assert b'* STATUS "Trash" (MESSAGES 1)' in await imap.command("b", "STATUS Trash (MESSAGES)")
    again = await web.ask("PATCH", "/api/v1/mail-settings", {"reset": True, "imap": {"deleted": "keep"}})
    assert again.json() == {"pop3": before["pop3"], "imap": {"deleted": "keep"}}


async def delete_by_pop3(server: Server) -> None:
    pop3 = await server.connect("pop3s")
    await pop3.line()
    for line in (f"USER {ANN}", f"PASS {SECRET}", "DELE 1", "QUIT"):
        pop3.say(line)
        reply = await pop3.line()
        assert reply.startswith(b"+OK"), (line, reply)


async def test_days_that_cannot_be_are_refused_at_their_field(server: Server) -> None:
    web = await entered(server)
    refused = await web.ask("PATCH", "/api/v1/mail-settings", {"pop3": {"days": -1, "fetched": "burn"}})
    assert refused.status == 422
    assert {each["pointer"] for each in refused.json()["errors"]} == {"#/pop3/days", "#/pop3/fetched"}


async def test_a_time_zone_is_one_that_there_is(server: Server) -> None:
    web = await entered(server)
    assert (await web.ask("GET", "/api/v1/profile")).json()["time_zone"] == ""
    set_to = await web.ask("PATCH", "/api/v1/profile", {"time_zone": "Asia/Shanghai"})
    assert set_to.json()["time_zone"] == "Asia/Shanghai"
    for wrong in ("Moon/Tycho", "../../etc/passwd", "/etc/passwd", "Asia"):
        refused = await web.ask("PATCH", "/api/v1/profile", {"time_zone": wrong}, headers={"Accept-Language": "zh"})
        assert refused.json()["errors"] == [{"pointer": "#/time_zone", "detail": "没有这个时区。"}], wrong
    assert (await web.ask("PATCH", "/api/v1/profile", {"time_zone": ""})).json()["time_zone"] == ""


async def test_addresses_are_the_own_one_and_what_an_admin_gave(server: Server) -> None:
    admin = await entered(server, ADMIN)
    body = {"address": "sales@hongyan.test", "targets": [ANN]}
    assert (await admin.ask("POST", "/api/v1/admin/aliases", body)).status == 200
    listed = await (await entered(server)).ask("GET", "/api/v1/addresses")
    assert listed.json()["addresses"] == [
        {"address": ANN, "is_own": True},
        {"address": "sales@hongyan.test", "is_own": False},
    ]


async def test_storage_grows_with_what_comes(server: Server) -> None:
    web = await entered(server)
    before = (await web.ask("GET", "/api/v1/storage")).json()
    await server.bring(ANN, "Hello", size=900)
    after = (await web.ask("GET", "/api/v1/storage")).json()
    assert after["used_messages"] == before["used_messages"] + 1
    assert after["used_octets"] > before["used_octets"] + 900


async def test_an_admin_says_how_much_an_account_may_store(server: Server) -> None:
    admin, web = await entered(server, ADMIN), await entered(server)
    body = {"address": ANN, "octets": 5000}
    assert (await admin.ask("POST", "/api/v1/admin/accounts/quota", body)).status == 200
    assert (await web.ask("GET", "/api/v1/storage")).json()["limit_octets"] == 5000
    assert (await admin.ask("POST", "/api/v1/admin/accounts/quota", {**body, "octets": -1})).status == 422
    keys = await admin.ask("GET", "/api/v1/admin/domains/hongyan.test/keys")
    assert keys.json() == {"domain": "hongyan.test", "keys": []}


async def test_what_a_phone_reads_off_the_page_is_the_listener_that_runs(server: Server) -> None:
    told = (await (await entered(server)).ask("GET", "/api/v1/server-info")).json()
    assert told["qr_code"].startswith("<svg")
    assert told["check_minutes"] == 15
    ports = {(each["service"], each["security"]): each["port"] for each in told["servers"]}
    assert ports["imap", "tls"] == server.app.endpoints["imaps"].port
