"""The MIME parts of a message, found in one pass over its octets (RFC 2046 §5.1, §5.2).

No recursion and no line is looked at twice for long: `bytes.find` goes from one line that begins with
"--" to the next, and a table of the boundaries that are open says what the line means. How odd input
is read:

- A delimiter is a whole line: "--", boundary, perhaps "--", white space. A boundary that begins another
  one is therefore never mistaken for it. Of two equal boundaries the inner one counts.
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

__all__ = ["MAX_DEPTH", "MAX_PARTS", "MESSAGE_FIELDS", "Kind", "Part", "read_parts", "scan_body"]

from enum import IntEnum

from hongyan.message.headers import find_body, index_fields, split_fields, unfold
from hongyan.message.parameters import ContentType, Parameter, parse_content_type
from hongyan.message.transfer import Encoding, find_encoding

MAX_DEPTH = 100
MAX_PARTS = 10_000
MAX_DELIMITER_LINES = 200_000
_MAX_DELIMITER = 1100

PART_FIELDS = frozenset(
    {
        b"content-type",
        b"content-transfer-encoding",
        b"content-id",
        b"content-description",
        b"content-disposition",
        b"content-md5",
        b"content-language",
        b"content-location",
    }
)
_ENVELOPE_FIELDS = {
    b"date",
    b"subject",
    b"from",
    b"sender",
    b"reply-to",
    b"to",
    b"cc",
    b"bcc",
    b"in-reply-to",
    b"message-id",
}
MESSAGE_FIELDS = PART_FIELDS | _ENVELOPE_FIELDS

TEXT_PLAIN = ContentType(b"text", b"plain", (Parameter(b"charset", b"us-ascii"),))
_MESSAGE_RFC822 = ContentType(b"message", b"rfc822", ())
_FLAT = ContentType(b"application", b"octet-stream", ())


class Kind(IntEnum):
    """What stands in a part. The numbers are stored; never renumber."""

    LEAF = 0
    MULTIPART = 1
    MESSAGE = 2


class Part:
    """One node of the tree, with its octet ranges in the served message and the fields that describe it."""

    __slots__ = (
        "body_end",
        "body_start",
        "children",
        "content_type",
        "encoding",
        "fields",
        "header_start",
        "is_text",
        "kind",
        "lines",
        "parent",
    )

    def __init__(self, header_start: int, body_start: int, parent: Part | None) -> None:
        self.header_start = header_start
        self.body_start = body_start
        self.body_end = body_start
        self.parent = parent
        self.fields: dict[bytes, list[bytes]] = {}
        self.content_type = TEXT_PLAIN
        self.encoding = Encoding.IDENTITY
        self.kind = Kind.LEAF
        self.is_text = True
        self.lines = 0
        self.children: list[Part] = []

    def first(self, name: bytes) -> bytes | None:
        """Return the unfolded value of the first field of that name."""
        values = self.fields.get(name)
        return unfold(values[0]) if values else None


def read_parts(served: bytes) -> list[Part]:
    """Return all parts of a message, parents before children, in the order of their octets; the first is the root."""
    body_start = find_body(served, 0, len(served))
    return scan_body(served, body_start, index_fields(split_fields(served[:body_start]), MESSAGE_FIELDS))


def scan_body(served: bytes, body_start: int, fields: dict[bytes, list[bytes]]) -> list[Part]:
    """Do as `read_parts` for a message whose header was read before: `fields` are at least `MESSAGE_FIELDS` of it."""
    return _Scan(served).run(body_start, fields)


# Where the line break before a delimiter is, where the next line begins, the multipart's place in the chain, closing?
_Delimiter = tuple[int, int, int, bool]


class _Scan:
    __slots__ = ("_budget", "_chain", "_end", "_levels", "_octets", "_open", "_parts")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._end = len(octets)
        self._budget = MAX_DELIMITER_LINES
        self._parts: list[Part] = []
        self._chain: list[Part] = []  # From the root to the part that is being read.
        self._levels: list[tuple[bytes, int]] = []  # The open boundaries and where in the chain they belong.
        self._open: dict[bytes, int] = {}

    def run(self, body_start: int, fields: dict[bytes, list[bytes]]) -> list[Part]:
        root = Part(0, body_start, None)
        self._parts.append(root)
        self._chain.append(root)
        self._describe(root, fields, TEXT_PLAIN)
        delimiter = self._enter(root, None)
        while delimiter is not None:
            position, next_line, level, closing = delimiter
            self._finish(level + 1, self._line_end(position))
            if closing:
                self._close(level)
                delimiter = self._find_delimiter(next_line - 1)
            elif len(self._parts) >= MAX_PARTS:
                delimiter = None
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
        part = Part(start, body_start, parent)
        of_message = parent.kind is Kind.MESSAGE
        block = self._octets[start:body_start]
        if b"\0" in block:
            block = block.replace(b"\0", b"")
        default = TEXT_PLAIN
        if not of_message and parent.content_type.subtype.lower() == b"digest":
            default = _MESSAGE_RFC822
        self._describe(part, index_fields(split_fields(block), MESSAGE_FIELDS if of_message else PART_FIELDS), default)
        self._parts.append(part)
        self._chain.append(part)
        parent.children.append(part)
        return part

    def _describe(self, part: Part, fields: dict[bytes, list[bytes]], default: ContentType) -> None:
        part.fields = fields
        value = part.first(b"content-type")
        content_type = default if value is None else parse_content_type(value) or TEXT_PLAIN
        encoding = part.first(b"content-transfer-encoding")
        if encoding is not None:
            part.encoding = find_encoding(encoding)
        main = content_type.type.lower()
        if main == b"text":
            part.content_type = content_type
            return
        part.content_type = content_type
        part.is_text = False
        if main == b"multipart":
            if not self._boundary(content_type):
                part.content_type, part.is_text = TEXT_PLAIN, True
            elif len(self._chain) < MAX_DEPTH:
                part.kind = Kind.MULTIPART
            else:
                part.content_type = _FLAT
        elif main == b"message" and content_type.subtype.lower() in (b"rfc822", b"global"):
            if len(self._chain) < MAX_DEPTH and len(self._parts) < MAX_PARTS:
                part.kind = Kind.MESSAGE
            else:
                part.content_type = _FLAT

    @staticmethod
    def _boundary(content_type: ContentType) -> bytes:
        parameter = content_type.find(b"boundary")
        return (
            parameter.value.rstrip() if parameter is not None and len(parameter.value) < _MAX_DELIMITER - 100 else b""
        )

    def _enter(self, part: Part, following: _Delimiter | None) -> _Delimiter | None:
        """Go down to what the part holds; return the next delimiter that matters."""
        while part.kind is Kind.MESSAGE:
            part = self._read_header(part, part.body_start, self._end if following is None else following[0] + 1)
        if part.kind is Kind.LEAF:
            return following
        boundary = self._boundary(part.content_type)
        self._levels.append((boundary, len(self._chain) - 1))
        self._open[boundary] = len(self._chain) - 1
        return self._find_delimiter(part.body_start - 1)

    def _find_delimiter(self, position: int) -> _Delimiter | None:
        """Return the next delimiter of an open boundary: its line break, the next line, level, whether it closes."""
        octets, end, boundaries = self._octets, self._end, self._open
        if not boundaries:
            return None
        if position < 0:
            position = 0
        while (position := octets.find(b"\n--", position)) >= 0:
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
            if line.endswith(b"--"):
                level = boundaries.get(line[:-2])
                if level is not None:
                    return position, min(line_end + 1, end), level, True
            self._budget -= 1
            if self._budget < 0:
                return None
            position = line_end
        return None

    def _line_end(self, position: int) -> int:
        """Return where the text before a delimiter's line break ends."""
        return position - 1 if position and self._octets[position - 1] == 0x0D else position

    def _finish(self, keep: int, end: int) -> None:
        """End all parts of the chain but the first `keep`."""
        chain = self._chain
        while len(chain) > keep:
            part = chain.pop()
            part.body_end = max(part.body_start, end)
            if part.kind is Kind.MULTIPART and not part.children:
                empty = Part(part.body_end, part.body_end, part)
                part.children.append(empty)
                self._parts.append(empty)
        if self._levels and self._levels[-1][1] >= keep:
            while self._levels and self._levels[-1][1] >= keep:
                self._levels.pop()
            self._open = dict(self._levels)

    def _close(self, level: int) -> None:
        """Forget a boundary whose closing delimiter was met; what follows is epilogue."""
        self._levels = [item for item in self._levels if item[1] != level]
        self._open = dict(self._levels)

    def _count_lines(self) -> None:
        """Count the line breaks of text and of messages, in one pass even where messages nest."""
        octets = self._octets
        if not any(part.kind is Kind.MESSAGE for part in self._parts):
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
