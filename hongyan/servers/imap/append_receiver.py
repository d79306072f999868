"""An APPEND as it streams in: its messages are gathered while they come, and carried out once it is complete."""

from __future__ import annotations

__all__ = ["NO_NUMBERS", "AppendReceived", "AppendReceiver", "ReceivedMessage"]

from collections.abc import Callable
from dataclasses import dataclass

from hongyan.delivery.spool import Spool, SpoolRoom
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.append import parse_append, parse_append_end, parse_append_next
from hongyan.wire.imap.commands import AppendMessage, Replaced
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.receiver import (
    AppendEnd,
    Event,
    MessageChunk,
    MessageEnd,
    MessageOffered,
    Receiver,
)

MAX_MESSAGES = 1000
"""Messages of one APPEND (RFC 3502), where no other limit is announced."""

NO_NUMBERS = "Messages go by their UIDs since UIDONLY is enabled"
"""What a client reads that names a sequence number nevertheless (RFC 9586 §3)."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One message with what was said of it."""

    told: AppendMessage
    octets: bytes


@dataclass(frozen=True, slots=True)
class AppendReceived:
    """A whole APPEND."""

    tag: bytes
    mailbox: str
    messages: tuple[ReceivedMessage, ...]
    replaced: Replaced | None = None
    """The message in whose place the one that came is stored (RFC 8508)."""


class AppendReceiver:
    """Gathers one APPEND. All its messages together may be as large as one may be."""

    __slots__ = (
        "_limit",
        "_mailbox",
        "_messages",
        "_most",
        "_octets",
        "_receiver",
        "_replaced",
        "_selected",
        "_send",
        "_spool",
        "_tag",
        "_told",
        "_uidonly",
        "_utf8",
    )

    def __init__(
        self,
        receiver: Receiver,
        send: Callable[[bytes], None],
        spool: SpoolRoom,
        *,
        limit: int,
        utf8: bool,
        selected: bool,
        uidonly: bool = False,
        most: int = 0,
    ) -> None:
        """`selected`: whether there is a mailbox whose messages may be replaced; `uidonly`: only by UID (RFC 9586).

        `most`: how many messages are announced as the limit (RFC 9738); 0: nothing is.
        """
        self._receiver = receiver
        self._send = send
        self._limit = limit
        self._utf8 = utf8
        self._selected = selected
        self._uidonly = uidonly
        self._most = most
        self._replaced: Replaced | None = None
        self._tag = b""
        self._mailbox = ""
        self._told: AppendMessage | None = None
        self._spool = Spool(spool)
        self._messages: list[ReceivedMessage] = []
        self._octets = 0

    def take(self, event: Event) -> AppendReceived | None:
        """Take the next event; return the command once it is whole. After a `CommandFault` the APPEND is dropped."""
        match event:
            case MessageOffered():
                self._offered(event)
            case MessageChunk(octets):
                self._spool.add(octets)
            case MessageEnd():
                # Mail of old holds NUL; it is kept as it came, also where it should have been a literal8.
                self._complete()
            case AppendEnd(text):
                if self._told is None:
                    raise CommandFault("A message is appended as a literal", tag=self._tag)
                parse_append_end(text, self._tag, after=self._told)
                return AppendReceived(self._tag, self._mailbox, tuple(self._messages), self._replaced)
            case _:
                pass
        return None

    def drop(self) -> None:
        """Forget what has come."""
        self._spool.drop()
        self._messages = []

    def _offered(self, offer: MessageOffered) -> None:
        try:
            self._read_head(offer)
            if offer.size == 0:
                # RFC 9051 §6.3.12 knows no message of nothing; RFC 3502 §6.3.11: such an APPEND is cancelled.
                raise CommandFault("A message has at least one octet", tag=self._tag, status=b"NO")
            self._octets += offer.size
            if self._most and len(self._messages) >= self._most:
                sentence = f"APPEND takes {self._most} messages at most"
                raise CommandFault(sentence, tag=self._tag, status=b"NO", code=codes.messagelimit(self._most))
            if self._octets > self._limit or len(self._messages) >= (self._most or MAX_MESSAGES):
                raise CommandFault(
                    "Together that is more than one APPEND may bring", tag=self._tag, status=b"NO", code=codes.TOOBIG
                )
        except CommandFault:
            self._receiver.refuse_message()
            raise
        self._receiver.accept_message()
        if offer.waits:
            self._send(responses.continuation())

    def _read_head(self, offer: MessageOffered) -> None:
        if self._told is None:
            command = parse_append(offer.text, utf8=self._utf8)
            self._tag, self._mailbox, self._told = command.tag, command.mailbox, command.message
            self._replaced = command.replaced
            if self._replaced is not None and not self._selected:
                raise CommandFault("Select a mailbox first", tag=self._tag)
            if self._replaced is not None and self._uidonly and not self._replaced.uid:
                raise CommandFault(NO_NUMBERS, tag=self._tag, code=codes.UIDREQUIRED)
        elif self._replaced is not None:
            raise CommandFault("REPLACE brings one message", tag=self._tag)
        else:
            self._told = parse_append_next(offer.text, self._tag, after=self._told)

    def _complete(self) -> None:
        if self._told is None:
            raise CommandFault("A message is appended as a literal", tag=self._tag)
        self._messages.append(ReceivedMessage(self._told, self._spool.take()))
