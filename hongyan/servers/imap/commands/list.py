"""LIST, LSUB and STATUS (RFC 9051 §6.3.9, §6.3.11; RFC 3501 §6.3.9; RFC 5258, RFC 5819, RFC 6154)."""

from __future__ import annotations

__all__ = ["list_", "lsub", "status"]

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from hongyan.errors import NotFound
from hongyan.servers.imap.object_ids import mailbox_object_id
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.changes import uid_runs
from hongyan.store.mailboxes import Mailbox
from hongyan.store.messages import Column
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import List, ListReturn, ListSelect, Lsub, Status, StatusItem
from hongyan.wire.imap.list_pattern import ListPattern
from hongyan.wire.imap.mailbox_name import DELIMITER

_FROM_MEMORY = frozenset({StatusItem.UNSEEN, StatusItem.DELETED, StatusItem.DELETED_STORAGE})
_AT_ONCE = 500
"""Names that are looked at before other connections have their turn."""


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of an account: mailboxes, what is only implied by them, and subscriptions."""

    mailboxes: Mapping[str, Mailbox]
    implied: frozenset[str]
    subscribed: frozenset[str]
    with_children: frozenset[str]
    above_subscribed: frozenset[str]


async def _read_names(session: ImapSession) -> _Names:
    store = session.services.mail.mailboxes
    mailboxes = {mailbox.name: mailbox for mailbox in await store.list_mailboxes(session.account)}
    subscribed = frozenset(await store.list_subscriptions(session.account))
    parents = _parents(mailboxes)
    return _Names(mailboxes, parents - mailboxes.keys(), subscribed, parents, _parents(subscribed))


def _parents(names: Iterable[str]) -> frozenset[str]:
    """Return the names under which these hang."""
    parents: set[str] = set()
    for name in names:
        parent = name.rpartition(DELIMITER)[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition(DELIMITER)[0]
    return frozenset(parents)


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
    names = await _read_names(session)
    patterns = [ListPattern(command.reference, pattern) for pattern in command.patterns]
    candidates = set(names.mailboxes) | names.implied
    if ListSelect.SUBSCRIBED in command.select:
        candidates |= names.subscribed
    for count, name in enumerate(sorted(candidates), start=1):
        if count % _AT_ONCE == 0:
            await session.connection.drain()
            await asyncio.sleep(0)
        if not any(pattern.matches(name) for pattern in patterns):
            continue
        line = _line(session, command, names, name)
        if line is None:
            continue
        session.send(line)
        mailbox = names.mailboxes.get(name)
        if command.status and mailbox is not None:
            session.send(await _status_line(session, mailbox, command.status))
    session.done(command.tag, "Done.")


def _line(session: ImapSession, command: List, names: _Names, name: str) -> bytes | None:
    """Return the response for a name that matches, or None if the selection leaves it out."""
    mailbox = names.mailboxes.get(name)
    childinfo: list[bytes] = []
    if command.select - {ListSelect.REMOTE, ListSelect.RECURSIVEMATCH}:
        chosen = _is_selected(command, names, name)
        if ListSelect.RECURSIVEMATCH in command.select and name in names.above_subscribed:
            childinfo.append(b"SUBSCRIBED")
        if not chosen and not childinfo:
            return None
    elif mailbox is None and name not in names.implied:
        return None
    attributes: list[bytes] = []
    if mailbox is None:
        # RFC 9051 §7.3.1: \NonExistent implies \Noselect, which older clients look for.
        attributes += [b"\\NonExistent"] if "IMAP4REV2" in session.enabled else [b"\\NonExistent", b"\\Noselect"]
    attributes.append(b"\\HasChildren" if name in names.with_children else b"\\HasNoChildren")
    wants_subscribed = ListReturn.SUBSCRIBED in command.returns or ListSelect.SUBSCRIBED in command.select
    if wants_subscribed and name in names.subscribed:
        attributes.append(b"\\Subscribed")
    if mailbox is not None and mailbox.special_use:
        attributes.append(mailbox.special_use.encode())
    return responses.list_(attributes, name, utf8=session.utf8, childinfo=childinfo)


def _is_selected(command: List, names: _Names, name: str) -> bool:
    mailbox = names.mailboxes.get(name)
    if ListSelect.SUBSCRIBED in command.select and name not in names.subscribed:
        return False
    return not (ListSelect.SPECIAL_USE in command.select and (mailbox is None or not mailbox.special_use))


# -- LSUB


def lsub(session: ImapSession, command: Lsub) -> Work:
    """Tell the subscribed names that match."""
    return _lsub(session, command)


async def _lsub(session: ImapSession, command: Lsub) -> None:
    names = await _read_names(session)
    pattern = ListPattern(command.reference, command.pattern)
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
    mailbox = await session.services.mail.mailboxes.find_mailbox(session.account, command.mailbox)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if StatusItem.HIGHESTMODSEQ in command.items:
        session.enable_condstore()  # RFC 7162 §3.1.8
    session.send(await _status_line(session, mailbox, command.items))
    session.done(command.tag, "Done.")


async def _status_line(session: ImapSession, mailbox: Mailbox, items: Sequence[StatusItem]) -> bytes:
    values: dict[StatusItem, int | bytes | None] = {
        StatusItem.MESSAGES: mailbox.messages,
        StatusItem.RECENT: 0,
        StatusItem.UIDNEXT: mailbox.uidnext,
        StatusItem.UIDVALIDITY: mailbox.uidvalidity,
        StatusItem.SIZE: mailbox.octets,
        StatusItem.HIGHESTMODSEQ: max(mailbox.highestmodseq, 1),
        StatusItem.APPENDLIMIT: session.services.options.append_limit,
        StatusItem.MAILBOXID: mailbox_object_id(mailbox.mailbox_id),
    }
    if not _FROM_MEMORY.isdisjoint(items):
        state = await session.services.mail.live.open(session.account, mailbox.mailbox_id)
        values[StatusItem.MESSAGES] = len(state)
        values[StatusItem.UNSEEN] = state.unseen()
        values[StatusItem.DELETED] = state.deleted()
        if StatusItem.DELETED_STORAGE in items:
            values[StatusItem.DELETED_STORAGE] = await _octets_of(session, mailbox, state.with_flag(b"\\Deleted"))
    return responses.status(mailbox.name, {item: values[item] for item in items}, utf8=session.utf8)


async def _octets_of(session: ImapSession, mailbox: Mailbox, uids: BitMap) -> int:
    """Return how much these messages take (RFC 9208 §4.3)."""
    if not uids:
        return 0
    messages = session.services.mail.messages
    rows = await messages.rows(session.account, mailbox.mailbox_id, (Column.SIZE,), uid_runs(uids), limit=len(uids))
    return sum(row[0] for row in rows)
