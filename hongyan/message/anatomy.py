"""What a message consists of: the fields of its header that matter and its parts, read once for all who ask.

The check for spam and the row in the store want the same of every message. Whoever asks first has it read; two threads
that ask at once read it twice, and get the same.
"""

from __future__ import annotations

__all__ = ["STORED_FIELDS", "Anatomy"]

from typing import Final, NamedTuple

from hongyan.message.headers import find_body, pick_fields, split_fields
from hongyan.message.parts import Part, scan_body

STORED_FIELDS: frozenset[bytes] = frozenset(
    b"""from to cc bcc subject date message-id sender reply-to in-reply-to references content-type mime-version
    content-id content-disposition content-md5 content-location priority x-priority importance newsgroups list-id
    list-unsubscribe list-unsubscribe-post list-post list-help lines x-label content-description content-language
    content-transfer-encoding x-uniform-type-identifier x-universally-unique-identifier disposition-notification-to
    return-receipt-to auto-submitted precedence x-mailer user-agent""".split()
)
"""Fields whose octets are kept in the row: if all that a client asks for are among them, the blob is not read.

`headers.select_fields` gives the same from the row as from the whole header, however long that is.
"""

_SHORT_HEADER: Final = 16 << 10
"""Octets of a header that no cap of `headers` reaches, with whatever stands before it."""


class _Read(NamedTuple):
    fields: dict[bytes, list[bytes]]
    stored: list[bytes]
    parts: list[Part]


class Anatomy:
    """The fields and parts of `octets`. What it gives is shared: nobody changes it."""

    __slots__ = ("_read", "body", "octets")

    def __init__(self, octets: bytes, body: int | None = None) -> None:
        """`body` is where the body begins, if that is known."""
        self.octets = octets
        self.body = find_body(octets, 0, len(octets)) if body is None else body
        self._read: _Read | None = None

    @property
    def fields(self) -> dict[bytes, list[bytes]]:
        """The unfolded values of `STORED_FIELDS` by name in lower case."""
        return self._find().fields

    @property
    def stored(self) -> list[bytes]:
        """The fields of `STORED_FIELDS` as received."""
        return self._find().stored

    @property
    def parts(self) -> list[Part]:
        """All parts, the message itself first."""
        return self._find().parts

    def is_same_behind(self, prefix: bytes) -> bool:
        """Whether the message has the same fields and parts with these fields before it, only further behind."""
        octets, length = self.octets, len(prefix)
        if self.body > _SHORT_HEADER or length > _SHORT_HEADER or not prefix.endswith(b"\n"):
            return False
        if octets[:1] in (b" ", b"\t"):
            return False
        if pick_fields(split_fields(prefix), STORED_FIELDS)[1]:
            return False
        return find_body(prefix + octets[: self.body], 0, length + self.body) == length + self.body

    def _find(self) -> _Read:
        if self._read is None:
            fields, stored = pick_fields(split_fields(self.octets[: self.body]), STORED_FIELDS)
            self._read = _Read(fields, stored, scan_body(self.octets, self.body, fields))
        return self._read
