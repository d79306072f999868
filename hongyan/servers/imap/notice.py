"""What a NOTIFY asks for: which events of which mailboxes (RFC 5465 §5, §6)."""

from __future__ import annotations

__all__ = ["MESSAGES", "Notice", "Notices"]

from collections.abc import Container, Iterator
from typing import Protocol

from pyroaring import BitMap

from hongyan.mailboxes.picture import Picture
from hongyan.mailboxes.reach import Place, is_others_name
from hongyan.mailboxes.watches import Wishes
from hongyan.servers.imap.intake import Work
from hongyan.wire.imap.commands import EventGroup, EventName, MailboxFilter
from hongyan.wire.imap.fetch import FetchItem
from hongyan.wire.imap.mailbox_name import DELIMITER

MESSAGES = frozenset({EventName.MESSAGE_NEW, EventName.MESSAGE_EXPUNGE, EventName.FLAG_CHANGE})
_NOTES = frozenset({EventName.MAILBOX_METADATA_CHANGE, EventName.SERVER_METADATA_CHANGE})


class Notices(Protocol):
    """What a session that has said NOTIFY is told, and when."""

    @property
    def hears_selected(self) -> bool: ...
    @property
    def hears_flags(self) -> bool: ...
    def speak(self) -> Work | None: ...
    async def carried_out(self, command: object) -> None: ...
    def made(self, uids: BitMap) -> None: ...
    def selection_changed(self) -> None: ...
    async def tell_until(self, picture: Picture) -> None: ...
    def end(self) -> None: ...


class Notice:
    """The events that a client wants, of the selected mailbox and of others."""

    __slots__ = ("_others", "is_immediate", "items", "selected_events")

    def __init__(self, groups: tuple[EventGroup, ...]) -> None:
        selected = next((group for group in groups if group.filter.is_selected), None)
        self.selected_events = frozenset[EventName]() if selected is None else selected.events
        self.is_immediate = selected is not None and selected.filter is MailboxFilter.SELECTED
        """Whether what is expunged is told while no command is in progress too."""
        self.items: tuple[FetchItem, ...] = () if selected is None else selected.items
        self._others = [
            (group.filter, frozenset(group.names), group.events)
            for group in groups
            if group.events and not group.filter.is_selected
        ]

    @property
    def looks_elsewhere(self) -> bool:
        """Whether anything but the selected mailbox is of interest."""
        return bool(self._others)

    @property
    def wishes(self) -> Wishes:
        """What the client has to be told from."""
        return Wishes(
            others=any(self._may_mean_others()),
            notes=any(not events.isdisjoint(_NOTES) for _, _, events in self._others),
        )

    def _may_mean_others(self) -> Iterator[bool]:
        for chosen, names, _events in self._others:
            yield chosen is MailboxFilter.SUBSCRIBED or any(map(is_others_name, names))

    @property
    def wants_server_notes(self) -> bool:
        """Whether entries of the server are of interest: that is an event of the user, whatever the mailboxes."""
        return any(EventName.SERVER_METADATA_CHANGE in events for _, _, events in self._others)

    def events_of(self, name: str, subscribed: Container[str]) -> frozenset[EventName]:
        """Return what is of interest of a mailbox that is not selected: each group that means it adds its events.

        To which mailboxes mail is delivered is the users' own choice: INBOXES means what PERSONAL does (§6.3).
        """
        found: frozenset[EventName] = frozenset()
        for chosen, names, events in self._others:
            match chosen:
                case MailboxFilter.MAILBOXES:
                    meant = name in names
                case MailboxFilter.SUBTREE:
                    meant = not names.isdisjoint(_with_parents(name))
                case MailboxFilter.SUBSCRIBED:
                    meant = name in subscribed
                case _:
                    meant = not is_others_name(name)
            if meant:
                found |= events
        return found

    def message_events_of(self, place: Place, subscribed: Container[str]) -> frozenset[EventName]:
        """Return those of the events that are about messages."""
        return self.events_of(place.name, subscribed) & MESSAGES


def _with_parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(DELIMITER)[0]
