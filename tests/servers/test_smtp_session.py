"""SMTP sessions driven octet by octet, with a transaction that a test is master of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.errors import (
    Conflict,
    Corrupt,
    HongyanError,
    OverQuota,
    StorageFailed,
    StorageFull,
    Unavailable,
)
from hongyan.servers.smtp import Answer, SmtpOptions, SmtpSession
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.events import Hello, MailFrom, RcptTo
from hongyan.wire.smtp.offer import Offer
from hongyan.wire.smtp.replies import Reply
from tests.support.sessions import FakeConnection, converse, cut, drive


@dataclass
class Transaction:
    """Takes everything, at once or after some waiting, and remembers it."""

    waits: bool = False
    at_the_end: Reply | HongyanError = replies.MESSAGE_ACCEPTED
    at_a_chunk: Reply | None = None
    at_the_start: Reply | None = None
    messages: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    resets: int = 0
    _octets: bytes = b""

    def hello(self, hello: Hello, *, tls: object) -> None:
        self.said.append(hello.name)

    def mail(self, command: MailFrom) -> Answer:
        self.said.append(f"from {command.reverse_path}")
        return self._later(replies.SENDER_OK) if self.waits else replies.SENDER_OK

    def recipient(self, command: RcptTo) -> Answer:
        self.said.append(f"to {command.forward_path}")
        if str(command.forward_path).startswith("nobody"):
            return self._later(replies.UNKNOWN_RECIPIENT) if self.waits else replies.UNKNOWN_RECIPIENT
        return self._later(replies.RECIPIENT_OK) if self.waits else replies.RECIPIENT_OK

    def start(self) -> Reply | None:
        self._octets = b""
        return self.at_the_start

    def chunk(self, octets: bytes) -> Reply | None:
        self._octets += octets
        return self.at_a_chunk

    def end(self) -> Answer:
        return self._later(self.at_the_end)

    def reset(self) -> None:
        self.resets += 1

    def logged_in(self, principal: object) -> None:
        raise AssertionError("nobody logs in here")

    async def _later(self, reply: Reply | HongyanError) -> Reply:
        if isinstance(reply, HongyanError):
            raise reply
        if reply is self.at_the_end:
            self.messages.append(self._octets)
        return reply


def open_session(transaction: Transaction, **options: Any) -> tuple[SmtpSession, FakeConnection]:
    connection = FakeConnection()
    offer = Offer(hostname="mail.hongyan.test", max_message=1000)
    session = SmtpSession(connection, offer, SmtpOptions(**options), lambda _: transaction, None, None)  # type: ignore[arg-type]
    return session, connection


SCRIPT = (
    b"EHLO client.example\r\n",
    b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@hongyan.test>\r\nRCPT TO:<c@hongyan.test>\r\nDATA\r\n",
    b"Subject: x\r\n\r\n..dot\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<b@hongyan.test>\r\n",
    b"BDAT 5\r\nab\r\nc",
    b"BDAT 2 LAST\r\n\r\nNOOP\r\nMAIL FROM:<a@example.org>\r\nRSET\r\nQUIT\r\n",
)


async def talk(transaction: Transaction, places: list[int]) -> bytes:
    session, connection = open_session(transaction)
    await drive(session, connection)
    for group in SCRIPT:  # a client waits where RFC 2920 wants it to
        await converse(session, connection, cut(group, places))
    session.connection_lost()
    return connection.sent


@pytest.mark.parametrize("waits", [False, True])
@given(places=st.lists(st.integers(0, 200), max_size=5))
async def test_any_chunking_gets_the_same_answers_and_messages(waits: bool, places: list[int]) -> None:
    whole, other = Transaction(waits), Transaction(waits)
    assert await talk(other, places) == await talk(whole, [])
    assert other.messages == whole.messages == [b"Subject: x\r\n\r\n.dot\r\n", b"ab\r\nc\r\n"]
    assert other.said == whole.said


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (OverQuota("full"), b"452 4.2.2 "),
        (StorageFull(cause="disk"), b"452 4.3.1 "),
        (StorageFailed(cause="disk"), b"451 4.3.0 "),
        (Unavailable(cause="gone"), b"451 4.3.0 "),
        (Conflict(cause="first"), b"451 4.3.0 "),
        (Corrupt(cause="torn"), b"451 4.3.0 "),
    ],
)
async def test_an_error_of_ours_is_a_temporary_reply_without_its_cause(error: HongyanError, reply: bytes) -> None:
    session, connection = open_session(Transaction(at_the_end=error))
    said = await converse(session, connection, [*SCRIPT[:2], b"Subject: x\r\n.\r\n", b"NOOP\r\n"])
    assert said.splitlines()[-2].startswith(reply)
    assert said.splitlines()[-1] == b"250 2.0.0 OK"
    assert error.cause.encode() not in said or not error.cause


async def test_a_message_that_finds_no_room_is_read_to_its_end_and_then_refused() -> None:
    transaction = Transaction(at_a_chunk=replies.STORAGE_FULL)
    session, connection = open_session(transaction)
    said = await converse(session, connection, [*SCRIPT[:2], b"Subject: x\r\n", b"\r\nbody\r\n.\r\n", b"NOOP\r\n"])
    assert [line[:9] for line in said.splitlines()[-2:]] == [b"452 4.3.1", b"250 2.0.0"]
    assert transaction.messages == []


async def test_a_message_may_be_refused_before_it_comes() -> None:
    session, connection = open_session(Transaction(at_the_start=replies.MESSAGE_REFUSED))
    said = await converse(session, connection, [*SCRIPT[:2], b"NOOP\r\n"])
    assert [line[:9] for line in said.splitlines()[-2:]] == [b"550 5.7.1", b"250 2.0.0"]


async def test_a_lost_connection_and_a_failure_leave_nothing_begun() -> None:
    transaction = Transaction()
    session, connection = open_session(transaction)
    await converse(session, connection, [*SCRIPT[:2], b"Subject: half\r\n"])
    before = transaction.resets
    session.failed()
    connection.flush()
    session.connection_lost()
    assert connection.sent.splitlines()[-1].startswith(b"421 4.3.0")
    assert session.closing
    assert transaction.resets > before
    assert transaction.messages == []


@pytest.mark.parametrize("waits", [False, True])
async def test_who_guesses_names_is_slowed_down_and_sent_away(waits: bool) -> None:
    """Also when some of the names are known, and over several messages."""
    session, connection = open_session(Transaction(waits), max_refused=15, refusal_delay=2.0)
    group = b"MAIL FROM:<>\r\nRCPT TO:<nobody@hongyan.test>\r\nRCPT TO:<b@hongyan.test>\r\nRSET\r\n"
    said = await converse(session, connection, [b"EHLO client.example\r\n", *[group] * 30])
    assert said.count(b"550 5.1.1 ") == 15
    assert said.count(b"250 2.1.5 ") == 15
    assert said.endswith(b"421 4.7.0 Too many recipients were refused on this connection; closing it\r\n")
    assert session.closing
    assert connection.held == [2.0] * 6


async def test_a_few_names_that_are_gone_cost_no_time() -> None:
    session, connection = open_session(Transaction())
    group = b"MAIL FROM:<>\r\n" + b"RCPT TO:<nobody@hongyan.test>\r\n" * 10 + b"RCPT TO:<b@hongyan.test>\r\n" * 500
    said = await converse(session, connection, [b"EHLO client.example\r\n", group])
    assert (said.count(b"550 5.1.1 "), said.count(b"250 2.1.5 ")) == (10, 500)
    assert connection.held == []
