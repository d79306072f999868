"""How a mailbox stands, as STATUS tells it (RFC 9051 §7.3.2)."""

from __future__ import annotations

__all__ = ["status_line"]

from collections.abc import Sequence

from pyroaring import BitMap

from hongyan.mailboxes.object_ids import place_object_id
from hongyan.mailboxes.reach import Place
from hongyan.mailboxes.state import MailboxState
from hongyan.servers.imap.session import ImapSession
from hongyan.store.changes import uid_runs
from hongyan.store.messages import Column
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import StatusItem

_FROM_MEMORY = frozenset({StatusItem.UNSEEN, StatusItem.DELETED, StatusItem.DELETED_STORAGE})


async def status_line(session: ImapSession, place: Place, items: Sequence[StatusItem]) -> bytes:
    """Return the response that tells how a mailbox stands."""
    mailbox = place.mailbox
    values: dict[StatusItem, int | bytes | None] = {
        StatusItem.MESSAGES: mailbox.messages,
        StatusItem.RECENT: 0,
        StatusItem.UIDNEXT: mailbox.uidnext,
        StatusItem.UIDVALIDITY: mailbox.uidvalidity,
        StatusItem.SIZE: mailbox.octets,
        StatusItem.HIGHESTMODSEQ: max(mailbox.highestmodseq, 1),
        StatusItem.APPENDLIMIT: session.services.options.append_limit,
        StatusItem.MAILBOXID: place_object_id(place),
    }
    if not _FROM_MEMORY.isdisjoint(items):
        state = await session.services.mail.live.open(place.account, mailbox.mailbox_id)
        values[StatusItem.MESSAGES] = len(state)
        values[StatusItem.UNSEEN] = await _count_unseen(session, place, state)
        values[StatusItem.DELETED] = state.deleted()
        if StatusItem.DELETED_STORAGE in items:
            values[StatusItem.DELETED_STORAGE] = await _octets_of(session, place, state.with_flag(b"\\Deleted"))
    return responses.status(place.name, {item: values[item] for item in items}, utf8=session.utf8)


async def _count_unseen(session: ImapSession, place: Place, state: MailboxState) -> int:
    if place.is_own:
        return state.unseen()
    return await session.services.shared.views.count_unseen(session.account, place)


async def _octets_of(session: ImapSession, place: Place, uids: BitMap) -> int:
    """Return how much these messages take (RFC 9208 §4.3)."""
    if not uids:
        return 0
    messages = session.services.mail.messages
    mailbox = place.mailbox.mailbox_id
    rows = await messages.rows(place.account, mailbox, (Column.SIZE,), uid_runs(uids), limit=len(uids))
    return sum(row[0] for row in rows)
