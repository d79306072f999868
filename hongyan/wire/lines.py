"""Lines on the wire: CRLF ends one, and nothing else does (RFC 5321 §2.3.8).

`LineReceiver` cuts commands out of what arrives, under a limit. `CrlfCheck`, `CrlfNormalizer`
and `DotStuffer` work on the octets of messages, whole chunks at a time: no loop over lines.

What is wrong with a line is a fault:

    LineTooLong   refused; the next line starts after the CRLF that ends this one
    NulOctet      refused; the next line starts after the CRLF that ends this one
    BareNewline   a CR or an LF stood alone: where the next line starts is anybody's guess, so close
    EndlessLine   the line went on for 16 times the limit: close

The same octets cut into other pieces give the same lines and the same faults.
"""

from __future__ import annotations

__all__ = [
    "BareNewline",
    "CrlfCheck",
    "CrlfNormalizer",
    "DotStuffer",
    "EndlessLine",
    "LineFault",
    "LineReceiver",
    "LineTooLong",
    "NulOctet",
    "odd_octets",
]

from typing import Final

from hongyan.errors import PeerFault

_PATIENCE: Final = 16
"""So many times the limit is an overlong line followed to its end, so that it can be answered."""

# What is neither CR, LF nor NUL.
_PLAIN: Final = bytes(octet for octet in range(256) if octet not in b"\0\r\n")


class LineFault(PeerFault):
    """The line is not fit for use."""


class LineTooLong(LineFault):
    """The line is longer than the limit. It is gone; go on with the next."""


class NulOctet(LineFault):
    """A NUL stood in the line, or in the message. The line is gone; go on with the next."""


class BareNewline(LineFault):
    """A CR or an LF stood alone. Close the connection: what follows could be anything."""


class EndlessLine(LineFault):
    """The line does not end. Close the connection."""


class LineReceiver:
    """Collects octets, and gives them out as lines without their CRLF, or as they are.

    `limit` counts the CRLF, and may be changed between two lines.
    """

    __slots__ = ("_buffer", "_lost", "_position", "_scanned", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._buffer = b""
        self._position = 0  # The start of the next line.
        self._scanned = 0  # There is no LF between _position and here.
        self._lost = 0  # Octets of an overlong line that are forgotten already.

    @property
    def buffered(self) -> int:
        """Octets that nobody has taken yet."""
        return len(self._buffer) - self._position

    def receive_data(self, octets: bytes) -> None:
        if self._position == len(self._buffer):
            self._buffer = octets
            self._scanned = 0
        else:
            self._buffer = self._buffer[self._position :] + octets
            self._scanned -= self._position
        self._position = 0

    def next_line(self) -> bytes | None:
        """Return the next line, or None until all of it has arrived. Raises LineFault."""
        start = self._position
        end = self._buffer.find(b"\n", self._scanned)
        if end < 0:
            self._wait_for_more()
            return None
        self._position = self._scanned = end + 1
        length = self._lost + end + 1 - start
        self._lost = 0
        if end == start or self._buffer[end - 1] != 0x0D:
            raise BareNewline("A line was ended by a bare LF")
        if length > self.limit:
            fault = EndlessLine if length > self.limit * _PATIENCE else LineTooLong
            raise fault("The line is too long")
        line = self._buffer[start : end - 1]
        if b"\r" in line:
            raise BareNewline("A bare CR stood in a line")
        if b"\0" in line:
            raise NulOctet("A NUL stood in a line")
        return line

    def take(self, most: int | None = None) -> bytes:
        """Return what has arrived, not more than `most` octets of it, as it is."""
        start = self._position
        octets = self._buffer[start:] if most is None else self._buffer[start : start + most]
        self._position = self._scanned = start + len(octets)
        return octets

    def put_back(self, octets: bytes) -> None:
        """Return octets that were taken, and were the last to arrive."""
        self._buffer = octets + self._buffer[self._position :]
        self._position = self._scanned = 0

    def clear(self) -> None:
        """Forget everything: the input of another time, before TLS (RFC 3207 §4.2)."""
        self._buffer = b""
        self._position = self._scanned = self._lost = 0

    def _wait_for_more(self) -> None:
        length = len(self._buffer)
        self._scanned = length
        if length - self._position <= self.limit:
            return
        # Only the last octet matters still: it may be the CR of a CRLF.
        self._lost += length - 1 - self._position
        self._buffer = self._buffer[-1:]
        self._position, self._scanned = 0, 1
        if self._lost > self.limit * _PATIENCE:
            raise EndlessLine("The line is too long")


def odd_octets(octets: bytes) -> bytes:
    """Return each NUL, and each CR or LF that is not in a CRLF, in order; nothing for sound text.

    >>> odd_octets(b"one\\r\\ntwo\\nthree\\0\\r\\n")
    b'\\n\\x00'
    """
    rest = octets.replace(b"\r\n", b"")
    if b"\r" in rest or b"\n" in rest or b"\0" in rest:
        return rest.translate(None, _PLAIN)
    return b""


class CrlfCheck:
    """Refuses message octets that hold a NUL, or a CR or an LF alone. A CRLF may be cut in two."""

    __slots__ = ("_after_cr",)

    def __init__(self) -> None:
        self._after_cr = False

    def feed(self, octets: bytes) -> None:
        """Look at the next octets. Raises BareNewline, or NulOctet where that is all that is wrong."""
        if not octets:
            return
        if self._after_cr:
            octets = b"\r" + octets
        self._after_cr = octets.endswith(b"\r")
        odd = odd_octets(octets[:-1] if self._after_cr else octets)
        if odd:
            if odd.strip(b"\0"):
                raise BareNewline("The message holds a bare CR or LF")
            raise NulOctet("The message holds a NUL")

    def end(self) -> None:
        """Say that no more octets come."""
        if self._after_cr:
            raise BareNewline("The message ends in a bare CR")


class CrlfNormalizer:
    """Makes each bare CR and bare LF a CRLF: for messages that came another way than by SMTP."""

    __slots__ = ("_after_cr",)

    def __init__(self) -> None:
        self._after_cr = False

    def feed(self, octets: bytes) -> bytes:
        if self._after_cr:
            octets = b"\r" + octets
        self._after_cr = octets.endswith(b"\r")
        if self._after_cr:
            octets = octets[:-1]
        if odd_octets(octets).strip(b"\0"):
            octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        return octets

    def end(self) -> bytes:
        """Return what was held back."""
        held, self._after_cr = self._after_cr, False
        return b"\r\n" if held else b""


class DotStuffer:
    """Doubles each dot that opens a line (RFC 5321 §4.5.2, RFC 1939 §3), and ends the text with a dot alone."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b"\r\n"

    def feed(self, octets: bytes) -> bytes:
        """Return the octets to send for these. CRLF alone opens a line: see to that before."""
        if not octets:
            return b""
        stuffed = octets.replace(b"\r\n.", b"\r\n..")
        if self._tail == b"\r\n" and octets.startswith(b"."):
            stuffed = b"." + stuffed
        elif self._tail.endswith(b"\r") and octets.startswith(b"\n."):
            stuffed = b"\n." + stuffed[1:]
        self._tail = (self._tail + octets[-2:])[-2:]
        return stuffed

    def end(self) -> bytes:
        """Return the end: a CRLF where the text lacks its last, and a line of one dot."""
        return b".\r\n" if self._tail == b"\r\n" else b"\r\n.\r\n"
