"""APPEND, read in pieces."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hongyan.wire.imap.append import parse_append, parse_append_end, parse_append_next
from hongyan.wire.imap.commands import Append, AppendMessage
from hongyan.wire.imap.faults import CommandFault

PLAIN = AppendMessage()
UTF8 = AppendMessage(utf8=True)


@pytest.mark.parametrize(
    ("text", "append"),
    [
        (b"a APPEND INBOX {310}", Append(b"a", "INBOX", PLAIN)),
        (b'a append "saved messages" {0+}', Append(b"a", "saved messages", PLAIN)),
        (b"a APPEND {5}\r\ninbox ~{310}", Append(b"a", "INBOX", PLAIN)),
        (b"a APPEND b (\\Seen $junk) {1}", Append(b"a", "b", AppendMessage((b"\\Seen", b"$Junk")))),
        (b"a APPEND b () {1}", Append(b"a", "b", PLAIN)),
        (
            b'a APPEND b " 7-Feb-1994 21:52:25 -0800" {1}',
            Append(b"a", "b", AppendMessage((), datetime(1994, 2, 8, 5, 52, 25, tzinfo=UTC))),
        ),
        (
            b'a APPEND b (\\Draft) "17-jul-1996 02:44:25 +0530" {1+}',
            Append(b"a", "b", AppendMessage((b"\\Draft",), datetime(1996, 7, 16, 21, 14, 25, tzinfo=UTC))),
        ),
        (b"a APPEND b UTF8 (~{1}", Append(b"a", "b", UTF8)),
        (b"a APPEND b (\\Seen) utf8 (~{1+}", Append(b"a", "b", AppendMessage((b"\\Seen",), utf8=True))),
    ],
)
def test_what_stands_before_a_message_is_read(text: bytes, append: Append) -> None:
    assert parse_append(text) == append


def test_the_name_is_utf8_once_that_was_enabled() -> None:
    assert parse_append('a APPEND "草稿" {1}'.encode(), utf8=True).mailbox == "草稿"
    with pytest.raises(CommandFault):
        parse_append('a APPEND "草稿" {1}'.encode())


@pytest.mark.parametrize(
    "arguments",
    [
        b"",
        b" ",
        b"{1}",
        b"INBOX",
        b"INBOX ",
        b"INBOX{1}",
        b"INBOX  {1}",
        b"INBOX x {1}",
        b"INBOX (\\Seen){1}",
        b"INBOX (\\Seen {1}",
        b"INBOX (\\Recent) {1}",
        b'INBOX "7-Feb-1994 21:52:25 -0800" {1}',
        b'INBOX "07-Feb-1994 21:52:25" {1}',
        b'INBOX "07-Feb-1994 24:00:00 +0000" {1}',
        b'INBOX "31-Feb-1994 21:52:25 +0000" {1}',
        b'INBOX "01-Foo-1994 21:52:25 +0000" {1}',
        b'INBOX "01-Jan-0001 00:00:00 +0100" {1}',
        b'INBOX "31-Dec-9999 23:59:59 -0100" {1}',
        b'INBOX "01-Jan-1994 00:00:00 +9900" {1}',
        b'INBOX "01-Jan-0000 00:00:00 +0000" {1}',
        b'INBOX "07-Feb-1994 21:52:25 -0800" (\\Seen) {1}',
        b"INBOX {1}x",
        b"INBOX {-1}",
        b"INBOX {}",
        b"INBOX {99999999999999999999}",
        b"INBOX UTF8 {1}",
        b"INBOX UTF8 ({1}",
        b"INBOX UTF8 (~{1})",
        b"INBOX CATENATE (TEXT {1}",
        b'INBOX "abc"',
        b"\xe4 {1}",
    ],
)
def test_other_forms_are_refused(arguments: bytes) -> None:
    with pytest.raises(CommandFault) as caught:
        parse_append(b"a APPEND " + arguments)
    assert (caught.value.tag, caught.value.status) == (b"a", b"BAD")


def test_a_leap_second_is_the_one_before_it() -> None:
    append = parse_append(b'a APPEND b "31-Dec-2016 23:59:60 +0000" {1}')
    assert append.message.internaldate == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_several_messages_follow_one_another() -> None:
    assert parse_append_next(b" (\\Seen) {99}", b"a", after=PLAIN) == AppendMessage((b"\\Seen",))
    assert parse_append_next(b") UTF8 (~{99}", b"a", after=UTF8) == UTF8
    parse_append_end(b"", b"a", after=PLAIN)
    parse_append_end(b")", b"a", after=UTF8)


@pytest.mark.parametrize(("text", "after"), [(b")", PLAIN), (b" ", PLAIN), (b"x", PLAIN), (b"", UTF8), (b"))", UTF8)])
def test_nothing_else_ends_an_append(text: bytes, after: AppendMessage) -> None:
    with pytest.raises(CommandFault) as caught:
        parse_append_end(text, b"a", after=after)
    assert caught.value.tag == b"a"


@pytest.mark.parametrize(("text", "after"), [(b"{1}", PLAIN), (b"   {1}", PLAIN), (b") {1}", PLAIN), (b" {1}", UTF8)])
def test_nothing_else_stands_between_two_messages(text: bytes, after: AppendMessage) -> None:
    with pytest.raises(CommandFault) as caught:
        parse_append_next(text, b"a", after=after)
    assert caught.value.tag == b"a"


def test_a_second_space_between_messages_is_passed_over() -> None:
    """IMAPClient's `multiappend` sends it."""
    assert parse_append_next(b"  {5+}", b"a", after=AppendMessage()) == AppendMessage()
    with pytest.raises(CommandFault):
        parse_append_next(b"   {5+}", b"a", after=AppendMessage())
