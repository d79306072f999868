"""Flags by position: narrow or wide, the column says what a list of sets would say."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailboxes.flag_column import COMMON_FLAGS, MAX_FLAGS, FlagColumn, TooManyKeywords

_FLAG = st.sampled_from([b"\\Seen", b"\\Deleted", b"$Junk", b"a", b"B", b"c"])
_FLAGS = st.frozensets(_FLAG, max_size=4)
_ACTION = st.sampled_from(["adding", "removing", "replacing"])


def folded(flags: object) -> frozenset[bytes]:
    return frozenset(flag.lower() for flag in flags)  # type: ignore[attr-defined]


def sets_of(column: FlagColumn) -> list[frozenset[bytes]]:
    return [folded(column.set_of(at)) for at in range(len(column))]


def widen(column: FlagColumn) -> FlagColumn:
    """Let the column have seen more sets than one octet counts."""
    for number in range(300):
        column.append([b"k%d" % bit for bit in range(9) if number >> bit & 1])
    assert isinstance(column.codes, array)
    column.codes = column.codes[:0]
    return column


@pytest.mark.parametrize("wide", [False, True])
@given(data=st.data())
def test_any_changes_give_what_sets_would_give(wide: bool, data: st.DataObject) -> None:
    column = widen(FlagColumn()) if wide else FlagColumn()
    model: list[frozenset[bytes]] = []
    for _step in range(data.draw(st.integers(1, 12))):
        flags = data.draw(_FLAGS)
        match data.draw(st.sampled_from(["append", "change", "compact", "restore"])):
            case "append":
                count = data.draw(st.integers(1, 5))
                column.append(sorted(flags), count)
                model += [folded(flags)] * count
            case "change":
                start = data.draw(st.integers(0, len(model)))
                stop = data.draw(st.integers(start, len(model)))
                action = data.draw(_ACTION)
                change = getattr(column, action)(sorted(flags))
                assert len(column.changed(change, start, stop)) == stop - start
                column.change(change, start, stop)
                for at in range(start, stop):
                    more = {"adding": model[at], "removing": frozenset(), "replacing": frozenset()}[action]
                    model[at] = model[at] - folded(flags) if action == "removing" else more | folded(flags)
            case "compact":
                column.compact()
            case "restore":
                column.compact()
                column = FlagColumn.of(column.codes[:], column.texts)
        assert sets_of(column) == model
    for flag in (b"\\seen", b"A", b"b", b"$other"):
        truth = column.having(flag)
        having = [at for at, flags in enumerate(model) if flag.lower() in flags]
        assert list(column.positions(truth)) == having
        assert column.count(truth) == len(having)
        assert column.first(truth) == (having[0] if having else None)
        stop = len(model) // 2
        assert column.count(truth, stop) == len([at for at in having if at < stop])
        assert list(column.positions(truth, stop)) == [at for at in having if at >= stop]


def test_a_column_grows_wide_at_its_257th_set_and_narrow_again_when_few_are_left() -> None:
    column = FlagColumn()
    for number in range(1, 300):
        column.append([b"k%d" % bit for bit in range(9) if number >> bit & 1])
        assert isinstance(column.codes, array) == (number >= 256)
    before = sets_of(column)
    column.change(column.replacing([b"$one"]), 10, 290)
    column.compact()
    assert isinstance(column.codes, bytearray)
    assert sets_of(column) == [*before[:10], *[frozenset([b"$one"])] * 280, *before[290:]]


def test_a_change_that_makes_the_257th_set_changes_all_it_should() -> None:
    column = FlagColumn()
    for number in range(256):
        column.append([b"k%d" % bit for bit in range(8) if number >> bit & 1])
    assert isinstance(column.codes, bytearray)
    before = sets_of(column)
    column.change(column.adding([b"\\Seen"]), 0, 200)
    assert sets_of(column) == [flags | {b"\\seen"} for flags in before[:200]] + before[200:]


def test_names_are_compared_without_case_and_the_first_spelling_stays() -> None:
    column = FlagColumn()
    column.append([b"$Label", b"\\SEEN"])
    column.append([b"$LABEL", b"\\seen"])
    assert column.texts[1] == b"\\Seen $Label"
    assert len(set(column.codes)) == 1
    assert column.flags == [b"\\Seen", b"$Label"]


def test_a_mailbox_has_so_many_keywords_and_no_more() -> None:
    column = FlagColumn()
    room = MAX_FLAGS - len(COMMON_FLAGS)
    column.append([b"k%d" % number for number in range(room)])
    column.require_room([b"K1", b"\\Seen", b"$junk"])
    with pytest.raises(TooManyKeywords):
        column.require_room([b"one-more"])
    column.append([b"but", b"what", b"is", b"in", b"the", b"log", b"is", b"taken"])
    assert len(column.set_of(1)) == 7


def test_keywords_that_no_message_has_any_more_make_room() -> None:
    column = FlagColumn()
    for number in range(MAX_FLAGS):
        column.require_room([b"k%d" % number])
        column.append([b"k%d" % number])
        column.change(column.removing([b"k%d" % number]), number, number + 1)
    assert column.set_of(5) == []


def test_asking_for_a_change_that_is_not_made_costs_no_room() -> None:
    column = FlagColumn()
    column.append([])
    for number in range(1000):
        column.require_room([b"k%d" % number])
        column.changed(column.adding([b"k%d" % number]), 0, 1)
    assert sets_of(column) == [frozenset()]
