"""A mailbox in memory: UIDs, MODSEQs and flags by position; a snapshot plus the changes after it.

`uids` only ever grows in place; an expunge makes a new array. A session that keeps a reference and a count has
its own unchanging picture of the mailbox without a copy.
"""

from __future__ import annotations

__all__ = ["Delta", "Follower", "MailboxState"]

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import ne
from typing import Protocol

from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.mailboxes.flag_column import FlagChange, FlagColumn
from hongyan.mailboxes.snapshot import Snapshot
from hongyan.store.changes import (
    AccessChanged,
    Annotated,
    Appended,
    Expunged,
    Flag,
    FlagsAdded,
    FlagsRemoved,
    FlagsReplaced,
    LoggedChange,
    MailboxChanged,
    SeenBy,
    uid_runs,
)
from hongyan.store.mailboxes import Mailbox, StoredState
from hongyan.types import MailboxId, ModSeq, UidValidity

_REMEMBERED = 512
_FOLD_AT_LEAST = 128
_FOLD_PART = 128
_FOLD_AT_END = 16


@dataclass(frozen=True, slots=True)
class Delta:
    """What became of messages since a cursor: UIDs that left, and UIDs that are there with other flags."""

    expunged: BitMap
    changed: BitMap


class Follower(Protocol):
    """Who is told of each change that a mailbox in memory takes in (`mailboxes.viewed`)."""

    def follow(self, logged: LoggedChange) -> None:
        """The mailbox has taken this change in."""
        ...

    def lose_track(self) -> None:
        """The mailbox was read anew: what changed is not known one by one."""
        ...


class MailboxState:
    """One mailbox at one position of the log, `modseq`."""

    __slots__ = (
        "_changes_since_snapshot",
        "_recent",
        "column",
        "first_recent",
        "followers",
        "highestmodseq",
        "is_deleted",
        "mailbox_id",
        "modseq",
        "modseqs",
        "name",
        "special_use",
        "uidnext",
        "uids",
        "uidvalidity",
    )

    def __init__(self, stored: StoredState) -> None:
        mailbox = stored.mailbox
        self.mailbox_id: MailboxId = mailbox.mailbox_id
        self.name = mailbox.name
        self.special_use = mailbox.special_use
        self.uidvalidity: UidValidity = mailbox.uidvalidity
        self.uids: array[int] = array("I")
        self.modseqs: array[int] = array("Q")
        self.column = FlagColumn()
        self.uidnext = 1
        self.is_deleted = False
        self.followers: list[Follower] = []
        self.modseq = ModSeq(0)
        self.highestmodseq = ModSeq(0)
        self._recent: deque[LoggedChange] = deque(maxlen=_REMEMBERED)
        self._changes_since_snapshot = 0
        if stored.snapshot is not None:
            self._read_snapshot(stored.snapshot)
        for change in stored.changes:
            self.apply(change)
        self._check(mailbox)
        self.uidnext = max(self.uidnext, mailbox.uidnext)
        self.first_recent = self.uidnext

    @classmethod
    def of_uids(
        cls,
        mailbox: MailboxId,
        uids: array[int],
        uidnext: int,
        modseq: ModSeq,
        flags: Mapping[int, Sequence[Flag]],
    ) -> MailboxState:
        """Return the state of a mailbox of which nothing is known but its messages and some of their flags."""
        row = Mailbox(mailbox, "", "", UidValidity(0), uidnext, ModSeq(0), 0, 0, subscribed=False)
        state = cls(StoredState(row, None, ()))
        state.uids, state.modseqs = uids, array("Q", (modseq,)) * len(uids)
        for uid in uids:
            state.column.append(flags.get(uid, ()))
        state.modseq = state.highestmodseq = modseq
        return state

    def copy(self) -> MailboxState:
        """Return the same state, which nobody follows and which goes its own way."""
        row = Mailbox(
            self.mailbox_id, self.name, self.special_use, self.uidvalidity, 1, ModSeq(0), 0, 0, subscribed=False
        )
        other = MailboxState(StoredState(row, None, ()))
        other.uids, other.modseqs, other.column = self.uids[:], self.modseqs[:], self.column.copy()
        other.uidnext, other.modseq, other.highestmodseq = self.uidnext, self.modseq, self.highestmodseq
        other.is_deleted = self.is_deleted
        return other

    def reload(self, stored: StoredState) -> None:
        """Begin anew from what is stored: the log does not reach back to where this state stands.

        It may even stand ahead: a database that crashed may have forgotten changes of flags that were told here.
        """
        fresh = MailboxState(stored)
        for name in self.__slots__:
            if name not in ("first_recent", "followers"):
                setattr(self, name, getattr(fresh, name))
        for follower in self.followers:
            follower.lose_track()

    def _check(self, mailbox: Mailbox) -> None:
        """The row may be older than the changes that were read after it, and never newer."""
        if self.modseq < mailbox.highestmodseq:
            raise Corrupt(
                cause=f"mailbox {mailbox.mailbox_id}: the log ends at {self.modseq} before {mailbox.highestmodseq}"
            )
        if self.modseq == mailbox.highestmodseq and len(self.uids) != mailbox.messages:
            raise Corrupt(
                cause=f"mailbox {mailbox.mailbox_id}: {len(self.uids)} messages instead of {mailbox.messages}"
            )

    def __len__(self) -> int:
        return len(self.uids)

    # -- following the log

    def apply(self, logged: LoggedChange) -> None:
        """Take in the next change of this mailbox; one that is known already does nothing."""
        if logged.modseq <= self.modseq:
            return
        match logged.change:
            case Appended() as appended:
                self._append(appended, logged.modseq)
            case FlagsAdded(uids, flags):
                self._set_flags(uids, self.column.adding(flags), logged.modseq)
            case FlagsRemoved(uids, flags):
                self._set_flags(uids, self.column.removing(flags), logged.modseq)
            case FlagsReplaced(uids, flags):
                self._set_flags(uids, self.column.replacing(flags), logged.modseq)
            case Expunged(uids):
                self._expunge(uids)
            case MailboxChanged("renamed", name):
                self.name = name
            case MailboxChanged("deleted"):
                self.is_deleted = True
            case MailboxChanged() | AccessChanged() | SeenBy() | Annotated():
                pass
        self.modseq = logged.modseq
        self.highestmodseq = logged.modseq
        self._recent.append(logged)
        self._changes_since_snapshot += 1
        for follower in self.followers:
            follower.follow(logged)

    def _append(self, appended: Appended, modseq: ModSeq) -> None:
        first, count = appended.first_uid, appended.count
        if count == 1:
            self.uids.append(first)
            self.modseqs.append(modseq)
            self.column.append(list(appended.flags))
        else:
            start = len(self.uids)
            self.uids.extend(range(first, first + count))
            self.modseqs.extend([modseq] * count)
            self.column.append((), count)
            for flag, uids in appended.flags.items():
                change = self.column.adding((flag,))
                for low, high in uid_runs(uids):
                    self.column.change(change, start + low - first, start + high - first + 1)
        self.uidnext = first + count

    def recent_after(self, modseq: ModSeq) -> list[LoggedChange]:
        """Return the changes after `modseq` that are remembered, oldest first."""
        return [logged for logged in self._recent if logged.modseq > modseq]

    def set_flags(self, uids: BitMap, change: FlagChange) -> None:
        """Change flags beside the log; MODSEQs stay. For a view of the mailbox that is built from another."""
        for start, stop in self.position_runs(uids):
            self.column.change(change, start, stop)

    def _set_flags(self, uids: BitMap, change: FlagChange, modseq: ModSeq) -> None:
        for start, stop in self.position_runs(uids):
            self.column.change(change, start, stop)
            if stop - start == 1:
                self.modseqs[start] = modseq
            else:
                self.modseqs[start:stop] = array("Q", (modseq,)) * (stop - start)

    def _expunge(self, uids: BitMap) -> None:
        kept_uids, kept_modseqs = array("I"), array("Q")
        codes = self.column.codes
        kept_codes = codes[:0]
        at = 0
        for start, stop in self.position_runs(uids):
            kept_uids += self.uids[at:start]
            kept_modseqs += self.modseqs[at:start]
            kept_codes.extend(codes[at:start])
            at = stop
        self.uids = kept_uids + self.uids[at:]
        self.modseqs = kept_modseqs + self.modseqs[at:]
        kept_codes.extend(codes[at:])
        self.column.codes = kept_codes

    # -- positions

    def position_of(self, uid: int) -> int | None:
        """Return the position of a UID, or None."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    def position_runs(self, uids: BitMap) -> list[tuple[int, int]]:
        """Return the positions of those UIDs that are there, as runs [start, stop), ascending."""
        mine = self.uids
        if len(uids) == 1:
            uid = uids[0]
            at = bisect_left(mine, uid)
            return [(at, at + 1)] if at < len(mine) and mine[at] == uid else []
        runs: list[tuple[int, int]] = []
        for low, high in uid_runs(uids):
            start = bisect_left(mine, low)
            stop = bisect_right(mine, high, start)
            if start < stop:
                if runs and runs[-1][1] == start:
                    runs[-1] = (runs[-1][0], stop)
                else:
                    runs.append((start, stop))
        return runs

    # -- flags

    def changed_by(self, runs: Iterable[tuple[int, int]], change: FlagChange) -> BitMap:
        """Return the UIDs in these runs of positions whose flags the change would alter."""
        changed = BitMap()
        for start, stop in runs:
            new = self.column.changed(change, start, stop)
            old = self.column.codes[start:stop]
            if old == new:
                continue
            uids = self.uids[start:stop]
            if all(map(ne, old, new)):
                changed |= BitMap(uids)
            else:
                changed |= BitMap(uid for uid, a, b in zip(uids, old, new, strict=True) if a != b)
        return changed

    def flags_of(self, uids: BitMap) -> dict[Flag, BitMap]:
        """Return each flag with those of the messages that have it."""
        found: dict[Flag, BitMap] = {}
        for start, stop in self.position_runs(uids):
            for position in range(start, stop):
                for flag in self.column.set_of(position):
                    found.setdefault(flag, BitMap()).add(self.uids[position])
        return found

    def with_flag(self, flag: Flag) -> BitMap:
        """Return the UIDs of the messages that have the flag."""
        truth = self.column.having(flag)
        if not any(truth):
            return BitMap()
        return BitMap(array("I", self.column.choose(self.uids, truth)))

    def unseen(self) -> int:
        """Return how many messages are unseen."""
        return len(self.uids) - self.column.count(self.column.having(b"\\Seen"))

    def deleted(self) -> int:
        """Return how many messages are marked as deleted."""
        return self.column.count(self.column.having(b"\\Deleted"))

    # -- what a session or a client missed

    def delta_since(self, cursor: ModSeq, known: array[int], count: int, *, but: Container[int] = frozenset()) -> Delta:
        """Return what became of the first `count` UIDs of `known` after `cursor`.

        `but` are changes that the asker has made itself and need not be told, as far as the log is in memory.
        """
        if cursor >= self.modseq:
            return Delta(BitMap(), BitMap())
        recent = self._recent
        if recent and recent[0].modseq <= cursor + 1:
            return self._delta_from_log(cursor, but)
        mine, theirs = BitMap(self.uids), BitMap(known[:count])
        changed = BitMap(uid for uid, modseq in zip(self.uids, self.modseqs, strict=True) if modseq > cursor)
        return Delta(theirs - mine, changed & theirs)

    def _delta_from_log(self, cursor: ModSeq, but: Container[int]) -> Delta:
        expunged, changed = BitMap(), BitMap()
        for logged in reversed(self._recent):
            if logged.modseq <= cursor:
                break
            match logged.change:
                case Expunged(uids):
                    expunged |= uids
                case FlagsAdded(uids) | FlagsRemoved(uids) | FlagsReplaced(uids) if logged.modseq not in but:
                    changed |= uids
                case _:
                    pass
        return Delta(expunged, changed - expunged)

    def changed_since(self, modseq: ModSeq, start: int = 0, stop: int | None = None) -> list[int]:
        """Return the positions in [start, stop) whose MODSEQ is greater (RFC 7162 §3.1.4.1)."""
        stop = len(self.uids) if stop is None else stop
        return [at for at, value in enumerate(self.modseqs[start:stop], start) if value > modseq]

    def changed_after(self, uids: BitMap, modseq: ModSeq) -> BitMap:
        """Return those of the messages whose MODSEQ is greater."""
        late = BitMap()
        for start, stop in self.position_runs(uids):
            late |= BitMap(self.uids[at] for at in self.changed_since(modseq, start, stop))
        return late

    # -- snapshots

    @property
    def wants_snapshot(self) -> bool:
        """Whether so many changes stand after the snapshot that reading them all would take long."""
        return self._changes_since_snapshot > max(_FOLD_AT_LEAST, len(self.uids) // _FOLD_PART)

    @property
    def is_worth_a_snapshot(self) -> bool:
        """Whether a snapshot would save the next start some reading."""
        return self._changes_since_snapshot > _FOLD_AT_END

    def snapshot(self) -> tuple[ModSeq, Callable[[], bytes]]:
        """Return the position, and what makes the octets from which this state can be made again, in any thread.

        It is taken as saved; if saving it fails, the log still has everything.
        """
        self.column.compact()
        self._changes_since_snapshot = 0
        column = self.column
        kept = Snapshot(self.modseq, self.uidnext, column.texts[:], self.uids[:], self.modseqs[:], column.codes[:])
        return self.modseq, kept.pack

    def _read_snapshot(self, octets: bytes) -> None:
        kept = Snapshot.unpack(octets)
        self.uids, self.modseqs, self.uidnext = kept.uids, kept.modseqs, kept.uidnext
        self.column = FlagColumn.of(kept.codes, kept.texts)
        self.modseq = self.highestmodseq = kept.modseq
