"""`VacationStore`: what an account answers, and whom it has answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.engines.sql.units import SqlDatabase
from hongyan.engines.sql.vacations import SqlVacations
from hongyan.store.vacations import Claim, Vacation
from hongyan.types import AccountId

NOW = datetime(2026, 5, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ANN, BEN = AccountId(1), AccountId(2)
AWAY = Vacation(
    enabled=True, begins_at=NOW, ends_at=NOW + DAY, subject="离开", text="a", html="<p>", enabled_at=NOW - DAY
)


@pytest.fixture
def store(sql_database: SqlDatabase) -> SqlVacations:
    return SqlVacations(sql_database)


async def claim(
    store: SqlVacations, sender: str, now: datetime = NOW, account: AccountId = ANN, most_a_day: int = 10
) -> Claim:
    return await store.claim_answer(account, sender, now=now, again_after=now - 7 * DAY, most_a_day=most_a_day)


async def test_what_was_set_is_found_and_only_that_account_has_it(store: SqlVacations) -> None:
    assert await store.find_vacation(ANN) == Vacation()
    stored = await store.put_vacation(ANN, AWAY)
    assert stored == replace(AWAY, version=1)
    assert await store.find_vacation(ANN) == stored
    assert await store.find_vacation(BEN) == Vacation()


async def test_of_two_who_change_the_same_version_one_does(store: SqlVacations) -> None:
    stored = await store.put_vacation(ANN, AWAY)
    assert stored is not None
    assert await store.put_vacation(ANN, AWAY) is None
    assert await store.put_vacation(ANN, replace(stored, enabled=False)) == replace(stored, enabled=False, version=2)
    assert await store.put_vacation(ANN, stored) is None


async def test_a_sender_is_answered_once_and_again_after_some_days(store: SqlVacations) -> None:
    assert await claim(store, "a@x.test") is Claim.GRANTED
    assert await claim(store, "a@x.test") is Claim.ANSWERED
    assert await claim(store, "a@x.test", NOW + 6 * DAY) is Claim.ANSWERED
    assert await claim(store, "a@x.test", account=BEN) is Claim.GRANTED
    assert await claim(store, "a@x.test", NOW + 7 * DAY) is Claim.GRANTED


async def test_so_many_are_answered_within_a_day_and_no_more(store: SqlVacations) -> None:
    assert await claim(store, "a@x.test", most_a_day=2) is Claim.GRANTED
    assert await claim(store, "b@x.test", most_a_day=2) is Claim.GRANTED
    assert await claim(store, "c@x.test", most_a_day=2) is Claim.TOO_MANY
    assert await claim(store, "a@x.test", most_a_day=2) is Claim.ANSWERED
    assert await claim(store, "c@x.test", NOW + DAY, most_a_day=2) is Claim.GRANTED


async def test_what_was_not_sent_or_is_old_is_forgotten(store: SqlVacations) -> None:
    await claim(store, "a@x.test")
    await store.give_back(ANN, "a@x.test")
    assert await claim(store, "a@x.test") is Claim.GRANTED
    await claim(store, "b@x.test", NOW + DAY)
    assert await store.expire_answers(NOW + DAY) == 1
    assert await claim(store, "b@x.test", NOW + DAY) is Claim.ANSWERED
