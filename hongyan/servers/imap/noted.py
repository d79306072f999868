"""What is noted about a mailbox, as a client may see it: whose entries those are, and who may set them."""

from __future__ import annotations

__all__ = ["CONTACT", "may_read_entries", "read_entries", "topics_of", "wanted_values"]

from collections.abc import Mapping

from hongyan.mailboxes.annotations import PRIVATE, SHARED, choose_entries
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.rights import Right
from hongyan.servers.imap.session import ImapSession
from hongyan.store.annotations import EVERYBODY, SERVER_NOTES, Topic
from hongyan.wire.imap.commands import Depth, MetadataWish

_READING = frozenset({Right.READ, Right.SEEN, Right.WRITE, Right.INSERT, Right.POST})
"""One of these is needed with `l` to see and set entries (RFC 5464 §3.3)."""

CONTACT = "/shared/admin"
"""Where on the server its administrators are to be found: told by us, and set by nobody (RFC 5464 §3.2.1.1)."""


def topics_of(session: ImapSession, place: Place | None) -> dict[str, Topic]:
    """Return where the entries of a mailbox, or of the server, are kept: what is private is with who noted it."""
    account = session.account
    if place is None:
        return {
            PRIVATE: Topic(account, account, SERVER_NOTES),
            SHARED: Topic(EVERYBODY, EVERYBODY, SERVER_NOTES),
        }
    mailbox = place.mailbox.mailbox_id
    return {PRIVATE: Topic(account, place.account, mailbox), SHARED: Topic(place.account, place.account, mailbox)}


def may_read_entries(place: Place) -> bool:
    """Whether somebody who may look a mailbox up may see and set its entries too."""
    return not place.rights.isdisjoint(_READING)


async def read_entries(session: ImapSession, place: Place | None) -> dict[str, bytes]:
    """Return all entries of a mailbox or of the server."""
    entries = await session.services.annotations.read(topics_of(session, place))
    if place is None:  # RFC 5321 §4.5.1: postmaster is there in every domain.
        entries[CONTACT] = f"mailto:postmaster@{session.viewer.address.domain}".encode()
    return entries


def wanted_values(entries: Mapping[str, bytes], wish: MetadataWish) -> tuple[dict[str, bytes | None], int]:
    """Return the values that are wanted, and how large the largest is that was left out for MAXSIZE.

    An entry that is asked for by its own name and is not there is told as NIL.
    """
    values: dict[str, bytes | None] = {}
    longest = 0
    for asked in wish.entries:
        chosen = choose_entries(entries, asked, wish.depth)
        if not chosen and wish.depth is Depth.ENTRY:
            values[asked] = None
        for name in chosen:
            if wish.maxsize is not None and len(entries[name]) > wish.maxsize:
                longest = max(longest, len(entries[name]))
            else:
                values[name] = entries[name]
    return values, longest
