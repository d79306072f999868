"""Which mailboxes a command is about, as NOTIFY and ESEARCH say it (RFC 5465 §6, RFC 7377 §2.2)."""

from __future__ import annotations

__all__ = ["MAX_NAMES", "read_filter", "read_names"]

from hongyan.wire.imap.commands.notify import MailboxFilter
from hongyan.wire.imap.cursor import Cursor

MAX_NAMES = 1000
"""Names of mailboxes in one command."""

_FILTERS = {one.value: one for one in MailboxFilter}


def read_filter(cursor: Cursor) -> MailboxFilter:
    """Read the word; what has names is followed by them."""
    # filter-mailboxes          = filter-mailboxes-selected / filter-mailboxes-other
    # filter-mailboxes-selected = "selected" / "selected-delayed"
    # filter-mailboxes-other    = "inboxes" / "personal" / "subscribed" / ( "subtree" SP one-or-more-mailbox ) /
    #                             ( "mailboxes" SP one-or-more-mailbox ) / ( "subtree-one" SP one-or-more-mailbox )
    word = cursor.read_word()
    chosen = _FILTERS.get(word)
    if chosen is None:
        cursor.fail(f"There are no mailboxes that are called {word[:40].decode('ascii')}")
    return chosen


def read_names(cursor: Cursor) -> tuple[str, ...]:
    """Read names of mailboxes, each told once."""
    # one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"
    if not cursor.take(b"("):
        return (cursor.read_mailbox(),)
    names = {cursor.read_mailbox(): None}
    while cursor.take(b" "):
        names[cursor.read_mailbox()] = None
        if len(names) > MAX_NAMES:
            cursor.fail(f"A command names at most {MAX_NAMES} mailboxes")
    cursor.require(b")", "Names stand in parentheses")
    return tuple(names)
