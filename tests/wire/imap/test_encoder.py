"""FETCH responses in bulk."""

from __future__ import annotations

from array import array

from hongyan.wire.imap.encoder import ROW_END, FlagRows, RowFormat, begin_literal
from hongyan.wire.imap.fetch import Binary, BinarySize, FetchItem, Item, Preview, Section

TEXTS = [b"", b"\\Seen", b"\\Flagged $Junk"]


def test_flags_alone_are_told_for_a_run_of_messages() -> None:
    assert FlagRows(TEXTS, uid=False).encode(range(5, 8), bytes([1, 0, 2])) == (
        b"* 5 FETCH (FLAGS (\\Seen))\r\n* 6 FETCH (FLAGS ())\r\n* 7 FETCH (FLAGS (\\Flagged $Junk))\r\n"
    )


def test_flags_are_told_with_uids() -> None:
    assert FlagRows(TEXTS, uid=True).encode(range(5, 7), array("I", [1, 0]), array("I", [42, 99])) == (
        b"* 5 FETCH (UID 42 FLAGS (\\Seen))\r\n* 6 FETCH (UID 99 FLAGS ())\r\n"
    )


def test_no_rows_are_no_octets() -> None:
    assert FlagRows(TEXTS, uid=False).encode([], b"") == b""
    assert FlagRows(TEXTS, uid=True).encode([], b"", []) == b""
    assert RowFormat((Item.UID,)).encode([]) == b""


def test_rows_hold_what_was_asked_for_in_its_order() -> None:
    items = (Item.UID, Item.FLAGS, Item.INTERNALDATE, Item.SIZE, Item.ENVELOPE, Item.BODYSTRUCTURE)
    rows = [
        (1, 11, b"\\Seen", b'"01-Feb-2026 00:00:00 +0000"', 4096, b"(NIL)", b'("TEXT" "PLAIN")'),
        (2, 12, b"", b'"02-Feb-2026 00:00:00 +0000"', 1, b"(e)", b"(b)"),
    ]
    assert RowFormat(items).encode(rows) == (
        b'* 1 FETCH (UID 11 FLAGS (\\Seen) INTERNALDATE "01-Feb-2026 00:00:00 +0000" RFC822.SIZE 4096'
        b' ENVELOPE (NIL) BODYSTRUCTURE ("TEXT" "PLAIN"))\r\n'
        b'* 2 FETCH (UID 12 FLAGS () INTERNALDATE "02-Feb-2026 00:00:00 +0000" RFC822.SIZE 1'
        b" ENVELOPE (e) BODYSTRUCTURE (b))\r\n"
    )


def test_every_item_has_a_form() -> None:
    items: tuple[FetchItem, ...] = (
        *Item,
        Preview(),
        Section(b"BODY[1.2]<0>"),
        Binary(b"BINARY[1]", (1,)),
        BinarySize(b"BINARY.SIZE[1]", (1,)),
    )
    numbers = {Item.UID, Item.SIZE, Item.MODSEQ}
    row = [7 if item in numbers or isinstance(item, BinarySize) else b"x" for item in items]
    assert RowFormat(items).encode([(1, *row)]) == (
        b"* 1 FETCH (UID 7 FLAGS (x) INTERNALDATE x RFC822.SIZE 7 ENVELOPE x BODY x BODYSTRUCTURE x MODSEQ (7)"
        b" EMAILID (x) THREADID x SAVEDATE x PREVIEW x BODY[1.2]<0> x BINARY[1] x BINARY.SIZE[1] 7)\r\n"
    )


def test_a_label_is_not_taken_for_a_template() -> None:
    section = Section(b'BODY[HEADER.FIELDS ("%d%s")]')
    assert RowFormat((section,)).encode([(1, b"NIL")]) == b'* 1 FETCH (BODY[HEADER.FIELDS ("%d%s")] NIL)\r\n'


def test_a_row_may_be_opened_for_a_section_that_streams() -> None:
    row = RowFormat((Item.UID, Item.FLAGS))
    sent = row.open((3, 9, b"\\Seen")) + b" " + begin_literal(b"BODY[]", 5) + b"01234" + ROW_END
    assert sent == b"* 3 FETCH (UID 9 FLAGS (\\Seen) BODY[] {5}\r\n01234)\r\n"
    alone = RowFormat(()).open((3,)) + begin_literal(b"BINARY[1]", 1, binary=True) + b"\0" + ROW_END
    assert alone == b"* 3 FETCH (BINARY[1] ~{1}\r\n\0)\r\n"


def test_rows_by_uid_say_so_and_begin_with_the_uid() -> None:
    assert FlagRows(TEXTS, uid=False, by_uid=True).encode(array("I", [42]), array("I", [0])) == (
        FlagRows(TEXTS, uid=False).encode([42], array("I", [0])).replace(b"FETCH", b"UIDFETCH")
    )
    assert (
        FlagRows(TEXTS, uid=True, by_uid=True)
        .encode([42], array("I", [0]), [42])
        .startswith(b"* 42 UIDFETCH (UID 42 FLAGS (")
    )
    row = RowFormat((Item.SIZE,), by_uid=True)
    assert row.encode([(42, 7)]) == row.begin(42) + b"RFC822.SIZE 7" + ROW_END == b"* 42 UIDFETCH (RFC822.SIZE 7)\r\n"
