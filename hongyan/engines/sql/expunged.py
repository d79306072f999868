"""What left mailboxes, for whoever was away: the log as far as it reaches back, and blocks of UIDs before that.

When the log is pruned its expunges are folded, in the same transaction, into one row for each mailbox and 4,096
positions of the log (decision 0031). Within such a block it is not known any more what left first: who asks from the
middle of it is told all, and what one knows to be gone it passes over (RFC 7162 §3.2.10).
"""

from __future__ import annotations

__all__ = ["expunged_since", "fold_expunges", "forget_expunges"]

from collections.abc import Iterable

from pyroaring import BitMap

from hongyan.engines.sql.units import Statement, Unit
from hongyan.errors import Corrupt, NotFound
from hongyan.store.changes import Expunged, decode_change
from hongyan.types import AccountId, MailboxId, ModSeq

_BLOCK_BITS = 12


def expunged_since(account: AccountId, mailbox: MailboxId, cursor: ModSeq) -> Unit[BitMap | None]:
    """Return the UIDs that left the mailbox after `cursor`, and maybe earlier ones; None if that is not known."""
    key = (account, mailbox)
    # The log first: what is folded meanwhile is then in both.
    entries = yield Statement(
        "SELECT entry FROM changes WHERE account_id = $1 AND mailbox_id = $2 AND modseq > $3", (*key, cursor)
    )
    blocks = yield Statement(
        "SELECT uids FROM expunged WHERE account_id = $1 AND mailbox_id = $2 AND block >= $3",
        (*key, cursor >> _BLOCK_BITS),
    )
    rows = yield Statement("SELECT expunges_floor FROM account_state WHERE account_id = $1", (account,))
    if not rows:
        raise NotFound("There is no such account.")
    if cursor < rows[0][0]:
        return None
    gone = BitMap()
    for (entry,) in entries:
        gone |= _expunged_by(entry)
    for (uids,) in blocks:
        gone |= _read(uids)
    return gone


def fold_expunges(account: AccountId, mailbox: MailboxId, entries: Iterable[tuple[int, bytes]]) -> Unit[None]:
    """Remember what left by these entries (MODSEQ, octets), which the log is about to lose."""
    blocks: dict[int, BitMap] = {}
    for modseq, entry in entries:
        gone = _expunged_by(entry)
        if gone:
            blocks.setdefault(modseq >> _BLOCK_BITS, BitMap()).update(gone)
    for block, gone in blocks.items():
        key = (account, mailbox, block)
        rows = yield Statement(
            "SELECT uids FROM expunged WHERE account_id = $1 AND mailbox_id = $2 AND block = $3", key
        )
        for (uids,) in rows:
            gone |= _read(uids)
        gone.run_optimize()
        yield Statement(
            "INSERT INTO expunged (account_id, mailbox_id, block, uids) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (account_id, mailbox_id, block) DO UPDATE SET uids = excluded.uids",
            (*key, gone.serialize()),
        )


def forget_expunges(account: AccountId, mailbox: MailboxId) -> Unit[None]:
    """The mailbox is gone, and nobody asks what left it."""
    yield Statement("DELETE FROM expunged WHERE account_id = $1 AND mailbox_id = $2", (account, mailbox))


def _expunged_by(entry: bytes) -> BitMap:
    if entry[:1] != b"X":  # most entries are of flags, and need not be read
        return BitMap()
    change = decode_change(entry)
    return change.uids if isinstance(change, Expunged) else BitMap()


def _read(octets: bytes) -> BitMap:
    try:
        return BitMap.deserialize(octets)
    except (ValueError, IndexError) as error:
        raise Corrupt(cause=f"what left a mailbox cannot be read: {error}") from error
