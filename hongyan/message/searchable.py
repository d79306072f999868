"""What of a message can be found: its folded texts, the same for a search that reads it and for the index.

Signatures are left out: nobody looks for their base64, where every short word is found by chance. RFC 9051 §6.4.4
leaves servers free there; whoever names such a field by HEADER finds it still.
"""

from __future__ import annotations

__all__ = ["MAX_SEARCHED_TEXT", "OPAQUE_FIELDS", "body_texts", "header_block", "header_texts"]

from collections.abc import Iterator

from hongyan.message.encoded_words import decode_words
from hongyan.message.fold import fold_text
from hongyan.message.headers import find_body, iterate_fields
from hongyan.message.outline import Outline, OutlinePart
from hongyan.message.parameters import Parameter, find_parameter
from hongyan.message.part_header import Kind, PartHeader, read_content_fields
from hongyan.message.text import message_text

MAX_SEARCHED_TEXT = 4 << 20
"""Characters of a message's body that are searched."""

OPAQUE_FIELDS = frozenset(
    {b"dkim-signature", b"domainkey-signature", b"arc-seal", b"arc-message-signature", b"x-google-dkim-signature"}
    | {b"x-gm-message-state", b"x-google-smtp-source", b"x-microsoft-antispam-message-info", b"autocrypt", b"face"}
)
"""Fields of which nothing is text, in lower case."""

_MAX_NAMES = 1000  # parts whose file names are looked for


def header_block(served: bytes) -> bytes:
    """Return the header of a message."""
    return served[: find_body(served, 0, len(served))]


def header_texts(block: bytes) -> Iterator[str]:
    """Yield each field of a header with its name, decoded and folded."""
    for name, value in iterate_fields(block):
        if name.lower() not in OPAQUE_FIELDS:
            yield fold_text(f"{name.decode('latin-1')}: {decode_words(value)}")


def body_texts(outline: Outline, served: bytes) -> Iterator[str]:
    """Yield the texts of a message's body and the names of its files, folded."""
    for text in message_text(outline, served, MAX_SEARCHED_TEXT):
        yield fold_text(text)
    parts = outline.parts
    if len(parts) > 1 or not parts[0].is_text:
        for part in parts[:_MAX_NAMES]:
            if name := _file_name(part, served):
                yield fold_text(name)


def _file_name(part: OutlinePart, served: bytes) -> str:
    if part.kind is Kind.MULTIPART or b"name" not in served[part.header_start : part.body_start].lower():
        return ""
    header = read_content_fields(served[part.header_start : part.body_start])
    found = _name_parameter(header)
    return "" if found is None else found.text


def _name_parameter(header: PartHeader) -> Parameter | None:
    if header.disposition is not None:
        found = find_parameter(header.disposition.parameters, b"filename")
        if found is not None:
            return found
    return find_parameter(header.content_type.parameters, b"name")
