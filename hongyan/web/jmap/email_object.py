"""A message as the Email object of JMAP, from its octets or from its row (RFC 8621 §4.1). Nothing here waits."""

from __future__ import annotations

__all__ = ["EmailFacts", "ReadMessage", "write_email", "write_message"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hongyan.message.analyze import describe_parts
from hongyan.message.anatomy import Anatomy
from hongyan.message.body_layout import BodyLayout, BodyPart, lay_out, read_fields
from hongyan.message.header_forms import Form, read_form
from hongyan.web.jmap.email_properties import CONVENIENCE, HeaderProperty, Wanted, write_header
from hongyan.web.jmap.ids import part_blob_id

_MAX_PREVIEW = 256


@dataclass(frozen=True, slots=True)
class EmailFacts:
    """What the store knows of an Email beside its octets, in the words of JMAP. `fields` are those of the row."""

    id: str
    blob_id: str
    thread_id: str
    mailbox_ids: Mapping[str, bool]
    keywords: Mapping[str, bool]
    size: int
    received_at: str
    fields: bytes
    has_attachment: bool
    preview: str

    def find(self, name: str) -> object:
        """Return a property of the metadata, or of those that were found when the message came."""
        match name:
            case "id":
                return self.id
            case "blobId":
                return self.blob_id
            case "threadId":
                return self.thread_id
            case "mailboxIds":
                return self.mailbox_ids
            case "keywords":
                return self.keywords
            case "size":
                return self.size
            case "receivedAt":
                return self.received_at
            case "hasAttachment":
                return self.has_attachment
        return self.preview


class ReadMessage:
    """A message that was read: its fields, and its parts once they are asked for."""

    def __init__(self, octets: bytes, blob_id: str) -> None:
        self.blob_id = blob_id
        self._anatomy = Anatomy(octets)

    @cached_property
    def fields(self) -> list[tuple[str, bytes]]:
        """All fields, values as received."""
        return read_fields(self._anatomy.octets[: self._anatomy.body])

    @property
    def size(self) -> int:
        """Octets of the whole."""
        return len(self._anatomy.octets)

    @cached_property
    def layout(self) -> BodyLayout:
        """Its body and its attachments."""
        return lay_out(self._anatomy.parts, self._anatomy.octets)

    @cached_property
    def description(self) -> tuple[str, bool]:
        """The preview, and whether something is attached."""
        return describe_parts(self._anatomy.parts, self._anatomy.octets)


def write_email(wanted: Wanted, facts: EmailFacts, message: ReadMessage | None) -> dict[str, object]:
    """Return an Email of the store; `message` is there if `wanted.needs_message`."""
    written: dict[str, object] = {"id": facts.id}
    fields = read_fields(facts.fields) if message is None else message.fields
    _write_headers(written, wanted, fields)
    for name in wanted.names:
        if name not in written:
            of_message = None if message is None else _of_message(name, wanted, message)
            written[name] = facts.find(name) if of_message is None else of_message[0]
    return written


def write_message(wanted: Wanted, message: ReadMessage) -> dict[str, object]:
    """Return the Email of a message that is not in the store: what only the store knows is null (RFC 8621 §4.9)."""
    written: dict[str, object] = {}
    _write_headers(written, wanted, message.fields)
    for name in wanted.names:
        if name not in written:
            of_message = _of_message(name, wanted, message)
            written[name] = _unstored(name, message) if of_message is None else of_message[0]
    return written


def _unstored(name: str, message: ReadMessage) -> object:
    match name:
        case "blobId":
            return message.blob_id
        case "size":
            return message.size
        case "preview":
            return message.description[0][:_MAX_PREVIEW]
        case "hasAttachment":
            return message.description[1]
    return None


def _write_headers(written: dict[str, object], wanted: Wanted, fields: Sequence[tuple[str, bytes]]) -> None:
    values: dict[str, list[bytes]] = {}
    for name, value in fields:
        values.setdefault(name.lower(), []).append(value)
    for header in wanted.headers:
        written[header.key] = write_header(header, values.get(header.field, ()))
    for name in wanted.names:
        if name in CONVENIENCE:
            field, form = CONVENIENCE[name]
            found = values.get(field.lower())
            written[name] = read_form(form, found[-1]) if found else None


def _of_message(name: str, wanted: Wanted, message: ReadMessage) -> tuple[object] | None:
    """Return what only the octets tell; None if that is not theirs."""
    match name:
        case "headers":
            return (_headers(message.fields),)
        case "bodyStructure":
            return (_write_tree(message.layout.root, wanted, message.blob_id),)
        case "textBody":
            return ([_write_part(part, wanted, message.blob_id) for part in message.layout.text],)
        case "htmlBody":
            return ([_write_part(part, wanted, message.blob_id) for part in message.layout.html],)
        case "attachments":
            return ([_write_part(part, wanted, message.blob_id) for part in message.layout.attachments],)
        case "bodyValues":
            return (_write_values(message.layout, wanted),)
    return None


def _headers(fields: Sequence[tuple[str, bytes]]) -> list[dict[str, object]]:
    return [{"name": name, "value": read_form(Form.RAW, value)} for name, value in fields]


def _write_values(layout: BodyLayout, wanted: Wanted) -> dict[str, object]:
    options = wanted.body
    chosen: list[BodyPart] = []
    if options.all:
        chosen += layout.leaves()
    if options.text:
        chosen += layout.text
    if options.html:
        chosen += layout.html
    values: dict[str, object] = {}
    for part in chosen:
        if part.is_text and part.number not in values:
            text, problem, is_cut = part.text(options.limit)
            values[part.number] = {"value": text, "isEncodingProblem": problem, "isTruncated": is_cut}
    return values


def _write_tree(root: BodyPart, wanted: Wanted, blob_id: str) -> dict[str, object]:
    top = _write_part(root, wanted, blob_id)
    pending = [(root, top)]
    while pending:
        part, written = pending.pop()
        if part.is_multipart:
            inner = [_write_part(child, wanted, blob_id) for child in part.children]
            written["subParts"] = inner
            pending.extend(zip(part.children, inner, strict=True))
    return top


def _write_part(part: BodyPart, wanted: Wanted, blob_id: str) -> dict[str, object]:
    written = {name: _of_part(name, part, blob_id) for name in wanted.body_names if name != "subParts"}
    if "subParts" in wanted.body_names and not part.is_multipart:
        written["subParts"] = None
    if wanted.body_headers:
        _write_part_headers(written, wanted.body_headers, part)
    return written


def _write_part_headers(written: dict[str, object], headers: Sequence[HeaderProperty], part: BodyPart) -> None:
    values: dict[str, list[bytes]] = {}
    for name, value in part.header_fields:
        values.setdefault(name.lower(), []).append(value)
    for header in headers:
        written[header.key] = write_header(header, values.get(header.field, ()))


def _of_part(name: str, part: BodyPart, blob_id: str) -> object:
    match name:
        case "partId":
            return part.number or None
        case "blobId":
            return None if part.is_multipart else part_blob_id(blob_id, part.number)
        case "size":
            return 0 if part.is_multipart else len(part.octets)
        case "name":
            return part.name
        case "type":
            return part.type
        case "charset":
            return part.charset
        case "disposition":
            return part.disposition
        case "headers":
            return _headers(part.header_fields)
    return _of_field(name, part)


def _of_field(name: str, part: BodyPart) -> object:
    match name:
        case "cid":
            value = part.find_field(b"content-id")
            return None if value is None else read_form(Form.RAW, value.strip().strip(b"<>").strip()) or None
        case "language":
            value = part.find_field(b"content-language")
            tags = [] if value is None else [tag.strip() for tag in value.decode("ascii", "replace").split(",")]
            return [tag for tag in tags if tag] or None
    value = part.find_field(b"content-location")
    return None if value is None else read_form(Form.RAW, b"".join(value.split())) or None
