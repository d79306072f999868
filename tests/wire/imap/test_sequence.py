"""Sequence sets: read, resolved against what exists, and written."""

from __future__ import annotations

import itertools
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.sequence import (
    STAR,
    SequenceSet,
    format_numbers,
    format_ranges,
    is_within,
    parse_sequence_set,
    runs,
    seqs_to_positions,
    uids_to_positions,
)

ENDS = st.integers(1, 40) | st.just(STAR)
RANGES = st.lists(st.tuples(ENDS, ENDS), min_size=1, max_size=6).map(tuple)


@pytest.mark.parametrize(
    ("octets", "ranges", "saved"),
    [
        (b"1", ((1, 1),), False),
        (b"*", ((STAR, STAR),), False),
        (b"2:4", ((2, 4),), False),
        (b"4:2", ((4, 2),), False),
        (b"3291:*", ((3291, STAR),), False),
        (b"*:4,5:7", ((STAR, 4), (5, 7)), False),
        (b"2,4:7,9,12:*", ((2, 2), (4, 7), (9, 9), (12, STAR)), False),
        (b"4294967295", ((4294967295, 4294967295),), False),
        (b"$", (), True),
        (b"1:2,$", ((1, 2),), True),
    ],
)
def test_sets_of_the_grammar_are_read(octets: bytes, ranges: tuple[tuple[int, int], ...], saved: bool) -> None:
    assert parse_sequence_set(octets) == SequenceSet(ranges, saved)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"0",
        b"01",
        b"1,",
        b",1",
        b"1,,2",
        b"1:",
        b":1",
        b"1:2:3",
        b"a",
        b"1-2",
        b"-1",
        b"1 ",
        b"4294967296",
        b"99999999999",
        b"**",
        b"1:**",
        b"$,1",
        b"$$",
        b"$:5",
        b"1\n",
        b"\xc2\xb2",
        b"0:5",
        b"5:0",
    ],
)
def test_what_is_no_set_is_refused(octets: bytes) -> None:
    with pytest.raises(CommandFault):
        parse_sequence_set(octets)


def test_a_range_in_either_order_means_the_same_messages() -> None:
    uids = array("I", [2, 4, 6, 8])
    assert uids_to_positions(((3, 7),), uids) == uids_to_positions(((7, 3),), uids) == [(1, 3)]
    assert seqs_to_positions(((2, 3),), 4) == seqs_to_positions(((3, 2),), 4) == [(1, 3)]


def test_a_range_up_to_the_last_uid_holds_it_even_where_it_begins_beyond() -> None:
    assert uids_to_positions(((3291, STAR),), array("I", [5, 100])) == [(1, 2)]
    assert uids_to_positions(((STAR, STAR),), array("I", [5, 100])) == [(1, 2)]


def test_nothing_is_meant_in_an_empty_mailbox() -> None:
    assert uids_to_positions(((1, STAR),), array("I")) == []
    assert seqs_to_positions(((1, STAR), (STAR, STAR)), 0) == []


def test_uids_beyond_what_the_client_was_told_do_not_exist() -> None:
    uids = array("I", [1, 2, 3, 4])
    assert uids_to_positions(((1, STAR),), uids, 2) == [(0, 2)]
    assert uids_to_positions(((3, 4),), uids, 2) == []
    assert uids_to_positions(((3, 3),), uids, 2) == []


def test_a_number_beyond_what_exists_is_told_apart() -> None:
    assert is_within(((1, 5),), 5)
    assert is_within(((5, STAR),), 5)
    assert not is_within(((1, 6),), 5)
    assert not is_within(((6, STAR),), 5)
    assert not is_within(((STAR, STAR),), 0)


def _meant(ranges: tuple[tuple[int, int], ...], numbers: list[int]) -> set[int]:
    """Say the same in the simplest way."""
    largest = numbers[-1]
    found = set()
    for low, high in ranges:
        low, high = sorted((low or largest, high or largest))
        found |= {number for number in numbers if low <= number <= high}
    return found


def _check_shape(positions: list[tuple[int, int]]) -> None:
    assert all(start < stop for start, stop in positions)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(positions)), "they touch"


@given(RANGES, st.sets(st.integers(1, 45), min_size=1))
def test_uids_resolve_to_exactly_what_they_mean(ranges: tuple[tuple[int, int], ...], present: set[int]) -> None:
    uids = array("I", sorted(present))
    positions = uids_to_positions(ranges, uids)
    _check_shape(positions)
    assert {uids[at] for start, stop in positions for at in range(start, stop)} == _meant(ranges, list(uids))


@given(RANGES, st.integers(1, 45))
def test_seqs_resolve_to_exactly_what_they_mean(ranges: tuple[tuple[int, int], ...], exists: int) -> None:
    positions = seqs_to_positions(ranges, exists)
    _check_shape(positions)
    seqs = {at + 1 for start, stop in positions for at in range(start, stop)}
    assert seqs == _meant(ranges, list(range(1, exists + 1)))


@given(st.sets(st.integers(1, 200)))
def test_numbers_written_as_a_set_are_read_back(numbers: set[int]) -> None:
    written = format_numbers(BitMap(numbers))
    assert written == format_numbers(sorted(numbers))
    if numbers:
        read = parse_sequence_set(written).ranges
        assert {number for low, high in read for number in range(low, high + 1)} == numbers
        assert read == tuple(runs(BitMap(numbers))), "no shorter set means the same"
    else:
        assert written == b""


def test_the_edges_of_32_bits_are_written() -> None:
    assert format_numbers([1, 4294967294, 4294967295]) == b"1,4294967294:4294967295"
    assert format_numbers([4294967295]) == b"4294967295"
    assert format_numbers(range(1, 6)) == b"1:5"
    assert format_ranges([(7, 7), (1, 3)]) == b"7,1:3"


def test_a_huge_range_costs_what_a_small_one_does() -> None:
    uids = array("I", range(1, 1001))
    assert uids_to_positions(((1, 4294967295),) * 10_000, uids) == [(0, 1000)]
    assert seqs_to_positions(((1, 4294967295),) * 10_000, 1000) == [(0, 1000)]
