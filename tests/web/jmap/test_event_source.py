"""Changes as they come, over an answer that does not end (RFC 8620 §7.3)."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from hongyan.audit.events import CLI
from hongyan.config import Config
from hongyan.demonstration import DOMAIN
from hongyan.store.accounts import Service
from tests.support.clock import FakeClock
from tests.support.events import open_events
from tests.support.jmap import JmapClient, http
from tests.support.server import SECRET, Server, start_server


async def _until_nobody_is_left(server: Server) -> None:
    pushing = server.app.services.pushing
    async with asyncio.timeout(20):
        while pushing.streams.total or pushing.feeds.followed:
            await asyncio.sleep(0)


async def _email_state(client: JmapClient) -> str:
    return str((await client.call("Email/get", ids=[]))["state"])


async def _mailbox(client: JmapClient) -> None:
    """Change something that is no mail."""
    inbox = (await client.mailboxes())["Inbox"]
    changed = await client.call("Mailbox/set", update={inbox["id"]: {"sortOrder": inbox["sortOrder"] + 1}})
    assert inbox["id"] in changed["updated"]


# What is told.


async def test_mail_that_comes_is_told_of_at_once_with_the_states_that_get_returns(
    server: Server, ann: JmapClient
) -> None:
    async with open_events(server, ann.authorization) as events:
        assert (events.status, events.headers["content-type"]) == (200, "text/event-stream")
        assert events.headers["cache-control"] == "no-store"
        assert (await server.bring(f"ann@{DOMAIN}")).startswith(b"250")
        states = await events.changed()
        assert states["Email"] == states["Thread"] == states["Mailbox"] == await _email_state(ann)
        assert "EmailDelivery" in states


async def test_what_is_no_new_mail_is_no_delivery(server: Server, ann: JmapClient) -> None:
    async with open_events(server, ann.authorization) as events:
        await _mailbox(ann)
        states = await events.changed()
        assert "Mailbox" in states
        assert "EmailDelivery" not in states


async def test_only_the_types_that_were_asked_for_are_told_of(server: Server, ann: JmapClient) -> None:
    async with open_events(server, ann.authorization, "types=EmailDelivery,Unheard") as events:
        await _mailbox(ann)
        await server.bring(f"ann@{DOMAIN}")
        assert list(await events.changed()) == ["EmailDelivery"]


async def test_nobody_hears_of_anothers_account(server: Server, ann: JmapClient) -> None:
    async with open_events(server, ann.authorization) as events:
        await server.bring(f"bob@{DOMAIN}")
        await server.bring(f"ann@{DOMAIN}")
        event = await events.event()
        assert event is not None
        assert list(event.data["changed"]) == [ann.account_id]


async def test_a_stream_that_closes_after_a_state_ends_so(server: Server, ann: JmapClient) -> None:
    async with open_events(server, ann.authorization, "types=*&closeafter=state&ping=0") as events:
        await server.bring(f"ann@{DOMAIN}")
        assert "Email" in await events.changed()
        assert await events.event() is None
    await _until_nobody_is_left(server)


async def test_who_comes_back_is_told_at_once_what_it_missed_and_nothing_else(server: Server, ann: JmapClient) -> None:
    async with open_events(server, ann.authorization) as events:
        await server.bring(f"ann@{DOMAIN}")
        last = await events.event()
    assert last is not None
    again = ann.authorization | {"Last-Event-ID": last.id}
    async with open_events(server, again) as events:
        await server.bring(f"ann@{DOMAIN}", "Second")  # the first thing it hears: nothing was missed
        later = await events.event()
        assert later is not None
        assert later.id != last.id
    async with open_events(server, again) as events:
        missed = await events.event()
        assert missed is not None
        assert missed.id == later.id
        assert missed.data["changed"][ann.account_id]["Email"] == await _email_state(ann)


async def test_a_burst_is_told_of_once_at_its_beginning_and_once_after_a_pause(tmp_path: Path) -> None:
    clock = FakeClock()
    async with start_server(tmp_path, clock=clock) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_events(server, ann.authorization) as events:
            await server.bring(f"ann@{DOMAIN}")
            first = await events.changed()
            for number in range(3):
                await server.bring(f"ann@{DOMAIN}", f"Number {number}")
            clock.advance(2)
            second = await events.changed()
            assert second["Email"] == await _email_state(ann) != first["Email"]
            await _mailbox(ann)
            clock.advance(2)
            assert "EmailDelivery" not in await events.changed()  # nothing of the burst was left


# Pings, and what else keeps a stream alive or ends it.


async def test_pings_come_as_often_as_was_asked_within_limits(tmp_path: Path) -> None:
    clock = FakeClock()
    async with start_server(tmp_path, clock=clock) as server:
        ann = await JmapClient(server, "ann").open()
        for asked, given in ((1, 30), (100, 100), (99_999, 900)):
            async with open_events(server, ann.authorization, f"types=*&closeafter=no&ping={asked}") as events:
                for _ in range(2):
                    for _second in range(0, given + 60, 60):
                        clock.advance(60)
                    ping = await events.event()
                    assert ping is not None
                    assert (ping.name, ping.data) == ("ping", {"interval": given})
                    if given < 100:
                        break


async def test_a_stream_lasts_an_hour(tmp_path: Path) -> None:
    clock = FakeClock()
    async with start_server(tmp_path, clock=clock) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_events(server, ann.authorization) as events:
            clock.advance(3700)
            assert await events.event() is None
        await _until_nobody_is_left(server)


async def test_a_stream_ends_with_the_secret_that_opened_it(server: Server) -> None:
    directory, account = server.app.services.directory, await server.account("user")
    issued = await directory.app_passwords.create(account.account_id, "phone", frozenset({Service.IMAP}), CLI)
    user = await JmapClient(server, "user", issued.shown.reveal_text()).open()
    async with open_events(server, user.authorization) as events:
        await directory.app_passwords.revoke(account.account_id, None, CLI)
        assert await events.event() is None
    await _until_nobody_is_left(server)


async def test_a_stream_ends_with_its_account(server: Server, ann: JmapClient) -> None:
    account = await server.account("ann")
    async with open_events(server, ann.authorization) as events:
        await server.app.services.directory.accounts.suspend(account.account_id, CLI)
        assert await events.event() is None


async def test_a_stream_of_a_browser_ends_when_it_logs_out(server: Server) -> None:
    body = f'{{"name":"ann@{DOMAIN}","password":"{SECRET}"}}'.encode()
    own = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    login = await http(server, "POST", "/api/v1/session", headers=own, body=body)
    assert login.status == 201, login.body
    cookie = {"Cookie": login.headers["set-cookie"].partition(";")[0]}
    async with open_events(server, own | cookie) as events:
        assert events.status == 200
        await server.bring(f"ann@{DOMAIN}")
        assert "Email" in await events.changed()
        assert (await http(server, "DELETE", "/api/v1/session", headers=own | cookie)).status == 204
        assert await events.event() is None
    async with open_events(server, cookie | {"Sec-Fetch-Site": "cross-site"}) as events:
        assert events.status == 403


async def test_a_stream_ends_when_the_server_stops(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_events(server, ann.authorization) as events:
            assert events.status == 200
            await server.app.front.drain(5)
            assert await events.event() is None


# Limits.


@pytest.mark.parametrize(("limit", "status"), [("push_streams", 429), ("push_streams_total", 503)])
async def test_so_many_streams_there_are_and_no_more(tmp_path: Path, limit: str, status: int) -> None:
    wanted: Any = {limit: 2}

    def change(config: Config) -> Config:
        return dataclasses.replace(config, jmap=dataclasses.replace(config.jmap, **wanted))

    async with start_server(tmp_path, change=change) as server:
        ann = await JmapClient(server, "ann").open()
        async with open_events(server, ann.authorization) as one, open_events(server, ann.authorization) as two:
            assert (one.status, two.status) == (200, 200)
            async with open_events(server, ann.authorization) as three:
                assert three.status == status
        await _until_nobody_is_left(server)
        async with open_events(server, ann.authorization) as four:
            assert four.status == 200


@pytest.mark.parametrize("query", ["closeafter=never", "ping=-1", "ping=soon", "types=" + "a," * 100])
async def test_what_cannot_be_wished_is_refused(server: Server, ann: JmapClient, query: str) -> None:
    assert (await ann.get(f"/jmap/eventsource?{query}")).status == 400
    assert server.app.services.pushing.streams.total == 0
