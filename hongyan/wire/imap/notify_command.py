"""NOTIFY, from octets to a value (RFC 5465 §8)."""

from __future__ import annotations

__all__ = ["MAX_GROUPS", "read_notify"]

from hongyan.wire.imap import codes
from hongyan.wire.imap.commands.notify import EventGroup, EventName, MailboxFilter, Notify
from hongyan.wire.imap.cursor import Cursor
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.fetch import FetchItem, read_fetch_items
from hongyan.wire.imap.mailbox_filter import MAX_NAMES, read_filter, read_names

MAX_GROUPS = 50
"""Groups of events of one NOTIFY: each is held against every mailbox."""

_EVENTS = {event.value.upper(): event for event in EventName}
_ABOUT_MESSAGES = frozenset({EventName.MESSAGE_NEW, EventName.MESSAGE_EXPUNGE, EventName.FLAG_CHANGE})


def read_notify(cursor: Cursor, tag: bytes) -> Notify:
    # notify       = "NOTIFY" SP (notify-set / notify-none)
    # notify-set   = "SET" [SP "STATUS"] SP event-groups
    # event-groups = event-group *(SP event-group)
    cursor.space()
    match cursor.read_word():
        case b"NONE":
            cursor.end()
            return Notify(tag)
        case b"SET":
            pass
        case _:
            cursor.fail("NOTIFY is followed by SET or NONE")
    cursor.space()
    status = cursor.peek() != b"("
    if status:
        if cursor.read_word() != b"STATUS":
            cursor.fail("NOTIFY SET is followed by STATUS or by groups of events")
        cursor.space()
    groups = [_read_group(cursor)]
    while cursor.take(b" "):
        groups.append(_read_group(cursor))
        if len(groups) > MAX_GROUPS:
            cursor.fail(f"NOTIFY has at most {MAX_GROUPS} groups of events")
    cursor.end()
    if sum(group.filter.is_selected for group in groups) > 1:
        cursor.fail("SELECTED or SELECTED-DELAYED stands in one group")  # RFC 5465 §6.1
    if sum(len(group.names) for group in groups) > MAX_NAMES:
        cursor.fail(f"NOTIFY names at most {MAX_NAMES} mailboxes")
    return Notify(tag, tuple(groups), status)


def _read_group(cursor: Cursor) -> EventGroup:
    # event-group = "(" filter-mailboxes SP events ")"
    cursor.require(b"(", "A group of events stands in parentheses")
    chosen = read_filter(cursor)
    if chosen is MailboxFilter.SUBTREE_ONE:
        cursor.fail("NOTIFY knows no SUBTREE-ONE")
    cursor.space()
    names: tuple[str, ...] = ()
    if chosen.has_names:
        names = read_names(cursor)
        cursor.space()
    events, items = _read_events(cursor, chosen)
    cursor.require(b")", "A group of events ends with )")
    _require_together(cursor, events)
    return EventGroup(chosen, events, names, items)


def _read_events(cursor: Cursor, chosen: MailboxFilter) -> tuple[frozenset[EventName], tuple[FetchItem, ...]]:
    # events = ("(" event *(SP event) ")") / "NONE"
    # The example of RFC 5465 §3.1 has no parentheses around its events: they are read so too.
    enclosed = cursor.take(b"(")
    events: set[EventName] = set()
    items: tuple[FetchItem, ...] = ()
    word = cursor.read_word()
    if word == b"NONE" and not enclosed:
        return frozenset(), ()
    while True:
        event = _EVENTS.get(word)
        if event is None:
            # RFC 5465 §3.1: an event that is not known is refused with NO and those that are.
            raise CommandFault(
                "An event is not known here", status=b"NO", code=codes.badevent(event.value for event in EventName)
            )
        if chosen.is_selected and event not in _ABOUT_MESSAGES:
            cursor.fail("Of the selected mailbox there are only events of messages")  # RFC 5465 §6.1
        events.add(event)
        if event is EventName.MESSAGE_NEW and cursor.octets.startswith(b" (", cursor.at):
            if not chosen.is_selected:
                cursor.fail("What is told of new messages goes with SELECTED only")  # RFC 5465 §8, message-event
            cursor.space()
            items = read_fetch_items(cursor)
        if not cursor.take(b" "):
            break
        word = cursor.read_word()
    if enclosed:
        cursor.require(b")", "Events stand in parentheses")
    return frozenset(events), items


def _require_together(cursor: Cursor, events: frozenset[EventName]) -> None:
    """Whoever hears of new messages hears of those that go, and who hears of flags of both (RFC 5465 §5)."""
    both = {EventName.MESSAGE_NEW, EventName.MESSAGE_EXPUNGE}
    if not events.isdisjoint(_ABOUT_MESSAGES) and not both <= events:
        cursor.fail("MessageNew and MessageExpunge go together, and FlagChange with both")
