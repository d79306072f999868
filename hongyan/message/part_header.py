"""What the header of a part says about the part (RFC 2045 §5, §6, RFC 2183).

Most parts of most messages carry one of a few headers, word for word: those are read once and remembered.
"""

from __future__ import annotations

__all__ = ["MESSAGE_FIELDS", "PLAIN_HEADER", "Kind", "PartHeader", "read_content_fields", "read_part_header"]

from enum import IntEnum
from functools import lru_cache

from hongyan.message.headers import field_finder, pick_fields, split_fields
from hongyan.message.parameters import ContentType, Disposition, Parameter, parse_content_type, parse_disposition
from hongyan.message.transfer import Encoding, find_encoding

MAX_BOUNDARY = 1000  # RFC 2046 §5.1.1 allows 70.
_REMEMBERED_LENGTH = 200
_SHORT_HEADER = 64 * 1024

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
MESSAGE_FIELDS = PART_FIELDS | {
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

_find_content_fields = field_finder(frozenset({b"content-type", b"content-transfer-encoding"}))
_NOTHING = [b""]
_TEXT_PLAIN = ContentType(b"text", b"plain", (Parameter(b"charset", b"us-ascii"),))
_MESSAGE_RFC822 = ContentType(b"message", b"rfc822", ())
_OCTET_STREAM = ContentType(b"application", b"octet-stream", ())


class Kind(IntEnum):
    """What stands in a part. The numbers are stored; never renumber."""

    LEAF = 0
    MULTIPART = 1
    MESSAGE = 2


class PartHeader:
    """The fields of a part and what they mean. Parts share it: it is not changed but for what readers memorise."""

    __slots__ = (
        "basic",
        "boundary",
        "charset",
        "content_type",
        "disposition",
        "encoding",
        "extension",
        "fields",
        "is_digest",
        "is_plain",
        "is_text",
        "kind",
    )

    def __init__(self, fields: dict[bytes, list[bytes]], content_type: ContentType) -> None:
        self.fields = fields
        self.content_type = content_type
        encoding = fields.get(b"content-transfer-encoding")
        self.encoding = Encoding.IDENTITY if encoding is None else find_encoding(encoding[0])
        disposition = fields.get(b"content-disposition")
        self.disposition: Disposition | None = None if disposition is None else parse_disposition(disposition[0])
        self.kind = Kind.LEAF
        self.boundary = b""
        self.is_digest = False
        main = content_type.type.lower()
        self.is_text = main == b"text"
        charset = content_type.find(b"charset")
        self.charset = "" if charset is None else charset.value.decode("ascii", "replace")
        if main == b"multipart":
            self.kind = Kind.MULTIPART
            self.is_digest = content_type.subtype.lower() == b"digest"
            boundary = content_type.find(b"boundary")
            if boundary is not None and len(boundary.value) <= MAX_BOUNDARY:
                self.boundary = boundary.value.rstrip()
        elif main == b"message" and content_type.subtype.lower() in (b"rfc822", b"global"):
            self.kind = Kind.MESSAGE
        # One form of `structure` serves all clients: ASCII, and no parameter in extended notation.
        self.is_plain = (
            b"*" not in fields.get(b"content-type", _NOTHING)[0]
            and b"*" not in fields.get(b"content-disposition", _NOTHING)[0]
            and b"".join(map(b"".join, fields.values())).isascii()
        )
        # What `structure` makes of it, kept for the next part with the same header.
        self.basic: bytes | None = None
        self.extension: bytes | None = None

    def flat(self) -> PartHeader:
        """Return the same header for a container that is shown without what it holds."""
        return PartHeader(self.fields, _OCTET_STREAM)


PLAIN_HEADER = PartHeader({}, _TEXT_PLAIN)


def describe(fields: dict[bytes, list[bytes]], *, in_digest: bool = False) -> PartHeader:
    """Return what these fields say. A part of a digest is a message unless it says otherwise (RFC 2046 §5.1.5)."""
    values = fields.get(b"content-type")
    if values is None:
        return PartHeader(fields, _MESSAGE_RFC822 if in_digest else _TEXT_PLAIN)
    header = PartHeader(fields, parse_content_type(values[0]) or _TEXT_PLAIN)
    if header.kind is Kind.MULTIPART and not header.boundary:
        return PartHeader(fields, _TEXT_PLAIN)  # RFC 2045 §5.2: what cannot be read is text.
    return header


def read_part_header(block: bytes, *, in_digest: bool = False, of_message: bool = False) -> PartHeader:
    """Read a header block; of a nested message also the fields of its envelope."""
    if of_message:
        return describe(pick_fields(split_fields(block), MESSAGE_FIELDS)[0])
    if len(block) <= _REMEMBERED_LENGTH and b"oundary" not in block:
        return _remembered(block, in_digest)
    return describe(pick_fields(split_fields(block), PART_FIELDS)[0], in_digest=in_digest)


@lru_cache(maxsize=1024)
def _remembered(block: bytes, in_digest: bool) -> PartHeader:
    return describe(pick_fields(split_fields(block), PART_FIELDS)[0], in_digest=in_digest)


def read_content_fields(block: bytes) -> PartHeader:
    """Read of a header block only what says how the body is to be read: its type and its encoding."""
    if not _REMEMBERED_LENGTH < len(block) <= _SHORT_HEADER or b"\0" in block:
        return read_part_header(block)
    return read_part_header(_find_content_fields(block if block.endswith(b"\n") else block + b"\n"))
