"""How slowly a client of SMTP may go: it is not enough to send an octet now and then.

A command has to be complete within the session's time-out, however it trickles in (RFC 5321 §4.5.3.2.7). While no
message comes, all commands together have `idle_session` seconds. A message has to come with a least rate, measured
over three minutes (the longest pause that RFC 5321 §4.5.3.2.5 gives a sender between two blocks), and within a total
time. All are deadlines of the connection: no timer, no task.
"""

from __future__ import annotations

__all__ = ["Pace", "PaceOptions"]

from dataclasses import dataclass
from typing import Protocol

from hongyan.options import option

_LATELY = 30.0  # seconds
_WINDOW = 180.0  # seconds over which the rate of a message is measured


@dataclass(frozen=True, slots=True)
class PaceOptions:
    """The section `[smtp.pace]`."""

    idle_session: float = option(1200.0, "How long a connection may last without the next message.", unit="s")
    message_rate: int = option(100, "Least rate at which a message comes, over three minutes.", unit="octets/s")
    message_time: float = option(3600.0, "How long one message may take.", unit="s")

    def __post_init__(self) -> None:
        if self.message_rate < 0 or self.message_time < 600 or self.idle_session < 300:
            raise ValueError("a message has 600 seconds at least, a session 300, and a rate is not negative")


class Timekeeper(Protocol):
    """What a connection offers for this."""

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def expire_in(self, seconds: float | None) -> None:
        """End the session after so many seconds."""
        ...


class Pace:
    """The deadlines of one session."""

    __slots__ = ("_connection", "_ends", "_last", "_least", "_octets", "_options", "_timeout", "message_is_coming")

    def __init__(self, options: PaceOptions, connection: Timekeeper, timeout: float) -> None:
        self._options = options
        self._connection = connection
        self._timeout = timeout
        self._least = int(options.message_rate * _WINDOW)
        self._octets = 0
        self._last = 0.0
        self._ends = connection.now + options.idle_session
        self.message_is_coming = False
        """Whether a message was begun and has not ended."""
        connection.expire_in(min(timeout, options.idle_session))

    @property
    def is_trickling(self) -> bool:
        """Whether a message was coming just now: if its time is over, it was too slow, and not silent."""
        return self.message_is_coming and self._connection.now - self._last < _LATELY

    @property
    def timeout(self) -> float:
        """Seconds that the client may be wholly silent."""
        return min(self._timeout, _WINDOW) if self.message_is_coming else self._timeout

    def answered(self) -> None:
        """A command was complete, and is answered."""
        connection = self._connection
        if self.message_is_coming:  # it has come, or was given up
            self.message_is_coming = False
            self._ends = connection.now + self._options.idle_session
        connection.expire_in(min(self._timeout, self._ends - connection.now))

    def obeyed(self) -> None:
        """A command was complete that says nothing about the message, such as NOOP or one of several chunks."""
        if not self.message_is_coming:
            self.answered()

    def message_begins(self) -> None:
        """The client was asked for a message."""
        connection = self._connection
        self.message_is_coming = True
        self._octets = 0
        self._ends = connection.now + self._options.message_time
        connection.expire_in(_WINDOW)

    def heard(self, octets: int) -> None:
        """So much has come."""
        if not self.message_is_coming:
            return
        self._octets += octets
        self._last = self._connection.now
        if self._octets >= self._least:
            self._octets = 0
            self._connection.expire_in(min(_WINDOW, self._ends - self._connection.now))
