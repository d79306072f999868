"""Rows of FETCH, told as they come: from memory, from rows of the database, from blobs.

A few messages that are at hand are told at once (`tell_at_hand`): no disk is waited for, no task is made. Many are
told in batches, and the client is waited for between them; what others expunge meanwhile is left out. Positions are
ascending, rows too, unless the newest are wanted first.
"""

from __future__ import annotations

__all__ = ["Runs", "memory_rows", "tell_at_hand", "tell_memory_rows", "tell_rows", "tell_sections"]

from collections.abc import AsyncIterator, Iterator, Sequence

from hongyan.servers.imap.fetch_large import Unreadable
from hongyan.servers.imap.fetch_plan import FetchPlan
from hongyan.servers.imap.fetch_sections import SectionReader
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession
from hongyan.store.messages import Row
from hongyan.wire.imap.encoder import FlagRows

_FROM_MEMORY = 2000  # rows that are made from memory in one go
_BATCH = 256
_DRAIN_ABOVE = 48 << 10
_AT_HAND = 8
_AT_HAND_OCTETS = 128 << 10

Runs = list[tuple[int, int]]
"""Positions of a view, as ranges."""


# -- at once


def tell_at_hand(session: ImapSession, selected: Selected, plan: FetchPlan, runs: Runs) -> bool:
    """Tell of a few messages if all that it takes is at hand, and little; else return false, and nothing is said."""
    numbers = [at for start, stop in runs for at in range(start, stop)]
    if not 0 < len(numbers) <= _AT_HAND:
        return False
    uids, mail = selected.view.uids, session.services.mail
    wanted = [uids[at] for at in numbers]
    rows = mail.messages.rows_now(selected.account, selected.state.mailbox_id, plan.columns, wanted)
    if rows is None:
        return False
    pairs, kept = _match(selected, runs, len(wanted), rows)
    if not plan.sections:
        if pairs:
            session.send(plan.encode(pairs, selected, kept))
        return True
    reader = SectionReader(mail.blobs, plan)
    told = []
    octets = 0
    for pair, row in zip(pairs, kept, strict=True):
        answer = reader.read_now(pair, selected, row)
        if answer is None or octets + len(answer) > _AT_HAND_OCTETS:
            return False
        octets += len(answer)
        told.append(answer)
    if reader.met_unknown_encoding:
        return False
    for answer in told:
        session.send(answer)
    return True


# -- from memory


async def tell_memory_rows(
    session: ImapSession, selected: Selected, plan: FetchPlan, runs: Runs, *, newest_first: bool = False
) -> None:
    """Send rows of UID, FLAGS and MODSEQ, and wait for the client where there are many."""
    for octets in memory_rows(selected, plan, runs, newest_first=newest_first):
        session.send(octets)
        await _give_way(session)


def memory_rows(selected: Selected, plan: FetchPlan, runs: Runs, *, newest_first: bool = False) -> Iterator[bytes]:
    """Yield rows of UID, FLAGS and MODSEQ, some hundred at a time.

    While the client takes them, others may expunge: each time the positions are those of that moment.
    """
    state = selected.state
    step = -1 if newest_first else 1
    for start, stop in list(_pieces(runs, _FROM_MEMORY))[::step]:
        if selected.is_current and plan.flag_rows is not None:
            column = state.column
            uids = state.uids[start:stop][::step]
            rows = FlagRows(column.texts, uid=plan.flag_rows == "uid", by_uid=plan.by_uid)
            numbers = uids if plan.by_uid else range(start + 1, stop + 1)[::step]
            codes = column.codes[start:stop][::step]
            yield rows.encode(numbers, codes, uids if plan.flag_rows == "uid" else None)
        else:
            yield plan.encode(_positions_in_both(selected, start, stop)[::step], selected, None)


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


async def tell_rows(
    session: ImapSession, selected: Selected, plan: FetchPlan, runs: Runs, *, newest_first: bool = False
) -> None:
    """Send rows made of columns, in batches, and wait for the client between them."""
    async for pairs, rows in _batches(session, selected, plan, runs, newest_first=newest_first):
        session.send(plan.encode(pairs, selected, rows))
        await _give_way(session)


async def _batches(
    session: ImapSession, selected: Selected, plan: FetchPlan, runs: Runs, *, newest_first: bool
) -> AsyncIterator[tuple[list[tuple[int, int]], Sequence[Row]]]:
    """Yield positions with their rows, those that are expunged left out."""
    messages, mailbox = session.services.mail.messages, selected.state.mailbox_id
    step = -1 if newest_first else 1
    for batch in list(_batched(runs, _BATCH))[::step]:
        uids = selected.view.uids
        count = sum(stop - start for start, stop in batch)
        ranges = [(uids[start], uids[stop - 1]) for start, stop in batch]
        rows = await messages.rows(selected.account, mailbox, plan.columns, ranges, limit=count)
        pairs, kept = _match(selected, batch, count, rows)
        if pairs:
            yield pairs[::step], kept[::step]


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


async def tell_sections(
    session: ImapSession, selected: Selected, plan: FetchPlan, runs: Runs, *, newest_first: bool = False
) -> bool:
    """Send rows whose sections are read from blobs, one message at a time; return whether all could be decoded."""
    reader = SectionReader(session.services.mail.blobs, plan)
    try:
        async for pairs, rows in _batches(session, selected, plan, runs, newest_first=newest_first):
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
