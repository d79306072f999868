"""The object of Email/set create becomes a message (RFC 8621 §4.6).

First all that can be said without the blobs is checked, and each wrong property is named; then, with the blobs, the
octets are made. Nothing here waits.
"""

from __future__ import annotations

__all__ = ["EmailDraft", "compose_draft", "read_draft"]

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hongyan.clock import Clock, Random
from hongyan.message.compose import compose, fold_field, make_message_id
from hongyan.message.dates import format_date
from hongyan.message.header_forms import allowed_forms
from hongyan.web.jmap.draft_fields import write_field
from hongyan.web.jmap.draft_parts import DraftPart, PartReader, make_entity
from hongyan.web.jmap.email_properties import CONVENIENCE, parse_header_property
from hongyan.wire.jmap.faults import invalid_properties

_STORED = frozenset({"mailboxIds", "keywords", "receivedAt"})
_BODY = frozenset({"bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues"})
_SERVER_SET = frozenset({"id", "blobId", "threadId", "size", "hasAttachment", "preview", "headers"})
_FIRST = ("date", "from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject")
_OURS = frozenset({"mime-version"})
_MAX_FIELDS = 500


@dataclass(slots=True)
class EmailDraft:
    """A message that is to be made: fields, by names in lower case, and the tree of its body."""

    fields: dict[str, bytes] = field(default_factory=dict)
    body: DraftPart = field(default_factory=DraftPart)

    def blob_ids(self) -> Iterator[str]:
        """Yield the blobs that it needs."""
        pending = [self.body]
        while pending:
            part = pending.pop()
            if part.blob_id is not None:
                yield part.blob_id
            pending.extend(part.children)


def read_draft(given: Mapping[str, object]) -> EmailDraft:
    """Return what is to be made. Raises `SetError` (invalidProperties)."""
    wrong = sorted(_SERVER_SET & set(given))
    if wrong:
        raise invalid_properties(wrong, "These are set by the server.")
    draft = EmailDraft()
    for key, value in given.items():
        if key not in _STORED and key not in _BODY:
            name = _read_field(draft.fields, key, value)
            if name.startswith("content-") or name in _OURS:
                raise invalid_properties([key], "A part's own fields belong to the part.")
    draft.body = _read_body(given)
    for key, value in draft.body.given_fields:
        _read_field(draft.fields, key, value, where="bodyStructure/")
    if len(draft.fields) > _MAX_FIELDS:
        raise invalid_properties(["headers"], "There are too many header fields.")
    return draft


def _read_field(fields: dict[str, bytes], key: str, value: object, where: str = "") -> str:
    """Write one field, or all of a name, and return the name in lower case."""
    if key in CONVENIENCE:
        name, form = CONVENIENCE[key]
        is_all = False
    else:
        header = parse_header_property(key)
        if header is None:
            raise invalid_properties([where + key], "There is no such property.")
        name, form, is_all = key.split(":")[1], header.form, header.is_all
    if form not in allowed_forms(name):
        raise invalid_properties([where + key], "The field has no such form.")
    low = name.lower()
    if low in fields:
        raise invalid_properties([where + key], "Two properties are of one header field.")
    if is_all and not isinstance(value, list):
        raise invalid_properties([where + key], "An array.")
    values = value if is_all and isinstance(value, list) else [value]
    fields[low] = b"".join(write_field(where + key, name, form, one) for one in values)
    return low


def _read_body(given: Mapping[str, object]) -> DraftPart:
    reader = PartReader(given.get("bodyValues"))
    structure = given.get("bodyStructure")
    flat = [name for name in ("textBody", "htmlBody", "attachments") if given.get(name) is not None]
    if structure is not None:
        if flat:
            raise invalid_properties(flat, "Either the structure or the lists.")
        root = reader.read("bodyStructure", structure)
        root.given_fields = [pair for pair in root.fields if not pair[0].lower().startswith("header:content-")]
        root.fields = [pair for pair in root.fields if pair not in root.given_fields]
        return root
    text = _read_one(reader, given, "textBody", "text/plain")
    html = _read_one(reader, given, "htmlBody", "text/html")
    attached = [
        reader.read(f"attachments/{n}", one, is_attached=True) for n, one in enumerate(_list(given, "attachments"))
    ]
    if any(part.children or part.type.startswith("multipart/") for part in attached):
        raise invalid_properties(["attachments"], "An attachment has no parts.")
    return _arrange(text, html, attached)


def _list(given: Mapping[str, object], name: str) -> Sequence[object]:
    value = given.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid_properties([name], "An array of parts.")
    return value


def _read_one(reader: PartReader, given: Mapping[str, object], name: str, type_: str) -> DraftPart | None:
    parts = _list(given, name)
    if given.get(name) is None:
        return None
    if len(parts) != 1:
        raise invalid_properties([name], "Exactly one part.")
    part = reader.read(f"{name}/0", parts[0], default=type_)
    if part.type != type_:
        raise invalid_properties([f"{name}/0/type"], f"Its type is {type_}.")
    return part


def _arrange(text: DraftPart | None, html: DraftPart | None, attached: Sequence[DraftPart]) -> DraftPart:
    """Put the parts together as mail programs expect them: pictures with the HTML that shows them, files beside."""
    shown = [part for part in attached if html is not None and part.cid and part.disposition == "inline"]
    files = [part for part in attached if part not in shown]
    if html is not None and shown:
        html = DraftPart("multipart/related", children=[html, *shown])
    body = text or html
    if text is not None and html is not None:
        body = DraftPart("multipart/alternative", children=[text, html])
    if not files:
        return body or DraftPart()
    return DraftPart("multipart/mixed", children=[*([] if body is None else [body]), *files])


def compose_draft(draft: EmailDraft, blobs: Mapping[str, bytes], domain: str, clock: Clock, random: Random) -> bytes:
    """Return the message. What it lacks of Date and Message-ID is made; `blobs` are all that it names."""
    fields = dict(draft.fields)
    if not fields.get("date"):
        fields["date"] = fold_field("Date", format_date(clock.now()).encode("ascii"))
    if not fields.get("message-id"):
        fields["message-id"] = fold_field("Message-ID", make_message_id(domain, clock, random).encode("utf-8"))
    ordered = [fields.pop(name) for name in _FIRST if name in fields]
    body = make_entity(draft.body, blobs, random)
    return compose([*ordered, *fields.values()], body)
