"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8, RFC 6154 §3)."""

from __future__ import annotations

__all__ = ["create", "delete", "rename", "subscribe", "unsubscribe"]

from hongyan.errors import OverLimit, Refused
from hongyan.mailboxes.hierarchy import (
    BadName,
    create_mailbox,
    delete_mailbox,
    rename_mailbox,
    require_good_name,
)
from hongyan.mailboxes.special_use import SPECIAL_USES
from hongyan.servers.imap.object_ids import mailbox_object_id
from hongyan.servers.imap.session import ImapSession, Work
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
    mail = session.services.mail
    try:
        made = await create_mailbox(mail, session.account, command.mailbox, special_use=use)
    except Refused as refused:
        is_use = use and not isinstance(refused, BadName)
        session.no(command.tag, refused.sentence, code=codes.USEATTR if is_use else codes.CANNOT)
        return
    if command.oldname is not None:
        session.send(responses.list_([], made.name, utf8=session.utf8, oldname=command.oldname))
    session.done(command.tag, "Created.", code=codes.mailboxid(mailbox_object_id(made.mailbox_id)))


def delete(session: ImapSession, command: Delete) -> Work:
    """Delete a mailbox."""
    return _delete(session, command)


async def _delete(session: ImapSession, command: Delete) -> None:
    selected = session.selected
    gone = await delete_mailbox(session.services.mail, session.account, command.mailbox)
    if selected is not None and selected.state.mailbox_id == gone:
        session.unselect()
    session.done(command.tag, "Deleted.")


def rename(session: ImapSession, command: Rename) -> Work:
    """Give a mailbox another name."""
    return _rename(session, command)


async def _rename(session: ImapSession, command: Rename) -> None:
    await rename_mailbox(session.services.mail, session.account, command.mailbox, command.new_mailbox)
    if command.oldname is not None:
        session.send(responses.list_([], command.new_mailbox, utf8=session.utf8, oldname=command.oldname))
    session.done(command.tag, "Renamed.")


def subscribe(session: ImapSession, command: Subscribe) -> Work:
    """Put a name on the list of subscriptions."""
    return _subscribe(session, command)


async def _subscribe(session: ImapSession, command: Subscribe) -> None:
    """The mailbox need not be there (RFC 9051 §6.3.7), but one of that name might be."""
    store, account, name = session.services.mail.mailboxes, session.account, command.mailbox
    if await store.find_mailbox(account, name) is None:
        name = require_good_name(name)
        if len(await store.list_subscriptions(account)) >= MAX_SUBSCRIPTIONS:
            raise OverLimit("There are as many subscriptions as there may be.")
    await store.subscribe(account, name, subscribed=True)
    session.done(command.tag, "Subscribed.")


def unsubscribe(session: ImapSession, command: Unsubscribe) -> Work:
    """Take a name off the list of subscriptions."""
    return _unsubscribe(session, command)


async def _unsubscribe(session: ImapSession, command: Unsubscribe) -> None:
    await session.services.mail.mailboxes.subscribe(session.account, command.mailbox, subscribed=False)
    session.done(command.tag, "Unsubscribed.")
