"""Copy and move messages between mailboxes of one account (RFC 9051 §6.4.7, §6.4.8)."""

from __future__ import annotations

__all__ = ["copy_messages"]

from pyroaring import BitMap

from hongyan.errors import Conflict
from hongyan.mailboxes.append import require_keywords
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Appended, Expunged, Flag, LoggedChange
from hongyan.store.messages import CopyResult
from hongyan.types import AccountId, MailboxId

_TRIES = 10


async def copy_messages(
    mail: Mail,
    account: AccountId,
    source: MailboxState,
    uids: BitMap,
    target: MailboxId,
    *,
    move: bool = False,
) -> CopyResult | None:
    """Put those of the messages that are there into `target` too, or instead; None when none is there.

    All are copied or none. Flags and dates go with them. Raises `NotFound`, `OverQuota`, `TooManyKeywords`,
    `StorageFull`.
    """
    for _attempt in range(_TRIES):
        there = BitMap()
        for start, stop in source.position_runs(uids):
            there |= BitMap(source.uids[start:stop])
        if not there:
            return None
        flags = source.flags_of(there)
        await require_keywords(mail, account, target, flags)
        try:
            done = await mail.messages.copy(account, source.mailbox_id, there, flags, target, move=move)
        except Conflict:
            await mail.live.catch_up(account)
            continue
        await mail.live.follow(account, _changes(done, source.mailbox_id, there, flags, target))
        return done
    raise Conflict(cause="the messages change faster than they can be copied")


def _changes(
    done: CopyResult, source: MailboxId, uids: BitMap, flags: dict[Flag, BitMap], target: MailboxId
) -> list[LoggedChange]:
    """Return the entries of the log that the copy has written."""
    count = len(done.source_uids)
    if flags:
        order = {uid: done.first_uid + n for n, uid in enumerate(done.source_uids)}
        flags = {flag: BitMap([order[uid] for uid in having]) for flag, having in flags.items()}
    changes = [LoggedChange(done.modseq, target, Appended(done.first_uid, count, flags))]
    if done.source_modseq is not None:
        changes.append(LoggedChange(done.source_modseq, source, Expunged(uids)))
    return changes
