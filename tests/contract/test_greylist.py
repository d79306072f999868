"""First contacts that were put off: what every SQL engine owes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hongyan.engines.sql.greylist import SqlGreylist
from hongyan.engines.sql.units import SqlDatabase
from hongyan.store.greylist import Contact, Triplet

_NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
_LATER = _NOW + timedelta(hours=1)
_ONE = Triplet("192.0.2.0/24", "elsewhere.test", "ann@hongyan.test")
_TWO = Triplet("192.0.2.0/24", "elsewhere.test", "ben@hongyan.test")


@pytest.fixture
def greylist(sql_database: SqlDatabase) -> SqlGreylist:
    return SqlGreylist(sql_database)


async def test_a_triplet_is_first_seen_once_and_passes_when_told(greylist: SqlGreylist) -> None:
    assert await greylist.meet(_ONE, _NOW) == Contact(_NOW, None)
    assert await greylist.meet(_ONE, _LATER) == Contact(_NOW, None)
    await greylist.pass_on(_ONE, _LATER)
    assert await greylist.meet(_ONE, _LATER) == Contact(_NOW, _LATER)
    assert await greylist.meet(_TWO, _LATER) == Contact(_LATER, None)


async def test_a_triplet_may_begin_anew(greylist: SqlGreylist) -> None:
    await greylist.meet(_ONE, _NOW)
    await greylist.begin_anew(_ONE, _LATER)
    assert await greylist.meet(_ONE, _LATER) == Contact(_LATER, None)


async def test_who_waits_is_forgotten_sooner_than_who_passed(greylist: SqlGreylist) -> None:
    for triplet in (_ONE, _TWO):
        await greylist.meet(triplet, _NOW)
    await greylist.pass_on(_TWO, _NOW)
    assert await greylist.expire_greylist(_NOW, _NOW) == 0
    assert await greylist.expire_greylist(_LATER, _NOW) == 1
    assert await greylist.meet(_TWO, _NOW) == Contact(_NOW, _NOW)
    assert await greylist.expire_greylist(_LATER, _LATER) == 1
