"""Large messages and large mailboxes over IMAP: memory stays bounded, and others have their turn."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.mailboxes.append import Incoming, append
from hongyan.servers.connection import Connection
from hongyan.servers.imap.searching import MAX_READING_KEYS, MAX_ROW_KEYS
from hongyan.store.mailboxes import INBOX_ID
from tests.support.lines import Lines
from tests.support.server import Server, start_server

MEGABYTE = 1 << 20


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path, plaintext_auth=True, limits=False) as running:
        yield running


async def deliver(server: Server, *messages: bytes) -> None:
    account = (await server.account("ann")).account_id
    await append(server.app.services.mail, account, INBOX_ID, [Incoming(octets) for octets in messages])


def connections_of(server: Server) -> list[Connection]:
    listener = server.app.front._listeners["imaps"]
    return [served for served in listener._arrivals.values() if isinstance(served, Connection)]


async def read_literal(lines: Lines) -> bytes:
    """Return the literal of a FETCH response that comes next."""
    head = await lines.line()
    size = int(head.rpartition(b"{")[2].rstrip(b"}"))
    async with asyncio.timeout(30):
        return await lines._reader.readexactly(size)


@pytest.mark.slow
async def test_75_mib_are_appended_and_read_back_and_any_part_of_them(server: Server) -> None:
    lines = (b"%08d 0123456789abcdef0123456789abcdef0123456789abcdef\r\n" % n for n in range(75 * MEGABYTE // 58 + 1))
    message = (b"Subject: large\r\n\r\n" + b"".join(lines))[: 75 * MEGABYTE]
    imap = await server.imap("ann")
    imap.say("a SELECT INBOX")
    await imap.until(b"a OK")
    imap.say(f"b APPEND INBOX {{{len(message)}}}")
    await imap.until(b"+")
    for at in range(0, len(message), MEGABYTE):
        imap._writer.write(message[at : at + MEGABYTE])
        await imap._writer.drain()
    imap.say("")
    await imap.until(b"b OK")

    imap.say("c FETCH 1 BODY.PEEK[]")
    assert hashlib.sha256(await read_literal(imap)).digest() == hashlib.sha256(message).digest()
    await imap.until(b"c OK")
    for start, count in ((0, 10), (MEGABYTE - 5, 10), (len(message) - 3, 100), (30 * MEGABYTE, 2 * MEGABYTE)):
        imap.say(f"d FETCH 1 BODY.PEEK[]<{start}.{count}>")
        assert await read_literal(imap) == message[start : start + count]
        await imap.until(b"d OK")
    imap.say(f"e FETCH 1 (BODY.PEEK[HEADER] BODY.PEEK[TEXT]<{40 * MEGABYTE}.5>)")
    assert await read_literal(imap) == message[:18]
    assert await read_literal(imap) == message[18 + 40 * MEGABYTE :][:5]
    await imap.until(b"e OK")


async def test_a_client_that_does_not_read_is_not_sent_more_than_a_little(server: Server) -> None:
    await deliver(server, b"Subject: large\r\n\r\n" + b"x" * (20 * MEGABYTE))
    imap = await server.imap("ann")
    imap.say("a SELECT INBOX")
    await imap.until(b"a OK")
    imap._reader._transport.pause_reading()  # type: ignore[attr-defined]
    imap.say("b FETCH 1 BODY.PEEK[]")
    (connection,) = connections_of(server)
    async with asyncio.timeout(20):
        while not connection.stalled:
            await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
        assert connection._transport.get_write_buffer_size() < MEGABYTE
    imap._reader._transport.resume_reading()  # type: ignore[attr-defined]
    assert len(await read_literal(imap)) == 20 * MEGABYTE + 18
    await imap.until(b"b OK")


async def test_a_large_attachment_is_decoded_as_it_streams(server: Server) -> None:
    octets = hashlib.shake_256(b"goose").digest(4 * MEGABYTE + 1)
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
    attached = b"Content-Type: application/x-goose\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    strange = b"\r\n--b\r\nContent-Transfer-Encoding: x-goose\r\n\r\nhonk\r\n--b--\r\n"
    await deliver(server, head + attached + encoded + strange)
    imap = await server.imap("ann")
    imap.say("a SELECT INBOX")
    await imap.until(b"a OK")
    assert await imap.command("b", "FETCH 1 BINARY.SIZE[2]") == [b"* 1 FETCH (BINARY.SIZE[2] %d)" % len(octets)]
    imap.say("c FETCH 1 BINARY.PEEK[2]")
    assert await read_literal(imap) == octets
    await imap.until(b"c OK")
    imap.say(f"d FETCH 1 BINARY.PEEK[2]<{3 * MEGABYTE}.100>")
    assert await read_literal(imap) == octets[3 * MEGABYTE :][:100]
    await imap.until(b"d OK")
    imap.say(f"e FETCH 1 BINARY.PEEK[2]<{5 * MEGABYTE}.100>")
    assert await read_literal(imap) == b""
    await imap.until(b"e OK")
    said = await imap.try_command("f", "FETCH 1 (UID BINARY.PEEK[3])")
    assert said[0] == b"* 1 FETCH (UID 1 BINARY[3] NIL)"
    assert said[1].startswith(b"f NO [UNKNOWN-CTE]")


async def test_others_are_served_while_one_searches_bodies(server: Server) -> None:
    filler = b"".join(b"line %d of a message that is searched\r\n" % n for n in range(400))
    await deliver(server, *[b"Subject: %d\r\n\r\n" % n + filler for n in range(1500)])
    busy, other = await server.imap("ann"), await server.imap("bob")
    busy.say("a SELECT INBOX")
    await busy.until(b"a OK")
    searching = asyncio.create_task(busy.command("b", "SEARCH NOT BODY nowhere"))
    answered = 0
    while not searching.done() and answered < 5:
        await other.command("c", "NOOP")
        answered += 1
    assert answered == 5
    assert not searching.done()
    assert len((await searching)[0].split()) == 1502


@pytest.mark.slow
async def test_others_are_served_while_one_lists_thousands_of_mailboxes(server: Server) -> None:
    account = (await server.account("ann")).account_id
    mailboxes = server.app.services.mail.mailboxes
    names = [f"box/{number:05}/with a long name" for number in range(3000)]
    await asyncio.gather(*(mailboxes.create_mailbox(account, name) for name in names))
    busy, other = await server.imap("ann"), await server.imap("bob")
    patterns = " ".join(f'"*{number}*x*y*%*%"' for number in range(50))
    listing = asyncio.create_task(busy.command("a", f'LIST (SUBSCRIBED RECURSIVEMATCH) "" ({patterns})'))
    answered = 0
    while not listing.done() and answered < 3:
        await other.command("b", "NOOP")
        answered += 1
    assert answered == 3
    assert not listing.done()
    assert await listing == []
    assert len(await busy.command("c", 'LIST "" *')) == 3000 * 2 + 1 + 6


async def test_a_search_has_its_limits(tmp_path: Path) -> None:
    def hurried(config: object) -> object:
        return replace(config, imap=replace(config.imap, search_timeout=1.0))  # type: ignore[attr-defined,type-var]

    async with start_server(tmp_path, limits=False, change=hurried) as server:  # type: ignore[arg-type]
        await deliver(server, *[b"Subject: %d\r\n\r\nbody\r\n" % n for n in range(20)])
        imap = await server.imap("ann")
        imap.say("a SELECT INBOX")
        await imap.until(b"a OK")
        for key, most in (("BODY x", MAX_READING_KEYS), ("FROM x", MAX_ROW_KEYS)):
            assert (await imap.try_command("b", f"SEARCH {' '.join(['NOT ' + key] * most)}"))[-1].startswith(b"b OK")
            said = await imap.try_command("c", f"SEARCH {' '.join(['NOT ' + key] * (most + 1))}")
            assert said == [b"c NO [LIMIT] The search asks for too much at once."]
        services = server.app.services.imap
        late = _Late(services.clock)
        object.__setattr__(services, "clock", late)
        said = await imap.try_command("d", "SEARCH RETURN (SAVE) NOT BODY x NOT BODY y")
        assert said == [b"d NO [LIMIT] The search takes too long; ask for less."]
        assert await imap.command("e", "FETCH $ UID") == []


class _Late:
    """A clock on which each look takes two seconds."""

    def __init__(self, clock: object) -> None:
        self._clock = clock
        self._passed = 0.0

    def monotonic(self) -> float:
        self._passed += 2
        return self._clock.monotonic() + self._passed  # type: ignore[attr-defined, no-any-return]

    def timestamp(self) -> float:
        return self._clock.timestamp()  # type: ignore[attr-defined, no-any-return]

    def now(self) -> object:
        return self._clock.now()  # type: ignore[attr-defined]
