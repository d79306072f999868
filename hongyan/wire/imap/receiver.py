"""Where a command ends: lines, literals and their limits, and no grammar (RFC 9051 §4.3, RFC 7888).

Octets go in as they come; events come out one at a time, so that what an event leads to (a mode, other
limits, TLS) holds for the very next octet. A command is handed on whole, with its literals within it.
Messages of APPEND are not: they are offered by their size, and stream by in chunks once accepted.

A line ends with CRLF. After an LF that stands alone nobody can tell where the next command begins, so
the connection ends; a CR alone and a NUL cannot move that place and are left to the parser to refuse.
A literal that is too large is refused before `+` is sent for it; if the client did not wait for that,
its octets are on their way already, and the connection ends (RFC 7888 §4).
"""

from __future__ import annotations

__all__ = [
    "BEFORE_LOGIN",
    "AppendEnd",
    "CommandReceived",
    "CommandRefused",
    "ContinuationDue",
    "Event",
    "LineReceived",
    "MessageChunk",
    "MessageEnd",
    "MessageOffered",
    "Receiver",
    "ReceiverLimits",
    "after_login",
]

import re
from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """How much one command may be, in octets."""

    line: int
    """One line, without its CRLF."""
    literal: int
    """One literal that is no message."""
    command: int
    """All lines and literals of a command, messages left out."""
    message: int
    """One message of an APPEND; 0: APPEND is a command like others."""


BEFORE_LOGIN = ReceiverLimits(line=8192, literal=4096, command=8192, message=0)
"""For strangers, who are told LITERAL- (RFC 7888 §5)."""


def after_login(message: int, *, line: int = 65536, command: int = 1 << 20) -> ReceiverLimits:
    """Return the limits of a client that has logged in and was told LITERAL+; `message` is the APPENDLIMIT."""
    return ReceiverLimits(line=line, literal=command, command=command, message=message)


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A whole command, for `parse_command`."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class ContinuationDue:
    """The client waits for `+` before it sends a literal."""


@dataclass(frozen=True, slots=True)
class MessageOffered:
    """An APPEND has come as far as a message. Nothing more comes out until it is accepted or refused.

    `text` is for `parse_append`, or for `parse_append_next` when it is not the first of its command.
    """

    text: bytes
    size: int
    waits: bool
    """Whether `+` is to be sent once it is accepted; if so and it is refused, its octets will not come."""
    binary: bool
    """Whether it comes as a literal8, which may hold NUL (RFC 9051 §4.3.1)."""
    first: bool


@dataclass(frozen=True, slots=True)
class MessageChunk:
    """The next octets of the message."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class MessageEnd:
    """The message is complete."""

    has_nul: bool
    """It holds NUL. Only a literal8 may (RFC 9051 §9, note 3)."""


@dataclass(frozen=True, slots=True)
class AppendEnd:
    """An APPEND is complete; `text` is for `parse_append_end`."""

    text: bytes


@dataclass(frozen=True, slots=True)
class LineReceived:
    """The line that was asked for by `expect_line`."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command was over a limit or not to be told from the next, and is dropped."""

    tag: bytes | None
    status: bytes
    code: bytes
    sentence: str
    closes: bool
    """Whether BYE follows and nothing more is read."""


Event = (
    AppendEnd
    | CommandReceived
    | CommandRefused
    | ContinuationDue
    | LineReceived
    | MessageChunk
    | MessageEnd
    | MessageOffered
)


class _Mode(Enum):
    COMMAND = auto()
    LITERAL = auto()
    OFFERED = auto()
    MESSAGE = auto()
    SKIP = auto()
    SKIP_LINE = auto()
    LINE = auto()
    CLOSED = auto()


class _Broken(Exception):
    """Where the next command begins is not known, or more is on its way than may come."""

    def __init__(self, code: bytes, sentence: str) -> None:
        self.code = code
        self.sentence = sentence


_TAG = re.compile(rb'([^\x00-\x20(){%*"\\\x7f-\xff+]{1,200}) ')
# REPLACE brings a message as APPEND does (RFC 8508 §3).
_APPEND = re.compile(
    rb'[^\x00-\x20(){%*"\\\x7f-\xff+]+ (?:[Aa][Pp][Pp][Ee][Nn][Dd]'
    rb"|(?:[Uu][Ii][Dd] )?[Rr][Ee][Pp][Ll][Aa][Cc][Ee] (?:[1-9][0-9]{0,9}|\*)) "
)
# literal  = "{" number64 ["+"] "}" CRLF *CHAR8
# literal8 = "~{" number64 ["+"] "}" CRLF *OCTET
_MARKER = re.compile(rb"\{([0-9]+)(\+?)\}")


class Receiver:
    """Octets in, events out."""

    __slots__ = (
        "_append",
        "_at",
        "_buffer",
        "_command",
        "_has_nul",
        "_left",
        "_limits",
        "_line",
        "_messages",
        "_mode",
        "_scanned",
        "_tag",
        "_waits",
    )

    def __init__(self, limits: ReceiverLimits = BEFORE_LOGIN) -> None:
        self._limits = limits
        self._mode = _Mode.COMMAND
        self._buffer = b""
        self._at = 0  # Where in the buffer the next octet to be handled stands,
        self._scanned = 0  # and up to where it is known to hold no LF.
        self._command = bytearray()  # Lines and literals of the command so far.
        self._append = False  # Whether that command is an APPEND,
        self._tag: bytes | None = None  # its tag, once a message of it was offered,
        self._messages = 0  # and how many messages of it were accepted.
        self._left = 0  # How many octets of a literal are still to come.
        self._waits = False  # Whether the client sends it only after `+`,
        self._has_nul = False  # and whether what came of it holds NUL.
        self._line = 0  # How long the line may be that `expect_line` asked for.

    @property
    def buffered(self) -> int:
        """How many octets wait to be handled."""
        return len(self._buffer) - self._at

    def set_limits(self, limits: ReceiverLimits) -> None:
        """Let other limits hold from the next command on."""
        self._limits = limits

    def receive_data(self, octets: bytes) -> None:
        if self._mode is _Mode.CLOSED:
            return
        if self._at == len(self._buffer):
            self._buffer = octets
            self._scanned = 0
        else:
            self._scanned -= self._at
            self._buffer = self._buffer[self._at :] + octets
        self._at = 0

    def next_event(self) -> Event | None:
        """Return what came next; None: more octets are needed, or a decision about a message is."""
        try:
            while True:
                mode = self._mode
                event = self._step()
                if event is not None or mode is self._mode:
                    return event
        except _Broken as broken:
            tag = self._find_tag()
            self.close()
            return CommandRefused(tag, b"BAD", broken.code, broken.sentence, closes=True)

    # What the session decides

    def expect_line(self, limit: int) -> None:
        """Take the next line as it is: DONE after IDLE, or what a client answers while it logs in."""
        self._mode = _Mode.LINE
        self._line = limit

    def accept_message(self) -> None:
        """Let the message that was offered stream in. The caller sends `+` if the client waits for it."""
        self._require_offer()
        self._messages += 1
        self._mode = _Mode.MESSAGE

    def refuse_message(self) -> None:
        """Drop the APPEND whose message was offered: what is on its way is skipped."""
        self._require_offer()
        self._mode = _Mode.COMMAND if self._waits else _Mode.SKIP
        self._forget_command()

    def discard(self) -> None:
        """Drop what has come and was not handled: it was sent in the clear before STARTTLS (RFC 9051 §6.2.1)."""
        self._buffer = b""
        self._at = self._scanned = 0
        self._forget_command()

    def close(self) -> None:
        """Read nothing more."""
        self._mode = _Mode.CLOSED
        self.discard()

    def _require_offer(self) -> None:
        if self._mode is not _Mode.OFFERED:
            raise ValueError("No message is offered")

    # Steps, one for each mode: each returns an event, changes the mode, or needs more octets

    def _step(self) -> Event | None:
        match self._mode:
            case _Mode.COMMAND:
                return self._read_command()
            case _Mode.LITERAL:
                return self._read_literal()
            case _Mode.MESSAGE:
                return self._read_message()
            case _Mode.SKIP:
                return self._skip()
            case _Mode.SKIP_LINE:
                return self._skip_line()
            case _Mode.LINE:
                return self._read_line()
            case _Mode.OFFERED | _Mode.CLOSED:
                return None

    def _read_command(self) -> Event | None:
        line = self._take_line(self._limits.line)
        if line is None:
            return None
        if len(self._command) + len(line) > self._limits.command:
            raise _Broken(b"LIMIT", f"A command has at most {self._limits.command} octets")
        marker = _MARKER.fullmatch(line, line.rfind(b"{")) if line.endswith(b"}") and b"{" in line else None
        if marker:
            return self._begin_literal(line, marker)
        octets = bytes(self._command) + line if self._command else line
        event = AppendEnd(octets) if self._messages else CommandReceived(octets)
        self._forget_command()
        return event

    def _begin_literal(self, line: bytes, marker: re.Match[bytes]) -> Event | None:
        start = marker.start()
        waits = not marker[2]
        size = int(marker[1]) if len(marker[1]) < 20 else 1 << 64
        head = None
        if not self._command and not self._messages:
            head = _APPEND.match(line)
            self._append = head is not None and self._limits.message > 0
        # The literal right behind the word APPEND is the mailbox; all others of that command are messages.
        is_message = self._append and not (head and head.end() == start)
        self._command += line
        if is_message:
            return self._offer_message(size, waits=waits, binary=line.endswith(b"~", 0, start))
        if size > self._limits.literal or len(self._command) + size > self._limits.command:
            limit = min(self._limits.literal, self._limits.command - len(self._command))
            return self._refuse_literal(b"BAD", f"A literal here has at most {max(limit, 0)} octets", waits=waits)
        self._command += b"\r\n"
        self._left = size
        self._mode = _Mode.LITERAL
        return ContinuationDue() if waits else None

    def _offer_message(self, size: int, *, waits: bool, binary: bool) -> Event:
        if size > self._limits.message:
            return self._refuse_literal(b"NO", f"A message has at most {self._limits.message} octets", waits=waits)
        self._tag = self._find_tag()
        text = bytes(self._command)
        self._command.clear()
        self._left = size
        self._waits = waits
        self._has_nul = False
        self._mode = _Mode.OFFERED
        return MessageOffered(text, size, waits, binary, first=not self._messages)

    def _refuse_literal(self, status: bytes, sentence: str, *, waits: bool) -> CommandRefused:
        if not waits:
            raise _Broken(b"TOOBIG", sentence)
        tag = self._find_tag()
        self._forget_command()
        self._mode = _Mode.COMMAND
        return CommandRefused(tag, status, b"TOOBIG", sentence, closes=False)

    def _read_literal(self) -> Event | None:
        octets = self._take_octets()
        self._command += octets
        if not self._left:
            self._mode = _Mode.COMMAND
        return None

    def _read_message(self) -> Event | None:
        if not self._left:
            self._mode = _Mode.COMMAND
            return MessageEnd(self._has_nul)
        octets = self._take_octets()
        if not octets:
            return None
        if not self._has_nul and b"\0" in octets:
            self._has_nul = True
        return MessageChunk(octets)

    def _skip(self) -> Event | None:
        self._take_octets()
        if not self._left:
            self._mode = _Mode.SKIP_LINE
        return None

    def _skip_line(self) -> Event | None:
        line = self._take_line(self._limits.line)
        if line is None:
            return None
        marker = _MARKER.fullmatch(line, line.rfind(b"{")) if line.endswith(b"+}") and b"{" in line else None
        if not marker:
            self._mode = _Mode.COMMAND
        elif len(marker[1]) > 19 or int(marker[1]) > self._limits.message:
            raise _Broken(b"TOOBIG", f"A message has at most {self._limits.message} octets")
        else:
            self._left = int(marker[1])
            self._mode = _Mode.SKIP
        return None

    def _read_line(self) -> Event | None:
        line = self._take_line(self._line)
        if line is None:
            return None
        self._mode = _Mode.COMMAND
        return LineReceived(line)

    # The buffer

    def _take_line(self, limit: int) -> bytes | None:
        """Return the next line without its CRLF; None: it has not come yet."""
        buffer, start = self._buffer, self._at
        end = buffer.find(b"\n", self._scanned)
        if (end if end >= 0 else len(buffer)) - start > limit + 1:
            raise _Broken(b"LIMIT", f"A line has at most {limit} octets")
        if end < 0:
            self._scanned = len(buffer)
            return None
        if end == start or buffer[end - 1] != 0x0D:
            raise _Broken(b"", "A line ends with CRLF, and an LF alone is no end")
        self._move_to(end + 1)
        return buffer[start : end - 1]

    def _take_octets(self) -> bytes:
        """Return what has come of the literal, and count it."""
        buffer, start = self._buffer, self._at
        end = min(start + self._left, len(buffer))
        self._left -= end - start
        self._move_to(end)
        if start == 0 and end == len(buffer):
            return buffer
        return buffer[start:end]

    def _move_to(self, at: int) -> None:
        """Go on from there; once all was handled, an idle connection keeps nothing of it."""
        if at == len(self._buffer):
            self._buffer = b""
            at = 0
        self._at = self._scanned = at

    def _find_tag(self) -> bytes | None:
        """Return the tag of the command that is being read; None where it was answered already or has none."""
        if self._tag is not None or self._mode not in {_Mode.COMMAND, _Mode.LITERAL}:
            return self._tag
        match = _TAG.match(self._command) if self._command else _TAG.match(self._buffer, self._at)
        return bytes(match[1]) if match else None

    def _forget_command(self) -> None:
        if self._command:
            self._command = bytearray()
        self._append = False
        self._tag = None
        self._messages = 0
