"""Mailboxes by the names that clients say, with the rights that a command needs (RFC 4314 §4); those just filled."""

from __future__ import annotations

__all__ = ["find_target", "require_place", "tell_standing"]

from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import Right
from hongyan.servers.imap.session import ImapSession
from hongyan.wire.imap import codes, responses


async def require_place(session: ImapSession, name: str, *rights: str) -> Place:
    """Return the mailbox. Raises `NotFound`, also where the client may not know of it, and `NoPermission`."""
    return await session.services.shared.reach.require(session.viewer, name, *rights)


async def find_target(session: ImapSession, name: str) -> Place | None:
    """Return a mailbox that messages may be put into, or None: there is none that the client may know of.

    Raises `NoPermission`.
    """
    place = await session.services.shared.reach.find(session.viewer, name)
    if place is None or (Right.INSERT not in place.rights and Right.LOOKUP not in place.rights):
        return None
    place.require(Right.INSERT)
    return place


def tell_standing(session: ImapSession, target: Place) -> None:
    """Tell the news, and a client that has put messages into its own selected mailbox where that stands now.

    New messages are told without a MODSEQ. Who keeps HIGHESTMODSEQ (RFC 7162) would else take its own messages for
    changes that others made, the next time that it asks what has changed. Dovecot tells it in the same way.
    """
    session.tell_news()
    selected, notified = session.selected, session.notified
    if not session.condstore or selected is None or not (notified is None or notified.hears_flags):
        return
    is_there = (selected.account, selected.state.mailbox_id) == (target.account, target.mailbox.mailbox_id)
    if is_there and selected.told is not None:
        session.send(responses.ok("Where the mailbox stands.", code=codes.highestmodseq(selected.told)))
