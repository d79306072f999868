"""All that is stored about a message when it arrives, computed in one go.

`analyze` reads the header once and the body once, and what clients ask for most (RFC 9051 §7.5.2) leaves
it as octets that are sent without further work. A message as served is `prefix` (our trace fields) followed by
`octets`; all positions and sizes speak of that.
"""

from __future__ import annotations

__all__ = ["MAX_STORED_FIELDS", "STORED_FIELDS", "Analysis", "analyze"]

import re
from dataclasses import dataclass

from hongyan.message.dates import parse_date
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import find_body, index_fields, join_fields, split_fields, unfold
from hongyan.message.outline import Outline
from hongyan.message.parameters import find_parameter, parse_disposition
from hongyan.message.parts import MESSAGE_FIELDS, Kind, Part, scan_body
from hongyan.message.structure import format_bodystructure, format_envelope, needs_utf8_form
from hongyan.message.text import fold_text, make_preview, part_text

STORED_FIELDS: frozenset[bytes] = frozenset(
    b"""from to cc bcc subject date message-id sender reply-to in-reply-to references content-type mime-version
    priority x-priority importance newsgroups list-id list-unsubscribe list-unsubscribe-post list-post list-help lines
    x-label content-description content-language content-transfer-encoding x-uniform-type-identifier
    x-universally-unique-identifier disposition-notification-to return-receipt-to auto-submitted precedence
    x-mailer user-agent""".split()
)
"""Fields whose octets are kept in the row: if all that a client asks for are among them, the blob is not read."""

MAX_STORED_FIELDS = 64 * 1024
MAX_SEARCH_TEXT = 100_000
MAX_REFERENCES = 100

_WANTED = STORED_FIELDS | MESSAGE_FIELDS
_PREVIEWED = 2048
_PREVIEW_TRIES = 4
_SIGNATURES = frozenset({b"pgp-signature", b"pkcs7-signature", b"x-pkcs7-signature", b"pgp-encrypted"})
_REPORTS = frozenset({b"delivery-status", b"global-delivery-status", b"disposition-notification", b"feedback-report"})
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


def analyze(prefix: bytes, octets: bytes) -> Analysis:
    """Return everything that is stored about the message that is served as `prefix + octets`."""
    served = prefix + octets
    body_start = find_body(served, 0, len(served))
    block = served[:body_start]
    if b"\0" in block:
        block = block.replace(b"\0", b"")
    header = split_fields(block)
    fields = index_fields(header, _WANTED)
    parts = scan_body(served, body_start, fields)
    envelope = format_envelope(fields)
    bodystructure = format_bodystructure(parts)
    envelope_utf8 = bodystructure_utf8 = None
    if needs_utf8_form(parts):
        envelope_utf8 = _other_form(format_envelope(fields, utf8=True), envelope)
        bodystructure_utf8 = _other_form(format_bodystructure(parts, utf8=True), bodystructure)
    date = fields.get(b"date")
    message_id = fields.get(b"message-id")
    return Analysis(
        size=len(served),
        envelope=envelope,
        envelope_utf8=envelope_utf8,
        bodystructure=bodystructure,
        bodystructure_utf8=bodystructure_utf8,
        outline=Outline.from_parts(parts).to_octets(),
        fields=_stored_fields(header),
        sent_date=None if date is None else parse_date(unfold(date[0])),
        message_id="" if message_id is None else _find_id(message_id[0]),
        references=_references(fields),
        from_text=_search_text(fields, b"from"),
        to_text=_search_text(fields, b"to"),
        cc_text=_search_text(fields, b"cc"),
        bcc_text=_search_text(fields, b"bcc"),
        subject_text=_search_text(fields, b"subject"),
        preview=_preview(parts, served),
        has_attachment=any(map(_is_attachment, parts)),
    )


def _other_form(form: bytes, usual: bytes) -> bytes | None:
    return None if form == usual else form


def _stored_fields(header: list[bytes]) -> bytes:
    """Return the octets of STORED_FIELDS. None at all means: read the blob; so it is when they are too many."""
    kept = [field for field in header if field.partition(b":")[0].rstrip().lower() in STORED_FIELDS]
    joined = join_fields(kept)
    return joined if len(joined) <= MAX_STORED_FIELDS else b""


def _search_text(fields: dict[bytes, list[bytes]], name: bytes) -> str:
    values = fields.get(name)
    if values is None:
        return ""
    text = decode_words(unfold(values[0]))
    if len(values) > 1:
        text = ", ".join([text, *(decode_words(unfold(value)) for value in values[1:8])])
    return fold_text(text)[:MAX_SEARCH_TEXT]


def _find_id(value: bytes) -> str:
    match = _MESSAGE_ID.search(value)
    return match[0].decode("utf-8", "replace") if match else ""


def _references(fields: dict[bytes, list[bytes]]) -> tuple[str, ...]:
    """Return the ids of the messages that this one answers, oldest first (RFC 5256 §3, step 1)."""
    ids: dict[bytes, None] = {}
    for name in (b"references", b"in-reply-to"):
        for value in fields.get(name, ())[:1]:
            ids.update(dict.fromkeys(_MESSAGE_ID.findall(value[:100_000])))
    found = list(ids)
    if len(found) > MAX_REFERENCES:
        found = found[:1] + found[1 - MAX_REFERENCES :]
    return tuple(id_.decode("utf-8", "replace") for id_ in found)


def _preview(parts: list[Part], served: bytes) -> str:
    """Return the beginning of the first text that says something, plain before HTML among alternatives."""
    texts = [part for part in parts if _is_shown_text(part)]
    texts.sort(key=_comes_later)
    for part in texts[:_PREVIEW_TRIES]:
        if preview := make_preview(part_text(part, served, _PREVIEWED)):
            return preview
    return ""


def _is_shown_text(part: Part) -> bool:
    return part.is_text and part.body_end > part.body_start and not _is_attachment(part)


def _comes_later(part: Part) -> bool:
    return part.content_type.subtype.lower() != b"plain"


def _is_attachment(part: Part) -> bool:
    """Say whether a person would call this part an attachment: not a logo in the text, not a signature."""
    if part.kind is Kind.MULTIPART:
        return False
    type_, subtype, parameters = part.content_type
    values = part.fields.get(b"content-disposition")
    if values is None:
        if part.is_text:
            return part.parent is not None and find_parameter(parameters, b"name") is not None
        inline = False
        named = find_parameter(parameters, b"name") is not None
    else:
        disposition = parse_disposition(unfold(values[0]))
        kind = b"" if disposition is None else disposition.kind.lower()
        if subtype.lower() in _SIGNATURES:
            return False
        if kind == b"attachment":
            return True
        inline = kind == b"inline"
        named = disposition is not None and find_parameter(disposition.parameters, b"filename") is not None
        named = named or find_parameter(parameters, b"name") is not None
        if part.is_text:
            return named
    main = type_.lower()
    if subtype.lower() in _SIGNATURES or (part.parent is None and part.kind is Kind.MESSAGE):
        return False
    if main == b"image":
        return not inline and b"content-id" not in part.fields
    return named or (main in (b"audio", b"video", b"message") and subtype.lower() not in _REPORTS)
