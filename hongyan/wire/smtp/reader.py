"""A message while it comes in, by DATA or by chunks of BDAT: its size, its flaws, its end.

A flaw found on the way refuses the message at once, so that nobody keeps what has come; the rest
is read and forgotten up to `EATEN_BEYOND` octets more than a message may have, because the reply
must wait for the end.
"""

from __future__ import annotations

__all__ = ["EATEN_BEYOND", "MessageReader", "Stage"]

import enum
from typing import Final

from hongyan.wire.lines import BareNewline, LineReceiver
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.data import BdatReceiver, DataReceiver
from hongyan.wire.smtp.events import MessageChunk, MessageRefused
from hongyan.wire.smtp.replies import Reply

EATEN_BEYOND: Final = 10 << 20
"""Octets that are read, beyond the size allowed, only to answer in order. What goes on longer is cut off."""


# The last of those that were found is the reply, however the octets were cut.
_FLAWS: Final = (replies.NUL_IN_MESSAGE, replies.BARE_NEWLINE_IN_MESSAGE, replies.MESSAGE_TOO_LARGE)


class Stage(enum.Enum):
    """Where the message stands."""

    CHUNK_END = enum.auto()
    MESSAGE_END = enum.auto()
    BROKEN = enum.auto()  # Close: where the next command starts is not known, or too far off.


class MessageReader:
    """Reads one message from the connection's input. `refusal` is the reply that waits for its end."""

    __slots__ = ("_bdat", "_data", "_is_last", "_limit", "_lines", "refusal", "size")

    def __init__(self, lines: LineReceiver, limit: int) -> None:
        self.refusal: Reply | None = None
        self.size = 0
        self._lines = lines
        self._limit = limit
        self._data: DataReceiver | None = None
        self._bdat = BdatReceiver()
        self._is_last = False

    def begin_data(self) -> None:
        self._data = DataReceiver()

    def begin_chunk(self, size: int, *, is_last: bool) -> None:
        self._bdat.expect(size)
        self._is_last = is_last

    def fits(self, chunk_size: int) -> bool:
        """Whether so many octets more are not too many."""
        return self.size + chunk_size <= self._limit

    def can_be_eaten(self, chunk_size: int) -> bool:
        return self.size + chunk_size <= self._limit + EATEN_BEYOND

    def read(self) -> MessageChunk | MessageRefused | Stage | None:
        """Return the next octets, a refusal (once, when the flaw is found), or a stage; None where input is missing."""
        return self._read_chunk() if self._data is None else self._read_data(self._data)

    def _read_data(self, data: DataReceiver) -> MessageChunk | MessageRefused | Stage | None:
        if data.done:
            return Stage.MESSAGE_END
        octets = self._lines.take()
        if not octets:
            return None
        try:
            content = data.feed(octets)
        except BareNewline:
            self.refusal = replies.BARE_NEWLINE_IN_MESSAGE
            return Stage.BROKEN
        self._lines.put_back(data.rest)
        return self._pass_on(content, replies.NUL_IN_MESSAGE if data.holds_nul else None)

    def _read_chunk(self) -> MessageChunk | MessageRefused | Stage | None:
        flaw = None
        if not self._bdat.wanted:
            if not self._is_last:
                return Stage.CHUNK_END
            try:
                self._bdat.end()
            except BareNewline:
                flaw = replies.BARE_NEWLINE_IN_MESSAGE
            if self.refusal or not flaw:
                return Stage.MESSAGE_END
            return self._pass_on(b"", flaw)
        octets = self._lines.take(self._bdat.wanted)
        if not octets:
            return None
        try:
            self._bdat.feed(octets)
        except BareNewline:
            flaw = replies.BARE_NEWLINE_IN_MESSAGE  # The size says where the next command starts: no need to close.
        if self._bdat.holds_nul:
            flaw = flaw or replies.NUL_IN_MESSAGE
        return self._pass_on(octets, flaw)

    def _pass_on(self, content: bytes, flaw: Reply | None) -> MessageChunk | MessageRefused | Stage | None:
        self.size += len(content)
        if not self.can_be_eaten(0):
            self.refusal = replies.MESSAGE_TOO_LARGE_CLOSING
            return Stage.BROKEN
        if not self.fits(0):
            flaw = replies.MESSAGE_TOO_LARGE
        if self.refusal:
            if flaw and self.refusal in _FLAWS:
                self.refusal = max(self.refusal, flaw, key=_FLAWS.index)
            return self.read()
        if flaw:
            self.refusal = flaw
            return MessageRefused(flaw)
        return MessageChunk(content) if content else self.read()
