"""INPROGRESS: the client of a command that takes long hears now and then that we are at it, and how far (RFC 9585).

Notices come from the server's one wheel, so that they come whatever a command waits for: a thread that reads messages,
a disk, another's turn. FETCH has none: its rows tell by themselves how far it is, and nothing may come into them.
"""

from __future__ import annotations

__all__ = ["Progress", "Working"]

from typing import Protocol

from hongyan.auth.principal import Principal
from hongyan.servers.connection import Connection
from hongyan.servers.imap.append_receiver import AppendReceived
from hongyan.servers.imap.services import ImapServices
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Command, Fetch


class Progress:
    """How many messages a command has dealt with, and of how many it knows that it has to."""

    __slots__ = ("done", "goal")

    def __init__(self) -> None:
        self.done = self.goal = 0

    def expect(self, count: int) -> None:
        """So many more will be dealt with."""
        self.goal += count

    def add(self, count: int) -> None:
        """So many more are done."""
        self.done += count


class _Session(Protocol):
    @property
    def connection(self) -> Connection: ...
    @property
    def services(self) -> ImapServices: ...
    @property
    def principal(self) -> Principal | None: ...
    @property
    def switched_off(self) -> frozenset[str]: ...
    def send(self, octets: bytes) -> None: ...


class Working:
    """The command that a session is carrying out; the heart beats for it from `begin` to `end`."""

    __slots__ = ("_session", "_tag", "progress")

    def __init__(self, session: _Session) -> None:
        self._session = session
        self._tag = b""
        self.progress = Progress()

    def begin(self, command: Command | AppendReceived) -> None:
        """A command has to wait for something."""
        session = self._session
        if session.principal is None or isinstance(command, Fetch) or "INPROGRESS" in session.switched_off:
            return
        self._tag = command.tag
        session.services.progress_heart.start(self)

    def end(self) -> None:
        """It is answered: behind that nothing is said of it (RFC 9585 §4)."""
        self._session.services.progress_heart.stop(self)
        self.progress.done = self.progress.goal = 0

    def heartbeat(self) -> None:
        """Tell how far it is, if the client reads."""
        session, progress = self._session, self.progress
        if not session.connection.stalled:
            code = codes.inprogress(self._tag, progress.done, progress.goal)
            session.send(responses.ok("Still at it.", code=code))
            session.connection.flush()
