"""What FETCH may ask for: items, sections of a message, parts of a section (RFC 9051 §6.4.5, RFC 3501 §6.4.5).

Each item knows the label under which its answer is told, so that the answer needs no second look at
what was asked.
"""

from __future__ import annotations

__all__ = [
    "Binary",
    "BinarySize",
    "FetchItem",
    "Item",
    "Preview",
    "Section",
    "SectionText",
    "read_fetch_items",
]

import re
from dataclasses import dataclass
from enum import Enum

from hongyan.wire.imap.cursor import MAX_NUMBER64, Cursor

MAX_ITEMS = 500
"""How many items one FETCH may name: each may be the whole message."""

MAX_PART_LEVELS = 100
"""How deep a section may point; no message is told deeper."""


class Item(Enum):
    """Items of one form, by the label of their answer.

    MODSEQ: RFC 7162 §3.1.4; EMAILID and THREADID: RFC 8474 §5.3; SAVEDATE: RFC 8514 §4.2.
    """

    UID = b"UID"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    SIZE = b"RFC822.SIZE"
    ENVELOPE = b"ENVELOPE"
    BODY = b"BODY"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    MODSEQ = b"MODSEQ"
    EMAILID = b"EMAILID"
    THREADID = b"THREADID"
    SAVEDATE = b"SAVEDATE"

    __hash__ = object.__hash__  # There is one of each, and Enum computes its own hash in Python.


class SectionText(Enum):
    """Which octets of a message or a part a section means."""

    ALL = b""
    HEADER = b"HEADER"
    HEADER_FIELDS = b"HEADER.FIELDS"
    HEADER_FIELDS_NOT = b"HEADER.FIELDS.NOT"
    TEXT = b"TEXT"
    MIME = b"MIME"

    __hash__ = object.__hash__  # See Item.


@dataclass(frozen=True, slots=True)
class Section:
    """Octets of the message as they are: BODY[…], BODY.PEEK[…] and the older RFC822 items (RFC 9051 §6.4.5.1)."""

    label: bytes
    """How the answer names it, up to the string: `BODY[1.TEXT]<0>`."""
    part: tuple[int, ...] = ()
    text: SectionText = SectionText.ALL
    fields: tuple[bytes, ...] = ()
    """Names of header fields, in lower case."""
    partial: tuple[int, int] | None = None
    """First octet and number of octets that were asked for."""
    peek: bool = False
    """Whether \\Seen stays as it is."""


@dataclass(frozen=True, slots=True)
class Binary:
    """Octets of a part with its transfer encoding undone: BINARY[…], RFC 9051 §6.4.5.1, RFC 3516 §4.2."""

    label: bytes
    part: tuple[int, ...]
    partial: tuple[int, int] | None = None
    peek: bool = False


@dataclass(frozen=True, slots=True)
class BinarySize:
    """How long such a part is: BINARY.SIZE[…], RFC 9051 §6.4.5.1, RFC 3516 §4.2."""

    label: bytes
    part: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """PREVIEW, RFC 8970 §3. A lazy one may be answered NIL where it would have to be made first."""

    lazy: bool = False


FetchItem = Item | Section | Binary | BinarySize | Preview

_FAST = (Item.FLAGS, Item.INTERNALDATE, Item.SIZE)
_MACROS: dict[bytes, tuple[FetchItem, ...]] = {
    b"ALL": (*_FAST, Item.ENVELOPE),
    b"FAST": _FAST,
    b"FULL": (*_FAST, Item.ENVELOPE, Item.BODY),
}
_OLDER: dict[bytes, FetchItem] = {  # RFC 3501 §6.4.5: they mean sections, and are answered by their own names
    b"RFC822": Section(b"RFC822"),
    b"RFC822.HEADER": Section(b"RFC822.HEADER", text=SectionText.HEADER, peek=True),
    b"RFC822.TEXT": Section(b"RFC822.TEXT", text=SectionText.TEXT),
}
_SIMPLE: dict[bytes, FetchItem] = {**{item.value: item for item in Item}, **_OLDER}
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9.]*")
_PART = re.compile(rb"[0-9.]+[0-9]|[0-9]")
_LAZY = b" (LAZY)"
_PARTIAL = re.compile(rb"<([0-9]{1,19})\.([0-9]{1,19})>")


def read_fetch_items(cursor: Cursor) -> tuple[FetchItem, ...]:
    """Read what is asked for, macros expanded and each item once."""
    # fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
    if not cursor.take(b"("):
        name = _read_name(cursor)
        return _MACROS.get(name) or (_read_item(cursor, name),)
    items = {_read_item(cursor, _read_name(cursor)): None}
    while cursor.take(b" "):
        items[_read_item(cursor, _read_name(cursor))] = None
        if len(items) > MAX_ITEMS:
            cursor.fail(f"FETCH names at most {MAX_ITEMS} items")
    cursor.require(b")", "A list of items ends with )")
    return tuple(items)


def _read_name(cursor: Cursor) -> bytes:
    match = _NAME.match(cursor.octets, cursor.at)
    if not match:
        cursor.fail("The name of an item is missing")
    cursor.at = match.end()
    return match[0].upper()


def _read_item(cursor: Cursor, name: bytes) -> FetchItem:
    # fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822.SIZE" / "BODY" ["STRUCTURE"] / "UID" /
    #             "BODY" section [partial] / "BODY.PEEK" section [partial] /
    #             "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary
    if cursor.peek() == b"[":
        match name:
            case b"BODY":
                return _read_section(cursor, peek=False)
            case b"BODY.PEEK":
                return _read_section(cursor, peek=True)
            case b"BINARY":
                return _read_binary(cursor, peek=False)
            case b"BINARY.PEEK":
                return _read_binary(cursor, peek=True)
            case b"BINARY.SIZE":
                part = _read_binary_part(cursor)
                return BinarySize(b"BINARY.SIZE[%b]" % _written_part(part), part)
    if name == b"PREVIEW":
        return _read_preview(cursor)
    simple = _SIMPLE.get(name)
    if simple is None:
        cursor.fail(f"FETCH knows no item {name[:40].decode('ascii')}")
    return simple


def _read_section(cursor: Cursor, *, peek: bool) -> Section:
    # section      = "[" [section-spec] "]"
    # section-spec = section-msgtext / (section-part ["." section-text])
    # section-text = section-msgtext / "MIME"
    cursor.at += 1
    part = _read_part(cursor)
    text = SectionText.ALL
    fields: tuple[bytes, ...] = ()
    written = _written_part(part)
    if not part or cursor.take(b"."):
        text, fields, written_text = _read_section_text(cursor)
        if text is SectionText.MIME and not part:
            cursor.fail("MIME stands behind the number of a part")
        if part and text is SectionText.ALL:
            cursor.fail("Behind the number of a part stands HEADER, TEXT or MIME")
        written = b"%b.%b" % (written, written_text) if part else written_text
    cursor.require(b"]", "A section ends with ]")
    partial = _read_partial(cursor)
    label = b"BODY[%b]" % written if partial is None else b"BODY[%b]<%d>" % (written, partial[0])
    return Section(label, part, text, fields, partial, peek)


def _read_section_text(cursor: Cursor) -> tuple[SectionText, tuple[bytes, ...], bytes]:
    # section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
    if cursor.peek() == b"]":
        return SectionText.ALL, (), b""
    name = _read_name(cursor)
    try:
        text = SectionText(name)
    except ValueError:
        cursor.fail("A section is HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT or MIME")
    if text not in {SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT}:
        return text, (), name
    cursor.space()
    names = _read_header_list(cursor)
    written = b"%b (%b)" % (name, b" ".join(map(_written_field, names)))
    return text, tuple(dict.fromkeys(field.lower() for field in names)), written


def _read_header_list(cursor: Cursor) -> list[bytes]:
    # header-list     = "(" header-fld-name *(SP header-fld-name) ")"
    # header-fld-name = astring
    cursor.require(b"(", "Names of header fields stand in parentheses")
    names = [cursor.read_astring()]
    while cursor.take(b" "):
        names.append(cursor.read_astring())
    cursor.require(b")", "Names of header fields stand in parentheses")
    if not all(field.isascii() and field.isalnum() for field in (name.replace(b"-", b"x") for name in names)):
        _require_field_names(cursor, names)
    return names


def _require_field_names(cursor: Cursor, names: list[bytes]) -> None:
    """Refuse what no header field can be called: it would be told back in the label (RFC 5322 §2.2)."""
    for name in names:
        if not name or not all(0x20 < octet < 0x7F and octet != 0x3A for octet in name):
            cursor.fail("The name of a header field is not well formed")


def _written_field(name: bytes) -> bytes:
    """Write a field's name for the label: an atom where it can be one."""
    if name.replace(b"-", b"x").isalnum():
        return name
    return b'"%b"' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _read_binary(cursor: Cursor, *, peek: bool) -> Binary:
    part = _read_binary_part(cursor)
    partial = _read_partial(cursor)
    written = _written_part(part)
    label = b"BINARY[%b]" % written if partial is None else b"BINARY[%b]<%d>" % (written, partial[0])
    return Binary(label, part, partial, peek)


def _read_binary_part(cursor: Cursor) -> tuple[int, ...]:
    # section-binary = "[" [section-part] "]"
    cursor.at += 1
    part = _read_part(cursor)
    cursor.require(b"]", "A section ends with ]")
    return part


def _read_part(cursor: Cursor) -> tuple[int, ...]:
    # section-part = nz-number *("." nz-number)
    match = _PART.match(cursor.octets, cursor.at)
    if not match:
        return ()
    cursor.at = match.end()
    levels = match[0].split(b".")
    if len(levels) > MAX_PART_LEVELS or not all(len(level) < 10 and level[:1] not in {b"", b"0"} for level in levels):
        cursor.fail("The number of a part is not well formed")
    return tuple(map(int, levels))


def _written_part(part: tuple[int, ...]) -> bytes:
    return b".".join([b"%d" % number for number in part])


def _read_partial(cursor: Cursor) -> tuple[int, int] | None:
    # partial = "<" number64 "." nz-number64 ">"
    if cursor.peek() != b"<":
        return None
    match = _PARTIAL.match(cursor.octets, cursor.at)
    if not match:
        cursor.fail("A partial has the form <0.1024>")
    first, count = int(match[1]), int(match[2])
    if count == 0 or first > MAX_NUMBER64 or count > MAX_NUMBER64:
        cursor.fail("A partial asks for at least one octet, and for no more than there can be")
    cursor.at = match.end()
    return first, count


def _read_preview(cursor: Cursor) -> Preview:
    # fetch-att =/ "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]
    # preview-mod = "LAZY"
    lazy = cursor.octets[cursor.at : cursor.at + len(_LAZY)].upper() == _LAZY
    if lazy:
        cursor.at += len(_LAZY)
    return Preview(lazy)
