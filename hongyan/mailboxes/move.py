"""Copy and move messages between mailboxes (RFC 9051 §6.4.7, §6.4.8).

Within an account that is one unit of work. Between two accounts it is two, for a unit never spans them: the copy is
safe in the target's before the source's lets go. What breaks off between them has left the messages in both.
"""

from __future__ import annotations

__all__ = ["carry_messages", "copied_changes", "copy_messages"]

from collections.abc import Callable, Iterable

from pyroaring import BitMap

from hongyan.errors import Conflict
from hongyan.mailboxes.append import require_keywords
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Appended, Expunged, Flag, LoggedChange
from hongyan.store.crossings import CrossingStore
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
    keep: Callable[[Iterable[Flag]], Iterable[Flag]] | None = None,
) -> CopyResult | None:
    """Put those of the messages that are there into `target` too, or instead; None when none is there.

    All are copied or none. Dates go with them, and flags, or those that `keep` says. Raises `NotFound`, `OverQuota`,
    `TooManyKeywords`, `StorageFull`.
    """
    for _attempt in range(_TRIES):
        there = BitMap()
        for start, stop in source.position_runs(uids):
            there |= BitMap(source.uids[start:stop])
        if not there:
            return None
        flags = source.flags_of(there)
        if keep is not None:
            flags = {flag: flags[flag] for flag in keep(list(flags))}
        await require_keywords(mail, account, target, flags)
        try:
            done = await mail.messages.copy(account, source.mailbox_id, there, flags, target, move=move)
        except Conflict:
            await mail.live.catch_up(account)
            continue
        await mail.live.follow(account, copied_changes(done, source.mailbox_id, there, flags, target))
        return done
    raise Conflict(cause="the messages change faster than they can be copied")


async def carry_messages(
    mail: Mail,
    crossings: CrossingStore,
    source: tuple[AccountId, MailboxState],
    uids: BitMap,
    target: tuple[AccountId, MailboxId],
    keep: Callable[[Iterable[Flag]], Iterable[Flag]],
) -> CopyResult | None:
    """Put those of the messages that are there into a mailbox of another account; None when none is there.

    `keep` says which flags go with them. All are copied or none, and nothing leaves the source: to move is to
    expunge there, once this has returned. Raises as `copy_messages` does.
    """
    (owner, state), (account, mailbox) = source, target
    for _attempt in range(_TRIES):
        there = BitMap()
        for start, stop in state.position_runs(uids):
            there |= BitMap(state.uids[start:stop])
        if not there:
            return None
        having = state.flags_of(there)
        flags = {flag: having[flag] for flag in keep(list(having))}
        await require_keywords(mail, account, mailbox, flags)
        try:
            taken = await crossings.take(owner, state.mailbox_id, there)
        except Conflict:
            await mail.live.catch_up(owner)
            continue
        done = await crossings.bring(account, mailbox, taken, flags, int(mail.clock.timestamp()))
        await mail.live.follow(account, copied_changes(done, state.mailbox_id, there, flags, mailbox))
        return done
    raise Conflict(cause="the messages change faster than they can be copied")


def copied_changes(
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
