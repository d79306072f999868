"""Remove messages from a mailbox; what remembers them is the log (RFC 7162 §3.2.7)."""

from __future__ import annotations

__all__ = ["expunge", "expunged_since"]

from pyroaring import BitMap

from hongyan.mailboxes.mail import Mail
from hongyan.store.changes import ChangeStore, Expunged, LoggedChange
from hongyan.types import AccountId, MailboxId, ModSeq


async def expunge(mail: Mail, account: AccountId, mailbox: MailboxId, uids: BitMap) -> BitMap:
    """Remove those of the messages that are there, and return their UIDs once that is on stable storage."""
    if not uids:
        return uids
    done = await mail.messages.expunge(account, mailbox, uids)
    if done.modseq is not None:
        mail.live.committed(account, (LoggedChange(done.modseq, mailbox, Expunged(done.uids)),))
    return done.uids


async def expunged_since(changes: ChangeStore, account: AccountId, mailbox: MailboxId, cursor: ModSeq) -> BitMap:
    """Return the UIDs that left the mailbox after `cursor`."""
    gone = BitMap()
    for logged in await changes.changes_of_mailbox(account, mailbox, cursor):
        if isinstance(logged.change, Expunged):
            gone |= logged.change.uids
    return gone
