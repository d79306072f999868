"""Whoever waits for a command that takes long hears how far it is (RFC 9585), and whoever does not hears nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hongyan.config import Config
from hongyan.servers.imap import search_messages
from hongyan.servers.imap.commands import copy, fetch
from hongyan.servers.imap.progress import Working
from hongyan.wire.imap import codes
from hongyan.wire.imap.commands import Noop
from tests.support.clock import FakeClock
from tests.support.lines import Lines
from tests.support.server import Server, start_server

_PATIENCE = 20


@dataclass
class Stage:
    """A service whose searches stop before each batch of messages until they are let on."""

    server: Server
    clock: FakeClock
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait(self, seconds: int) -> None:
        """Time passes, second by second."""
        wheel = self.server.app.wheel
        for _ in range(seconds):
            self.clock.advance(1)
            wheel.turn()

    async def batch(self) -> None:
        """A batch of messages is about to be looked at."""
        await asyncio.wait_for(self.reached.wait(), _PATIENCE)
        self.reached.clear()

    async def selected(self) -> Lines:
        imap = await self.server.imap("ann")
        imap.say("a SELECT INBOX")
        await imap.until(b"a OK")
        return imap


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    clock = FakeClock()
    loop = asyncio.get_running_loop()
    test_all = search_messages._test_all
    async with start_server(tmp_path, limits=False, clock=clock) as server:
        found = Stage(server, clock)

        def halting(messages: Sequence[Any], meets: Any) -> object:
            loop.call_soon_threadsafe(found.reached.set)
            assert found.go_on.acquire(timeout=_PATIENCE)
            return test_all(messages, meets)

        monkeypatch.setattr(search_messages, "_test_all", halting)
        monkeypatch.setattr(search_messages, "_AT_ONCE", 2)
        imap = await server.imap("ann")
        for number in range(5):
            message = f"X-Odd: {number}\r\n\r\nbody\r\n"
            await imap.command("a", f"APPEND INBOX {{{len(message)}+}}\r\n{message}")
        try:
            yield found
        finally:
            found.go_on.release(100)


async def test_a_search_tells_how_many_messages_it_has_read_and_of_how_many(stage: Stage) -> None:
    imap = await stage.selected()
    imap.say('x SEARCH HEADER X-Odd ""')
    await stage.batch()
    stage.wait(11)
    assert not imap.has_octets()
    stage.wait(3)
    assert await imap.line() == b'* OK [INPROGRESS ("x" 0 5)] Still at it.'
    stage.go_on.release()
    await stage.batch()
    stage.wait(13)
    assert await imap.line() == b'* OK [INPROGRESS ("x" 2 5)] Still at it.'
    stage.go_on.release(2)
    assert await imap.line() == b"* SEARCH 1 2 3 4 5"
    assert await imap.line() == b"x OK Done."
    stage.wait(60)
    assert await imap.try_command("y", "NOOP") == [b"y OK Done."]  # it is over, and nothing more is said


async def test_each_command_counts_from_its_own_beginning_and_a_strange_tag_is_not_told(stage: Stage) -> None:
    imap = await stage.selected()
    stage.go_on.release(3)
    await imap.command("x", 'SEARCH HEADER X-Odd ""')
    stage.reached.clear()
    imap.say('y] UID SORT (ARRIVAL) UTF-8 HEADER X-Odd "" UID 2:3')
    await stage.batch()
    stage.wait(14)
    assert await imap.line() == b"* OK [INPROGRESS (NIL 0 2)] Still at it."
    stage.go_on.release()
    assert await imap.line() == b"* SORT 2 3"


async def test_what_cannot_be_counted_is_told_to_go_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun, transfer = asyncio.Event(), asyncio.Event(), copy.transfer_messages

    async def slow(*arguments: Any, **named: Any) -> Any:
        begun.set()
        await gate.wait()
        return await transfer(*arguments, **named)

    monkeypatch.setattr(copy, "transfer_messages", slow)
    imap = await stage.selected()
    imap.say("c COPY 1:5 Trash")
    await asyncio.wait_for(begun.wait(), _PATIENCE)
    for _ in range(2):
        stage.wait(13)
        assert await imap.line() == b'* OK [INPROGRESS ("c" NIL NIL)] Still at it.'
    gate.set()
    assert (await imap.line()).startswith(b"c OK [COPYUID ")


async def test_nothing_comes_into_the_rows_of_a_fetch(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun, marks = asyncio.Event(), asyncio.Event(), fetch._mark_seen

    async def slow(*arguments: Any) -> None:
        begun.set()
        await gate.wait()
        await marks(*arguments)

    monkeypatch.setattr(fetch, "_mark_seen", slow)
    imap = await stage.selected()
    imap.say("f FETCH 1 BODY[TEXT]")
    await asyncio.wait_for(begun.wait(), _PATIENCE)
    stage.wait(60)
    gate.set()
    rows = [b"* 1 FETCH (BODY[TEXT] {6}", b"body", b")", b"* 1 FETCH (UID 1 FLAGS (\\Seen))", b"f OK Done."]
    assert [await imap.line() for _ in rows] == rows


async def test_a_program_that_cannot_bear_it_is_told_nothing(tmp_path: Path) -> None:
    def switch_off(config: Config) -> Config:
        return replace(config, imap=replace(config.imap, switched_off=("INPROGRESS",)))

    async with start_server(tmp_path, limits=False, change=switch_off) as server:
        imap = await server.imap("ann")
        session = next(iter(next(iter(server.app.services.hub._waiters.values()))))
        session.working.begin(Noop(b"a"))  # type: ignore[attr-defined]  # it is an ImapSession
        assert len(server.app.services.imap.progress_heart) == 0
        assert b"INPROGRESS" not in b" ".join(await imap.command("b", "CAPABILITY"))


def test_a_client_that_does_not_read_is_told_nothing() -> None:
    said: list[bytes] = []
    connection = SimpleNamespace(stalled=True, flush=lambda: said.append(b"flushed"))
    session: Any = SimpleNamespace(connection=connection, send=said.append)
    working = Working(session)
    working.heartbeat()
    assert said == []
    connection.stalled = False
    working.heartbeat()
    assert said[1:] == [b"flushed"]


@pytest.mark.parametrize(
    ("tag", "done", "goal", "told"),
    [
        (b"a", 0, 0, b'INPROGRESS ("a" NIL NIL)'),
        (b"a", 3, 0, b'INPROGRESS ("a" 3 NIL)'),
        (b"a", 3, 4, b'INPROGRESS ("a" 3 4)'),
        (b"a", 4, 4, b'INPROGRESS ("a" 4 NIL)'),  # a goal is greater than what is done (RFC 9585 §4)
        (b"a]", 0, 9, b"INPROGRESS (NIL 0 9)"),
    ],
)
def test_the_code_tells_no_goal_that_is_reached_and_no_tag_that_would_end_it(
    tag: bytes, done: int, goal: int, told: bytes
) -> None:
    assert codes.inprogress(tag, done, goal) == told
