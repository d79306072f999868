"""What accounts remember of senders: what every SQL engine owes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hongyan.engines.sql.reputation import SqlReputation
from hongyan.engines.sql.units import SqlDatabase
from hongyan.store.reputation import MAX_NOTED, History, Kind, Subject
from hongyan.types import AccountId
from tests.support.mail import ACCOUNT

_NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
_OTHER = AccountId(8)
_ANN = Subject(Kind.ADDRESS, "ann@friends.test")
_FRIENDS = Subject(Kind.DOMAIN, "friends.test")
_NETWORK = Subject(Kind.NETWORK, "192.0.2.1")
_ALL = (_ANN, _FRIENDS, _NETWORK)


@pytest.fixture
def reputation(sql_database: SqlDatabase) -> SqlReputation:
    return SqlReputation(sql_database)


async def test_good_and_bad_are_counted_for_each_subject_and_each_account_alone(reputation: SqlReputation) -> None:
    assert await reputation.find(ACCOUNT, _ALL) == {}
    await reputation.note(ACCOUNT, _ALL, _NOW, good=True)
    await reputation.note(ACCOUNT, [_FRIENDS, _NETWORK], _NOW, good=False)
    assert await reputation.find(ACCOUNT, _ALL) == {
        _ANN: History(1, 0),
        _FRIENDS: History(1, 1),
        _NETWORK: History(1, 1),
    }
    assert await reputation.find(_OTHER, _ALL) == {}


async def test_numbers_are_capped_and_beyond_the_cap_one_kind_wears_the_other_down(reputation: SqlReputation) -> None:
    for _ in range(MAX_NOTED + 5):
        await reputation.note(ACCOUNT, [_ANN], _NOW, good=True)
    for _ in range(MAX_NOTED):
        await reputation.note(ACCOUNT, [_ANN], _NOW, good=False)
    assert await reputation.find(ACCOUNT, [_ANN]) == {_ANN: History(MAX_NOTED, MAX_NOTED)}
    await reputation.note(ACCOUNT, [_ANN], _NOW, good=False)
    assert await reputation.find(ACCOUNT, [_ANN]) == {_ANN: History(MAX_NOTED - 1, MAX_NOTED)}


async def test_an_account_counts_once_for_the_name_of_a_network(reputation: SqlReputation) -> None:
    for _ in range(5):
        await reputation.note(ACCOUNT, _ALL, _NOW, good=True)
    assert await reputation.find_network("192.0.2.1") == History(1, 0)
    await reputation.note(_OTHER, _ALL, _NOW, good=True)
    await reputation.note(_OTHER, _ALL, _NOW, good=False)
    assert await reputation.find_network("192.0.2.1") == History(2, 1)
    assert await reputation.find_network("192.0.2.2") == History()


async def test_what_was_not_noted_for_long_is_forgotten(reputation: SqlReputation) -> None:
    await reputation.note(ACCOUNT, [_ANN, _NETWORK], _NOW, good=True)
    await reputation.note(ACCOUNT, [_FRIENDS], _NOW + timedelta(days=9), good=True)
    assert await reputation.expire(_NOW) == 0
    assert await reputation.expire(_NOW + timedelta(days=5)) == 3
    assert await reputation.find(ACCOUNT, _ALL) == {_FRIENDS: History(1, 0)}
    assert await reputation.find_network("192.0.2.1") == History()
