"""DATA and BDAT: from octets on the wire to octets of the message.

CRLF . CRLF ends the message (RFC 5321 §4.1.1.4) and a dot that opens a line is doubled
(§4.5.2). Nothing but CRLF ends a line (§2.3.8): a receiver that takes a bare CR or LF for
one can be shown two messages where the sender's server saw one. BDAT counts octets instead
(RFC 3030 §2), knows no dots, and its content is held to the same lines.

A line may be longer than 998 octets (§4.5.3.1.6): nothing here reads by line, and the size of
the message bounds it.
"""

from __future__ import annotations

__all__ = ["BareNewline", "BdatReceiver", "DataReceiver"]

from typing import Final

from hongyan.wire.lines import BareNewline, CrlfCheck, NulOctet, odd_octets

_END: Final = b"\r\n.\r\n"
_STARTS_OF_END: Final = (b"\r\n.\r", b"\r\n.", b"\r\n", b"\r")


class DataReceiver:
    """Undoes dot-stuffing, whole chunks at a time.

    `feed` returns the octets of the message that are certain so far. Once `done` is true,
    `rest` holds what came after the end: the start of the next command. `holds_nul` says that
    the message is to be refused at its end; BareNewline, that the connection must close at once.
    """

    __slots__ = ("_held", "_skip", "done", "holds_nul", "rest")

    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        self.holds_nul = False
        self._held = b"\r\n"  # So that a dot in the first column of the first line counts.
        self._skip = len(self._held)

    def feed(self, octets: bytes) -> bytes:
        if self._held:
            octets = self._held + octets
        end = octets.find(_END)
        if end >= 0:
            self.done, self.rest = True, octets[end + len(_END) :]
            cut = end + 2  # The CRLF before the dot belongs to the message.
        else:
            cut = _safe_cut(octets)
        certain, self._held = octets[:cut], octets[cut:]
        odd = odd_octets(certain)
        if odd:
            if odd.strip(b"\0"):
                raise BareNewline("The message holds a bare CR or LF")
            self.holds_nul = True
        certain = certain.replace(b"\r\n.", b"\r\n")
        if cut and self._skip:
            certain = certain[self._skip :]
            self._skip = 0
        return certain


class BdatReceiver:
    """Takes the chunks of one message, each by its announced size.

    `expect` begins a chunk; `feed` takes no more than belongs to it, and `wanted` says how much
    that is. `end` follows the last chunk.
    """

    __slots__ = ("_check", "holds_nul", "wanted")

    def __init__(self) -> None:
        self.wanted = 0
        self.holds_nul = False
        self._check = CrlfCheck()

    def expect(self, size: int) -> None:
        self.wanted = size

    def feed(self, octets: bytes) -> None:
        """Look at the next octets of the chunk; they are the message's as they are. Raises BareNewline."""
        if len(octets) > self.wanted:
            raise ValueError("these octets are not all of this chunk")
        self.wanted -= len(octets)
        try:
            self._check.feed(octets)
        except NulOctet:
            self.holds_nul = True

    def end(self) -> None:
        """Say that the message is complete. Raises BareNewline."""
        self._check.end()


def _safe_cut(octets: bytes) -> int:
    """Where to cut so that no CRLF, and no start of the end, is parted from its tail."""
    if octets.endswith(_STARTS_OF_END):
        for start in _STARTS_OF_END:
            if octets.endswith(start):
                return len(octets) - len(start)
    return len(octets)
