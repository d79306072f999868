"""Snapshots are read as they were written, those of former versions too, and take little room."""

from __future__ import annotations

import contextlib
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.errors import Corrupt
from hongyan.mailboxes.snapshot import Snapshot
from hongyan.types import ModSeq
from tests.support.snapshots import first_snapshot

_TEXTS = [b"", b"\\Seen", b"\\Flagged $x"]


@st.composite
def _snapshots(draw: st.DrawFn) -> Snapshot:
    uids = sorted(draw(st.sets(st.integers(1, (1 << 32) - 2), max_size=60)))
    highest = draw(st.integers(0, (1 << 63) - 1))
    modseqs = draw(st.lists(st.integers(0, highest), min_size=len(uids), max_size=len(uids)))
    codes = draw(st.lists(st.integers(0, 2), min_size=len(uids), max_size=len(uids)))
    return Snapshot(ModSeq(highest), 1 << 31, _TEXTS, array("I", uids), array("Q", modseqs), bytearray(codes))


@given(_snapshots())
def test_a_snapshot_is_read_as_it_was_written(kept: Snapshot) -> None:
    assert Snapshot.unpack(kept.pack()) == kept


def test_codes_of_four_octets_are_read_as_they_were_written() -> None:
    texts = [b"" if not number else b"$k%d" % number for number in range(300)]
    kept = Snapshot(ModSeq(9), 301, texts, array("I", range(1, 301)), array("Q", [9] * 300), array("I", range(300)))
    assert Snapshot.unpack(kept.pack()) == kept


@given(_snapshots())
def test_a_snapshot_of_a_former_version_is_read(kept: Snapshot) -> None:
    assert Snapshot.unpack(first_snapshot(kept)) == kept


def test_a_snapshot_of_an_unknown_kind_is_corrupt() -> None:
    octets = Snapshot(ModSeq(1), 2, [b""], array("I", [1]), array("Q", [1]), bytearray(1)).pack()
    for other in (b"HYS3" + octets[4:], octets[:20], b""):
        with pytest.raises(Corrupt):
            Snapshot.unpack(other)


@given(_snapshots(), st.data())
def test_octets_that_are_damaged_never_stand_for_something_else(kept: Snapshot, data: st.DataObject) -> None:
    octets = bytearray(kept.pack())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(Corrupt):  # A bit that the compression does not look at changes nothing.
        assert Snapshot.unpack(bytes(octets)) == kept


@given(_snapshots())
def test_a_damaged_head_is_corrupt(kept: Snapshot) -> None:
    octets = kept.pack()
    for at in range(34):
        with pytest.raises(Corrupt):
            Snapshot.unpack(octets[:at] + bytes((octets[at] ^ 4,)) + octets[at + 1 :])


@given(_snapshots(), st.data())
def test_octets_that_are_cut_off_are_corrupt(kept: Snapshot, data: st.DataObject) -> None:
    octets = kept.pack()
    with pytest.raises(Corrupt):
        Snapshot.unpack(octets[: data.draw(st.integers(0, len(octets) - 1))])


def test_uids_that_do_not_belong_to_the_messages_are_corrupt() -> None:
    count = array("Q", [1, 1])
    for uids in (array("I", [1]), array("I", [1, 2, 3])):
        octets = Snapshot(ModSeq(1), 4, [b""], uids, count, bytearray(2)).pack()
        with pytest.raises(Corrupt):
            Snapshot.unpack(octets)


def test_a_hundred_thousand_messages_take_little_room() -> None:
    count = 100_000
    arrived_singly = array("Q", range(7, 7 + count))
    kept = Snapshot(
        ModSeq(7 + count), count + 1, [b""], array("I", range(1, count + 1)), arrived_singly, bytearray(count)
    )
    assert len(kept.pack()) < 10_000
