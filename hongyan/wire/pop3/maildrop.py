"""A session's maildrop (RFC 1939 §5): the messages as they were at login, and those marked for deletion."""

from __future__ import annotations

__all__ = ["Maildrop", "TopCutter"]

from collections.abc import Iterator, Sequence
from typing import Final

_CRLF = b"\r\n"

_PORTION: Final = 2000
"""Messages that are listed in one go: half a millisecond."""


class Maildrop:
    """Messages numbered from 1, with their sizes in octets and their unique-ids (RFC 1939 §7, UIDL).

    A number is valid as long as its message is not marked; nothing is deleted before QUIT.
    """

    __slots__ = ("_deleted", "_deleted_octets", "_octets", "_sizes", "_unique_ids")

    def __init__(self, sizes: Sequence[int], unique_ids: Sequence[str]) -> None:
        if len(sizes) != len(unique_ids):
            raise ValueError("each message has a size and a unique-id")
        self._sizes = sizes
        self._unique_ids = unique_ids
        self._octets = sum(sizes)
        self._deleted: set[int] = set()
        self._deleted_octets = 0

    @property
    def count(self) -> int:
        """Messages that are not marked."""
        return len(self._sizes) - len(self._deleted)

    @property
    def octets(self) -> int:
        """Octets of the messages that are not marked."""
        return self._octets - self._deleted_octets

    @property
    def deleted(self) -> tuple[int, ...]:
        """The numbers of the marked messages."""
        return tuple(sorted(self._deleted))

    def holds(self, number: int) -> bool:
        return 1 <= number <= len(self._sizes) and number not in self._deleted

    def delete(self, number: int) -> None:
        """Mark a message that `holds` knows."""
        self._deleted.add(number)
        self._deleted_octets += self._sizes[number - 1]

    def reset(self) -> None:
        self._deleted.clear()
        self._deleted_octets = 0

    def size(self, number: int) -> int:
        return self._sizes[number - 1]

    def scan_line(self, number: int) -> str:
        """The scan listing of one message: LIST."""
        return f"{number} {self._sizes[number - 1]}"

    def unique_id_line(self, number: int) -> str:
        """The unique-id listing of one message: UIDL."""
        return f"{number} {self._unique_ids[number - 1]}"

    def scan_listing(self) -> Iterator[bytes]:
        """Yield the scan listing of all messages, some thousand lines at a time."""
        return self._listing(self._sizes)

    def unique_id_listing(self) -> Iterator[bytes]:
        """Yield the unique-id listing of all messages, some thousand lines at a time."""
        return self._listing(self._unique_ids)

    def _listing(self, column: Sequence[int] | Sequence[str]) -> Iterator[bytes]:
        deleted = self._deleted
        for start in range(0, len(column), _PORTION):
            cells = enumerate(column[start : start + _PORTION], start + 1)
            yield "".join([f"{number} {cell}\r\n" for number, cell in cells if number not in deleted]).encode("ascii")


_WHOLE = 1_000_000
"""Who asks for so many lines wants the whole message: fetchmail says TOP n 99999999 in place of RETR."""


class TopCutter:
    """Lets through the header section, the empty line, and so many lines of the body (RFC 1939 §7, TOP).

    What it is fed ends its lines by CRLF, and no CRLF is cut in two.
    """

    __slots__ = ("_at_line_start", "_in_header", "_lines", "_wants_all", "done")

    def __init__(self, lines: int) -> None:
        self._wants_all = lines >= _WHOLE
        self.done = False  # Nothing more will come through.
        self._lines = lines
        self._in_header = True
        self._at_line_start = True

    @property
    def is_whole(self) -> bool:
        """Whether the client wanted the whole message, and has it."""
        return self._wants_all and not self.done

    def feed(self, octets: bytes) -> bytes:
        if self.done:
            return b""
        if not self._in_header:
            return octets[: self._body_end(octets, 0)]
        end = 2 if self._at_line_start and octets.startswith(_CRLF) else octets.find(b"\r\n\r\n") + 4
        if end == 3:  # Not found: all of it is header.
            self._at_line_start = octets.endswith(_CRLF) if octets else self._at_line_start
            return octets
        self._in_header = False
        return octets[: self._body_end(octets, end)]

    def _body_end(self, octets: bytes, start: int) -> int:
        """Where to cut the body that begins at `start`."""
        lines = octets.count(_CRLF, start)
        if lines < self._lines:
            self._lines -= lines
            return len(octets)
        for _ in range(self._lines):
            start = octets.find(_CRLF, start) + 2
        self.done = True
        return start
