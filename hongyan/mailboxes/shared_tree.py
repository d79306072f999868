"""Make, rename and delete mailboxes in whoever's tree, as far as rights go (RFC 4314 §4).

To make a mailbox needs `k` on the nearest one above it, to rename one `x` on it and on all below it and `k` where it
goes, to delete one `x`. At the root of an account only its owner makes mailboxes. A new one has the grants of the one
above it. Nothing goes from one account's tree to another's.
"""

from __future__ import annotations

__all__ = ["create_anywhere", "delete_anywhere", "rename_anywhere"]

from collections.abc import Mapping

from hongyan.errors import Refused
from hongyan.mailboxes.hierarchy import SEPARATOR, create_mailbox, delete_mailbox, rename_mailbox, require_good_name
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.reach import Place, Viewer, is_others_name
from hongyan.mailboxes.rights import NoPermission, Right
from hongyan.mailboxes.shared_mail import SharedMail
from hongyan.store.mailboxes import INBOX, Mailbox
from hongyan.types import AccountId, MailboxId

_NOT_THERE = "You may not make a mailbox there."


async def create_anywhere(
    mail: Mail, shared: SharedMail, viewer: Viewer, name: str, *, special_use: str = ""
) -> tuple[AccountId, Mailbox]:
    """Make a mailbox and return whose it is. Raises `NoPermission` and what `create_mailbox` raises."""
    owner, inner = await _require_root(shared, viewer, name)
    if owner != viewer.account:
        if special_use:
            raise Refused("That special use cannot be given to this mailbox.")
        await _require_creating(shared, viewer, name)
    before = {box.name: box for box in await mail.mailboxes.list_mailboxes(owner)}
    made = await create_mailbox(mail, owner, inner, special_use=special_use)
    await _inherit(mail, shared, owner, before, made.name)
    return owner, made


async def _inherit(mail: Mail, shared: SharedMail, owner: AccountId, before: Mapping[str, Mailbox], name: str) -> None:
    """Give the mailboxes that were made on the way to `name` what is granted to the one above them."""
    levels = name.split(SEPARATOR)
    above = next(
        (before[path] for end in range(len(levels) - 1, 0, -1) if (path := SEPARATOR.join(levels[:end])) in before),
        None,
    )
    if above is None or not await shared.shares.list_grants(owner, above.mailbox_id):
        return
    for end in range(1, len(levels) + 1):
        path = SEPARATOR.join(levels[:end])
        fresh = None if path in before else await mail.mailboxes.find_mailbox(owner, path)
        if fresh is not None:
            await shared.sharing.inherit(owner, above.mailbox_id, fresh.mailbox_id)


async def _require_root(shared: SharedMail, viewer: Viewer, name: str) -> tuple[AccountId, str]:
    root = await shared.reach.find_root(viewer, name)
    if root is None or (is_others_name(name) and not root[1]):
        raise NoPermission(_NOT_THERE)
    return root


async def _require_creating(shared: SharedMail, viewer: Viewer, name: str) -> None:
    """Require `k` on the nearest mailbox above. Where there is none, or none that is known of, it is refused alike."""
    parent = name.removesuffix(SEPARATOR).rpartition(SEPARATOR)[0]
    while is_others_name(parent):
        place = await shared.reach.find(viewer, parent)
        if place is not None:
            if Right.CREATE in place.rights:
                return
            break
        parent = parent.rpartition(SEPARATOR)[0]
    raise NoPermission(_NOT_THERE)


async def delete_anywhere(mail: Mail, shared: SharedMail, viewer: Viewer, name: str) -> tuple[AccountId, MailboxId]:
    """Delete a mailbox and return which it was. Raises `NotFound`, `NoPermission`, and `Refused` for an INBOX."""
    if not is_others_name(name):
        return viewer.account, await delete_mailbox(mail, viewer.account, name)
    place = await shared.reach.require(viewer, name, Right.DELETE_MAILBOX)
    return place.account, await delete_mailbox(mail, place.account, place.mailbox.name)


async def rename_anywhere(mail: Mail, shared: SharedMail, viewer: Viewer, name: str, new_name: str) -> None:
    """Give a mailbox and all below it another name. Raises what `rename_mailbox` raises, and `NoPermission`."""
    if not is_others_name(name) and not is_others_name(new_name):
        await rename_mailbox(mail, viewer.account, name, new_name)
        return
    place = await shared.reach.require(viewer, name, Right.DELETE_MAILBOX)
    owner, inner = await _require_root(shared, viewer, new_name)
    if owner != place.account:
        raise Refused("A mailbox cannot go to another account; its messages can.")
    if not place.is_own:
        await _require_renaming(mail, shared, viewer, place, new_name)
    await rename_mailbox(mail, owner, place.mailbox.name, require_good_name(inner))


async def _require_renaming(mail: Mail, shared: SharedMail, viewer: Viewer, place: Place, new_name: str) -> None:
    if place.mailbox.name == INBOX:
        raise Refused("Only its owner can empty an INBOX by renaming it.")
    await _require_creating(shared, viewer, new_name)
    below = place.mailbox.name + SEPARATOR
    inferiors = [
        box.mailbox_id for box in await mail.mailboxes.list_mailboxes(place.account) if box.name.startswith(below)
    ]
    if not inferiors:
        return
    for found in await shared.reach.list_some(viewer, place.account, inferiors):
        if Right.DELETE_MAILBOX not in found.rights:
            raise NoPermission("You may not rename all that is below this mailbox.")
