"""What accounts send, in SQL."""

from __future__ import annotations

__all__ = ["SqlSending"]

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.correspondents import select_known
from hongyan.engines.sql.queue import enqueue, octets_of
from hongyan.engines.sql.sender_rows import STATE, aged, insert_booking, open_sender, read_hold, read_state, read_time
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.store.accounts import AccountClass
from hongyan.store.audit import AuditEntry
from hongyan.store.bookings import Booking
from hongyan.store.queue import NewMessage
from hongyan.store.sending import (
    SLOT,
    BodyCount,
    Hold,
    Origin,
    SenderState,
    SendingFacts,
    SendingLimits,
    SendingQuestion,
    Slot,
)
from hongyan.types import AccountId, BlobRef

_DAY: Final = 86_400
_SELECT_FACTS = (
    f"SELECT account_class, messages, strangers, {STATE} FROM (SELECT CAST($1 AS BIGINT) AS account_id) AS asked"
    " LEFT JOIN accounts ON accounts.account_id = asked.account_id"
    " LEFT JOIN senders ON senders.account_id = asked.account_id"
    " LEFT JOIN sent_bodies ON sent_bodies.account_id = asked.account_id AND digest = $2 AND began_at > $3"
)
"""What is known of an account and a body, in one row: each statement less is a round trip less."""


class SqlSending:
    """`store.sending.SendingStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_sender(self, account: AccountId) -> SenderState:
        return await self._database.read_small(lambda: _find(account))

    async def slots(self, account: AccountId, since: datetime) -> Sequence[Slot]:
        return await self._database.read_small(lambda: _slots(account, int(since.timestamp())))

    async def look_up(self, question: SendingQuestion) -> SendingFacts:
        return await self._database.read_small(lambda: _look_up(question))

    async def book(self, booking: Booking) -> None:
        await self._database.write(lambda _refs: insert_booking(booking), durable=False)

    async def set_limits(self, account: AccountId, limits: SendingLimits, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _set_limits(account, limits, audit))

    async def hold(
        self, account: AccountId, hold: Hold, *, audit: AuditEntry, notices: Sequence[NewMessage] = ()
    ) -> bool:
        return await self._database.write(
            lambda refs: _hold(account, hold, audit, notices, iter(refs)), blobs=octets_of(notices)
        )

    async def release(self, account: AccountId, grace_until: datetime, *, audit: AuditEntry) -> bool:
        return await self._database.write(lambda _refs: _release(account, int(grace_until.timestamp()), audit))

    async def list_held(self) -> Sequence[tuple[AccountId, Hold]]:
        return await self._database.read(_list_held())

    async def note_outcomes(self, account: AccountId, outcomes: str, *, keep: int) -> SenderState:
        return await self._database.write(lambda _refs: _note_outcomes(account, outcomes, keep), durable=False)

    async def note_place(self, account: AccountId, place: str, at: datetime, *, keep: int) -> Sequence[Origin]:
        return await self._database.write(
            lambda _refs: _note_place(account, place, int(at.timestamp()), keep), durable=False
        )

    async def expire(self, now: datetime) -> int:
        return await self._database.write(lambda _refs: _expire(int(now.timestamp())), durable=False)


# -- what is known


def _find(account: AccountId) -> Unit[SenderState]:
    rows = yield Statement(f"SELECT {STATE} FROM senders WHERE account_id = $1", (account,))
    return read_state(rows[0]) if rows else SenderState()


def _slots(account: AccountId, since: int) -> Unit[Sequence[Slot]]:
    rows = yield Statement(
        "SELECT slot, messages, recipients, first_time FROM sending_slots WHERE account_id = $1 AND slot > $2"
        " ORDER BY slot",
        (account, since // SLOT - 1),
    )
    return [Slot(*row) for row in rows]


def _look_up(question: SendingQuestion) -> Unit[SendingFacts]:
    account, now = question.account, int(question.at.timestamp())
    rows = yield Statement(_SELECT_FACTS, (account, question.body, now - _DAY))
    (account_class, messages, strangers), sender = rows[0][:3], rows[0][3:]
    slots = yield from _slots(account, now - _DAY)
    known = yield from select_known(account, question.recipients)
    return SendingFacts(
        state=SenderState() if sender[-1] is None else aged(sender, now // _DAY),
        account_class=AccountClass(account_class) if account_class else AccountClass.CONSUMER,
        slots=slots,
        written=frozenset(key for key, written, _, _, _ in known if written),
        heard=frozenset(key for key, _, _, heard, _ in known if heard),
        answers=(yield from _was_delivered(account, question.references)),
        body=BodyCount(messages or 0, strangers or 0),
    )


def _was_delivered(account: AccountId, references: Collection[str]) -> Unit[bool]:
    """Whether one of these messages was delivered: what the owner has put here by APPEND has no trace before it."""
    for message_id in references:
        rows = yield Statement(
            "SELECT 1 FROM email_texts t JOIN emails e ON e.account_id = t.account_id AND e.email_id = t.email_id"
            " WHERE t.account_id = $1 AND t.message_id = $2 AND length(e.prefix) > 0 LIMIT 1",
            (account, message_id),
        )
        if rows:
            return True
    return False


# -- what is counted


def _expire(now: int) -> Unit[int]:
    slots = yield Statement("DELETE FROM sending_slots WHERE slot < $1 RETURNING slot", ((now - _DAY) // SLOT - 1,))
    bodies = yield Statement("DELETE FROM sent_bodies WHERE began_at < $1 RETURNING began_at", (now - _DAY,))
    return len(slots) + len(bodies)


# -- what is set


def _set_limits(account: AccountId, limits: SendingLimits, audit: AuditEntry) -> Unit[None]:
    yield from open_sender(account)
    yield Statement(
        "UPDATE senders SET messages_per_day = $1, first_per_day = $2, first_per_hour = $3,"
        " recipients_per_message = $4, exempt = $5 WHERE account_id = $6",
        (
            limits.messages_per_day,
            limits.first_per_day,
            limits.first_per_hour,
            limits.recipients_per_message,
            int(limits.exempt),
            account,
        ),
    )
    yield from insert_audit(audit)


def _hold(
    account: AccountId, hold: Hold, audit: AuditEntry, notices: Sequence[NewMessage], refs: Iterator[BlobRef]
) -> Unit[bool]:
    yield from open_sender(account)
    rows = yield Statement(
        "UPDATE senders SET held_trigger = $1, held_reason = $2, held_by = $3, held_at = $4"
        " WHERE account_id = $5 AND held_at = 0 RETURNING account_id",
        (hold.trigger.value, hold.reason, hold.by, int(hold.since.timestamp()), account),
    )
    if rows:
        yield from insert_audit(audit)
        for notice in notices:
            yield from enqueue(notice, refs)
    return bool(rows)


def _release(account: AccountId, grace_until: int, audit: AuditEntry) -> Unit[bool]:
    rows = yield Statement(
        "UPDATE senders SET held_trigger = '', held_reason = '', held_by = '', held_at = 0, grace_until = $1,"
        " outcomes = '' WHERE account_id = $2 AND held_at <> 0 RETURNING account_id",
        (grace_until, account),
    )
    if rows:
        yield Statement("DELETE FROM sent_bodies WHERE account_id = $1", (account,))
        yield from insert_audit(audit)
    return bool(rows)


def _list_held() -> Unit[Sequence[tuple[AccountId, Hold]]]:
    rows = yield Statement(
        "SELECT account_id, held_trigger, held_reason, held_by, held_at FROM senders WHERE held_at <> 0"
        " ORDER BY held_at, account_id"
    )
    return [(AccountId(row[0]), read_hold(*row[1:])) for row in rows]


# -- evidence


def _note_outcomes(account: AccountId, outcomes: str, keep: int) -> Unit[SenderState]:
    state, _, _ = yield from open_sender(account)
    rows = yield Statement(
        f"UPDATE senders SET outcomes = $1 WHERE account_id = $2 RETURNING {STATE}",
        ((state.outcomes + outcomes)[-keep:], account),
    )
    return read_state(rows[0])


def _note_place(account: AccountId, place: str, at: int, keep: int) -> Unit[Sequence[Origin]]:
    yield Statement(
        "INSERT INTO login_places (account_id, place, first_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (account_id, place) DO NOTHING",
        (account, place, at),
    )
    rows = yield Statement(
        "SELECT place, first_at FROM login_places WHERE account_id = $1 ORDER BY first_at DESC, place", (account,)
    )
    for old, _ in rows[keep:]:
        yield Statement("DELETE FROM login_places WHERE account_id = $1 AND place = $2", (account, old))
    return [Origin(row[0], read_time(row[1])) for row in rows[:keep]]
