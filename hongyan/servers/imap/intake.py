"""What comes in on an IMAP connection: commands, lines that a handler waits for, messages of an APPEND.

The receiver says where something ends; here it becomes a command that the state of the session allows, or a refusal.
"""

from __future__ import annotations

__all__ = ["Intake", "LineTaker", "Work"]

import re
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from pyroaring import BitMap

from hongyan.errors import StorageFailed, StorageFull
from hongyan.servers.imap.append_receiver import NO_NUMBERS, AppendReceived, AppendReceiver
from hongyan.servers.imap.message_limit import find_save_limit
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.services import ImapServices
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Command
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.receiver import (
    BEFORE_LOGIN,
    AppendEnd,
    CommandReceived,
    CommandRefused,
    ContinuationDue,
    Event,
    LineReceived,
    MessageChunk,
    MessageEnd,
    MessageOffered,
    Receiver,
    after_login,
)
from hongyan.wire.imap.states import State, find_fault_of_state, names_numbers

Work = Coroutine[Any, Any, None]
"""What a handler returns that has to wait."""

LineTaker = Callable[[bytes], Work | None]
"""Takes the line that a handler has waited for."""

_SAVING_SEARCH = re.compile(rb"\S+ (?:UID )?SEARCH RETURN \([^)]*\bSAVE\b", re.IGNORECASE)


class _Session(Protocol):
    """Who carries out what comes."""

    services: ImapServices
    selected: Selected | None
    utf8: bool

    @property
    def state(self) -> State: ...
    @property
    def uidonly(self) -> bool: ...
    @property
    def switched_off(self) -> frozenset[str]: ...
    def carry_out(self, command: Command | AppendReceived) -> Work | None: ...
    def refuse(self, fault: CommandFault) -> None: ...
    def count_fault(self) -> None: ...
    def send(self, octets: bytes) -> None: ...
    def bad(self, tag: bytes, text: str) -> None: ...
    def say_bye(self, text: str, *, code: bytes = b"") -> None: ...


class Intake:
    """Makes commands of octets, for one session."""

    __slots__ = ("_appending", "_receiver", "_session", "_take_line")

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._receiver = Receiver()
        self._take_line: LineTaker | None = None
        self._appending: AppendReceiver | None = None

    @property
    def buffered(self) -> int:
        """Octets that wait to be made something of."""
        return self._receiver.buffered

    @property
    def is_appending(self) -> bool:
        """Whether an APPEND is under way."""
        return self._appending is not None

    def receive_data(self, octets: bytes) -> None:
        """Take what came."""
        self._receiver.receive_data(octets)

    def next_event(self) -> Event | None:
        """Return what is complete next, if anything is."""
        return self._receiver.next_event()

    def expect_line(self, taker: LineTaker, limit: int) -> None:
        """Hand the client's next line to `taker`."""
        self._take_line = taker
        self._receiver.expect_line(limit)

    def log_in(self, append_limit: int) -> None:
        """Allow what is allowed to those who have logged in."""
        self._receiver.set_limits(after_login(append_limit))

    def log_out(self) -> None:
        """Allow what is allowed to strangers again."""
        self._receiver.set_limits(BEFORE_LOGIN)

    def discard(self) -> None:
        """Drop what has come and was not made anything of."""
        self._receiver.discard()

    def begin_anew(self) -> None:
        """Forget everything: what was said before TLS does not count (RFC 9051 §6.2.1)."""
        self._receiver = Receiver()

    def drop_append(self) -> None:
        """Forget the messages of an APPEND that has not ended."""
        if self._appending is not None:
            self._appending.drop()
            self._appending = None

    def take(self, event: Event) -> Work | None:
        """Let the session carry out what an event completes, or refuse it."""
        match event:
            case CommandReceived(octets):
                return self._take_command(octets)
            case LineReceived(octets):
                taker, self._take_line = self._take_line, None
                return taker(octets) if taker is not None else None
            case ContinuationDue():
                self._session.send(responses.continuation())
            case MessageOffered() | MessageChunk() | MessageEnd() | AppendEnd():
                return self._take_append(event)
            case CommandRefused(tag, status, code, sentence, closes):
                session = self._session
                self.drop_append()
                session.refuse(CommandFault(sentence, tag=tag, status=status, code=code))
                if closes:
                    session.say_bye("The connection closes: where the next command begins is not known.")
        return None

    def _take_command(self, octets: bytes) -> Work | None:
        session = self._session
        try:
            command = parse_command(octets, utf8=session.utf8)
        except CommandFault as fault:
            if session.selected is not None and fault.status == b"NO" and _SAVING_SEARCH.match(octets):
                session.selected.view.saved = BitMap()  # RFC 9051 §6.4.4.1
            session.refuse(fault)
            return None
        problem = find_fault_of_state(command, session.state)
        if problem is not None:
            session.bad(command.tag, problem)
            session.count_fault()
            return None
        if session.uidonly and names_numbers(command):
            session.refuse(CommandFault(NO_NUMBERS, tag=command.tag, code=codes.UIDREQUIRED))
            return None
        return session.carry_out(command)

    def _take_append(self, event: Event) -> Work | None:
        session = self._session
        if self._appending is None:
            services = session.services
            limit = services.options.append_limit
            self._appending = AppendReceiver(
                self._receiver,
                session.send,
                services.spool,
                limit=limit,
                utf8=session.utf8,
                selected=session.selected is not None,
                uidonly=session.uidonly,
                most=find_save_limit(session),
            )
        try:
            received = self._appending.take(event)
        except CommandFault as fault:
            self.drop_append()
            session.refuse(fault)
            return None
        except (StorageFull, StorageFailed):
            # The rest of the message is on its way, and nowhere to put it.
            self.drop_append()
            session.say_bye("There is no room for the message just now.", code=codes.UNAVAILABLE)
            return None
        if received is None:
            return None
        self._appending = None
        return session.carry_out(received)
