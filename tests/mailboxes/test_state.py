"""A mailbox in memory: kept live, or made again from any snapshot and the log after it, it is the same mailbox."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import (
    Appended,
    Change,
    Expunged,
    FlagsAdded,
    FlagsRemoved,
    FlagsReplaced,
    LoggedChange,
    MailboxChanged,
)
from hongyan.store.mailboxes import Mailbox, StoredState
from hongyan.types import MailboxId, ModSeq, UidValidity

_FLAG = st.sampled_from([b"\\Seen", b"\\Deleted", b"$Junk", b"$a", b"$b"])
_FLAGS = st.frozensets(_FLAG, max_size=3).map(lambda flags: tuple(sorted(flags)))
_BOX = MailboxId(3)


def row(*, uidnext: int = 1, highestmodseq: int = 0, messages: int = 0, name: str = "Box") -> Mailbox:
    return Mailbox(_BOX, name, "", UidValidity(9), uidnext, ModSeq(highestmodseq), messages, 0, subscribed=True)


class Mailboxes(RuleBasedStateMachine):
    """`live` follows the log; `log` and `snapshots` are what a database would hold; `model` is the plain truth."""

    def __init__(self) -> None:
        super().__init__()
        self.live = MailboxState(StoredState(row(), None, ()))
        self.log: list[LoggedChange] = []
        self.snapshots: list[tuple[ModSeq, bytes]] = []
        self.model: dict[int, tuple[frozenset[bytes], int]] = {}
        self.uidnext = 1
        self.modseq = 0
        self.seen: list[tuple[ModSeq, array[int], int]] = [(ModSeq(0), self.live.uids, 0)]

    def commit(self, change: Change, gap: int = 0) -> None:
        """Gaps are other mailboxes' changes."""
        self.modseq += 1 + gap
        logged = LoggedChange(ModSeq(self.modseq), _BOX, change)
        self.log.append(logged)
        self.live.apply(logged)
        self.live.apply(logged)  # What is known already does nothing.

    def some_uids(self, data: st.DataObject) -> BitMap:
        known = st.integers(1, max(self.uidnext + 2, 2))
        return BitMap(
            data.draw(st.one_of(st.sets(known, max_size=6), st.tuples(known, known).map(lambda of: range(*of))))
        )

    @rule(count=st.integers(1, 6), flags=st.lists(_FLAGS, min_size=6, max_size=6), gap=st.integers(0, 3))
    def append(self, count: int, flags: list[tuple[bytes, ...]], gap: int) -> None:
        first = self.uidnext
        by_flag: dict[bytes, BitMap] = {}
        for at in range(count):
            for flag in flags[at]:
                by_flag.setdefault(flag, BitMap()).add(first + at)
        self.commit(Appended(first, count, by_flag), gap)
        for at in range(count):
            self.model[first + at] = (frozenset(map(bytes.lower, flags[at])), self.modseq)
        self.uidnext += count

    @rule(data=st.data(), flags=_FLAGS, kind=st.sampled_from([FlagsAdded, FlagsRemoved, FlagsReplaced]))
    def mark(self, data: st.DataObject, flags: tuple[bytes, ...], kind: type) -> None:
        uids = self.some_uids(data)
        self.commit(kind(uids, flags))
        these = frozenset(map(bytes.lower, flags))
        for uid in uids:
            if uid in self.model:
                have = self.model[uid][0]
                new = have | these if kind is FlagsAdded else have - these if kind is FlagsRemoved else these
                self.model[uid] = (new, self.modseq)

    @rule(data=st.data(), gap=st.integers(0, 3))
    def expunge(self, data: st.DataObject, gap: int) -> None:
        uids = self.some_uids(data)
        self.commit(Expunged(uids), gap)
        for uid in uids:
            self.model.pop(uid, None)

    @rule(name=st.text(min_size=1))
    def rename(self, name: str) -> None:
        self.commit(MailboxChanged("renamed", name))
        assert self.live.name == name

    @rule()
    def snapshot(self) -> None:
        modseq, pack = self.live.snapshot()
        assert not self.live.wants_snapshot
        self.snapshots.append((modseq, pack()))

    @rule()
    def look(self) -> None:
        """A session takes its picture of the mailbox, to be told later what became of it."""
        self.seen.append((self.live.modseq, self.live.uids, len(self.live.uids)))

    @rule(data=st.data())
    def reload(self, data: st.DataObject) -> None:
        modseq, snapshot = data.draw(st.sampled_from([(ModSeq(0), None), *self.snapshots[-3:]]))
        after = [logged for logged in self.log if logged.modseq > modseq]
        box = row(uidnext=self.uidnext, highestmodseq=self.modseq, messages=len(self.model), name=self.live.name)
        again = MailboxState(StoredState(box, snapshot, after))
        self.require(again)
        assert again.highestmodseq == self.live.highestmodseq
        if data.draw(st.booleans()):
            self.live.reload(StoredState(box, snapshot, after))
        else:
            self.live = again

    @invariant()
    def live_is_the_model(self) -> None:
        self.require(self.live)

    def require(self, state: MailboxState) -> None:
        uids = sorted(self.model)
        assert list(state.uids) == uids
        assert list(state.modseqs) == [self.model[uid][1] for uid in uids]
        flags = [frozenset(map(bytes.lower, state.column.set_of(at))) for at in range(len(state))]
        assert flags == [self.model[uid][0] for uid in uids]
        assert (state.uidnext, state.modseq, len(state)) == (self.uidnext, self.modseq, len(uids))
        assert state.unseen() == sum(b"\\seen" not in of for of, _ in self.model.values())
        assert state.deleted() == sum(b"\\deleted" in of for of, _ in self.model.values())
        assert state.with_flag(b"$A") == BitMap(uid for uid, (of, _) in self.model.items() if b"$a" in of)

    @invariant()
    def who_looked_learns_what_became_of_it(self) -> None:
        for cursor, uids, count in self.seen[-4:]:
            delta = self.live.delta_since(cursor, uids, count)
            known = BitMap(uids[:count])
            assert delta.expunged & known == BitMap(uid for uid in known if uid not in self.model)
            changed = BitMap(uid for uid in known if uid in self.model and self.model[uid][1] > cursor)
            assert delta.changed & known & BitMap(self.model) == changed
            positions = self.live.changed_since(cursor)
            assert [self.live.uids[at] for at in positions] == [
                uid for uid in sorted(self.model) if self.model[uid][1] > cursor
            ]

    @invariant()
    def positions_are_found(self) -> None:
        asked = BitMap(range(1, self.uidnext + 2, 2))
        found = [uid for start, stop in self.live.position_runs(asked) for uid in self.live.uids[start:stop]]
        assert found == [uid for uid in sorted(self.model) if uid in asked]
        assert [uid for uid in range(self.uidnext + 2) if self.live.position_of(uid) is not None] == sorted(self.model)


TestMailboxes = Mailboxes.TestCase
TestMailboxes.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def make(count: int) -> MailboxState:
    change = LoggedChange(ModSeq(1), _BOX, Appended(1, count, {b"\\Seen": BitMap(range(1, count + 1, 2))}))
    return MailboxState(StoredState(row(uidnext=count + 1, highestmodseq=1, messages=count), None, (change,)))


@given(st.sets(st.integers(1, 60), max_size=20), st.data())
def test_the_flags_of_messages_are_told_by_flag(uids: set[int], data: st.DataObject) -> None:
    state = make(50)
    flags = state.flags_of(BitMap(uids))
    assert flags.get(b"\\Seen", BitMap()) == BitMap(uid for uid in uids if uid % 2 and uid <= 50)


@given(st.sets(st.integers(1, 20)), st.sampled_from([b"\\Seen", b"$new"]))
def test_only_messages_whose_flags_would_change_are_changed(uids: set[int], flag: bytes) -> None:
    state = make(20)
    runs = state.position_runs(BitMap(uids))
    changed = state.changed_by(runs, state.column.adding((flag,)))
    assert changed == BitMap(uid for uid in uids if flag != b"\\Seen" or uid % 2 == 0)


def test_a_picture_of_the_mailbox_outlives_expunges_and_arrivals() -> None:
    state = make(10)
    uids, count = state.uids, len(state.uids)
    state.apply(LoggedChange(ModSeq(2), _BOX, Appended(11, 2, {})))
    state.apply(LoggedChange(ModSeq(3), _BOX, Expunged(BitMap([1, 2, 11]))))
    assert list(uids[:count]) == list(range(1, 11))
    assert list(state.uids) == [*range(3, 11), 12]


def test_changes_of_ones_own_are_not_told() -> None:
    state = make(10)
    cursor = state.modseq
    state.apply(LoggedChange(ModSeq(2), _BOX, FlagsAdded(BitMap([1]), (b"$a",))))
    state.apply(LoggedChange(ModSeq(5), _BOX, FlagsAdded(BitMap([2]), (b"$a",))))
    assert state.delta_since(cursor, state.uids, 10, but={2}).changed == BitMap([2])


def test_a_log_that_ends_before_its_mailbox_is_corrupt() -> None:
    for box in (row(highestmodseq=5, messages=0), row(highestmodseq=0, messages=1)):
        with pytest.raises(Corrupt):
            MailboxState(StoredState(box, None, ()))


@given(st.data())
def test_a_damaged_snapshot_is_corrupt_or_says_the_same(data: st.DataObject) -> None:
    """A few bits of zstd's frame mean nothing; its checksum is of what it holds."""
    state = make(40)
    modseq, pack = state.snapshot()
    octets = bytearray(pack())
    if data.draw(st.booleans()):
        octets = octets[: data.draw(st.integers(0, len(octets) - 1))]
    else:
        octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    box = row(uidnext=41, highestmodseq=modseq, messages=40)
    try:
        again = MailboxState(StoredState(box, bytes(octets), ()))
    except Corrupt:
        return
    assert (again.uids, again.modseqs, again.uidnext) == (state.uids, state.modseqs, state.uidnext)
    assert (again.column.codes, again.column.texts) == (state.column.codes, state.column.texts)


def test_a_deleted_mailbox_knows_it() -> None:
    state = make(2)
    state.apply(LoggedChange(ModSeq(2), _BOX, MailboxChanged("deleted", "Box")))
    assert state.is_deleted


def test_a_row_older_than_the_changes_read_after_it_is_no_contradiction() -> None:
    older = replace(row(highestmodseq=1, messages=5), uidnext=6)
    changes = [
        LoggedChange(ModSeq(1), _BOX, Appended(1, 5, {})),
        LoggedChange(ModSeq(2), _BOX, Expunged(BitMap([1]))),
        LoggedChange(ModSeq(3), _BOX, Appended(6, 1, {})),
    ]
    state = MailboxState(StoredState(older, None, changes))
    assert (list(state.uids), state.uidnext, state.highestmodseq) == ([2, 3, 4, 5, 6], 7, 3)


def test_a_snapshot_is_wanted_when_reading_the_log_would_take_long() -> None:
    state = make(10)
    for modseq in range(2, 300):
        assert state.wants_snapshot == (modseq > 129)
        assert state.is_worth_a_snapshot == (modseq > 17)
        state.apply(LoggedChange(ModSeq(modseq), _BOX, FlagsAdded(BitMap([1]), (b"$a",))))
