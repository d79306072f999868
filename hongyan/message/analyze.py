"""All that is stored about a message when it arrives, computed in one go.

`analyze` reads the header once and the body once, and what clients ask for most (RFC 9051 §7.5.2) leaves
it as octets that are sent without further work. A message as served is `prefix` (our trace fields) followed by
`octets`; all positions and sizes speak of that.
"""

from __future__ import annotations

__all__ = ["Analysis", "analyze", "describe_parts", "find_references"]

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from hongyan.message.anatomy import Anatomy
from hongyan.message.dates import parse_date
from hongyan.message.encoded_words import decode_words
from hongyan.message.fold import fold_text
from hongyan.message.headers import join_fields
from hongyan.message.order_keys import OrderKeys, find_order_keys
from hongyan.message.outline import Outline
from hongyan.message.parameters import find_parameter
from hongyan.message.part_header import Kind
from hongyan.message.parts import Part
from hongyan.message.structure import format_bodystructure, format_envelope, needs_utf8_form
from hongyan.message.text import make_preview, part_text

MAX_SEARCH_TEXT = 100_000
MAX_REFERENCES = 100

_PREVIEWED = 1024
_REMEMBERED_LENGTH = 200
_PREVIEW_TRIES = 4
_SIGNATURES = frozenset({b"pgp-signature", b"pkcs7-signature", b"x-pkcs7-signature", b"pgp-encrypted"})
_HOLD_MESSAGES = frozenset({b"report", b"digest"})
_MESSAGE_ID = re.compile(rb"<[^<>\s]{1,512}>")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the store keeps of a message beside its octets."""

    size: int
    envelope: bytes
    envelope_utf8: bytes | None
    bodystructure: bytes
    bodystructure_utf8: bytes | None
    outline: bytes
    fields: bytes
    sent_date: int | None
    message_id: str
    references: tuple[str, ...]
    from_text: str
    to_text: str
    cc_text: str
    bcc_text: str
    subject_text: str
    preview: str
    has_attachment: bool
    order: OrderKeys


def analyze(prefix: bytes, octets: bytes, anatomy: Anatomy | None = None) -> Analysis:
    """Return everything that is stored about the message that is served as `prefix + octets`.

    `anatomy` is that of `octets`, if somebody has read it already.
    """
    before = len(prefix)
    if anatomy is None or not anatomy.is_same_behind(prefix):
        anatomy, before = Anatomy(prefix + octets), 0
    fields, parts = anatomy.fields, anatomy.parts
    envelope = format_envelope(fields)
    bodystructure = format_bodystructure(parts)
    envelope_utf8 = bodystructure_utf8 = None
    if needs_utf8_form(parts):
        envelope_utf8 = _other_form(format_envelope(fields, utf8=True), envelope)
        bodystructure_utf8 = _other_form(format_bodystructure(parts, utf8=True), bodystructure)
    shown = [part for part in parts if not _is_attachment(part)]
    date = fields.get(b"date")
    message_id = fields.get(b"message-id")
    return Analysis(
        size=len(prefix) + len(octets),
        envelope=envelope,
        envelope_utf8=envelope_utf8,
        bodystructure=bodystructure,
        bodystructure_utf8=bodystructure_utf8,
        outline=Outline.from_parts(parts, before).to_octets(),
        fields=join_fields(anatomy.stored),
        sent_date=None if date is None else parse_date(date[-1]),
        message_id="" if message_id is None else _find_id(message_id[-1]),
        references=find_references([fields[name][-1] for name in (b"references", b"in-reply-to") if name in fields]),
        from_text=_search_text(fields, b"from"),
        to_text=_search_text(fields, b"to"),
        cc_text=_search_text(fields, b"cc"),
        bcc_text=_search_text(fields, b"bcc"),
        subject_text=_folded(fields[b"subject"][-1]) if b"subject" in fields else "",
        preview=_preview(shown, anatomy.octets),
        has_attachment=len(shown) < len(parts),
        order=find_order_keys(fields),
    )


def describe_parts(parts: Sequence[Part], served: bytes) -> tuple[str, bool]:
    """Return the preview of a message, and whether something is attached to it."""
    shown = [part for part in parts if not _is_attachment(part)]
    return _preview(shown, served), len(shown) < len(parts)


def _other_form(form: bytes, usual: bytes) -> bytes | None:
    return None if form == usual else form


def _search_text(fields: dict[bytes, list[bytes]], name: bytes) -> str:
    values = fields.get(name)
    if values is None:
        return ""
    value = values[0] if len(values) == 1 else b", ".join(values)
    return _remembered_text(value) if len(value) <= _REMEMBERED_LENGTH else _folded(value)


def _folded(value: bytes) -> str:
    return fold_text(decode_words(value))[:MAX_SEARCH_TEXT]


# The same people write again and again, and their names are often in encoded words.
_remembered_text = lru_cache(maxsize=2048)(_folded)


def _find_id(value: bytes) -> str:
    match = _MESSAGE_ID.search(value)
    return match[0].decode("utf-8", "replace") if match else ""


def find_references(values: Sequence[bytes]) -> tuple[str, ...]:
    """Return the ids of the messages that one answers, oldest first, from References, then In-Reply-To.

    Each id once, in its angle brackets; of very many the first and the last (RFC 5256 §3, step 1).
    """
    if not values:
        return ()
    found = list(dict.fromkeys(_MESSAGE_ID.findall(b" ".join(values))))
    if len(found) > MAX_REFERENCES:
        found = found[:1] + found[1 - MAX_REFERENCES :]
    return tuple([id_.decode("utf-8", "replace") for id_ in found])


def _preview(shown: list[Part], served: bytes) -> str:
    """Return the beginning of the first text that says something, plain text before HTML."""
    texts = [part for part in shown if part.header.is_text and part.body_end > part.body_start]
    if len(texts) > 1 and _comes_later(texts[0]):
        texts.sort(key=_comes_later)
    for part in texts[:_PREVIEW_TRIES]:
        if preview := make_preview(part_text(part, served, _PREVIEWED)):
            return preview
    return ""


def _comes_later(part: Part) -> bool:
    return part.content_type.subtype.lower() != b"plain"


def _is_attachment(part: Part) -> bool:
    """Say whether a person would call this part an attachment: not a logo in the text, not a signature."""
    if part.kind is Kind.MULTIPART:
        return False
    header = part.header
    disposition = header.disposition
    type_, subtype, parameters = header.content_type
    if disposition is None and header.is_text:
        return part.around is not None and find_parameter(parameters, b"name") is not None
    kind = b"" if disposition is None else disposition.kind.lower()
    subtype = subtype.lower()
    if subtype in _SIGNATURES:
        return False
    if kind == b"attachment":
        return True
    named = (disposition is not None and find_parameter(disposition.parameters, b"filename") is not None) or (
        find_parameter(parameters, b"name") is not None
    )
    if header.is_text:
        return named
    main = type_.lower()
    if main == b"image":
        return kind != b"inline" and b"content-id" not in header.fields
    if main in (b"audio", b"video", b"message"):
        around = part.around
        return named or (around is not None and around.content_type.subtype.lower() not in _HOLD_MESSAGES)
    return named
