"""LIST, LSUB and STATUS (RFC 9051 §6.3.9, §6.3.11; RFC 3501 §6.3.9).

LIST has selections and tells more: RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590.
"""

from __future__ import annotations

__all__ = ["list_", "lsub", "status"]

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hongyan.mailboxes.reach import Place, own_place
from hongyan.mailboxes.rights import Right, write_rights
from hongyan.servers.imap.listed import attributes_of, parents_of
from hongyan.servers.imap.noted import may_read_entries, read_entries, wanted_values
from hongyan.servers.imap.places import require_place
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.servers.imap.standing import status_line
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import List, ListReturn, ListSelect, Lsub, MetadataWish, Status, StatusItem
from hongyan.wire.imap.list_pattern import ListPattern
from hongyan.wire.imap.mailbox_name import OTHERS

_AT_ONCE = 500
"""Names that are looked at before other connections have their turn."""


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of an account: mailboxes, what is only implied by them, and subscriptions."""

    mailboxes: Mapping[str, Place]
    implied: frozenset[str]
    subscribed: frozenset[str]
    with_children: frozenset[str]
    above_subscribed: frozenset[str]


async def _read_names(session: ImapSession, patterns: Iterable[ListPattern]) -> _Names:
    """Read what the patterns may mean: the mailboxes of others only where one reaches into their tree."""
    store, viewer = session.services.mail.mailboxes, session.viewer
    mailboxes = {mailbox.name: own_place(viewer, mailbox) for mailbox in await store.list_mailboxes(session.account)}
    if any(pattern.may_match_below(OTHERS) for pattern in patterns):
        mailboxes |= {place.name: place for place in await session.services.shared.reach.list_others(viewer)}
    subscribed = frozenset(await store.list_subscriptions(session.account))
    parents = parents_of(mailboxes)
    return _Names(mailboxes, parents - mailboxes.keys(), subscribed, parents, parents_of(subscribed))


# -- LIST


def list_(session: ImapSession, command: List) -> Work | None:
    """Tell the mailboxes that match."""
    if command.patterns == ("",) and not command.extended:
        # RFC 9051 §6.3.9: an empty pattern asks for the delimiter and the root of the reference.
        session.send(responses.list_([b"\\Noselect"], "", utf8=session.utf8))
        session.done(command.tag, "Done.")
        return None
    return _list(session, command)


async def _list(session: ImapSession, command: List) -> None:
    patterns = [ListPattern(command.reference, pattern) for pattern in command.patterns]
    names = await _read_names(session, patterns)
    candidates = set(names.mailboxes) | names.implied
    if ListSelect.SUBSCRIBED in command.select:
        candidates |= names.subscribed
    for count, name in enumerate(sorted(candidates), start=1):
        if count % _AT_ONCE == 0:
            await session.connection.drain()
            await asyncio.sleep(0)
        if not any(pattern.matches(name) for pattern in patterns):
            continue
        is_chosen = _is_selected(command, names, name)
        childinfo = _childinfo(command, names, name)
        if not is_chosen and not childinfo:
            continue
        session.send(_line(session, command, names, name, childinfo))
        place = names.mailboxes.get(name)
        if place is not None and is_chosen:
            await _tell_more(session, command, place)
    session.done(command.tag, "Done.")


async def _tell_more(session: ImapSession, command: List, place: Place) -> None:
    """Tell what is asked for beside the mailbox's name and attributes, as far as the client may know it.

    Not of a mailbox that is only told for what is below it (RFC 5819 §2, RFC 8440 §4, RFC 9590 §4).
    """
    if command.status and Right.READ in place.rights:  # RFC 5819 §2, RFC 4314 §4
        session.send(await status_line(session, place, command.status))
    if ListReturn.MYRIGHTS in command.returns:
        session.send(responses.myrights(place.name, write_rights(place.rights), utf8=session.utf8))
    if command.metadata and may_read_entries(place):
        values, _longest = wanted_values(await read_entries(session, place), MetadataWish(command.metadata))
        session.send(responses.metadata(place.name, values.items(), utf8=session.utf8))


def _line(session: ImapSession, command: List, names: _Names, name: str, childinfo: list[bytes]) -> bytes:
    """Return the response for a name that matches."""
    wants_subscribed = ListReturn.SUBSCRIBED in command.returns or ListSelect.SUBSCRIBED in command.select
    attributes = attributes_of(
        names.mailboxes.get(name),
        has_children=name in names.with_children,
        is_subscribed=wants_subscribed and name in names.subscribed,
        rev2="IMAP4REV2" in session.enabled,
    )
    return responses.list_(attributes, name, utf8=session.utf8, childinfo=childinfo)


def _childinfo(command: List, names: _Names, name: str) -> list[bytes]:
    """Return which selections hold below a name, where the client wants to hear of those (RFC 5258 §3.5)."""
    is_above = ListSelect.RECURSIVEMATCH in command.select and name in names.above_subscribed
    return [b"SUBSCRIBED"] if is_above else []


def _is_selected(command: List, names: _Names, name: str) -> bool:
    mailbox = names.mailboxes.get(name)
    if not command.select - {ListSelect.REMOTE, ListSelect.RECURSIVEMATCH}:
        return mailbox is not None or name in names.implied
    if ListSelect.SUBSCRIBED in command.select and name not in names.subscribed:
        return False
    if ListSelect.SPECIAL_USE in command.select:
        # The Sent of somebody else is not where one's own goes.
        return mailbox is not None and mailbox.is_own and bool(mailbox.mailbox.special_use)
    return True


# -- LSUB


def lsub(session: ImapSession, command: Lsub) -> Work:
    """Tell the subscribed names that match."""
    return _lsub(session, command)


async def _lsub(session: ImapSession, command: Lsub) -> None:
    pattern = ListPattern(command.reference, command.pattern)
    names = await _read_names(session, [pattern])
    matching = {name for name in names.subscribed if pattern.matches(name)}
    # RFC 3501 §6.3.9: with % a parent that is not subscribed stands for what is subscribed below it.
    above = names.above_subscribed if "%" in command.pattern else ()
    parents = {name for name in above if pattern.matches(name)}
    for count, name in enumerate(sorted(matching | parents), start=1):
        if count % _AT_ONCE == 0:
            await session.connection.drain()
        attributes = [] if name in matching and name in names.mailboxes else [b"\\Noselect"]
        session.send(responses.lsub(attributes, name, utf8=session.utf8))
    session.done(command.tag, "Done.")


# -- STATUS


def status(session: ImapSession, command: Status) -> Work:
    """Tell how a mailbox stands."""
    return _status(session, command)


async def _status(session: ImapSession, command: Status) -> None:
    place = await require_place(session, command.mailbox, Right.READ)
    if StatusItem.HIGHESTMODSEQ in command.items:
        session.enable_condstore()  # RFC 7162 §3.1.8
    session.send(await status_line(session, place, command.items))
    session.done(command.tag, "Done.")
