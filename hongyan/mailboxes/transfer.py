"""Copy and move between mailboxes of whomever: what somebody's rights allow, and whose `\\Seen` goes where."""

from __future__ import annotations

__all__ = ["MAX_CARRIED", "transfer_messages"]

from collections.abc import Callable, Iterable
from dataclasses import replace

from pyroaring import BitMap

from hongyan.errors import OverLimit
from hongyan.mailboxes.expunge import expunge
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.move import carry_messages, copy_messages
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import Right, keepable_flags
from hongyan.mailboxes.shared_mail import SharedMail
from hongyan.mailboxes.state import MailboxState
from hongyan.mailboxes.viewed import mark_seen
from hongyan.store.changes import Flag
from hongyan.store.messages import CopyResult
from hongyan.store.shares import Reached
from hongyan.types import AccountId

MAX_CARRIED = 5_000
"""Messages that one command carries from one account to another: they pass through memory."""

Keep = Callable[[Iterable[Flag]], Iterable[Flag]]
"""Which flags of the messages their copies have."""

_SEEN = b"\\Seen"


async def transfer_messages(
    mail: Mail,
    shared: SharedMail,
    viewer: AccountId,
    source: tuple[AccountId, MailboxState],
    uids: BitMap,
    target: Place,
    *,
    move: bool = False,
) -> CopyResult | None:
    """Copy or move what is there of the messages, as `source` shows them to the viewer; None when none is there.

    Within one account it is one unit of work; between two, the copy is safe before the source lets go.
    Raises `NotFound`, `OverQuota`, `OverLimit`, `TooManyKeywords`, `StorageFull`.
    """
    account, state = source
    seen = state.with_flag(_SEEN) & uids
    if account == target.account:
        owners = await mail.live.open(account, state.mailbox_id)
        keep = None if target.is_own else _within(target)
        done = await copy_messages(mail, account, owners, uids, target.mailbox.mailbox_id, move=move, keep=keep)
    else:
        if len(uids) > MAX_CARRIED:
            raise OverLimit(f"At most {MAX_CARRIED} messages go to another account at a time.")
        to = (target.account, target.mailbox.mailbox_id)
        done = await carry_messages(mail, shared.crossings, source, uids, to, _across(target))
        if done is not None and move:
            await expunge(mail, account, state.mailbox_id, BitMap(done.source_uids))
            done = replace(done, source_modseq=None)
    if done is not None and not target.is_own and Right.SEEN in target.rights:
        await _mark_copies(mail, shared, viewer, target, done, seen)
    return done


def _within(target: Place) -> Keep:
    """What stays on copies within the mailboxes of one owner: the owner's `\\Seen`, and what the viewer may set."""
    rights = target.rights | {Right.SEEN}
    return lambda flags: keepable_flags(flags, rights)


def _across(target: Place) -> Keep:
    """What goes along to another account: all to the viewer's own, to somebody else's what the viewer may set."""
    if target.is_own:
        return tuple
    rights = target.rights - {Right.SEEN}
    return lambda flags: keepable_flags(flags, rights)


async def _mark_copies(
    mail: Mail, shared: SharedMail, viewer: AccountId, target: Place, done: CopyResult, seen: BitMap
) -> None:
    """What the viewer has seen is seen where it is now."""
    copies = BitMap(done.first_uid + n for n, uid in enumerate(done.source_uids) if uid in seen)
    if copies:
        await mark_seen(mail, shared.shares, viewer, Reached(target.account, target.mailbox.mailbox_id), copies)
