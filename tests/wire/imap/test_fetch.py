"""What FETCH asks for."""

from __future__ import annotations

import pytest

from hongyan.wire.imap.commands import Fetch
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.fetch import Binary, BinarySize, FetchItem, Item, Preview, Section, SectionText
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.search import Partial
from hongyan.wire.imap.sequence import STAR, SequenceSet

FAST = (Item.FLAGS, Item.INTERNALDATE, Item.SIZE)


def fetch(arguments: bytes, *, uid: bool = False) -> Fetch:
    command = parse_command(b"a UID FETCH " + arguments if uid else b"a FETCH " + arguments)
    assert isinstance(command, Fetch)
    assert command.uid == uid
    return command


def item(arguments: bytes) -> FetchItem:
    (only,) = fetch(b"1 " + arguments).items
    assert fetch(b"1 (" + arguments + b")").items == (only,)
    return only


def refused(arguments: bytes) -> None:
    for command in (b"a FETCH ", b"a UID FETCH "):
        with pytest.raises(CommandFault) as caught:
            parse_command(command + arguments)
        assert (caught.value.tag, caught.value.status) == (b"a", b"BAD")


@pytest.mark.parametrize("known", Item)
def test_items_of_one_form_are_read(known: Item) -> None:
    assert item(known.value) is known
    assert item(known.value.lower()) is known


def test_macros_are_expanded_where_they_stand_alone() -> None:
    assert fetch(b"1 ALL").items == (*FAST, Item.ENVELOPE)
    assert fetch(b"1 fast").items == FAST
    assert fetch(b"1 FULL").items == (*FAST, Item.ENVELOPE, Item.BODY)
    for inside in (b"1 (ALL)", b"1 (UID FAST)", b"1 ALL FAST"):
        refused(inside)


def test_items_keep_their_order_and_come_once() -> None:
    assert fetch(b"2:4 (FLAGS UID BODY FLAGS)").items == (Item.FLAGS, Item.UID, Item.BODY)
    assert fetch(b"2:4 (FLAGS)").messages == SequenceSet(((2, 4),))


def test_a_uid_range_may_be_written_backwards() -> None:
    assert fetch(b"10:5 FLAGS", uid=True).messages == SequenceSet(((10, 5),))
    assert fetch(b"*:1 FLAGS", uid=True).messages == SequenceSet(((STAR, 1),))


@pytest.mark.parametrize(
    ("octets", "section"),
    [
        (b"BODY[]", Section(b"BODY[]")),
        (b"body.peek[]", Section(b"BODY[]", peek=True)),
        (b"BODY[]<0.2048>", Section(b"BODY[]<0>", partial=(0, 2048))),
        (b"BODY[HEADER]", Section(b"BODY[HEADER]", text=SectionText.HEADER)),
        (b"BODY[text]", Section(b"BODY[TEXT]", text=SectionText.TEXT)),
        (b"BODY[1]", Section(b"BODY[1]", (1,))),
        (b"BODY[4.2.1]", Section(b"BODY[4.2.1]", (4, 2, 1))),
        (b"BODY.PEEK[4.1.MIME]", Section(b"BODY[4.1.MIME]", (4, 1), SectionText.MIME, peek=True)),
        (b"BODY[4.TEXT]<1.9>", Section(b"BODY[4.TEXT]<1>", (4,), SectionText.TEXT, partial=(1, 9))),
        (
            b"BODY[header.fields (DATE From)]",
            Section(b"BODY[HEADER.FIELDS (DATE From)]", (), SectionText.HEADER_FIELDS, (b"date", b"from")),
        ),
        (
            b'BODY.PEEK[2.HEADER.FIELDS.NOT ({4}\r\nDate "X-Y" date)]',
            Section(
                b"BODY[2.HEADER.FIELDS.NOT (Date X-Y date)]",
                (2,),
                SectionText.HEADER_FIELDS_NOT,
                (b"date", b"x-y"),
                peek=True,
            ),
        ),
        (
            b'BODY[HEADER.FIELDS ("a%s]{1}" "\\"")]',
            Section(b'BODY[HEADER.FIELDS ("a%s]{1}" "\\"")]', (), SectionText.HEADER_FIELDS, (b"a%s]{1}", b'"')),
        ),
        (b"RFC822", Section(b"RFC822")),
        (b"RFC822.HEADER", Section(b"RFC822.HEADER", text=SectionText.HEADER, peek=True)),
        (b"RFC822.TEXT", Section(b"RFC822.TEXT", text=SectionText.TEXT)),
        (b"BINARY[]", Binary(b"BINARY[]", ())),
        (b"BINARY.PEEK[1.2]<5.6>", Binary(b"BINARY[1.2]<5>", (1, 2), (5, 6), peek=True)),
        (b"BINARY.SIZE[1]", BinarySize(b"BINARY.SIZE[1]", (1,))),
        (b"PREVIEW", Preview()),
        (b"PREVIEW (LAZY)", Preview(lazy=True)),
        (b"preview (lazy)", Preview(lazy=True)),
    ],
)
def test_sections_know_how_their_answer_is_labelled(octets: bytes, section: FetchItem) -> None:
    assert item(octets) == section


@pytest.mark.parametrize(
    "octets",
    [
        b"BODY[",
        b"BODY[FOO]",
        b"BODY[MIME]",
        b"BODY[0]",
        b"BODY[01]",
        b"BODY[1.]",
        b"BODY[.1]",
        b"BODY[1..2]",
        b"BODY[1.0]",
        b"BODY[1.FOO]",
        b"BODY[1 ]",
        b"BODY[99999999999]",
        b"BODY[" + b"1." * 100 + b"1]",
        b"BODY []",
        b"BODY[HEADER.FIELDS]",
        b"BODY[HEADER.FIELDS ()]",
        b"BODY[HEADER.FIELDS (a]",
        b"BODY[HEADER.FIELDS a]",
        b"BODY[HEADER.FIELDS(a)]",
        b"BODY[HEADER.FIELDS (a  b)]",
        b'BODY[HEADER.FIELDS ("")]',
        b'BODY[HEADER.FIELDS ("a b")]',
        b'BODY[HEADER.FIELDS ("a:")]',
        b"BODY[HEADER.FIELDS ({3}\r\na\r\n)]",
        b"BODY[HEADER.FIELDS (\xe4)]",
        b'BODY[HEADER.FIELDS ("\xc3\xa4")]',
        b"BODY[]<0>",
        b"BODY[]<0.0>",
        b"BODY[]<-1.5>",
        b"BODY[]<0.5",
        b"BODY[]<0.9223372036854775808>",
        b"BODY[]<99999999999999999999.1>",
        b"BODY.PEEK",
        b"BODYSTRUCTURE[]",
        b"BINARY",
        b"BINARY[TEXT]",
        b"BINARY[1.MIME]",
        b"BINARY.SIZE",
        b"BINARY.SIZE[1]<0.1>",
        b"ENVELOPE[]",
        b"RFC822.PEEK",
        b"RFC822[]",
        b"PREVIEW (FOO)",
        b"PREVIEW ()",
        b"PREVIEW(LAZY)",
        b"UID FLAGS",
        b"",
        b"()",
        b"( UID)",
        b"(UID )",
        b"(UID",
        b"(UID  FLAGS)",
        b"(UID (FLAGS))",
        b"FOO",
        b'"UID"',
    ],
)
def test_other_items_are_refused(octets: bytes) -> None:
    refused(b"1 " + octets)


def test_items_and_levels_of_parts_have_limits() -> None:
    assert len(fetch(b"1 (" + b" ".join(b"BODY[%d]" % n for n in range(1, 501)) + b")").items) == 500
    with pytest.raises(CommandFault):
        fetch(b"1 (" + b" ".join(b"BODY[%d]" % n for n in range(1, 502)) + b")")
    fetch(b"1 BODY[" + b".".join([b"1"] * 100) + b"]")
    with pytest.raises(CommandFault):
        fetch(b"1 BODY[" + b".".join([b"1"] * 101) + b"]")


@pytest.mark.parametrize(
    "arguments", [b"", b" FLAGS", b"1", b"a FLAGS", b"1  FLAGS", b"1, FLAGS", b"1 FLAGS ", b"1:2:3 UID"]
)
def test_messages_and_items_are_parted_by_one_space(arguments: bytes) -> None:
    refused(arguments)


def test_modifiers_follow_the_items() -> None:
    assert fetch(b"1:* FLAGS (CHANGEDSINCE 12345)").changedsince == 12345
    assert fetch(b"1:* PREVIEW (changedsince 12345)").changedsince == 12345
    assert fetch(b"1:* FLAGS (CHANGEDSINCE 0)").changedsince == 0
    assert fetch(b"1:* (UID FLAGS) (CHANGEDSINCE 5 VANISHED)", uid=True).vanished
    both = fetch(b"1:* (UID) (PARTIAL -1:-30 CHANGEDSINCE 98305)", uid=True)
    assert (both.partial, both.changedsince) == (Partial(-1, -30), 98305)
    assert fetch(b"1:* ALL (PARTIAL 500:400)", uid=True).partial == Partial(500, 400)


@pytest.mark.parametrize(
    "modifiers",
    [
        b"()",
        b"(CHANGEDSINCE)",
        b"(CHANGEDSINCE x)",
        b"(CHANGEDSINCE 9223372036854775808)",
        b"(CHANGEDSINCE 1 CHANGEDSINCE 1)",
        b"(CHANGEDSINCE 1",
        b"CHANGEDSINCE 1",
        b"(CHANGEDSINCE 1) x",
        b"(VANISHED)",
        b"(FOO)",
        b"(PARTIAL 1:-1)",
        b"(PARTIAL -1:1)",
        b"(PARTIAL 0:1)",
        b"(PARTIAL 1:*)",
        b"(PARTIAL 1)",
    ],
)
def test_other_modifiers_are_refused(modifiers: bytes) -> None:
    refused(b"1:* (UID FLAGS) " + modifiers)


def test_vanished_and_partial_need_uids() -> None:
    for modifiers in (b"(CHANGEDSINCE 5 VANISHED)", b"(PARTIAL 1:5)"):
        with pytest.raises(CommandFault):
            parse_command(b"a FETCH 1 FLAGS " + modifiers)


def test_the_number_of_items_has_a_limit() -> None:
    most = b" ".join(b"BODY[]<%d.1>" % n for n in range(500))
    assert len(fetch(b"1 (" + most + b")").items) == 500
    refused(b"1 (" + most + b" UID)")


def test_what_is_remembered_does_not_mix_the_tags_and_sets_of_commands() -> None:
    one, other = parse_command(b"a FETCH 1 (UID FLAGS)"), parse_command(b"b UID FETCH 2 (UID FLAGS)")
    assert one == Fetch(b"a", False, SequenceSet(((1, 1),)), (Item.UID, Item.FLAGS))
    assert other == Fetch(b"b", True, SequenceSet(((2, 2),)), (Item.UID, Item.FLAGS))
