"""IMAP sessions driven octet by octet, with a peer that may stop reading or go."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from hongyan.audit.events import CLI
from hongyan.errors import Corrupt, Unavailable
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.expunge import expunge
from hongyan.servers.imap.handlers import HANDLERS
from hongyan.servers.imap.session import ImapSession
from hongyan.store.mailboxes import INBOX_ID
from hongyan.types import AccountId, BlobRef
from tests.support.server import SECRET, Server, start_server
from tests.support.sessions import FakeConnection, converse, cut, drive

MESSAGE = b"From: a@b.test\r\nSubject: one\r\n\r\nbody\r\n"
LOGIN = f'l LOGIN ann@hongyan.test "{SECRET}"\r\n'.encode()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path, plaintext_auth=True, limits=False) as running:
        yield running


def open_session(server: Server, connection: FakeConnection | None = None) -> tuple[ImapSession, FakeConnection]:
    connection = connection or FakeConnection()
    session = ImapSession(server.app.services.imap, connection, HANDLERS)  # type: ignore[arg-type]
    connection.session = session
    return session, connection


async def ann(server: Server) -> AccountId:
    return (await server.account("ann")).account_id


async def deliver(server: Server, *messages: bytes) -> None:
    await append(server.app.services.mail, await ann(server), INBOX_ID, [Incoming(octets) for octets in messages])


SCRIPT = b"".join(
    (
        LOGIN,
        b"a SELECT INBOX\r\n",
        b"b APPEND INBOX (\\Seen) {38+}\r\n" + MESSAGE[:38] + b" {3+}\r\nabc\r\n",
        b"c FETCH 1:* (UID FLAGS BODY.PEEK[TEXT])\r\n",
        b"d SEARCH SUBJECT {3+}\r\none\r\n",
        b"e IDLE\r\nDONE\r\n",
        b"f STORE 1:2 +FLAGS (\\Deleted $Work)\r\n",
        b"g NONSENSE {4+}\r\nabcd\r\n",
        b"h EXPUNGE\r\n",
        b"i LOGOUT\r\n",
    )
)


async def test_any_chunking_gets_the_same_answers(tmp_path: Path) -> None:
    async with start_server(tmp_path, plaintext_auth=True, limits=False) as server:
        number = 0

        async def answer(chunks: list[bytes]) -> bytes:
            nonlocal number
            number += 1
            session, connection = open_session(server)
            said = await converse(session, connection, chunks)
            session.connection_lost()
            return said

        whole = await answer([SCRIPT])
        assert whole.count(b" OK ") >= 12
        for places in ([n] for n in range(0, len(SCRIPT), 7)):
            other = await answer(cut(SCRIPT, places))
            assert strip_numbers(other) == strip_numbers(whole), places
        one_by_one = await answer([bytes([octet]) for octet in SCRIPT])
        assert strip_numbers(one_by_one) == strip_numbers(whole)


def strip_numbers(said: bytes) -> bytes:
    """Leave out what differs from one run to the next: UIDs and MODSEQs grow."""
    said = re.sub(rb"APPENDUID \d+ [\d:]+", b"APPENDUID", said)
    said = re.sub(rb"(UIDNEXT|HIGHESTMODSEQ|UID) \d+", rb"\1", said)
    return re.sub(rb"\* (?:FLAGS|OK \[PERMANENTFLAGS) [^\n]*\n", b"", said)


async def test_an_idling_client_that_does_not_read_is_told_when_it_does(server: Server) -> None:
    session, connection = open_session(server)
    await converse(session, connection, [LOGIN, b"a SELECT INBOX\r\nb IDLE\r\n"])
    connection.sent = b""
    connection.stalled = True
    await deliver(server, MESSAGE)
    session.heartbeat()
    assert connection.sent == b""
    assert session.data_to_send() == b""
    connection.stalled = False
    await drive(session, connection)
    assert connection.sent == b"* 1 EXISTS\r\n"


async def test_a_mailbox_that_is_deleted_closes_the_idling_connection(server: Server) -> None:
    session, connection = open_session(server)
    await converse(session, connection, [LOGIN, b"a CREATE Work\r\nb SELECT Work\r\nc IDLE\r\n"])
    other, other_connection = open_session(server)
    await converse(other, other_connection, [LOGIN, b"a DELETE Work\r\n"])
    await asyncio.sleep(0)  # the hint is on its way
    assert connection.sent.endswith(b"* BYE [NONEXISTENT] The selected mailbox was deleted.\r\n")
    assert connection.is_closed


async def test_a_revoked_session_ends_with_its_reason(server: Server) -> None:
    session, connection = open_session(server)
    await converse(session, connection, [LOGIN])
    await server.app.services.directory.app_passwords.revoke(await ann(server), None, CLI)
    assert connection.is_closed
    assert b"* BYE [EXPIRED]" in connection.sent


async def test_what_ends_on_our_side_is_told_by_bye(server: Server) -> None:
    session, connection = open_session(server)
    session.failed()
    connection.flush()
    assert connection.sent.splitlines()[-1].startswith(b"* BYE [SERVERBUG]")
    assert session.closing


@pytest.mark.parametrize(
    ("error", "code"),
    [(Unavailable(cause="gone"), b"UNAVAILABLE"), (Corrupt(cause="torn"), b"CORRUPTION")],
)
async def test_an_error_of_ours_is_told_with_its_code_and_the_session_goes_on(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception, code: bytes
) -> None:
    session, connection = open_session(server)
    await converse(session, connection, [LOGIN])
    mailboxes = server.app.services.mail.mailboxes

    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(mailboxes), "find_mailbox", fail)
    said = (await converse(session, connection, [b"a SELECT INBOX\r\n", b"b NOOP\r\n"])).splitlines()
    assert said[-2].startswith(b"a NO [%b]" % code)
    assert said[-1] == b"b OK Done."


async def test_news_are_held_while_a_client_counts_and_survive_a_second_expunge(server: Server) -> None:
    await deliver(server, *[MESSAGE] * 5)
    session, connection = open_session(server)
    await converse(session, connection, [LOGIN, b"a SELECT INBOX\r\n"])
    mail, account = server.app.services.mail, await ann(server)
    await expunge(mail, account, INBOX_ID, BitMap([2]))
    connection.sent = b""
    await converse(session, connection, [b"b FETCH 1:* UID\r\n"])
    await expunge(mail, account, INBOX_ID, BitMap([4]))
    await converse(session, connection, [b"c FETCH 5 UID\r\nd NOOP\r\ne FETCH 1:* UID\r\n"])
    lines = connection.sent.splitlines()
    assert lines[:3] == [b"* 1 FETCH (UID 1)", b"* 3 FETCH (UID 3)", b"* 4 FETCH (UID 4)"]
    assert b"* 5 FETCH (UID 5)" in lines
    assert lines[lines.index(b"* 4 EXPUNGE") + 1] == b"* 2 EXPUNGE"
    assert lines[-4:-1] == [b"* 1 FETCH (UID 1)", b"* 2 FETCH (UID 3)", b"* 3 FETCH (UID 5)"]


class _BreakingBlobs:
    """Reads well at first, and then not."""

    def __init__(self, blobs: object, good: int, fault: Exception) -> None:
        self._blobs = blobs
        self._good = good
        self._fault = fault

    def read_now(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> None:
        return None

    async def read(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        self._good -= 1
        if self._good < 0:
            raise self._fault
        return await self._blobs.read(ref, start, stop)  # type: ignore[attr-defined, no-any-return]


@contextlib.contextmanager
def broken_blobs(server: Server, good: int, fault: Exception) -> object:  # type: ignore[misc]
    mail = server.app.services.imap.mail
    blobs = mail.blobs
    object.__setattr__(mail, "blobs", _BreakingBlobs(blobs, good, fault))
    try:
        yield
    finally:
        object.__setattr__(mail, "blobs", blobs)


LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 120_000


@pytest.mark.parametrize("fault", [Corrupt(cause="torn"), Unavailable(cause="gone")])
async def test_a_message_that_breaks_off_in_the_middle_breaks_the_connection(server: Server, fault: Exception) -> None:
    await deliver(server, LARGE)
    session, connection = open_session(server)
    await converse(session, connection, [LOGIN, b"a SELECT INBOX\r\n"])
    connection.sent = b""
    with broken_blobs(server, 3, fault):
        await converse(session, connection, [b"b FETCH 1 BODY.PEEK[]\r\n"])
    assert connection.is_aborted
    assert b"b " not in connection.sent.replace(LARGE[: len(connection.sent)], b"")


async def test_a_large_message_that_cannot_be_read_at_all_is_nil_and_the_rest_is_told(server: Server) -> None:
    await deliver(server, LARGE, MESSAGE)
    session, connection = open_session(server)
    await converse(session, connection, [LOGIN, b"a SELECT INBOX\r\n"])
    connection.sent = b""
    with broken_blobs(server, 0, Corrupt(cause="torn")):
        await converse(session, connection, [b"b FETCH 1:2 (UID BODY.PEEK[TEXT])\r\n"])
    assert connection.sent == (
        b"* 1 FETCH (UID 1 BODY[TEXT] NIL)\r\n* 2 FETCH (UID 2 BODY[TEXT] NIL)\r\nb OK Done.\r\n"
    )
    assert not connection.is_aborted


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5000), max_size=4))
def test_cut_gives_all_octets_back(places: list[int]) -> None:
    assert b"".join(cut(SCRIPT, places)) == SCRIPT
