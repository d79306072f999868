"""Dialogues with the server's core: C: and S: lines, as they would stand in a trace.

`C:` lines that follow one another are sent in one piece, each with its CRLF, unless it ends in
a backslash; escapes such as \\r, \\n, \\0 and \\xe9 are known. `S:` lines are all that the server says
next; one that ends in … may go on. `S: (closes)` wants the connection closed. `T: tls` does
the handshake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import takewhile

import pytest

from hongyan.wire import sasl
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import POSTMASTER
from hongyan.wire.smtp.events import (
    AuthAborted,
    AuthResponse,
    AuthStart,
    Event,
    Hello,
    MailFrom,
    MessageChunk,
    MessageEnd,
    MessageRefused,
    MessageStart,
    Question,
    RcptTo,
    Reset,
)
from hongyan.wire.smtp.offer import Offer
from hongyan.wire.smtp.server import ServerConnection

INBOUND = Offer(
    "mx.hongyan.test",
    max_message=1000,
    max_recipients=3,
    max_faults=3,
    max_idle_commands=10,
    starttls=True,
)
SUBMISSION = replace(
    INBOUND,
    requires_tls=True,
    requires_auth=True,
    auth=("SCRAM-SHA-256", "PLAIN", "LOGIN"),
    dsn=True,
    requiretls=True,
)


@dataclass
class Policy:
    """Takes mail for everybody at hongyan.test but `unknown`; lets ann in with `secret`."""

    connection: ServerConnection
    messages: list[bytes] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    content: list[bytes] = field(default_factory=list)
    exchange: sasl.Exchange | None = None

    def run(self) -> None:
        for event in self.connection.events():
            self.events.append(event)
            self.answer(event)

    def answer(self, event: Event) -> None:
        connection = self.connection
        match event:
            case RcptTo(forward_path=path):
                if path is POSTMASTER or (path.domain.text == "hongyan.test" and path.local_part != "unknown"):
                    connection.accept()
                elif path.domain.text == "hongyan.test":
                    connection.reply(replies.UNKNOWN_RECIPIENT)
                else:
                    connection.reply(replies.RELAY_DENIED)
            case MailFrom(reverse_path=path) if path and path.local_part == "spammer":
                connection.reply(replies.MESSAGE_REFUSED)
            case MessageStart():
                self.content = []
                connection.accept()
            case MessageChunk(octets):
                self.content.append(octets)
            case MessageEnd(size):
                message = b"".join(self.content)
                assert size == len(message)
                self.messages.append(message)
                connection.accept()
            case MessageRefused() | Reset() | AuthAborted():
                self.content = []
            case AuthStart(mechanism, initial):
                self.exchange = sasl.begin(mechanism, b"nonce")
                assert self.exchange
                self.log_in(self.exchange.start(initial))
            case AuthResponse(octets):
                assert self.exchange
                try:
                    self.log_in(self.exchange.respond(octets))
                except sasl.SaslFault:
                    connection.reply(replies.AUTHENTICATION_MALFORMED)
            case Hello() | MailFrom():
                connection.accept()
            case _:
                pass

    def log_in(self, step: sasl.Step) -> None:
        match step:
            case sasl.Challenge(octets):
                self.connection.challenge(octets)
            case sasl.PasswordOffered(username="ann", password="secret"):
                self.connection.accept()
            case _:
                self.connection.reply(replies.AUTHENTICATION_FAILED)


Play = Callable[..., Policy]


def _octets(line: str) -> bytes:
    text, end = (line[:-1], b"") if line.endswith("\\") else (line, b"\r\n")
    return text.encode().decode("unicode_escape").encode("latin-1") + end


def _expect(said: bytes, wanted: list[str], dialogue: str) -> None:
    lines = said.decode("ascii").split("\r\n")
    assert lines.pop() == "", "each reply ends with CRLF"
    for line, want in zip(lines, wanted, strict=False):
        if want.endswith("…"):
            assert line.startswith(want[:-1]), dialogue
        else:
            assert line == want, dialogue
    assert len(lines) == len(wanted), (lines, wanted)


def play(dialogue: str, offer: Offer = INBOUND, *, tls: bool = False, hello: bool = False) -> Policy:
    """Play a dialogue from the greeting on; with `hello`, from after EHLO on."""
    connection = ServerConnection(offer, tls=tls)
    policy = Policy(connection)
    connection.greet()
    if hello:
        connection.receive_data(b"EHLO client.example\r\n")
        policy.run()
        connection.data_to_send()
    lines = [line.strip() for line in dialogue.splitlines() if line.strip()]
    while lines:
        sent = [_octets(line[3:]) for line in _take(lines, "C:")]
        if sent:
            connection.receive_data(b"".join(sent))
            policy.run()
        wanted = [line[3:] for line in _take(lines, "S:")]
        closes = bool(wanted) and wanted[-1] == "(closes)"
        _expect(connection.data_to_send(), wanted[:-1] if closes else wanted, dialogue)
        assert connection.closing is closes
        handshakes = _take(lines, "T:")
        if handshakes:
            assert connection.starttls
            connection.tls_started()
        assert sent or wanted or handshakes, f"not understood: {lines[:1]}"
    return policy


def _take(lines: list[str], speaker: str) -> list[str]:
    taken = list(takewhile(lambda line: line.startswith(speaker), lines))
    del lines[: len(taken)]
    return taken


def say(offer: Offer, *lines: bytes) -> ServerConnection:
    """Return a connection that has said these lines, each answered with yes, and whose output is read."""
    connection = ServerConnection(offer)
    connection.greet()
    for line in lines:
        connection.receive_data(line + b"\r\n")
        for event in connection.events():
            if isinstance(event, Question):
                connection.accept()
    connection.data_to_send()
    return connection


@pytest.fixture(name="play")
def _play() -> Play:
    return play


@pytest.fixture(name="say")
def _say() -> Callable[..., ServerConnection]:
    return say


@pytest.fixture
def inbound() -> Offer:
    return INBOUND


@pytest.fixture
def submission() -> Offer:
    return SUBMISSION
