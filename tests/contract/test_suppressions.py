"""What `store.suppressions.SuppressionStore` keeps, on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hongyan.addresses import Address
from hongyan.engines.sql.suppressions import SqlSuppressions
from hongyan.store.suppressions import HardBounce, SuppressionRule, SuppressionStore
from hongyan.types import AccountId
from tests.support.storage import ENGINES, open_storage

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ANN = AccountId(7)
GONE = Address.parse("Gone@elsewhere.example")
RULE = SuppressionRule(2, 10 * DAY, 30 * DAY)


@pytest.fixture(params=ENGINES)
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SuppressionStore]:
    async with open_storage(request.param, tmp_path, request) as storage:
        yield SqlSuppressions(storage.database)


def bounce(at: datetime, account: AccountId | None = ANN) -> HardBounce:
    return HardBounce(account, GONE, at, "5.1.1", "No such\0 user \ud800", RULE)


async def test_the_bounce_that_makes_it_too_many_suppresses(kept: SuppressionStore) -> None:
    assert await kept.note([bounce(NOW)]) == 0
    assert await kept.list_suppressed(NOW, limit=9) == []
    assert await kept.note([bounce(NOW + DAY), bounce(NOW + DAY, None)]) == 1
    (one,) = await kept.list_suppressed(NOW + DAY, limit=9)
    assert (one.account, str(one.address), one.bounces) == (ANN, "gone@elsewhere.example", 2)
    assert (one.since, one.until) == (NOW + DAY, NOW + 31 * DAY)


async def test_an_address_that_grows_in_lower_case_hides_no_other(kept: SuppressionStore) -> None:
    long = replace(bounce(NOW), address=Address.parse("\u0130" * 64 + "@elsewhere.example"))
    await kept.note([long, long, bounce(NOW), bounce(NOW)])
    assert [one.address for one in await kept.list_suppressed(NOW, limit=9)] == [Address.parse(GONE.canonical)]


async def test_bounces_that_lie_far_apart_do_not_add_up(kept: SuppressionStore) -> None:
    await kept.note([bounce(NOW)])
    assert await kept.note([bounce(NOW + 11 * DAY)]) == 0


async def test_a_suppression_ends_by_itself_and_its_bounces_count_anew(kept: SuppressionStore) -> None:
    await kept.note([bounce(NOW), bounce(NOW), bounce(NOW + DAY)])
    (one,) = await kept.list_suppressed(NOW + 30 * DAY, limit=9)
    assert one.until == NOW + 30 * DAY
    assert await kept.list_suppressed(NOW + 31 * DAY, limit=9) == []
    assert await kept.note([bounce(NOW + 31 * DAY)]) == 0
    assert await kept.forget(NOW + 90 * DAY) == 1


async def test_an_address_is_let_go_for_one_or_for_all(kept: SuppressionStore) -> None:
    for account in (ANN, AccountId(8), None):
        await kept.note([bounce(NOW, account), bounce(NOW, account)])
    assert await kept.remove(GONE, ANN, everywhere=False) == 1
    assert {one.account for one in await kept.list_suppressed(NOW, limit=9)} == {AccountId(8), None}
    assert await kept.remove(GONE, None, everywhere=True) == 2
