"""NOTIFY (RFC 5465 §3.1)."""

from __future__ import annotations

__all__ = ["notify"]

from collections.abc import Iterator

from hongyan.mailboxes.picture import Picture
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import Right
from hongyan.servers.imap.notice import Notice
from hongyan.servers.imap.notified import Notified
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.servers.imap.standing import status_line
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import EventName, Notify, StatusItem


def notify(session: ImapSession, command: Notify) -> Work | None:
    """Say from now on what the client wants to hear, or nothing."""
    notified = Notified(session, Notice(command.groups))
    if notified.notice.looks_elsewhere:
        return _notify(session, command, notified)
    if command.groups:
        session.tell_news(asked=True)  # as NOOP does
    session.notify(notified)
    notified.selection_changed()
    session.ok(command.tag, "Done.")
    return None


async def _notify(session: ImapSession, command: Notify, notified: Notified) -> None:
    picture = await notified.begin()
    watched = list(_watched(notified.notice, picture))
    if len(watched) > session.services.options.notify_mailboxes:
        notified.end()
        session.no(command.tag, "Those are more mailboxes than you can be told of.", code=codes.NOTIFICATIONOVERFLOW)
        return
    session.tell_news(asked=True)
    if session.notified is not None:
        await session.notified.tell_until(picture)
    session.notify(notified)
    notified.selection_changed()
    for place, events in watched:
        if Right.READ not in place.rights:
            session.send(responses.list_([b"\\NoAccess"], place.name, utf8=session.utf8))
        elif command.status and not _is_selected(session, place):
            session.send(await status_line(session, place, _items(events)))
            await session.connection.drain()
    session.ok(command.tag, "Done.")


def _watched(notice: Notice, picture: Picture) -> Iterator[tuple[Place, frozenset[EventName]]]:
    """Yield the mailboxes of whose messages the client hears."""
    for place in picture.places.values():
        events = notice.message_events_of(place, picture.subscribed)
        if events:
            yield place, events


def _is_selected(session: ImapSession, place: Place) -> bool:
    selected = session.selected
    return selected is not None and (selected.account, selected.state.mailbox_id) == (
        place.account,
        place.mailbox.mailbox_id,
    )


def _items(events: frozenset[EventName]) -> tuple[StatusItem, ...]:
    items = (StatusItem.MESSAGES, StatusItem.UIDNEXT, StatusItem.UIDVALIDITY)
    return (*items, StatusItem.HIGHESTMODSEQ) if EventName.FLAG_CHANGE in events else items
