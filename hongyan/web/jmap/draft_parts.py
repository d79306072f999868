"""The parts of a message that a client describes: read from EmailBodyPart objects, made into octets (RFC 8621 §4.6)."""

from __future__ import annotations

__all__ = ["DraftPart", "PartReader", "make_entity"]

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hongyan.clock import Random
from hongyan.message.compose import (
    MAX_LINE,
    Entity,
    encode_base64,
    format_parameter,
    make_boundary,
    make_multipart,
    make_text,
)
from hongyan.message.encoded_words import encode_words
from hongyan.message.header_forms import allowed_forms
from hongyan.web.jmap.draft_fields import require_plain, write_field
from hongyan.web.jmap.email_properties import parse_header_property
from hongyan.wire.jmap.faults import SetError, invalid_properties
from hongyan.wire.jmap.values import is_id

MAX_PARTS = 1000
_MAX_LEVELS = 50
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}")
_CID = re.compile(r"[^\s<>\x00-\x1f\x7f-\U0010ffff]{1,500}")
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,60}")
_LOCATION = re.compile(r"[!-~]{1,900}")
_KNOWN = frozenset(
    {"partId", "blobId", "size", "type", "charset", "name", "disposition", "cid", "language", "location", "subParts"}
)
_SET_BY: Final = {
    "content-type": ("type", "charset"),
    "content-disposition": ("disposition",),
    "content-id": ("cid",),
    "content-language": ("language",),
    "content-location": ("location",),
}
"""Fields of a part that have properties of their own."""


@dataclass(slots=True)
class DraftPart:
    """A part that is to be made: a text, a blob, or parts. `fields` are header properties with their values."""

    type: str = "text/plain"
    text: str | None = ""
    blob_id: str | None = None
    charset: str | None = None
    name: str | None = None
    disposition: str | None = None
    cid: str | None = None
    language: Sequence[str] = ()
    location: str | None = None
    fields: list[tuple[str, object]] = field(default_factory=list)
    given_fields: list[tuple[str, object]] = field(default_factory=list)
    children: list[DraftPart] = field(default_factory=list)


class PartReader:
    """Reads the parts of one message. Raises `SetError` (invalidProperties) that names the property."""

    def __init__(self, values: object) -> None:
        self._values = _read_values(values)
        self._left = MAX_PARTS

    def read(
        self, where: str, given: object, *, default: str = "", is_attached: bool = False, level: int = 0
    ) -> DraftPart:
        """Return a part; of one that names no type it is `default`, or what follows from the rest."""
        self._left -= 1
        if self._left < 0 or level > _MAX_LEVELS:
            raise invalid_properties([where], "There are too many parts.")
        if not isinstance(given, dict):
            raise invalid_properties([where], "A part is an object.")
        part = DraftPart(text=None)
        children = given.get("subParts")
        part.type = self._type(where, given, default or ("multipart/mixed" if children else "text/plain"))
        self._read_rest(where, given, part)
        if part.type.startswith("multipart/"):
            self._read_children(where, given, part, level)
        elif children:
            raise invalid_properties([f"{where}/subParts"], "Only a multipart has parts.")
        else:
            self._read_content(where, given, part)
        if is_attached and part.disposition is None:
            part.disposition = "attachment"
        return part

    def _type(self, where: str, given: Mapping[str, object], default: str) -> str:
        value = given.get("type")
        if value is None:
            return default
        if not isinstance(value, str) or not _TYPE.fullmatch(value.lower()):
            raise invalid_properties([f"{where}/type"], "A media type.")
        return value.lower()

    def _read_children(self, where: str, given: Mapping[str, object], part: DraftPart, level: int) -> None:
        for name in ("partId", "blobId"):
            if given.get(name) is not None:
                raise invalid_properties([f"{where}/{name}"], "A multipart has no content of its own.")
        children = given.get("subParts")
        if not isinstance(children, list) or not children:
            raise invalid_properties([f"{where}/subParts"], "A multipart has parts.")
        part.children = [self.read(f"{where}/subParts/{n}", one, level=level + 1) for n, one in enumerate(children)]

    def _read_content(self, where: str, given: Mapping[str, object], part: DraftPart) -> None:
        number, blob = given.get("partId"), given.get("blobId")
        if (number is None) == (blob is None):
            raise invalid_properties([f"{where}/partId", f"{where}/blobId"], "A part has a partId or a blobId.")
        if number is None:
            if not is_id(blob):
                raise invalid_properties([f"{where}/blobId"], "An Id.")
            part.blob_id = blob
            return
        if not isinstance(number, str) or number not in self._values:
            raise invalid_properties([f"{where}/partId"], "bodyValues has no such part.")
        for name in ("charset", "size"):
            if given.get(name) is not None:
                raise invalid_properties([f"{where}/{name}"], "The server sets it for a part of bodyValues.")
        if part.type.startswith("message/"):
            raise invalid_properties([f"{where}/type"], "A message comes as a blob.")
        part.text = self._values[number]

    def _read_rest(self, where: str, given: Mapping[str, object], part: DraftPart) -> None:
        for name in ("charset", "disposition"):
            value = given.get(name)
            if value is not None:
                if not isinstance(value, str) or not _TOKEN.fullmatch(value):
                    raise invalid_properties([f"{where}/{name}"], "A word.")
                setattr(part, name, value)
        if given.get("name") is not None:
            part.name = require_plain(f"{where}/name", given["name"])[:1000]
        part.cid = _matched(where, given, "cid", _CID)
        part.location = _matched(where, given, "location", _LOCATION)
        language = given.get("language")
        if language is not None:
            if not isinstance(language, list) or not all(
                isinstance(one, str) and _LANGUAGE.fullmatch(one) for one in language
            ):
                raise invalid_properties([f"{where}/language"], "An array of language tags.")
            part.language = language[:100]
        for key, value in given.items():
            if key not in _KNOWN:
                _require_field(where, key, given)
                part.fields.append((key, value))
        names = [key.split(":")[1].lower() for key, _ in part.fields]
        if len(names) != len(set(names)):
            raise invalid_properties([where], "Two properties are of one header field.")


def _matched(where: str, given: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise invalid_properties([f"{where}/{name}"], "ASCII without spaces and controls.")
    return value


def _require_field(where: str, key: str, given: Mapping[str, object]) -> None:
    header = parse_header_property(key)
    if header is None or header.form not in allowed_forms(header.field):
        raise invalid_properties([f"{where}/{key}"], "There is no such property.")
    if header.field in ("content-transfer-encoding", "content-type", "mime-version"):
        raise invalid_properties([f"{where}/{key}"], "The server sets it.")
    if any(given.get(name) is not None for name in _SET_BY.get(header.field, ())):
        raise invalid_properties([f"{where}/{key}"], "Two properties are of one header field.")


def _read_values(given: object) -> Mapping[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise invalid_properties(["bodyValues"], "An object.")
    values: dict[str, str] = {}
    for key, value in given.items():
        if not isinstance(value, dict) or not isinstance(value.get("value"), str):
            raise invalid_properties([f"bodyValues/{key}"], "An object with a value.")
        wrong = [name for name in ("isTruncated", "isEncodingProblem") if value.get(name) not in (None, False)]
        if wrong:
            raise invalid_properties([f"bodyValues/{key}/{name}" for name in wrong], "What is to be stored is whole.")
        values[key] = value["value"]
    return values


# -- making


def make_entity(part: DraftPart, blobs: Mapping[str, bytes], random: Random) -> Entity:
    """Return a part as octets."""
    if part.children:
        subtype = part.type.partition("/")[2]
        inner = [make_entity(child, blobs, random) for child in part.children]
        made = make_multipart(subtype, inner, make_boundary(random))
    elif part.blob_id is not None:
        made = _of_blob(part, blobs[part.blob_id])
    elif part.type.startswith("text/"):
        made = make_text(part.text or "", subtype=part.type.partition("/")[2])
    else:
        made = encode_base64(part.type, (part.text or "").encode())
    return Entity(tuple(_with_name(made.fields, part)) + tuple(_described(part)), made.octets)


def _of_blob(part: DraftPart, octets: bytes) -> Entity:
    if part.type in ("message/rfc822", "message/global"):
        return _of_message(part, octets)
    charset = part.charset if part.type.startswith("text/") else None
    return encode_base64(part.type if charset is None else f"{part.type}; charset={charset}", octets)


def _of_message(part: DraftPart, octets: bytes) -> Entity:
    """RFC 2046 §5.2.1: a message is never encoded. One that cannot go as it is goes as a file."""
    lines = re.split(rb"\r\n|\n", octets)
    if any(len(line) > MAX_LINE or b"\r" in line or b"\0" in line for line in lines):
        return encode_base64("application/octet-stream", octets)
    whole = b"\r\n".join(lines)
    if whole.isascii():
        return Entity((("Content-Type", part.type),), whole)
    return Entity((("Content-Type", part.type), ("Content-Transfer-Encoding", "8bit")), whole)


def _with_name(fields: Sequence[tuple[str, str]], part: DraftPart) -> list[tuple[str, str]]:
    """Add the name to the type, in encoded words where it needs them: old programs look for it there."""
    if part.name is None or part.children:
        return list(fields)
    quoted = part.name.replace("\\", "\\\\").replace('"', '\\"') if part.name.isascii() else part.name
    word = encode_words(quoted).decode("ascii")
    return [(name, f'{value}; name="{word}"' if name == "Content-Type" else value) for name, value in fields]


def _described(part: DraftPart) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    if part.disposition is not None or part.name is not None:
        kind = part.disposition or "attachment"
        named = [] if part.name is None else format_parameter("filename", part.name)
        fields.append(("Content-Disposition", "; ".join([kind, *named])))
    if part.cid is not None:
        fields.append(("Content-ID", f"<{part.cid}>"))
    if part.language:
        fields.append(("Content-Language", ", ".join(part.language)))
    if part.location is not None:
        fields.append(("Content-Location", part.location))
    for key, value in part.fields:
        header = parse_header_property(key)
        if header is None:
            raise SetError("invalidProperties", properties=[key])
        for one in value if header.is_all and isinstance(value, list) else [value]:
            written = write_field(key, key.split(":")[1], header.form, one)
            name, _, text = written.decode("utf-8").partition(":")
            if written:
                fields.append((name, text.replace("\r\n", "").strip()))
    return fields
