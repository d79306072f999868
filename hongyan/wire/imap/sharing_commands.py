"""Commands about rights, annotations and limits, from octets to values (RFC 4314 §7, RFC 5464 §5, RFC 9208 §7)."""

from __future__ import annotations

__all__ = [
    "read_delete_acl",
    "read_entries",
    "read_get_acl",
    "read_get_metadata",
    "read_list_rights",
    "read_my_rights",
    "read_set_acl",
    "read_set_metadata",
    "read_set_quota",
]

import re

from hongyan.wire.imap.commands import (
    DeleteAcl,
    Depth,
    GetAcl,
    GetMetadata,
    ListRights,
    MetadataWish,
    MyRights,
    SetAcl,
    SetMetadata,
    SetQuota,
)
from hongyan.wire.imap.cursor import MAX_NUMBER, MAX_NUMBER64, Cursor

MAX_ENTRIES = 100
"""Entries of one GETMETADATA or SETMETADATA."""

MAX_ENTRY_OCTETS = 1000

_RIGHTS = re.compile(r"[a-z0-9]*")
_SCOPES = ("/private", "/shared")
_RESOURCES = 20
_DEPTHS = {depth.value.encode(): depth for depth in Depth}


# -- ACL


def read_set_acl(cursor: Cursor, tag: bytes) -> SetAcl:
    # setacl     = "SETACL" SP mailbox SP identifier SP mod-rights
    # mod-rights = astring
    cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.space()
    identifier = cursor.read_text()
    cursor.space()
    text = cursor.read_text()
    cursor.end()
    mode = text[:1] if text[:1] in ("+", "-") else "="
    rights = text.removeprefix(mode)
    if not _RIGHTS.fullmatch(rights):
        cursor.fail("Rights are small letters, after a + or - perhaps")
    return SetAcl(tag, mailbox, identifier, mode, rights)


def read_delete_acl(cursor: Cursor, tag: bytes) -> DeleteAcl:
    # deleteacl = "DELETEACL" SP mailbox SP identifier
    return DeleteAcl(tag, *_mailbox_and_identifier(cursor))


def read_list_rights(cursor: Cursor, tag: bytes) -> ListRights:
    # listrights = "LISTRIGHTS" SP mailbox SP identifier
    return ListRights(tag, *_mailbox_and_identifier(cursor))


def _mailbox_and_identifier(cursor: Cursor) -> tuple[str, str]:
    cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.space()
    identifier = cursor.read_text()
    cursor.end()
    return mailbox, identifier


def read_get_acl(cursor: Cursor, tag: bytes) -> GetAcl:
    # getacl = "GETACL" SP mailbox
    return GetAcl(tag, _only_mailbox(cursor))


def read_my_rights(cursor: Cursor, tag: bytes) -> MyRights:
    # myrights = "MYRIGHTS" SP mailbox
    return MyRights(tag, _only_mailbox(cursor))


def _only_mailbox(cursor: Cursor) -> str:
    cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.end()
    return mailbox


# -- METADATA


def read_get_metadata(cursor: Cursor, tag: bytes) -> GetMetadata:
    # getmetadata         = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries
    # getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
    # Examples of RFC 5464 §4.2, and clients, have the options behind the mailbox: both are read.
    cursor.space()
    depth, maxsize = Depth.ENTRY, None
    has_options = cursor.peek() == b"("
    if has_options:
        depth, maxsize = _read_options(cursor)
        cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.space()
    if not has_options and cursor.peek() == b"(" and not cursor.octets.startswith((b"(/", b'("', b"({"), cursor.at):
        depth, maxsize = _read_options(cursor)
        cursor.space()
    entries = read_entries(cursor)
    cursor.end()
    return GetMetadata(tag, mailbox, MetadataWish(entries, depth, maxsize))


def _read_options(cursor: Cursor) -> tuple[Depth, int | None]:
    # getmetadata-option = "MAXSIZE" SP number / "DEPTH" SP ("0" / "1" / "infinity")
    cursor.require(b"(", "Options stand in parentheses")
    depth, maxsize = Depth.ENTRY, None
    while True:
        match cursor.read_word():
            case b"MAXSIZE":
                cursor.space()
                maxsize = cursor.read_number(MAX_NUMBER)
            case b"DEPTH":
                cursor.space()
                word = cursor.read_word()
                if word not in _DEPTHS:
                    cursor.fail("DEPTH is 0, 1 or infinity")
                depth = _DEPTHS[word]
            case _:
                cursor.fail("GETMETADATA knows the options MAXSIZE and DEPTH")
        if not cursor.take(b" "):
            break
    cursor.require(b")", "Options stand in parentheses")
    return depth, maxsize


def read_entries(cursor: Cursor) -> tuple[str, ...]:
    """Read names of entries, each once."""
    # entries = entry / "(" entry *(SP entry) ")"
    if not cursor.take(b"("):
        return (_read_entry(cursor),)
    entries = {_read_entry(cursor): None}
    while cursor.take(b" "):
        entries[_read_entry(cursor)] = None
        if len(entries) > MAX_ENTRIES:
            cursor.fail(f"At most {MAX_ENTRIES} entries are spoken of at a time")
    cursor.require(b")", "Entries stand in parentheses")
    return tuple(entries)


def _read_entry(cursor: Cursor) -> str:
    # entry = astring ; slash-separated path, MUST NOT contain "*" or "%"
    octets = cursor.read_astring()
    if len(octets) > MAX_ENTRY_OCTETS or not octets.isascii():
        cursor.fail(f"The name of an entry has at most {MAX_ENTRY_OCTETS} characters of ASCII")
    name = octets.decode("ascii").lower()
    levels = name.split("/")
    is_path = len(levels) > 1 and levels[0] == "" and all(levels[1:]) and name.isprintable()
    if not is_path or "*" in name or "%" in name or f"/{levels[1]}" not in _SCOPES:
        cursor.fail("The name of an entry begins with /private or /shared, and has neither * nor %")
    return name


def read_set_metadata(cursor: Cursor, tag: bytes) -> SetMetadata:
    # setmetadata  = "SETMETADATA" SP mailbox SP entry-values
    # entry-values = "(" entry-value *(SP entry-value) ")"
    # entry-value  = entry SP value
    cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.space()
    cursor.require(b"(", "Entries and values stand in parentheses")
    values: dict[str, bytes | None] = {}
    while True:
        name = _read_entry(cursor)
        if name.count("/") < 2:
            cursor.fail("An entry has a name below /private or /shared")
        cursor.space()
        values[name] = cursor.read_value()
        if len(values) > MAX_ENTRIES:
            cursor.fail(f"At most {MAX_ENTRIES} entries are spoken of at a time")
        if not cursor.take(b" "):
            break
    cursor.require(b")", "Entries and values stand in parentheses")
    cursor.end()
    return SetMetadata(tag, mailbox, values)


# -- QUOTA


def read_set_quota(cursor: Cursor, tag: bytes) -> SetQuota:
    # setquota       = "SETQUOTA" SP quota-root-name SP setquota-list
    # setquota-list  = "(" [setquota-resource *(SP setquota-resource)] ")"
    cursor.space()
    root = cursor.read_text()
    cursor.space()
    cursor.require(b"(", "Limits stand in parentheses")
    limits: dict[str, int] = {}
    if not cursor.take(b")"):
        while len(limits) <= _RESOURCES:
            name = cursor.read_word().decode("ascii")
            cursor.space()
            limits[name] = cursor.read_number(MAX_NUMBER64)
            if not cursor.take(b" "):
                break
        cursor.require(b")", "Limits stand in parentheses")
    cursor.end()
    return SetQuota(tag, root, limits)
