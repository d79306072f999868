"""The properties of an Email that a client asks for, read once for all messages of a call (RFC 8621 §4.1, §4.2)."""

from __future__ import annotations

__all__ = [
    "BODY_DEFAULTS",
    "CONVENIENCE",
    "GET_DEFAULTS",
    "PARSE_DEFAULTS",
    "BodyOptions",
    "HeaderProperty",
    "Wanted",
    "parse_header_property",
    "read_wanted",
    "write_header",
]

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hongyan.message.anatomy import STORED_FIELDS
from hongyan.message.header_forms import Form, allowed_forms, read_form
from hongyan.wire.jmap.arguments import Arguments
from hongyan.wire.jmap.faults import invalid_arguments

METADATA: Final = ("id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt")
CONVENIENCE: Final[Mapping[str, tuple[str, Form]]] = {
    "messageId": ("Message-ID", Form.MESSAGE_IDS),
    "inReplyTo": ("In-Reply-To", Form.MESSAGE_IDS),
    "references": ("References", Form.MESSAGE_IDS),
    "sender": ("Sender", Form.ADDRESSES),
    "from": ("From", Form.ADDRESSES),
    "to": ("To", Form.ADDRESSES),
    "cc": ("Cc", Form.ADDRESSES),
    "bcc": ("Bcc", Form.ADDRESSES),
    "replyTo": ("Reply-To", Form.ADDRESSES),
    "subject": ("Subject", Form.TEXT),
    "sentAt": ("Date", Form.DATE),
}
"""Properties that are a field in a form."""

_OF_BODY: Final = frozenset({"bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments", "headers"})
_DERIVED: Final = ("hasAttachment", "preview")
PARSE_DEFAULTS: Final = (*CONVENIENCE, *_DERIVED, "bodyValues", "textBody", "htmlBody", "attachments")
GET_DEFAULTS: Final = (*METADATA, *PARSE_DEFAULTS)
BODY_DEFAULTS: Final = (
    "partId",
    "blobId",
    "size",
    "name",
    "type",
    "charset",
    "disposition",
    "cid",
    "language",
    "location",
)
_BODY_PROPERTIES: Final = frozenset({*BODY_DEFAULTS, "headers", "subParts"})
_KNOWN: Final = frozenset({*GET_DEFAULTS, *_OF_BODY})
_HEADER = re.compile(r"header:([!-9;-~]{1,998}?)(?::(as[A-Za-z]+))?(:all)?")
_MAX_PROPERTIES = 500


@dataclass(frozen=True, slots=True)
class HeaderProperty:
    """A property `header:Name:asForm:all`; `key` is as the client wrote it, `field` in lower case."""

    key: str
    field: str
    form: Form
    is_all: bool


@dataclass(frozen=True, slots=True)
class BodyOptions:
    """Which bodyValues are wanted, cut to how many octets (0: not at all)."""

    text: bool = False
    html: bool = False
    all: bool = False
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be told of each message."""

    names: Sequence[str]
    headers: Sequence[HeaderProperty]
    body_names: Sequence[str]
    body_headers: Sequence[HeaderProperty]
    body: BodyOptions

    @property
    def needs_message(self) -> bool:
        """Whether the message itself has to be read: its row does not tell all."""
        return not _OF_BODY.isdisjoint(self.names) or any(
            header.field.encode("ascii") not in STORED_FIELDS for header in self.headers
        )


def read_wanted(arguments: Arguments, defaults: Sequence[str]) -> Wanted:
    """Take the arguments that say what is wanted. Raises `MethodError`."""
    chosen = arguments.find_strings("properties")
    of_body = arguments.find_strings("bodyProperties")
    body = BodyOptions(
        text=arguments.boolean("fetchTextBodyValues"),
        html=arguments.boolean("fetchHTMLBodyValues"),
        all=arguments.boolean("fetchAllBodyValues"),
        limit=arguments.find_unsigned("maxBodyValueBytes") or 0,
    )
    names, headers = _divide(defaults if chosen is None else chosen, _KNOWN)
    body_names, body_headers = _divide(BODY_DEFAULTS if of_body is None else of_body, _BODY_PROPERTIES)
    return Wanted(names, headers, body_names, body_headers, body)


def parse_header_property(key: str) -> HeaderProperty | None:
    """Return the field that a property names, or None if it names none or in no form that there is."""
    match = _HEADER.fullmatch(key)
    if match is None:
        return None
    name, form, every = match.groups()
    try:
        return HeaderProperty(key, name.lower(), Form(form or Form.RAW), every is not None)
    except ValueError:
        return None


def write_header(wanted: HeaderProperty, values: Sequence[bytes]) -> object:
    """Return the value of a header property: of the last field, or of all."""
    if wanted.is_all:
        return [read_form(wanted.form, value) for value in values]
    return read_form(wanted.form, values[-1]) if values else None


def _divide(names: Iterable[str], known: frozenset[str]) -> tuple[list[str], list[HeaderProperty]]:
    plain: list[str] = []
    headers: list[HeaderProperty] = []
    for name in dict.fromkeys(names):
        if name in known:
            plain.append(name)
            continue
        header = parse_header_property(name)
        if header is None or header.form not in allowed_forms(header.field):
            raise invalid_arguments(f"There is no property {name[:100]!r}.")
        headers.append(header)
    if len(plain) + len(headers) > _MAX_PROPERTIES:
        raise invalid_arguments(f"More than {_MAX_PROPERTIES} properties.")
    return plain, headers
