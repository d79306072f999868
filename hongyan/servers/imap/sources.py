"""Which mailboxes a search of several is about, and each of them as it is looked into (RFC 7377 §2.2).

A mailbox that the client names needs the right `r`, one that is found for it `l` and `r`. What is not there, may not
be looked into, or goes away meanwhile is left out: the answer is the same for all three.
"""

from __future__ import annotations

__all__ = ["find_sources", "looked_into"]

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from hongyan.errors import Conflict, NotFound
from hongyan.mailboxes.reach import Place, is_others_name, own_place
from hongyan.mailboxes.rights import NoPermission, Right
from hongyan.servers.imap.places import require_place
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession
from hongyan.types import AccountId, MailboxId
from hongyan.wire.imap.commands import MailboxFilter, Source
from hongyan.wire.imap.mailbox_name import DELIMITER

_Key = tuple[AccountId, MailboxId]


def _key(place: Place) -> _Key:
    return place.account, place.mailbox.mailbox_id


# -- which


async def find_sources(session: ImapSession, sources: Sequence[Source]) -> Sequence[Place]:
    """Return the mailboxes, each once, by name."""
    reached = await _read_reached(session, sources)
    found: dict[_Key, Place] = {}
    for source in sources:
        for place in await _places_of(session, source, reached):
            if Right.READ in place.rights:
                found.setdefault(_key(place), place)
    return sorted(found.values(), key=lambda place: place.name)


async def _read_reached(session: ImapSession, sources: Sequence[Source]) -> Mapping[str, Place]:
    """Return the session's own mailboxes, and those of others that may be looked up if the search reaches to them."""
    own = await session.services.mail.mailboxes.list_mailboxes(session.account)
    reached = {mailbox.name: own_place(session.viewer, mailbox) for mailbox in own}
    if any(map(_may_mean_others, sources)):
        reached |= {place.name: place for place in await session.services.shared.reach.list_others(session.viewer)}
    return reached


def _may_mean_others(source: Source) -> bool:
    if source.filter is MailboxFilter.MAILBOXES:
        return False  # those are asked for one by one, as they need not be looked up
    return source.filter is MailboxFilter.SUBSCRIBED or any(map(is_others_name, source.names))


async def _places_of(session: ImapSession, source: Source, reached: Mapping[str, Place]) -> Iterable[Place]:
    match source.filter:
        case MailboxFilter.SELECTED:
            return await _place_of_selected(session, reached)
        case MailboxFilter.MAILBOXES:
            reach, viewer = session.services.shared.reach, session.viewer
            named = [reached.get(name) or await reach.find(viewer, name) for name in source.names]
            return filter(None, named)
        case MailboxFilter.SUBTREE | MailboxFilter.SUBTREE_ONE:
            roots, is_deep = frozenset(source.names), source.filter is MailboxFilter.SUBTREE
            return [place for name, place in reached.items() if _is_within(name, roots, is_deep=is_deep)]
        case MailboxFilter.SUBSCRIBED:
            subscribed = await session.services.mail.mailboxes.list_subscriptions(session.account)
            return [reached[name] for name in subscribed if name in reached]
        case _:
            # To which mailboxes mail is delivered is the users' own choice: INBOXES means what PERSONAL does.
            return [place for place in reached.values() if place.is_own]


async def _place_of_selected(session: ImapSession, reached: Mapping[str, Place]) -> Iterable[Place]:
    """Return the selected mailbox, by the name that it has now."""
    selected = session.require_selected()
    account, mailbox = selected.account, selected.state.mailbox_id
    if selected.place.is_own:
        return [place for place in reached.values() if _key(place) == (account, mailbox)]
    return await session.services.shared.reach.list_some(session.viewer, account, [mailbox])


def _is_within(name: str, roots: frozenset[str], *, is_deep: bool) -> bool:
    """Whether a mailbox is one of the roots or below one: however deep, or next to it."""
    if name in roots:
        return True
    parent = name.rpartition(DELIMITER)[0]
    while is_deep and parent and parent not in roots:
        parent = parent.rpartition(DELIMITER)[0]
    return parent in roots


# -- one of them


@contextlib.asynccontextmanager
async def looked_into(session: ImapSession, place: Place) -> AsyncIterator[Selected | None]:
    """Hold a mailbox as a client that examines it would see it; None: it is not there any more, or not for it.

    The selected one is held as the client knows it.
    """
    selected = session.selected
    if selected is not None and (selected.account, selected.state.mailbox_id) == _key(place):
        yield None if selected.is_gone else selected
        return
    held = await _open(session, place)
    try:
        yield held
    finally:
        if held is not None:
            held.leave(session.services.mail.live, session.services.shared.views)


async def _open(session: ImapSession, place: Place) -> Selected | None:
    live = session.services.mail.live
    account, mailbox = _key(place)
    try:
        state = await live.open(account, mailbox)
    except NotFound:
        return None
    live.pin(account, mailbox)
    try:
        if place.is_own:
            return Selected(place, state, None, read_only=True, condstore=False)
        # The rights are read once more: from here on each change of them is felt.
        looked = await require_place(session, place.name, Right.READ)
        if _key(looked) != _key(place):
            raise Conflict(cause="the name has become that of another mailbox")
        viewed = await session.services.shared.views.open(session.viewer, looked)
        return Selected(looked, viewed.state, viewed, read_only=True, condstore=False)
    except (NotFound, NoPermission, Conflict):
        live.unpin(account, mailbox)
        return None
    except BaseException:
        live.unpin(account, mailbox)
        raise
