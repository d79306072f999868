"""Remove messages from a mailbox; what left it is remembered (RFC 7162 §3.2.7)."""

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
    """Return UIDs that are not in the mailbox any more: those that left after `cursor`, and maybe earlier ones.

    Where some are forgotten, they are all that the mailbox ever gave and has not (RFC 7162 §3.2.5.2). What leaves
    while this waits may be missing, and what is not yet taken out of `state` is not told.
    """
    gone = await changes.expunged_since(account, state.mailbox_id, cursor)
    return (BitMap(range(1, state.uidnext)) if gone is None else gone) - BitMap(state.uids)
