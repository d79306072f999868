"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8, RFC 6154 §3)."""

from __future__ import annotations

__all__ = ["create", "delete", "rename", "subscribe", "unsubscribe"]

from hongyan.errors import OverLimit, Refused
from hongyan.mailboxes.hierarchy import BadName, require_good_name
from hongyan.mailboxes.object_ids import place_object_id
from hongyan.mailboxes.reach import Place, is_others_name
from hongyan.mailboxes.rights import ALL_RIGHTS, NoPermission, Right
from hongyan.mailboxes.shared_tree import create_anywhere, delete_anywhere, rename_anywhere
from hongyan.mailboxes.special_use import SPECIAL_USES
from hongyan.servers.imap.places import require_place
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.mailboxes import MailboxProperties
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Create, Delete, Rename, Subscribe, Unsubscribe

MAX_SUBSCRIPTIONS = 20_000
"""Names on an account's list; those of mailboxes that are there are always taken."""

_USES = {use.lower(): use for use in SPECIAL_USES}


def create(session: ImapSession, command: Create) -> Work | None:
    """Make a mailbox."""
    uses = [_USES.get(use.lower()) for use in command.special_uses]
    if len(uses) > 1 or None in uses:
        session.no(command.tag, "A mailbox cannot have that special use here.", code=codes.USEATTR)
        return None
    return _create(session, command, uses[0] or "" if uses else "")


async def _create(session: ImapSession, command: Create, use: str) -> None:
    mail, shared = session.services.mail, session.services.shared
    try:
        owner, made = await create_anywhere(mail, shared, session.viewer, command.mailbox, special_use=use)
    except NoPermission:
        raise
    except Refused as refused:
        is_use = use and not isinstance(refused, BadName)
        session.no(command.tag, refused.sentence, code=codes.USEATTR if is_use else codes.CANNOT)
        return
    name = made.name if owner == session.account else command.mailbox
    if command.oldname is not None:
        session.send(responses.list_([], name, utf8=session.utf8, oldname=command.oldname))
    place = Place(owner, made, name, ALL_RIGHTS, is_own=owner == session.account)
    session.done(command.tag, "Created.", code=codes.mailboxid(place_object_id(place)))


def delete(session: ImapSession, command: Delete) -> Work:
    """Delete a mailbox."""
    return _delete(session, command)


async def _delete(session: ImapSession, command: Delete) -> None:
    selected = session.selected
    services = session.services
    gone = await delete_anywhere(services.mail, services.shared, session.viewer, command.mailbox)
    if selected is not None and (selected.account, selected.state.mailbox_id) == gone:
        session.unselect()
    session.done(command.tag, "Deleted.")


def rename(session: ImapSession, command: Rename) -> Work:
    """Give a mailbox another name."""
    return _rename(session, command)


async def _rename(session: ImapSession, command: Rename) -> None:
    services = session.services
    await rename_anywhere(services.mail, services.shared, session.viewer, command.mailbox, command.new_mailbox)
    if command.oldname is not None:
        session.send(responses.list_([], command.new_mailbox, utf8=session.utf8, oldname=command.oldname))
    session.done(command.tag, "Renamed.")


def subscribe(session: ImapSession, command: Subscribe) -> Work:
    """Put a name on the list of subscriptions."""
    return _subscribe(session, command)


async def _subscribe(session: ImapSession, command: Subscribe) -> None:
    """The mailbox need not be there (RFC 9051 §6.3.7), but one of that name might be."""
    store, account, name = session.services.mail.mailboxes, session.account, command.mailbox
    if is_others_name(name):
        # RFC 4314 §4: what may not be looked up is not subscribed to, as what is not there.
        name = (await require_place(session, name, Right.LOOKUP)).name
    elif await _mark_subscribed(session, name, subscribed=True):
        session.done(command.tag, "Subscribed.")
        return
    else:
        name = require_good_name(name)
        if len(await store.list_subscriptions(account)) >= MAX_SUBSCRIPTIONS:
            raise OverLimit("There are as many subscriptions as there may be.")
    await store.subscribe(account, name, subscribed=True)
    session.services.mail.live.touched(account)
    session.done(command.tag, "Subscribed.")


def unsubscribe(session: ImapSession, command: Unsubscribe) -> Work:
    """Take a name off the list of subscriptions."""
    return _unsubscribe(session, command)


async def _unsubscribe(session: ImapSession, command: Unsubscribe) -> None:
    mail = session.services.mail
    if not await _mark_subscribed(session, command.mailbox, subscribed=False):
        await mail.mailboxes.subscribe(session.account, command.mailbox, subscribed=False)
        mail.live.touched(session.account)
    session.done(command.tag, "Unsubscribed.")


async def _mark_subscribed(session: ImapSession, name: str, *, subscribed: bool) -> bool:
    """Mark a mailbox of the account itself, by an entry of the log; JMAP tells of it (RFC 8621 §2)."""
    mail, account = session.services.mail, session.account
    found = await mail.mailboxes.find_mailbox(account, name)
    if found is None:
        return False
    if found.subscribed != subscribed:
        wanted = MailboxProperties(subscribed=subscribed)
        await mail.live.follow(account, [await mail.mailboxes.change_properties(account, found.mailbox_id, wanted)])
    return True
