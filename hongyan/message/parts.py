"""The MIME parts of a message, found in one pass over its octets (RFC 2046 §5.1, §5.2).

There is no recursion and no loop over lines: `bytes.find` goes from one line that begins with "--" to the
next, and a table of the boundaries that are open says what the line means. Octets are passed over once for
each level of nesting at most. How odd input is read:

- A delimiter line is "--", boundary, perhaps "--". Text may follow white space or the closing hyphens, as in
  Cyrus; RFC 2046 §5.1.1 would let it follow at once, but then a boundary that begins another one (Eudora made
  such) could not be told from it. Of two equal boundaries the inner one counts.
- The line break before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
- A delimiter of an outer multipart ends all that is open within it; the end of the octets ends everything.
- A multipart that names no boundary is text/plain (RFC 2045 §5.2); one in which no delimiter occurs has
  a single empty part, since IMAP cannot say "no parts" (RFC 9051 §9, body-type-mpart).
- A part in multipart/digest that names no type is message/rfc822 (RFC 2046 §5.1.5).
- message/rfc822 and message/global are read as messages whatever transfer encoding they claim.
- Over a cap the rest is shown flat: a container too deep is application/octet-stream, and behind too many
  parts or too many lines that look like delimiters the last part goes on to the end.
"""

from __future__ import annotations

__all__ = ["MAX_DELIMITER_LINES", "MAX_DEPTH", "MAX_PARTS", "Part", "scan_body"]

from hongyan.message.headers import find_body
from hongyan.message.parameters import ContentType
from hongyan.message.part_header import PLAIN_HEADER, Kind, PartHeader, describe, read_part_header
from hongyan.message.transfer import Encoding

MAX_DEPTH = 100
MAX_PARTS = 10_000
MAX_DELIMITER_LINES = 200_000
_MAX_DELIMITER = 1100


class Part:
    """One node of the tree, with its octet ranges in the served message."""

    __slots__ = ("around", "body_end", "body_start", "children", "header", "header_start", "kind", "lines")

    def __init__(self, header: PartHeader, header_start: int, body_start: int, around: PartHeader | None) -> None:
        self.header = header
        self.around = around  # The header of the part that holds this one.
        self.header_start = header_start
        self.body_start = body_start
        self.body_end = body_start
        self.kind = header.kind
        self.lines = 0  # Line breaks in the body, of text and messages only.
        self.children: list[Part] = []

    @property
    def fields(self) -> dict[bytes, list[bytes]]:
        """The unfolded values of the fields that describe the part, by name in lower case."""
        return self.header.fields

    @property
    def content_type(self) -> ContentType:
        return self.header.content_type

    @property
    def encoding(self) -> Encoding:
        return self.header.encoding

    @property
    def is_text(self) -> bool:
        return self.header.is_text


def scan_body(served: bytes, body_start: int, fields: dict[bytes, list[bytes]]) -> list[Part]:
    """Return all parts of a message, parents before children, in the order of their octets; the first is the root.

    Its header was read before: it ends at `body_start`, and `fields` are at least `MESSAGE_FIELDS` of it.
    """
    return _Scan(served).run(body_start, fields)


# Where the line break before a delimiter is, where the next line begins, the multipart's place in the chain, closing?
_Delimiter = tuple[int, int, int, bool]


class _Scan:
    __slots__ = ("_budget", "_chain", "_end", "_has_messages", "_levels", "_needle", "_octets", "_open", "_parts")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._end = len(octets)
        self._budget = MAX_DELIMITER_LINES
        self._parts: list[Part] = []
        self._chain: list[Part] = []  # From the root to the part that is being read.
        self._levels: list[tuple[bytes, int]] = []  # The open boundaries and where in the chain they belong.
        self._open: dict[bytes, int] = {}
        self._needle = b""
        self._has_messages = False

    def run(self, body_start: int, fields: dict[bytes, list[bytes]]) -> list[Part]:
        root = self._add(describe(fields), 0, body_start, None)
        delimiter = self._enter(root, None)
        while delimiter is not None:
            position, next_line, level, closing = delimiter
            if not closing and len(self._parts) >= MAX_PARTS:
                break
            self._finish(level + 1, self._line_end(position))
            if closing:
                # What follows is epilogue, and its boundary means nothing in it.
                self._set_levels([item for item in self._levels if item[1] != level])
                delimiter = self._find_delimiter(next_line - 1) if self._levels else None
            else:
                delimiter = self._begin(self._chain[level], next_line)
        self._finish(0, self._end)
        self._count_lines()
        return self._parts

    def _begin(self, parent: Part, start: int) -> _Delimiter | None:
        """Read the header of a part that begins at `start`, and go into it; return the next delimiter."""
        following = self._find_delimiter(start - 1)
        part = self._read_header(parent, start, self._end if following is None else following[0] + 1)
        return self._enter(part, following)

    def _read_header(self, parent: Part, start: int, limit: int) -> Part:
        body_start = find_body(self._octets, start, limit)
        header = read_part_header(
            self._octets[start:body_start],
            in_digest=parent.header.is_digest,
            of_message=parent.kind is Kind.MESSAGE,
        )
        part = self._add(header, start, body_start, parent.header)
        parent.children.append(part)
        return part

    def _add(self, header: PartHeader, start: int, body_start: int, around: PartHeader | None) -> Part:
        if header.kind is not Kind.LEAF and (len(self._chain) >= MAX_DEPTH or len(self._parts) >= MAX_PARTS):
            header = header.flat()
        if header.kind is Kind.MESSAGE:
            self._has_messages = True
        part = Part(header, start, body_start, around)
        self._parts.append(part)
        self._chain.append(part)
        return part

    def _enter(self, part: Part, following: _Delimiter | None) -> _Delimiter | None:
        """Go down to what the part holds; return the next delimiter that matters."""
        while part.kind is Kind.MESSAGE:
            part = self._read_header(part, part.body_start, self._end if following is None else following[0] + 1)
        if part.kind is Kind.LEAF:
            return following
        boundary = part.header.boundary
        self._set_levels([*self._levels, (boundary, len(self._chain) - 1)])
        return self._find_delimiter(part.body_start - 1)

    def _find_delimiter(self, position: int) -> _Delimiter | None:
        """Return the next delimiter of an open boundary: its line break, the next line, level, whether it closes."""
        octets, end, boundaries = self._octets, self._end, self._open
        if not boundaries:
            return None
        if position < 0:
            position = 0
        while (position := octets.find(self._needle, position)) >= 0:
            line_end = octets.find(b"\n", position + 3, position + _MAX_DELIMITER)
            if line_end < 0:
                line_end = end
                if end - position > _MAX_DELIMITER:
                    position += 3
                    continue
            line = octets[position + 3 : line_end].rstrip()
            level = boundaries.get(line)
            if level is not None:
                return position, min(line_end + 1, end), level, False
            level = boundaries.get(line[:-2]) if line.endswith(b"--") else None
            if level is not None:
                return position, min(line_end + 1, end), level, True
            sloppy = self._match_sloppy(line)
            if sloppy is not None:
                return position, min(line_end + 1, end), *sloppy
            self._budget -= len(boundaries)
            if self._budget < 0:
                return None
            position = line_end
        return None

    def _match_sloppy(self, line: bytes) -> tuple[int, bool] | None:
        """Match a delimiter that more text follows: behind white space, or behind the closing hyphens."""
        found: tuple[bytes, int, bool] | None = None
        for boundary, level in self._levels:
            if line.startswith(boundary) and (found is None or len(boundary) >= len(found[0])):
                rest = line[len(boundary) :]
                if rest[:1] in (b" ", b"\t") or rest.startswith(b"--"):
                    found = boundary, level, rest.startswith(b"--")
        return None if found is None else found[1:]

    def _line_end(self, position: int) -> int:
        """Return where the text before a delimiter's line break ends."""
        return position - 1 if position and self._octets[position - 1] == 0x0D else position

    def _finish(self, keep: int, end: int) -> None:
        """End all parts of the chain but the first `keep`."""
        chain = self._chain
        while len(chain) > keep:
            part = chain.pop()
            # A header without an empty line, or with the one that a delimiter claims too, goes up to the delimiter:
            # then what holds the part ends there as well.
            part.body_end = end = max(part.body_start, end)
            if part.kind is Kind.MULTIPART and not part.children:
                empty = Part(PLAIN_HEADER, part.body_end, part.body_end, part.header)
                part.children.append(empty)
                self._parts.append(empty)
        if self._levels and self._levels[-1][1] >= keep:
            self._set_levels([level for level in self._levels if level[1] < keep])

    def _set_levels(self, levels: list[tuple[bytes, int]]) -> None:
        self._levels = levels
        self._open = dict(levels)
        self._needle = b"\n--" + levels[0][0] if len(levels) == 1 else b"\n--"

    def _count_lines(self) -> None:
        """Count the line breaks of text and of messages, in one pass even where messages nest."""
        octets = self._octets
        if not self._has_messages:
            for part in self._parts:
                if part.is_text and part.body_end > part.body_start:
                    part.lines = octets.count(b"\n", part.body_start, part.body_end)
            return
        counted = [part for part in self._parts if part.is_text or part.kind is Kind.MESSAGE]
        lines_before: dict[int, int] = {}
        lines = previous = 0
        for position in sorted({part.body_start for part in counted} | {part.body_end for part in counted}):
            lines += octets.count(b"\n", previous, position)
            lines_before[position] = lines
            previous = position
        for part in counted:
            part.lines = lines_before[part.body_end] - lines_before[part.body_start]
