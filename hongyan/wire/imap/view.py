"""A session's view of the selected mailbox: its sequence numbers, and when it may be told of changes.

The view shares the mailbox's array of UIDs and keeps its own count: the array only grows in place, and an
expunge makes another one. The client's numbers are the first `exists` UIDs of the array, whatever others
do, until the client is told.

New messages and changed flags may be told at any time, expunged ones not while the client may be writing
a sequence number: not during FETCH, STORE and SEARCH, and not while no command is in progress (RFC 9051
§7.5.1, RFC 7162 §3.2.10). Until then they are held back and keep their numbers.
"""

from __future__ import annotations

__all__ = ["News", "View", "may_tell_expunges"]

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from pyroaring import BitMap

from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import Command, Esearch, Fetch, Search, Sort, Store, Thread
from hongyan.wire.imap.encoder import RowFormat
from hongyan.wire.imap.fetch import Item
from hongyan.wire.imap.search import names_seqs
from hongyan.wire.imap.sequence import SequenceSet, is_within, join, runs, seqs_to_positions, uids_to_positions

BATCH = 1024
"""How many rows are written in one piece."""

_CHANGED = RowFormat((Item.UID, Item.FLAGS))
_CHANGED_WITH_MODSEQ = RowFormat((Item.UID, Item.FLAGS, Item.MODSEQ))
_CHANGED_BY_UID = RowFormat((Item.FLAGS,), by_uid=True)
_CHANGED_BY_UID_WITH_MODSEQ = RowFormat((Item.FLAGS, Item.MODSEQ), by_uid=True)


def may_tell_expunges(command: Command) -> bool:
    """Whether EXPUNGE or VANISHED may be told before the end of this command."""
    match command:
        case Fetch(uid=uid) | Store(uid=uid):
            return uid
        case Search(uid=uid, key=key) | Sort(uid=uid, key=key) | Thread(uid=uid, key=key):
            # RFC 7162 §3.2.10.2: not during a UID SEARCH that names sequence numbers either
            return uid and not names_seqs(key)
        case Esearch(key=key):
            return not names_seqs(key)
        case _:
            return True


@dataclass(frozen=True, slots=True)
class News:
    """What became of a mailbox since its view was last told."""

    uids: array[int]
    """The UIDs that are there now."""
    expunged: BitMap = field(default_factory=BitMap)
    """UIDs that left since."""
    flags: Iterable[tuple[int, bytes, int]] = ()
    """UID, flags (without parentheses) and MODSEQ of messages whose flags changed. Read once."""
    recent: int | None = None
    """How many messages are \\Recent, where the client is to be told (RFC 3501 §7.3.2)."""


class View:
    """The numbers that one client knows."""

    __slots__ = ("_held", "condstore", "exists", "qresync", "saved", "uidonly", "uids")

    def __init__(
        self, uids: array[int], *, condstore: bool = False, qresync: bool = False, uidonly: bool = False
    ) -> None:
        self.uids = uids
        self.exists = len(uids)
        """How many messages the client was told of. UIDs of the array beyond are not yet its business."""
        self.condstore = condstore
        """Whether MODSEQ goes with changed flags (RFC 7162 §3.1)."""
        self.qresync = qresync
        """Whether VANISHED is told in place of EXPUNGE (RFC 7162 §3.2.10)."""
        self.uidonly = uidonly
        """Whether the client is told no sequence number: UIDFETCH for FETCH, VANISHED for EXPUNGE (RFC 9586)."""
        self.saved = BitMap()
        """The UIDs that the last SEARCH saved: `$` (RFC 9051 §6.4.4.1)."""
        self._held = BitMap()

    # Numbers

    def seq_of(self, uid: int) -> int | None:
        """Return the sequence number of a UID, or None."""
        position = bisect_left(self.uids, uid, 0, self.exists)
        return position + 1 if position < self.exists and self.uids[position] == uid else None

    def uids_of(self, positions: Iterable[tuple[int, int]]) -> array[int]:
        """Return the UIDs at these positions."""
        found = array("I")
        for start, stop in positions:
            found += self.uids[start:stop]
        return found

    def positions(self, messages: SequenceSet, *, uid: bool) -> list[tuple[int, int]]:
        """Return the positions of what a command speaks of, as ascending ranges; what does not exist is left aside."""
        if uid:
            found = uids_to_positions(messages.ranges, self.uids, self.exists)
        else:
            found = seqs_to_positions(messages.ranges, self.exists)
        if messages.saved:
            return join([*found, *self.positions_of(self.saved)])
        return found

    def positions_of(self, uids: BitMap) -> list[tuple[int, int]]:
        """Return the positions of those of the UIDs that the client knows, as ascending ranges."""
        return uids_to_positions(tuple(runs(uids)), self.uids, self.exists)

    def names_only_known(self, messages: SequenceSet, *, uid: bool) -> bool:
        """Whether each sequence number of the set exists: else the command is BAD. UIDs that do not exist are fine."""
        return uid or not messages.ranges or is_within(messages.ranges, self.exists)

    @property
    def held(self) -> BitMap:
        """UIDs that are expunged and not yet told: they have numbers and no content."""
        return self._held

    # News

    def apply(self, news: News, *, expunges: bool) -> list[bytes]:
        """Take over what happened, and return the responses that tell the client of it.

        `expunges` says whether those may be told now. Order: changed flags by the numbers as they were,
        then what is gone, then how many there are.
        """
        told = list(self._tell_flags(news.flags))
        if news.uids is not self.uids:
            self._hold_expunged(news)
            if expunges or not self._held:
                told += self._tell_expunged()
                self.uids = news.uids
            else:
                self._extend(news.uids)
        if self.exists < len(self.uids):
            self.exists = len(self.uids)
            told.append(responses.exists(self.exists))
            if news.recent is not None:
                told.append(responses.recent(news.recent))
        return told

    def changed_flags(self, changed: Iterable[tuple[int, bytes, int]]) -> list[bytes]:
        """Return the responses that tell of changed flags and nothing else; see `News.flags`."""
        return list(self._tell_flags(changed))

    def _tell_flags(self, changed: Iterable[tuple[int, bytes, int]]) -> Iterator[bytes]:
        rows = self._rows(changed)
        form = self._changed_form
        while batch := list(islice(rows, BATCH)):
            yield form.encode(batch)

    @property
    def _changed_form(self) -> RowFormat:
        """The form in which the client is told of changed flags, with their MODSEQ if it wants to know it."""
        if self.uidonly:
            return _CHANGED_BY_UID_WITH_MODSEQ if self.condstore else _CHANGED_BY_UID
        return _CHANGED_WITH_MODSEQ if self.condstore else _CHANGED

    def _rows(self, changed: Iterable[tuple[int, bytes, int]]) -> Iterator[tuple[int | bytes, ...]]:
        condstore = self.condstore
        for uid, flags, modseq in changed:
            start = self.row_start(uid)
            if start:
                yield (*start, flags, modseq) if condstore else (*start, flags)

    def row_start(self, uid: int) -> tuple[int, ...]:
        """Return what begins a row about a message: its sequence number and UID, or its UID alone (RFC 9586 §3.3).

        Empty: the client was not told of it.
        """
        seq = self.seq_of(uid)
        if seq is None:
            return ()
        return (uid,) if self.uidonly else (seq, uid)

    def _hold_expunged(self, news: News) -> None:
        """Add to what is held back the messages that this view has and the mailbox has no more."""
        if not self.exists:
            return
        for start, stop in self.positions_of(news.expunged):
            self._held |= BitMap(self.uids[start:stop])
        last = self.uids[self.exists - 1]
        if bisect_right(news.uids, last) != self.exists - len(self._held):
            # The list of the expunged is not complete: the two arrays are the truth.
            self._held = BitMap(self.uids[: self.exists]) - BitMap(news.uids)

    def _tell_expunged(self) -> Iterator[bytes]:
        held, self._held = self._held, BitMap()
        if not held:
            return
        if self.qresync or self.uidonly:
            yield responses.vanished(held)
        else:
            positions = [at for start, stop in self.positions_of(held) for at in range(start, stop)]
            positions.reverse()  # From the last to the first: those still to be told keep their numbers.
            for first in range(0, len(positions), BATCH):
                yield b"".join([responses.expunge(at + 1) for at in positions[first : first + BATCH]])
        self.exists -= len(held)
        self.saved -= held

    def _extend(self, uids: array[int]) -> None:
        """Take over new messages into an array of our own, in which those that are held back keep their places."""
        fresh = uids[bisect_right(uids, self.uids[self.exists - 1]) :]
        if fresh or len(self.uids) > self.exists:
            self.uids = self.uids[: self.exists] + fresh
