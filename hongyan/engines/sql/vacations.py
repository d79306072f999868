"""Vacations in SQL."""

from __future__ import annotations

__all__ = ["SqlVacations"]

from dataclasses import replace
from datetime import datetime, timedelta

from hongyan.engines.sql.queue_rows import from_stamp, to_stamp
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.store.vacations import Claim, Vacation
from hongyan.types import AccountId

_DAY = timedelta(days=1)


class SqlVacations:
    """`store.vacations.VacationStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_vacation(self, account: AccountId) -> Vacation:
        return await self._database.read_small(lambda: _find(account))

    async def put_vacation(self, account: AccountId, vacation: Vacation) -> Vacation | None:
        return await self._database.write(lambda _refs: _put(account, vacation))

    async def claim_answer(
        self, account: AccountId, sender: str, *, now: datetime, again_after: datetime, most_a_day: int
    ) -> Claim:
        return await self._database.write(lambda _refs: _claim(account, sender, now, again_after, most_a_day))

    async def give_back(self, account: AccountId, sender: str) -> None:
        await self._database.write(lambda _refs: _give_back(account, sender))

    async def expire_answers(self, before: datetime) -> int:
        return await self._database.write(lambda _refs: _expire(to_stamp(before)), durable=False)


def _find(account: AccountId) -> Unit[Vacation]:
    rows = yield Statement(
        "SELECT version, enabled, enabled_at, begins_at, ends_at, subject, text_body, html_body FROM vacations"
        " WHERE account_id = $1",
        (account,),
    )
    if not rows:
        return Vacation()
    version, enabled, enabled_at, begins_at, ends_at, subject, text, html = rows[0]
    return Vacation(
        enabled=bool(enabled),
        begins_at=_from(begins_at),
        ends_at=_from(ends_at),
        subject=subject,
        text=text,
        html=html,
        enabled_at=_from(enabled_at),
        version=version,
    )


def _put(account: AccountId, vacation: Vacation) -> Unit[Vacation | None]:
    rows = yield Statement(
        "INSERT INTO vacations (account_id, version, enabled, enabled_at, begins_at, ends_at, subject, text_body,"
        " html_body) VALUES ($1, $2 + 1, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (account_id) DO UPDATE SET"
        " version = excluded.version, enabled = excluded.enabled, enabled_at = excluded.enabled_at,"
        " begins_at = excluded.begins_at, ends_at = excluded.ends_at, subject = excluded.subject,"
        " text_body = excluded.text_body, html_body = excluded.html_body WHERE vacations.version = $2"
        " RETURNING version",
        (
            account,
            vacation.version,
            int(vacation.enabled),
            _to(vacation.enabled_at),
            _to(vacation.begins_at),
            _to(vacation.ends_at),
            vacation.subject,
            vacation.text,
            vacation.html,
        ),
    )
    return replace(vacation, version=rows[0][0]) if rows else None


def _claim(account: AccountId, sender: str, now: datetime, again_after: datetime, most: int) -> Unit[Claim]:
    rows = yield Statement(
        "SELECT COUNT(*) FROM (SELECT 1 FROM vacation_answers WHERE account_id = $1 AND answered_at > $2 LIMIT $3)"
        " AS latest",
        (account, to_stamp(now - _DAY), most),
    )
    is_full = rows[0][0] >= most
    if is_full:
        known = yield Statement(
            "SELECT 1 FROM vacation_answers WHERE account_id = $1 AND sender = $2 AND answered_at > $3",
            (account, sender, to_stamp(again_after)),
        )
        return Claim.ANSWERED if known else Claim.TOO_MANY
    rows = yield Statement(
        "INSERT INTO vacation_answers (account_id, sender, answered_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (account_id, sender) DO UPDATE SET answered_at = $3 WHERE vacation_answers.answered_at <= $4"
        " RETURNING answered_at",
        (account, sender, to_stamp(now), to_stamp(again_after)),
    )
    return Claim.GRANTED if rows else Claim.ANSWERED


def _give_back(account: AccountId, sender: str) -> Unit[None]:
    yield Statement("DELETE FROM vacation_answers WHERE account_id = $1 AND sender = $2", (account, sender))


def _expire(before: int) -> Unit[int]:
    rows = yield Statement("DELETE FROM vacation_answers WHERE answered_at < $1 RETURNING account_id", (before,))
    return len(rows)


def _from(stamp: int | None) -> datetime | None:
    return None if stamp is None else from_stamp(stamp)


def _to(moment: datetime | None) -> int | None:
    return None if moment is None else to_stamp(moment)
