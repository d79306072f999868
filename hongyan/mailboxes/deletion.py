"""What becomes of messages that a mail program deletes: the account says so (`accounts.settings.Deleted`).

A message that is in another mailbox too just leaves this one: many programs move by a copy, `\\Deleted` and
EXPUNGE, and what they moved, to Trash or elsewhere, is not to be there twice. Only the last one of its email is looked
after. From Trash and Junk messages go for good; from Drafts, too, for programs save a draft anew every few minutes.
"""

from __future__ import annotations

__all__ = ["delete"]

from typing import Final

from pyroaring import BitMap

from hongyan.accounts.settings import Deleted
from hongyan.errors import Conflict
from hongyan.mailboxes.append import require_keywords
from hongyan.mailboxes.expunge import expunge
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.move import copied_changes
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Expunged, LoggedChange
from hongyan.store.mailboxes import Mailbox
from hongyan.store.messages import Discarding
from hongyan.types import AccountId, MailboxId

_AT_ONCE: Final = 2_000
_TRIES: Final = 10
_FINAL: Final = ("\\Trash", "\\Junk", "\\Drafts")
_GOES_TO: Final = {Deleted.EXPUNGE: (), Deleted.TRASH: ("\\Trash",), Deleted.KEEP: ("\\Archive", "\\Trash")}


async def delete(mail: Mail, account: AccountId, state: MailboxState, uids: BitMap, way: Deleted) -> int:
    """Take messages out of a mailbox of the account as it wishes; return how many were still there.

    Where there is no mailbox for what is thrown away, they go. Raises `NotFound`, `TooManyKeywords`, `StorageFull`.
    """
    target = None if way is Deleted.EXPUNGE else await _find_target(mail, account, state.mailbox_id, way)
    if target is None:
        return len(await expunge(mail, account, state.mailbox_id, uids))
    gone = 0
    for at in range(0, len(uids), _AT_ONCE):  # in several steps, so that others have their turn
        gone += await _discard(mail, account, state, uids[at : at + _AT_ONCE], target)
    return gone


async def _find_target(mail: Mail, account: AccountId, source: MailboxId, way: Deleted) -> MailboxId | None:
    mailboxes = await mail.mailboxes.list_mailboxes(account)
    by_use: dict[str, Mailbox] = {mailbox.special_use: mailbox for mailbox in mailboxes if mailbox.special_use}
    if any(use in by_use and by_use[use].mailbox_id == source for use in _FINAL):
        return None
    there = (by_use[use].mailbox_id for use in _GOES_TO[way] if use in by_use)
    return next((mailbox for mailbox in there if mailbox != source), None)


async def _discard(mail: Mail, account: AccountId, state: MailboxState, uids: BitMap, target: MailboxId) -> int:
    for _attempt in range(_TRIES):
        there = BitMap()
        for start, stop in state.position_runs(uids):
            there |= BitMap(state.uids[start:stop])
        if not there:
            return 0
        flags = state.flags_of(there)
        flags.pop(b"\\Deleted", None)  # It would be hidden in its new place, or go with the next EXPUNGE there.
        await require_keywords(mail, account, target, flags)
        try:
            done = await mail.messages.discard(account, state.mailbox_id, there, flags, target)
        except Conflict:
            await mail.live.catch_up(account)
            continue
        await mail.live.follow(account, _changes(done, state.mailbox_id, flags, target))
        return len(there)
    raise Conflict(cause="the messages change faster than they can be moved")


def _changes(
    done: Discarding, source: MailboxId, flags: dict[bytes, BitMap], target: MailboxId
) -> tuple[LoggedChange, ...]:
    changes: list[LoggedChange] = []
    if done.moved is not None:
        moved = BitMap(done.moved.source_uids)
        had = {flag: having & moved for flag, having in flags.items() if having & moved}
        changes += copied_changes(done.moved, source, moved, had, target)
    if done.removed is not None and done.removed.modseq is not None:
        changes.append(LoggedChange(done.removed.modseq, source, Expunged(done.removed.uids)))
    return tuple(changes)
