"""QRESYNC: what a client that was away has missed, in proportion to what happened (RFC 7162 §3.2).

The log tells what left, the mailbox in memory what has changed; both are brought to the same moment, and from then on
the news go on where this ends.
"""

from __future__ import annotations

__all__ = ["changed_within", "find_vanished", "missed", "vanished_within"]

from collections.abc import Iterator

from pyroaring import BitMap

from hongyan.mailboxes.expunge import expunged_since
from hongyan.mailboxes.state import MailboxState
from hongyan.servers.imap.selected import Selected
from hongyan.store.changes import ChangeStore
from hongyan.types import AccountId, ModSeq
from hongyan.wire.imap.commands import Qresync
from hongyan.wire.imap.sequence import STAR, SequenceSet


async def find_vanished(changes: ChangeStore, account: AccountId, state: MailboxState, cursor: int) -> BitMap:
    """Return what left the mailbox after `cursor`, and maybe before, up to where `state` stands when this returns."""
    known, at = state.uids, state.modseq
    count = len(known)
    gone = await expunged_since(changes, account, state, ModSeq(cursor))
    # What left while the log was read.
    return (gone | state.delta_since(at, known, count).expunged) - BitMap(state.uids)


def missed(selected: Selected, asked: Qresync, gone: BitMap) -> tuple[BitMap, list[tuple[int, int]]]:
    """Return what is to be told as VANISHED (EARLIER), and the positions of what has changed since.

    Both only of messages that the client holds (RFC 7162 §3.2.5.1, §3.2.5.2).
    """
    gone = _without_what_is_known(selected, asked, gone)
    runs = [(0, selected.view.exists)] if selected.view.exists else []
    if asked.known_uids is not None:
        gone &= vanished_within(asked.known_uids, selected.state.uidnext)
        runs = selected.positions(asked.known_uids, uid=True)
    return gone, changed_within(selected, asked.modseq, runs)


def changed_within(selected: Selected, since: int, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the positions of the view, of those given, that have changed after a MODSEQ (RFC 7162 §3.1.4.1)."""
    state = selected.state
    changed = BitMap(
        state.uids[at]
        for start, stop in state.position_runs(selected.uids(runs))
        for at in state.changed_since(ModSeq(since), start, stop)
    )
    return selected.view.positions_of(changed)


def vanished_within(messages: SequenceSet, uidnext: int) -> BitMap:
    """Return the UIDs that a set names, whether or not they exist; `*` is the last that the mailbox gave."""
    named = BitMap()
    last = uidnext - 1
    for first, second in messages.ranges:
        low, high = sorted((last if first == STAR else first, last if second == STAR else second))
        named.add_range(low, min(high, last) + 1)
    return named


def _without_what_is_known(selected: Selected, asked: Qresync, gone: BitMap) -> BitMap:
    """Leave out what the client has noticed itself, as far as its sequence numbers agree with ours (§3.2.5.2).

    Nothing comes in between messages. So where the same UID has the same number on both sides, nothing before it left.
    """
    if asked.known_seqs is None or asked.known_seq_uids is None:
        return gone
    agreed, uids = 0, selected.view.uids
    for seq, uid in zip(_numbers(asked.known_seqs), _numbers(asked.known_seq_uids), strict=True):
        if seq > selected.view.exists or uids[seq - 1] != uid:
            break
        agreed = max(agreed, uid)
    return gone - BitMap(range(1, agreed + 1))


def _numbers(numbers: SequenceSet) -> Iterator[int]:
    for first, last in numbers.ranges:
        yield from range(min(first, last), max(first, last) + 1)
