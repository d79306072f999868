"""FETCH (RFC 9051 §6.4.5): what is asked for is compiled once, then rows stream by.

Flags, UIDs and MODSEQs come from the mailbox in memory, columns from rows in batches, sections from blobs by the
ranges of the outline. `\\Seen` is set for all messages in one change at the end.
"""

from __future__ import annotations

__all__ = ["fetch"]

from collections.abc import AsyncIterator, Iterator, Sequence

from pyroaring import BitMap

from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.servers.imap.fetch_large import Unreadable
from hongyan.servers.imap.fetch_plan import FetchPlan, compile_plan
from hongyan.servers.imap.fetch_sections import SectionReader
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.messages import Row
from hongyan.types import ModSeq
from hongyan.wire.imap import codes
from hongyan.wire.imap.commands import Fetch
from hongyan.wire.imap.encoder import FlagRows
from hongyan.wire.imap.search import Partial

_AT_ONCE = 2000  # rows that are made from memory in one go
_BATCH = 256

Runs = list[tuple[int, int]]


def fetch(session: ImapSession, command: Fetch) -> Work | None:
    """Tell what is asked for of each message."""
    selected = session.require_selected()
    if command.uid:
        session.tell_arrivals(command.messages)
    if not selected.view.names_only_known(command.messages, uid=command.uid):
        session.bad(command.tag, "There is no message of that number.")
        return None
    if command.vanished:
        session.bad(command.tag, "VANISHED needs QRESYNC, which is not offered.")  # RFC 7162 §3.2.6
        return None
    if command.changedsince is not None:
        session.enable_condstore()
    plan = compile_plan(command.items, uid=command.uid, modseq=command.changedsince is not None, utf8=session.utf8)
    if plan.tells_modseq:
        session.enable_condstore()
    runs = _chosen(selected, command)
    count = sum(stop - start for start, stop in runs)
    if plan.is_from_memory and count <= _AT_ONCE:
        for octets in _memory_rows(selected, plan, runs):
            session.send(octets)
        _finish(session, selected, command)
        return None
    return _fetch(session, selected, command, plan, runs)


def _chosen(selected: Selected, command: Fetch) -> Runs:
    """Return the positions of the view that are meant."""
    runs = selected.positions(command.messages, uid=command.uid)
    if command.changedsince is not None:
        runs = _changed(selected, command.changedsince, runs)
    return runs if command.partial is None else _part(runs, command.partial)


def _changed(selected: Selected, changedsince: int, runs: Runs) -> Runs:
    """Return those that have changed after a MODSEQ (RFC 7162 §3.1.4.1)."""
    state, since = selected.state, ModSeq(changedsince)
    changed = BitMap(
        state.uids[at]
        for start, stop in state.position_runs(selected.uids(runs))
        for at in state.changed_since(since, start, stop)
    )
    return selected.view.positions_of(changed)


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


async def _fetch(session: ImapSession, selected: Selected, command: Fetch, plan: FetchPlan, runs: Runs) -> None:
    if plan.is_from_memory:
        for octets in _memory_rows(selected, plan, runs):
            session.send(octets)
            await _give_way(session)
    elif plan.sections:
        if not await _tell_sections(session, selected, plan, runs):
            session.tell_news(expunge=command.uid)
            session.no(command.tag, "A part has an encoding that is not known.", code=codes.UNKNOWN_CTE)
            return
    else:
        await _tell_rows(session, selected, plan, runs)
    if plan.marks_seen and not selected.read_only:
        await _mark_seen(session, selected, runs)
    _finish(session, selected, command)


def _finish(session: ImapSession, selected: Selected, command: Fetch) -> None:
    session.tell_news(expunge=command.uid)
    held = selected.view.held
    asked = selected.uids(selected.positions(command.messages, uid=command.uid)) if held else held
    if not asked & held:
        session.ok(command.tag, "Done.")
    elif asked - held:
        # RFC 2180 §4.1.2, RFC 5530 §3: what is there was told.
        session.ok(command.tag, "Some of the messages are expunged.", code=codes.EXPUNGEISSUED)
    else:
        session.no(command.tag, "The messages are expunged.", code=codes.EXPUNGEISSUED)


async def _mark_seen(session: ImapSession, selected: Selected, runs: Runs) -> None:
    """Mark what was read; the news that follow tell the flags (RFC 9051 §6.4.5)."""
    await mark(
        session.services.mail,
        session.account,
        selected.state,
        selected.uids(runs),
        FlagAction.ADD,
        (b"\\Seen",),
        durable=session.services.options.durable_flags,
    )


# -- from memory


def _memory_rows(selected: Selected, plan: FetchPlan, runs: Runs) -> Iterator[bytes]:
    """Yield rows of UID, FLAGS and MODSEQ, some hundred at a time.

    While the client takes them, others may expunge: each time the positions are those of that moment.
    """
    state = selected.state
    for start, stop in _pieces(runs, _AT_ONCE):
        if selected.is_current and plan.flag_rows is not None:
            column = state.column
            uids = state.uids[start:stop] if plan.flag_rows == "uid" else None
            rows = FlagRows(column.texts, uid=plan.flag_rows == "uid")
            yield rows.encode(range(start + 1, stop + 1), column.codes[start:stop], uids)
        else:
            yield plan.encode(_positions_in_both(selected, start, stop), selected, None)


def _pieces(runs: Runs, size: int) -> Iterator[tuple[int, int]]:
    for start, stop in runs:
        for at in range(start, stop, size):
            yield at, min(at + size, stop)


def _positions_in_both(selected: Selected, start: int, stop: int) -> list[tuple[int, int]]:
    """Return (position of the view, position of the mailbox) for messages that are in both."""
    if selected.is_current:
        return [(at, at) for at in range(start, stop)]
    pairs = []
    for at in range(start, stop):
        there = selected.state.position_of(selected.view.uids[at])
        if there is not None:
            pairs.append((at, there))
    return pairs


# -- from rows


async def _tell_rows(session: ImapSession, selected: Selected, plan: FetchPlan, runs: Runs) -> None:
    """Send rows made of columns, in batches, and wait for the client between them."""
    async for pairs, rows in _batches(session, selected, plan, runs):
        session.send(plan.encode(pairs, selected, rows))
        await _give_way(session)


async def _batches(
    session: ImapSession, selected: Selected, plan: FetchPlan, runs: Runs
) -> AsyncIterator[tuple[list[tuple[int, int]], Sequence[Row]]]:
    """Yield positions with their rows, those that are expunged left out."""
    messages, mailbox = session.services.mail.messages, selected.state.mailbox_id
    for batch in _batched(runs, _BATCH):
        uids = selected.view.uids
        count = sum(stop - start for start, stop in batch)
        ranges = [(uids[start], uids[stop - 1]) for start, stop in batch]
        rows = await messages.rows(session.account, mailbox, plan.columns, ranges, limit=count)
        pairs, kept = _match(selected, batch, count, rows)
        if pairs:
            yield pairs, kept


def _batched(runs: Runs, size: int) -> Iterator[Runs]:
    """Yield runs of up to `size` messages together."""
    batch: Runs = []
    count = 0
    for start, stop in _pieces(runs, size):
        if count + stop - start > size:
            yield batch
            batch, count = [], 0
        batch.append((start, stop))
        count += stop - start
    if batch:
        yield batch


def _match(
    selected: Selected, batch: Runs, count: int, rows: Sequence[Row]
) -> tuple[list[tuple[int, int]], Sequence[Row]]:
    """Bring rows and positions together; both are in order of UID."""
    if selected.is_current and len(rows) == count:
        return [(at, at) for start, stop in batch for at in range(start, stop)], rows
    uids = selected.view.uids
    by_uid = {row[0]: row for row in rows}
    pairs = [
        pair for start, stop in batch for pair in _positions_in_both(selected, start, stop) if uids[pair[0]] in by_uid
    ]
    return pairs, [by_uid[uids[at]] for at, _there in pairs]


# -- sections


async def _tell_sections(session: ImapSession, selected: Selected, plan: FetchPlan, runs: Runs) -> bool:
    """Send rows whose sections are read from blobs, one message at a time; return whether all could be decoded."""
    reader = SectionReader(session.services.mail.blobs, plan)
    try:
        async for pairs, rows in _batches(session, selected, plan, runs):
            for (at, _), row in zip(pairs, rows, strict=True):
                # Others may have expunged since: of what is left, positions in the mailbox are other ones now.
                there = selected.state.position_of(selected.view.uids[at])
                if there is None:
                    continue
                async for octets in reader.read((at, there), selected, row):
                    session.send(octets)
                    await _give_way(session)
    except Unreadable as fault:
        # In the middle of a literal nothing can be said any more.
        session.log.error("message-broke-off", error=fault)
        session.break_off()
    return not reader.met_unknown_encoding


async def _give_way(session: ImapSession) -> None:
    """Write what has come together once it is much, and wait for the client; a short answer leaves in one piece."""
    if session.queued_octets > _DRAIN_ABOVE:
        await session.connection.drain()


_DRAIN_ABOVE = 48 << 10
