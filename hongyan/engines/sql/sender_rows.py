"""The row that is kept of an account that sends: read, brought to today, and counted on when it sends.

`senders.average` is a mean that forgets: each day that ends weighs a thirtieth, and of the first thirty days each as
much as any other.
"""

from __future__ import annotations

__all__ = ["STATE", "aged", "insert_booking", "lock_hold", "open_sender", "read_hold", "read_state", "read_time"]

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from hongyan.engines.sql.correspondents import note_written
from hongyan.engines.sql.units import Row, Statement, Unit
from hongyan.store.bookings import Booking
from hongyan.store.sending import SLOT, Hold, SenderState, SendingLimits, Trigger
from hongyan.types import AccountId

_DAY: Final = 86_400
_MEMORY: Final = 30
"""Days after which a day weighs about a third of what it did."""

_MAX_IDLE: Final = 400
"""Days without mail that are counted one by one; after more, nothing is left of the average."""

STATE = (
    "messages_per_day, first_per_day, first_per_hour, recipients_per_message, exempt, held_trigger, held_reason,"
    " held_by, held_at, grace_until, last_day, last_day_recipients, days, average, outcomes"
)


# -- the row


def aged(row: Row, today: int) -> SenderState:
    """Return the state of a row with all days before today in its average."""
    state = read_state(row)
    days, average = _age(state, row[10], row[11], today)
    return state if (days, average) == (state.days, state.average) else replace(state, days=days, average=average)


def read_state(row: Row) -> SenderState:
    messages, first_day, first_hour, recipients, exempt, trigger, reason, by, held_at, grace_until, *rest = row
    _, _, days, average, outcomes = rest
    return SenderState(
        limits=SendingLimits(
            messages_per_day=messages,
            first_per_day=first_day,
            first_per_hour=first_hour,
            recipients_per_message=recipients,
            exempt=bool(exempt),
        ),
        hold=read_hold(trigger, reason, by, held_at) if held_at else None,
        grace_until=read_time(grace_until) if grace_until else None,
        days=days,
        average=average,
        outcomes=outcomes,
    )


def read_hold(trigger: str, reason: str, by: str, held_at: int) -> Hold:
    return Hold(Trigger(trigger), reason, by, read_time(held_at))


def read_time(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


# -- what is counted


def insert_booking(booking: Booking) -> Unit[Hold | None]:
    """Count a booking, and return the hold that the account is under. Its row is ours until the unit ends."""
    account, now = booking.account, int(booking.at.timestamp())
    hold = yield from _count_day(account, now // _DAY, len(booking.recipients))
    yield Statement(
        "INSERT INTO sending_slots (account_id, slot, messages, recipients, first_time) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (account_id, slot) DO UPDATE SET messages = sending_slots.messages + excluded.messages,"
        " recipients = sending_slots.recipients + excluded.recipients,"
        " first_time = sending_slots.first_time + excluded.first_time",
        (account, now // SLOT, booking.messages, len(booking.recipients), booking.first_time),
    )
    if booking.first_time:
        yield Statement(
            "INSERT INTO sent_bodies (account_id, digest, began_at, messages, strangers) VALUES ($1, $2, $3, 1, $4)"
            " ON CONFLICT (account_id, digest) DO UPDATE SET messages = sent_bodies.messages + 1,"
            " strangers = sent_bodies.strangers + excluded.strangers",
            (account, booking.body, now, booking.first_time),
        )
    yield from note_written(account, booking.recipients, now)
    return hold


def _count_day(account: AccountId, day: int, recipients: int) -> Unit[Hold | None]:
    """Count recipients for today; when a day begins, the days before it go into the average. Return the hold."""
    rows = yield Statement(
        "UPDATE senders SET last_day_recipients = last_day_recipients + $1 WHERE account_id = $2 AND last_day >= $3"
        " RETURNING held_trigger, held_reason, held_by, held_at",
        (recipients, account, day),
    )
    if rows:
        return read_hold(*rows[0]) if rows[0][3] else None
    state, last_day, last = yield from open_sender(account)
    days, average = _age(state, last_day, last, day)
    yield Statement(
        "UPDATE senders SET last_day = $1, last_day_recipients = $2, days = $3, average = $4 WHERE account_id = $5",
        (day, recipients, days, average, account),
    )
    return state.hold


def lock_hold(account: AccountId) -> Unit[Hold | None]:
    """Return the hold that the account is under, which nobody changes until the unit ends. Nothing is counted.

    The row is read where there is one, which costs a quarter of writing it. The first time it is made: what is not
    there cannot be locked.
    """
    rows = yield Statement(
        "SELECT held_trigger, held_reason, held_by, held_at FROM senders WHERE account_id = $1 {for_share}", (account,)
    )
    if rows:
        return read_hold(*rows[0]) if rows[0][3] else None
    state, _, _ = yield from open_sender(account)
    return state.hold


def open_sender(account: AccountId) -> Unit[tuple[SenderState, int, int]]:
    """Make sure that the account has its row, which is then ours; return it with its last day."""
    rows = yield Statement(
        "INSERT INTO senders (account_id, exempt, held_trigger, held_reason, held_by, held_at, grace_until, last_day,"
        " last_day_recipients, days, average, outcomes) VALUES ($1, 0, '', '', '', 0, 0, 0, 0, 0, 0.0, '')"
        f" ON CONFLICT (account_id) DO UPDATE SET exempt = senders.exempt RETURNING {STATE}",
        (account,),
    )
    return read_state(rows[0]), rows[0][10], rows[0][11]


def _age(state: SenderState, last_day: int, last: int, today: int) -> tuple[int, float]:
    """Return over how many days what average goes, when all days before `today` are in it."""
    days, average = state.days, state.average
    if not last_day or last_day >= today:
        return days, average
    for passed in range(min(today - last_day, _MAX_IDLE)):
        days += 1
        average += ((last if passed == 0 else 0) - average) / min(days, _MEMORY)
    return days, average
