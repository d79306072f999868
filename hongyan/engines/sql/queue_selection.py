"""What an operator does to the queue: hold, release, retry, drop, list, count."""

from __future__ import annotations

__all__ = ["cancel", "count", "drop", "hold", "list_messages", "make_due", "release"]

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from hongyan.engines.sql.queue_rows import entries, to_stamp
from hongyan.engines.sql.units import Many, Statement, Unit, Value, conditions
from hongyan.store.queue import QueueCounts, QueueEntry, RecipientState, Selection
from hongyan.types import AccountId, QueueId

_UNFINISHED = (RecipientState.READY, RecipientState.HELD)


def hold(selection: Selection, reason: str) -> Unit[int]:
    """Hold selected READY recipients; return how many."""
    return (yield from _change_state(selection, RecipientState.READY, RecipientState.HELD, reason or None))


def release(selection: Selection) -> Unit[int]:
    """Let selected HELD recipients go; return how many."""
    return (yield from _change_state(selection, RecipientState.HELD, RecipientState.READY, None))


def _change_state(selection: Selection, old: RecipientState, new: RecipientState, reason: str | None) -> Unit[int]:
    changed = 0
    for chosen, values in _choices(selection, (old,), 3):
        rows = yield Statement(
            f"UPDATE queue_recipients SET state = $1, held_for = $2 WHERE {chosen} RETURNING number",
            (new.value, reason, *values),
        )
        changed += len(rows)
    return changed


def cancel(message: QueueId, now: int, account: AccountId | None) -> Unit[int]:
    """Drop a message that nobody has begun and whose release is still to come; return how many recipients."""
    rows = yield Statement(
        "SELECT 1 FROM queue_messages WHERE queue_id = $1 AND not_before > $2 AND ($3 = 0 OR account_id = $3)"
        " AND NOT EXISTS (SELECT 1 FROM queue_recipients r WHERE r.queue_id = $1"
        " AND (r.attempts > 0 OR r.leased_until IS NOT NULL))",
        (message, now, account or 0),
    )
    return (yield from drop(Selection(messages=frozenset([message])))) if rows else 0


def make_due(selection: Selection, now: datetime) -> Unit[int]:
    """Make selected READY recipients due; return how many."""
    changed = 0
    for chosen, values in _choices(selection, (RecipientState.READY,), 2):
        rows = yield Statement(
            f"UPDATE queue_recipients SET next_attempt = $1 WHERE {chosen} RETURNING number", (to_stamp(now), *values)
        )
        changed += len(rows)
    return changed


def drop(selection: Selection) -> Unit[int]:
    """Finish selected recipients, and remove the messages that have no others; return how many recipients."""
    dropped: Counter[int] = Counter()
    for chosen, values in _choices(selection, _UNFINISHED, 1):
        rows = yield Statement(
            "UPDATE queue_recipients SET state = 'dropped', lease_owner = NULL, leased_until = NULL"
            f" WHERE {chosen} RETURNING queue_id",
            values,
        )
        dropped.update(row[0] for row in rows)
    if dropped:
        # What was dropped is not sent: who sends it anew does not mean the same message.
        yield Many("DELETE FROM queue_receipts WHERE queue_id = $1", [(queue_id,) for queue_id in sorted(dropped)])
        yield Many(
            "UPDATE queue_messages SET unfinished = unfinished - $1 WHERE queue_id = $2",
            [(recipients, queue_id) for queue_id, recipients in sorted(dropped.items())],
        )
        yield from _remove_finished(dropped)
    return dropped.total()


def _remove_finished(touched: Counter[int]) -> Unit[None]:
    for chosen, numbers in conditions("queue_id", ((one, one) for one in sorted(touched)), 1):
        rows = yield Statement(
            f"DELETE FROM queue_messages WHERE {chosen} AND unfinished = 0 RETURNING queue_id", numbers
        )
        if rows:
            yield Many("DELETE FROM queue_recipients WHERE queue_id = $1", rows)


def list_messages(selection: Selection, after: QueueId, limit: int) -> Unit[Sequence[QueueEntry]]:
    """Return messages that have a selected recipient, by id."""
    ids: list[QueueId] = []
    for chosen, values in _choices(selection, _UNFINISHED, 1):
        first = len(values) + 1
        rows = yield Statement(
            f"SELECT DISTINCT queue_id FROM queue_recipients WHERE {chosen} AND queue_id > ${first}"
            f" ORDER BY queue_id LIMIT ${first + 1}",
            (*values, after, limit - len(ids)),
        )
        ids += [QueueId(row[0]) for row in rows]
        if len(ids) >= limit:
            break
    return (yield from entries(ids))


def count() -> Unit[QueueCounts]:
    """Count what is unfinished."""
    totals = yield Statement("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM queue_messages")
    rows = yield Statement(
        "SELECT state, COUNT(*) FROM queue_recipients WHERE state IN ('ready', 'held') GROUP BY state"
    )
    ((messages, octets),) = totals
    return QueueCounts(messages, {RecipientState(state): found for state, found in rows}, int(octets))


def _choices(
    selection: Selection, states: Sequence[RecipientState], first: int
) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Yield conditions on `queue_recipients`, with their parameters from `$first` on, that together say the selection.

    They come in the order of the ids that they choose.
    """
    wanted = [state for state in states if selection.state in (None, state)]
    if not wanted:
        return
    # Inline: a state is a word of ours, and the planner shall see it.
    named = ", ".join(f"'{state.value}'" for state in wanted)
    terms = [f"state IN ({named})"]
    values: list[Value] = []

    def parameter(value: Value) -> str:
        values.append(value)
        return f"${first + len(values) - 1}"

    if selection.destination is not None:
        terms.append(f"destination = {parameter(selection.destination)}")
    of_message = []
    if selection.reverse_path is not None:
        of_message.append(f"reverse_path = {parameter(str(selection.reverse_path))}")
    if selection.account is not None:
        of_message.append(f"account_id = {parameter(selection.account)}")
    if of_message:
        terms.append(f"queue_id IN (SELECT queue_id FROM queue_messages WHERE {' AND '.join(of_message)})")
    if selection.messages is None:
        yield " AND ".join(terms), tuple(values)
        return
    for chosen, numbers in conditions(
        "queue_id", ((one, one) for one in sorted(selection.messages)), first + len(values)
    ):
        yield " AND ".join((*terms, chosen)), (*values, *numbers)
