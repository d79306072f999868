"""Remove messages from a mailbox; what remembers them is the log (RFC 7162 §3.2.7)."""

from __future__ import annotations

__all__ = ["expunge", "expunged_since"]

from pyroaring import BitMap

from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import ChangeStore, Expunged, LoggedChange
from hongyan.types import AccountId, MailboxId, ModSeq

_AT_ONCE = 2_000


async def expunge(mail: Mail, account: AccountId, mailbox: MailboxId, uids: BitMap) -> BitMap:
    """Remove those of the messages that are there, and return their UIDs once that is on stable storage.

    A great many are removed in several steps, so that other accounts need not wait for all of them.
    """
    gone = BitMap()
    for at in range(0, len(uids), _AT_ONCE):
        part = uids if len(uids) <= _AT_ONCE else uids[at : at + _AT_ONCE]
        done = await mail.messages.expunge(account, mailbox, part)
        if done.modseq is not None:
            await mail.live.follow(account, (LoggedChange(done.modseq, mailbox, Expunged(done.uids)),))
        gone |= done.uids
    return gone


async def expunged_since(changes: ChangeStore, account: AccountId, state: MailboxState, cursor: ModSeq) -> BitMap:
    """Return UIDs that are not in the mailbox any more, those that left after `cursor` at least.

    Where the log does not reach back to `cursor` they are all that the mailbox ever gave (RFC 7162 §3.2.5.2).
    """
    if cursor >= await changes.log_floor(account):
        gone = BitMap()
        for logged in await changes.changes_of_mailbox(account, state.mailbox_id, cursor):
            if isinstance(logged.change, Expunged):
                gone |= logged.change.uids
        if cursor >= await changes.log_floor(account):  # Nothing was pruned while we read.
            return gone
    return BitMap(range(1, state.uidnext)) - BitMap(state.uids)
