"""Names of mailboxes: make, rename and delete them as a tree (RFC 9051 §6.3.4 to §6.3.6).

The separator is `/`. A parent is made together with its first child; a parent that is deleted leaves its children,
and its name then only shows where they hang (RFC 9051 §6.3.5). A subscription goes where its mailbox goes.
"""

from __future__ import annotations

__all__ = ["SEPARATOR", "BadName", "create_mailbox", "delete_mailbox", "rename_mailbox", "require_good_name"]

from collections.abc import Sequence

from pyroaring import BitMap

from hongyan.errors import AlreadyExists, NotFound, Refused
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.move import copy_messages
from hongyan.mailboxes.special_use import SPECIAL_USES
from hongyan.store.changes import LoggedChange, MailboxChanged
from hongyan.store.mailboxes import INBOX, Mailbox
from hongyan.types import AccountId, MailboxId, ModSeq
from hongyan.wire.imap.mailbox_name import DELIMITER, find_fault_of_new_name, normalize_name

SEPARATOR = DELIMITER


class BadName(Refused):
    """The name cannot be that of a mailbox."""


def require_good_name(name: str) -> str:
    """Return a new name as it is kept; the one hierarchy separator at its end that CREATE allows is dropped."""
    name = _kept(name)
    fault = find_fault_of_new_name(name)
    if fault is not None:
        raise BadName(f"{fault}.")
    return name


def _kept(name: str) -> str:
    """Return the spelling under which a mailbox is kept; what exists is found by any name."""
    return normalize_name(name.removesuffix(SEPARATOR))


async def create_mailbox(mail: Mail, account: AccountId, name: str, *, special_use: str = "") -> Mailbox:
    """Make a mailbox and the parents that it lacks. Raises `AlreadyExists`, `BadName`, `OverLimit`, `Refused`."""
    name = require_good_name(name)
    existing = await mail.mailboxes.list_mailboxes(account)
    names = {mailbox.name for mailbox in existing}
    if name in names:
        raise AlreadyExists("A mailbox of that name exists already.")
    if special_use and (special_use not in SPECIAL_USES or any(box.special_use == special_use for box in existing)):
        raise Refused("That special use cannot be given to this mailbox.")
    levels = name.split(SEPARATOR)
    for depth in range(1, len(levels)):
        parent = SEPARATOR.join(levels[:depth])
        if parent not in names:
            await _create(mail, account, parent, "")
    return await _create(mail, account, name, special_use)


async def _create(mail: Mail, account: AccountId, name: str, special_use: str) -> Mailbox:
    made = await mail.mailboxes.create_mailbox(account, name, special_use=special_use)
    await _follow(mail, account, "created", made.highestmodseq, [(made.mailbox_id, name)])
    return made


async def _follow(
    mail: Mail, account: AccountId, kind: str, last: ModSeq, names: Sequence[tuple[MailboxId, str]]
) -> None:
    """Take note of what was done to mailboxes by consecutive entries of the log, and tell those who wait."""
    first = last - len(names) + 1
    changes = [
        LoggedChange(ModSeq(first + n), mailbox, MailboxChanged(kind, name)) for n, (mailbox, name) in enumerate(names)
    ]
    await mail.live.follow(account, changes)


async def delete_mailbox(mail: Mail, account: AccountId, name: str) -> MailboxId:
    """Delete a mailbox with its messages. Raises `NotFound`, and `Refused` for INBOX."""
    name = _kept(name)
    if name == INBOX:
        raise Refused("INBOX cannot be deleted.")
    found = await mail.mailboxes.find_mailbox(account, name)
    if found is None:
        raise NotFound("There is no such mailbox.")
    modseq = await mail.mailboxes.delete_mailbox(account, found.mailbox_id)
    await _follow(mail, account, "deleted", modseq, [(found.mailbox_id, name)])
    return found.mailbox_id


async def rename_mailbox(mail: Mail, account: AccountId, name: str, new_name: str) -> None:
    """Give a mailbox and all below it another name; of INBOX the messages move and INBOX stays (RFC 9051 §6.3.6).

    Raises `NotFound`, `AlreadyExists`, `BadName`, `Refused`.
    """
    name, new_name = _kept(name), require_good_name(new_name)
    mailboxes = {mailbox.name: mailbox for mailbox in await mail.mailboxes.list_mailboxes(account)}
    below = name + SEPARATOR
    moving = [box for box in mailboxes.values() if box.name == name or box.name.startswith(below)]
    if not moving:
        raise NotFound("There is no such mailbox.")
    if new_name in mailboxes:
        raise AlreadyExists("A mailbox of that name exists already.")
    if new_name.startswith(below):
        raise Refused("A mailbox cannot be moved below itself.")
    if name == INBOX:
        await _empty_inbox(mail, account, mailboxes[INBOX].mailbox_id, new_name)
        return
    renamed = {box.name: require_good_name(new_name + box.name.removeprefix(name)) for box in moving}
    if not (mailboxes.keys() - renamed.keys()).isdisjoint(renamed.values()):
        raise AlreadyExists("A mailbox below the new name exists already.")
    parent, _, _ = new_name.rpartition(SEPARATOR)
    if parent and parent not in mailboxes:
        await create_mailbox(mail, account, parent)
    names = [(box.mailbox_id, renamed[box.name]) for box in moving]
    subscribed = [old for old in await mail.mailboxes.list_subscriptions(account) if old in renamed]
    for old in subscribed:
        await mail.mailboxes.subscribe(account, renamed[old], subscribed=True)
    last = await mail.mailboxes.rename_mailboxes(account, names)
    await _follow(mail, account, "renamed", last, names)
    for old in subscribed:
        await mail.mailboxes.subscribe(account, old, subscribed=False)
    mail.live.touched(account)


async def _empty_inbox(mail: Mail, account: AccountId, inbox: MailboxId, new_name: str) -> None:
    target = await create_mailbox(mail, account, new_name)
    state = await mail.live.open(account, inbox)
    await copy_messages(mail, account, state, BitMap(state.uids), target.mailbox_id, move=True)
