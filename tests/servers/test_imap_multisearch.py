"""ESEARCH over several mailboxes while time passes, mailboxes go, and others want to be served (RFC 7377)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hongyan.config import Config
from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.reach import Place
from hongyan.servers.imap import search_index, sources
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession
from tests.support.server import Server, start_server

OTHERS = "Other Users/ann@hongyan.test"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path, plaintext_auth=True, limits=False) as running:
        yield running


async def fill(server: Server, *names: str) -> None:
    """Make mailboxes of ann's, each with one message."""
    account = (await server.account("ann")).account_id
    mail = server.app.services.mail
    for name in names:
        made = await mail.mailboxes.create_mailbox(account, name)
        await append(mail, account, made.mailbox_id, [Incoming(b"Subject: hello\r\n\r\nWe meet at noon.\r\n")])


def told_of(lines: list[bytes]) -> list[str]:
    """Return the mailboxes that were told of."""
    return [line.split(b'MAILBOX "')[1].split(b'"')[0].decode() for line in lines if line.startswith(b"* ESEARCH")]


@pytest.fixture
def befalls(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], Coroutine[Any, Any, object]]]:
    """What befalls when a mailbox of that name is opened; with `after ` before the name when it is open."""
    events: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {}
    open_ = sources._open

    async def opened(session: ImapSession, place: Place) -> Selected | None:
        if place.mailbox.name in events:
            await events.pop(place.mailbox.name)()
        held = await open_(session, place)
        if f"after {place.mailbox.name}" in events:
            await events.pop(f"after {place.mailbox.name}")()
        return held

    monkeypatch.setattr(sources, "_open", opened)
    return events


async def test_a_mailbox_that_goes_away_meanwhile_is_left_out(
    server: Server, befalls: dict[str, Callable[[], Coroutine[Any, Any, object]]]
) -> None:
    await fill(server, "One", "Three", "Two")
    imap, other = await server.imap("ann"), await server.imap("ann")
    befalls["One"] = lambda: other.command("x", "DELETE One")
    befalls["after Three"] = lambda: other.command("y", "DELETE Three")
    told = await imap.command("b", "ESEARCH IN (personal) BODY noon")
    assert told_of(told) == ["Two"]
    assert not befalls
    assert told_of(await imap.command("c", "ESEARCH IN (personal) BODY noon")) == ["Two"]


async def test_a_right_that_is_taken_back_meanwhile_is_felt(
    server: Server, befalls: dict[str, Callable[[], Coroutine[Any, Any, object]]]
) -> None:
    await fill(server, "One", "Three", "Two")
    ann, bob = await server.imap("ann"), await server.imap("bob")
    for name in ("One", "Two", "Three"):
        await ann.command("a", f"SETACL {name} bob lr")
    befalls["One"] = lambda: ann.command("x", "SETACL One bob -r")
    befalls["after Three"] = lambda: ann.command("y", "SETACL Three bob -r")
    told = await bob.command("b", 'ESEARCH IN (subtree "Other Users") BODY noon')
    assert told_of(told) == [f"{OTHERS}/Two"]
    assert not befalls


async def test_no_mailbox_stays_in_memory_for_having_been_searched(server: Server) -> None:
    await fill(server, "One", "Two")
    imap = await server.imap("ann")
    await imap.command("a", "SETACL Two bob lr")
    bob = await server.imap("bob")
    await imap.command("b", "ESEARCH IN (personal) BODY noon")
    await bob.command("b", 'ESEARCH IN (subtree "Other Users") BODY noon')
    assert not server.app.services.mail.live._pins
    assert not server.app.services.imap.shared.views._views


async def test_where_time_is_up_what_was_found_is_told_and_that_it_is_not_all(tmp_path: Path) -> None:
    def hurried(config: Config) -> Config:
        return replace(config, imap=replace(config.imap, search_timeout=5.0))

    async with start_server(tmp_path, plaintext_auth=True, limits=False, change=hurried) as server:
        await fill(server, "One", "Three", "Two")
        imap = await server.imap("ann")
        services = server.app.services.imap
        object.__setattr__(services, "clock", _Late(services.clock))
        said = await imap.try_command("b", "ESEARCH IN (personal) BODY noon")
    assert told_of(said) == ["One", "Three"]
    assert said[-1] == b"b OK [LIMIT] That took too long; not everything was searched."


class _Late:
    """A clock on which each look takes two seconds."""

    def __init__(self, clock: object) -> None:
        self._clock = clock
        self._passed = 0.0

    def monotonic(self) -> float:
        self._passed += 2
        return self._passed

    def __getattr__(self, name: str) -> object:
        return getattr(self._clock, name)


async def test_the_index_is_asked_once_for_all_mailboxes(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(server, "One", "Two", "Three")
    asked: list[str] = []
    match = SqliteIndex.match

    async def counted(self: SqliteIndex, account: Any, fields: Any, needle: str) -> Any:
        asked.append(needle)
        return await match(self, account, fields, needle)

    monkeypatch.setattr(SqliteIndex, "match", counted)
    monkeypatch.setattr(search_index, "_FEW", 2)
    imap = await server.imap("ann")
    assert len(told_of(await imap.command("b", "ESEARCH IN (personal) BODY noon"))) == 3
    assert asked == ["noon"], "two messages are read, then the index is asked once"
    assert len(told_of(await imap.command("c", "ESEARCH IN (mailboxes (One Two)) BODY noon"))) == 2
    assert asked == ["noon"], "few messages are read, in however many mailboxes they are"


@pytest.mark.slow
async def test_others_are_served_while_one_searches_hundreds_of_mailboxes(server: Server) -> None:
    await fill(server, *[f"box/{number:03}" for number in range(300)])
    busy, other = await server.imap("ann"), await server.imap("bob")
    searching = asyncio.create_task(busy.command("a", "ESEARCH IN (personal) NOT FLAGGED BODY noon"))
    answered = 0
    while not searching.done() and answered < 5:
        await other.command("b", "NOOP")
        answered += 1
    assert answered == 5
    assert not searching.done()
    assert len(told_of(await searching)) == 300
