"""Sequence sets: which messages a command speaks of, by sequence number or by UID (RFC 9051 §9, RFC 3501 §9).

A set stays what it was on the wire, a handful of ranges, and is never expanded into numbers: it is
intersected with what exists. A *position* counts a view's messages from 0; ranges of positions are
half-open, ascending and do not touch, so that slices of arrays can be taken from them.
"""

from __future__ import annotations

__all__ = [
    "STAR",
    "SequenceSet",
    "format_numbers",
    "format_ordered",
    "format_ranges",
    "is_within",
    "join",
    "parse_sequence_set",
    "runs",
    "seqs_to_positions",
    "uids_to_positions",
]

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from hongyan.wire.imap.faults import CommandFault

STAR = 0
"""`*`, the largest number in use. Zero is no sequence number and no UID, so it is free to mean this."""

_LARGEST = 0xFFFFFFFF
_NUMBER = rb"(?:[1-9][0-9]{0,9}|\*)"
_RANGE = _NUMBER + rb"(?::" + _NUMBER + rb")?"

# sequence-set     = (seq-number / seq-range) ["," sequence-set]
# sequence-set     =/ seq-last-command
# seq-range        = seq-number ":" seq-number
# seq-number       = nz-number / "*"
# seq-last-command = "$"
SEQUENCE_SET = re.compile(rb"(?:\$|" + _RANGE + rb"(?:," + _RANGE + rb")*(?:,\$)?)(?=[ )]|\Z)")


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Ranges as the client wrote them: both ends belong to a range, in either order, and either may be `STAR`."""

    ranges: tuple[tuple[int, int], ...]
    saved: bool = False
    """Whether `$`, the result that a SEARCH saved, belongs to the set (RFC 9051 §6.4.4.1)."""

    @property
    def has_star(self) -> bool:
        return any(STAR in bounds for bounds in self.ranges)

    def count(self) -> int:
        """Return how many numbers the ranges name, each as often as it is named. Only for a set without `*`."""
        return sum([abs(high - low) + 1 for low, high in self.ranges])


def parse_sequence_set(octets: bytes) -> SequenceSet:
    """Read a whole set; raise CommandFault if it is none."""
    if not SEQUENCE_SET.fullmatch(octets):
        raise CommandFault("That is no set of message numbers")
    return parse_matched(octets)


def parse_matched(octets: bytes) -> SequenceSet:
    """Read a set that `SEQUENCE_SET` has matched."""
    if octets.isdigit() and len(octets) < 10:  # the most frequent set is one number
        number = int(octets)
        return SequenceSet(((number, number),))
    saved = octets.endswith(b"$")
    if saved:
        octets = octets[:-2]
    ranges = []
    for part in octets.split(b",") if octets else ():
        first, colon, last = part.partition(b":")
        low = STAR if first == b"*" else int(first)
        high = low if not colon else STAR if last == b"*" else int(last)
        if low > _LARGEST or high > _LARGEST:
            raise CommandFault("A message number is at most 4294967295")
        ranges.append((low, high))
    return SequenceSet(tuple(ranges), saved)


def is_within(ranges: Sequence[tuple[int, int]], exists: int) -> bool:
    """Whether each sequence number exists.

    A command other than SEARCH that names one which does not is answered BAD, `*` of an empty mailbox
    included (RFC 9051 §9, seq-number).
    """
    return exists > 0 and all(low <= exists and high <= exists for low, high in ranges)


def seqs_to_positions(ranges: Sequence[tuple[int, int]], exists: int) -> list[tuple[int, int]]:
    """Return the positions that sequence numbers mean in a view of `exists` messages."""
    if not exists:
        return []
    positions = []
    for low, high in _ordered(ranges, exists):
        if low <= exists:
            positions.append((low - 1, min(high, exists)))
    return join(positions)


def uids_to_positions(
    ranges: Sequence[tuple[int, int]], uids: Sequence[int], exists: int | None = None
) -> list[tuple[int, int]]:
    """Return the positions of those UIDs of the set that are among the first `exists` of the ascending `uids`."""
    if exists is None:
        exists = len(uids)
    if not exists:
        return []
    positions = []
    for low, high in _ordered(ranges, uids[exists - 1]):
        start = bisect_left(uids, low, 0, exists)
        stop = (
            start + (start < exists and uids[start] == low) if low == high else bisect_right(uids, high, start, exists)
        )
        if start < stop:
            positions.append((start, stop))
    return join(positions)


def _ordered(ranges: Sequence[tuple[int, int]], largest: int) -> Iterable[tuple[int, int]]:
    """Put the largest number in use for `*`, and the smaller end first (RFC 9051 §9, seq-range)."""
    for low, high in ranges:
        low = low or largest
        high = high or largest
        yield (low, high) if low <= high else (high, low)


def join(positions: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort half-open ranges and join those that overlap or touch."""
    if len(positions) < 2:
        return positions
    positions.sort()
    merged = []
    start, stop = positions[0]
    for next_start, next_stop in positions:
        if next_start > stop:
            merged.append((start, stop))
            start = next_start
        if next_stop > stop:
            stop = next_stop
    merged.append((start, stop))
    return merged


def format_numbers(numbers: BitMap | Iterable[int]) -> bytes:
    """Write numbers (UIDs or sequence numbers, in any order) as the shortest ascending set: `1:5,7`.

    The empty set has no form in the grammar: the result is then empty, and the caller leaves the item out.
    """
    present = numbers if isinstance(numbers, BitMap) else BitMap(numbers)
    if not present.intersect(present.shift(1)):
        return str(list(present))[1:-1].replace(" ", "").encode("ascii")
    return format_ranges(runs(present))


def format_ordered(numbers: Sequence[int]) -> bytes:
    """Write numbers in the order given, those that follow one another as a range: `7,1:3` (RFC 5267 §3)."""
    ranges: list[tuple[int, int]] = []
    low = high = 0
    for number in numbers:
        if number != high + 1 or not high:
            if high:
                ranges.append((low, high))
            low = number
        high = number
    if high:
        ranges.append((low, high))
    return format_ranges(ranges)


def runs(numbers: BitMap) -> Iterable[tuple[int, int]]:
    """Return the ranges of a set of numbers, both ends within, ascending."""
    return zip(numbers - numbers.shift(1), numbers - numbers.shift(-1), strict=True)


def format_ranges(ranges: Iterable[tuple[int, int]]) -> bytes:
    """Write ranges whose both ends belong to them, in the order given: `1:5,7`."""
    return b",".join([b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in ranges])
