"""APPEND, read in pieces while its messages stream by (RFC 9051 §6.3.12, RFC 3502 §6.3.11, RFC 6855 §4); and REPLACE.

The receiver stops at the literal of a message. What stood before it is read by `parse_append`, or by
`parse_append_next` when messages came before; what stands behind the last literal by `parse_append_end`.
"""

from __future__ import annotations

__all__ = ["parse_append", "parse_append_end", "parse_append_next"]

import re

from hongyan.wire.imap.commands import Append, AppendMessage, Replaced
from hongyan.wire.imap.cursor import Cursor
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.sequence import parse_sequence_set

_HEAD = re.compile(
    rb'([^\x00-\x20(){%*"\\\x7f-\xff+]+) (?:[Aa][Pp][Pp][Ee][Nn][Dd]'
    rb"|(?:([Uu][Ii][Dd]) )?[Rr][Ee][Pp][Ll][Aa][Cc][Ee] ([1-9][0-9]{0,9}|\*)) "
)


def parse_append(text: bytes, *, utf8: bool = False) -> Append:
    """Read `tag APPEND mailbox …` up to where the literal of the first message is announced; or REPLACE likewise."""
    # append         = "APPEND" SP mailbox 1*append-message
    # replace        = ["UID" SP] "REPLACE" SP seq-number SP mailbox append-message
    head = _HEAD.match(text)
    if not head:
        raise CommandFault("APPEND names a mailbox, and REPLACE a message before it")
    try:
        cursor = Cursor(text, head.end(), utf8=utf8)
        mailbox = cursor.read_mailbox()
        replaced = Replaced(parse_sequence_set(head[3]), bool(head[2])) if head[3] else None
        return Append(head[1], mailbox, _read_message(cursor), replaced)
    except CommandFault as fault:
        fault.tag = head[1]
        raise


def parse_append_next(text: bytes, tag: bytes, *, after: AppendMessage) -> AppendMessage:
    """Read what stands between the literal of one message and that of the next."""
    try:
        cursor = Cursor(text)
        _read_message_end(cursor, after)
        if text.startswith(b"  ", cursor.at):
            cursor.at += 1  # IMAPClient's `multiappend` sends two spaces; test_a_second_space_between_messages.
        return _read_message(cursor)
    except CommandFault as fault:
        fault.tag = tag
        raise


def parse_append_end(text: bytes, tag: bytes, *, after: AppendMessage) -> None:
    """Read what stands between the last literal and the CRLF: nothing, or the parenthesis of UTF8 (…)."""
    try:
        cursor = Cursor(text)
        _read_message_end(cursor, after)
        cursor.end()
    except CommandFault as fault:
        fault.tag = tag
        raise


def _read_message(cursor: Cursor) -> AppendMessage:
    # append-message = [SP flag-list] [SP date-time] SP append-data
    # append-data    = literal / literal8 / "UTF8" SP "(" literal8 ")"
    flags: tuple[bytes, ...] = ()
    internaldate = None
    cursor.space()
    if cursor.peek() == b"(":
        flags = cursor.read_flags()
        cursor.space()
    if cursor.peek() == b'"':
        internaldate = cursor.read_date_time()
        cursor.space()
    utf8 = cursor.octets[cursor.at : cursor.at + 6].upper() == b"UTF8 ("
    if utf8:
        cursor.at += 6
    if not _ANNOUNCED.fullmatch(cursor.octets, cursor.at):
        cursor.fail("A message is appended as a literal, behind its flags and date")
    if utf8 and cursor.peek() != b"~":
        cursor.fail("Behind UTF8 stands a literal8")
    return AppendMessage(flags, internaldate, utf8)


_ANNOUNCED = re.compile(rb"~?\{[0-9]{1,19}\+?\}")


def _read_message_end(cursor: Cursor, message: AppendMessage) -> None:
    if message.utf8:
        cursor.require(b")", "UTF8 (...) ends with )")
