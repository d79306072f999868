"""FETCH (RFC 9051 §6.4.5): what is asked for is compiled once, then rows stream by.

Flags, UIDs and MODSEQs come from the mailbox in memory, columns from rows in batches, sections from blobs by the
ranges of the outline. `\\Seen` is set for all messages in one change at the end.
"""

from __future__ import annotations

__all__ = ["fetch"]


from pyroaring import BitMap

from hongyan.mailboxes.flags import FlagAction
from hongyan.servers.imap import resync
from hongyan.servers.imap.fetch_plan import FetchPlan, compile_plan
from hongyan.servers.imap.fetch_rows import (
    Runs,
    memory_rows,
    tell_at_hand,
    tell_memory_rows,
    tell_rows,
    tell_sections,
)
from hongyan.servers.imap.marking import mark_selected
from hongyan.servers.imap.message_limit import answer, find_message_limit
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Fetch
from hongyan.wire.imap.search import Partial

_AT_ONCE = 2000  # rows that are made from memory without giving way


def fetch(session: ImapSession, command: Fetch) -> Work | None:
    """Tell what is asked for of each message."""
    selected = session.require_selected()
    if command.uid:
        session.tell_arrivals(command.messages)
    if not selected.view.names_only_known(command.messages, uid=command.uid):
        session.bad(command.tag, "There is no message of that number.")
        return None
    if command.vanished and not session.qresync:
        session.bad(command.tag, "VANISHED needs QRESYNC: say ENABLE QRESYNC first.")  # RFC 7162 §3.2.6
        return None
    if command.changedsince is not None:
        session.enable_condstore()
    if command.vanished:
        return _fetch_with_vanished(session, selected, command)
    return _fetch_chosen(session, selected, command)


async def _fetch_with_vanished(session: ImapSession, selected: Selected, command: Fetch) -> None:
    """Tell first what left of the UIDs that are named (RFC 7162 §3.2.6)."""
    since = command.changedsince or 0
    gone = await resync.find_vanished(session.services.changes, selected.account, selected.state, since)
    view = selected.view
    numbered = BitMap(view.uids_of(view.positions_of(gone)))
    session.tell_news()  # What the client still has a number for is told as VANISHED without EARLIER.
    named = resync.vanished_within(command.messages, selected.state.uidnext)
    if command.messages.saved:
        named |= selected.view.saved
    session.send(responses.vanished((gone - numbered) & named, earlier=True))
    work = _fetch_chosen(session, selected, command)
    if work is not None:
        await work


def _fetch_chosen(session: ImapSession, selected: Selected, command: Fetch) -> Work | None:
    plan = compile_plan(
        command.items,
        uid=command.uid,
        modseq=command.changedsince is not None,
        utf8=session.utf8,
        by_uid=session.uidonly,
    )
    if plan.tells_modseq:
        session.enable_condstore()
    runs = _chosen(selected, command)
    count = sum(stop - start for start, stop in runs)
    limit = find_message_limit(session)
    if limit and count > limit:
        return _fetch_newest(session, selected, command, plan, runs, limit)
    if plan.is_from_memory:
        told = count <= _AT_ONCE
        for octets in memory_rows(selected, plan, runs) if told else ():
            session.send(octets)
    else:
        told = tell_at_hand(session, selected, plan, runs)
    if told and not plan.marks_seen:
        _finish(session, selected, command)
        return None
    return _fetch(session, selected, command, plan, runs, told=told)


def _fetch_newest(
    session: ImapSession, selected: Selected, command: Fetch, plan: FetchPlan, runs: Runs, limit: int
) -> Work | None:
    """Tell of as many as the limit lets through, from the newest down (RFC 9738 §3.1)."""
    if command.partial is not None:  # the client has chosen how many itself
        session.no(command.tag, f"FETCH tells of {limit} messages at most.", code=codes.messagelimit(limit))
        return None
    runs = _part(runs, Partial(-1, -limit))
    limited = codes.messagelimit(limit, selected.view.uids[runs[0][0]])
    return _fetch(session, selected, command, plan, runs, told=False, limited=limited)


def _chosen(selected: Selected, command: Fetch) -> Runs:
    """Return the positions of the view that are meant."""
    runs = selected.positions(command.messages, uid=command.uid)
    if command.changedsince is not None:
        runs = resync.changed_within(selected, command.changedsince, runs)
    return runs if command.partial is None else _part(runs, command.partial)


def _part(runs: Runs, partial: Partial) -> Runs:
    """Return the messages from `first` to `last` of those that are meant (RFC 9394 §3.3)."""
    start, stop = partial.slice_of(sum(stop - start for start, stop in runs))
    part: Runs = []
    at = 0
    for first, last in runs:
        low, high = max(first, first + start - at), min(last, first + stop - at)
        if low < high:
            part.append((low, high))
        at += last - first
    return part


async def _fetch(
    session: ImapSession,
    selected: Selected,
    command: Fetch,
    plan: FetchPlan,
    runs: Runs,
    *,
    told: bool,
    limited: bytes = b"",
) -> None:
    """Tell, unless that is done, and mark what was read. `limited`: the newest first, and why these are not all."""
    newest_first = bool(limited)
    if told:
        pass
    elif plan.is_from_memory:
        await tell_memory_rows(session, selected, plan, runs, newest_first=newest_first)
    elif plan.sections:
        if not await tell_sections(session, selected, plan, runs, newest_first=newest_first):
            session.tell_news(expunge=command.uid)
            session.no(command.tag, "A part has an encoding that is not known.", code=codes.UNKNOWN_CTE)
            return
    else:
        await tell_rows(session, selected, plan, runs, newest_first=newest_first)
    if plan.marks_seen and not selected.read_only:
        await _mark_seen(session, selected, runs)
    _finish(session, selected, command, limited)


def _finish(session: ImapSession, selected: Selected, command: Fetch, limited: bytes = b"") -> None:
    session.tell_news(expunge=command.uid)
    held = selected.view.held
    asked = selected.uids(selected.positions(command.messages, uid=command.uid)) if held else held
    if not asked & held:
        answer(session, command.tag, "Done.", limited)
    elif asked - held:
        # RFC 2180 §4.1.2, RFC 5530 §3: what is there was told.
        answer(session, command.tag, "Some of the messages are expunged.", limited, code=codes.EXPUNGEISSUED)
    else:
        session.no(command.tag, "The messages are expunged.", code=codes.EXPUNGEISSUED)


async def _mark_seen(session: ImapSession, selected: Selected, runs: Runs) -> None:
    """Mark what was read; the news that follow tell the flags (RFC 9051 §6.4.5)."""
    done = await mark_selected(session, selected, selected.uids(runs), FlagAction.ADD, (b"\\Seen",))
    selected.marked(done.modseq)
