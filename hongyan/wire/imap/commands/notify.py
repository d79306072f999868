"""NOTIFY: which events of which mailboxes a client is told of without asking (RFC 5465)."""

from __future__ import annotations

__all__ = ["EventGroup", "EventName", "MailboxFilter", "Notify"]

from dataclasses import dataclass
from enum import Enum

from hongyan.wire.imap.fetch import FetchItem


class EventName(Enum):
    """What may happen, RFC 5465 §5, of what is told here. The value is how it is written."""

    MESSAGE_NEW = b"MessageNew"
    MESSAGE_EXPUNGE = b"MessageExpunge"
    FLAG_CHANGE = b"FlagChange"
    MAILBOX_NAME = b"MailboxName"
    SUBSCRIPTION_CHANGE = b"SubscriptionChange"
    MAILBOX_METADATA_CHANGE = b"MailboxMetadataChange"
    SERVER_METADATA_CHANGE = b"ServerMetadataChange"


class MailboxFilter(Enum):
    """Which mailboxes a group of events is about, RFC 5465 §6."""

    SELECTED = b"SELECTED"
    SELECTED_DELAYED = b"SELECTED-DELAYED"
    INBOXES = b"INBOXES"
    PERSONAL = b"PERSONAL"
    SUBSCRIBED = b"SUBSCRIBED"
    SUBTREE = b"SUBTREE"
    SUBTREE_ONE = b"SUBTREE-ONE"  # RFC 7377 §2.2: not in NOTIFY
    MAILBOXES = b"MAILBOXES"

    @property
    def is_selected(self) -> bool:
        """Whether it is the selected mailbox that is meant, whichever that is."""
        return self in (MailboxFilter.SELECTED, MailboxFilter.SELECTED_DELAYED)

    @property
    def has_names(self) -> bool:
        """Whether names of mailboxes go with it."""
        return self in (MailboxFilter.SUBTREE, MailboxFilter.SUBTREE_ONE, MailboxFilter.MAILBOXES)


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Events of some mailboxes; no events where the client says NONE.

    `names` goes with SUBTREE and MAILBOXES, `items` with MessageNew of the selected mailbox: what is told of each
    new message.
    """

    filter: MailboxFilter
    events: frozenset[EventName]
    names: tuple[str, ...] = ()
    items: tuple[FetchItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify:
    """NOTIFY, RFC 5465 §3.1. Without groups it is NOTIFY NONE. `status`: tell first how the mailboxes stand."""

    tag: bytes
    groups: tuple[EventGroup, ...] = ()
    status: bool = False
