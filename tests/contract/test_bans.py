"""What each engine promises of bans, and what two processes on one database know of each other's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hongyan.audit.events import CLI
from hongyan.audit.log import AuditLog, AuditOptions
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.bans import SqlBans
from hongyan.engines.sql.counters import SqlCounters
from hongyan.engines.storage import SqlStorage
from hongyan.errors import NotFound
from hongyan.limits.bans import Bans
from hongyan.store.bans import Ban
from tests.support.clock import FakeClock, FakeRandom

HOUR = timedelta(hours=1)
BAD = "192.0.2.66"


@pytest.fixture
def store(storage: SqlStorage) -> SqlBans:
    return SqlBans(storage.database)


def ban(network: str, clock: FakeClock, hours: int = 1) -> Ban:
    now = clock.now()
    return Ban(network, "", "network", "many", now, now + hours * HOUR, 1)


async def test_bans_are_kept_until_they_are_over(store: SqlBans, clock: FakeClock) -> None:
    short, long = ban("192.0.2.1/32", clock), ban("192.0.2.2/32", clock, hours=2)
    await store.put_bans([long, short])
    assert await store.bans_in_force(clock.now(), limit=10) == [long, short]
    assert await store.bans_in_force(clock.now(), limit=1) == [long]
    clock.advance(HOUR)
    assert await store.bans_in_force(clock.now(), limit=10) == [long]
    assert (await store.expire_bans(clock.now()), await store.expire_bans(clock.now())) == (1, 0)
    await store.remove_bans(["192.0.2.2/32"])
    assert await store.bans_in_force(clock.now(), limit=10) == []


async def test_of_two_bans_the_one_that_lasts_longer_stays(store: SqlBans, clock: FakeClock) -> None:
    long = ban("192.0.2.1/32", clock, hours=2)
    await store.put_bans([long])
    await store.put_bans([ban("192.0.2.1/32", clock)])
    assert await store.bans_in_force(clock.now(), limit=10) == [long]


def process(storage: SqlStorage, clock: FakeClock) -> Bans:
    database = storage.database
    audit = AuditLog(SqlAudit(database), clock, FakeRandom(), AuditOptions())
    return Bans(SqlCounters(database, clock), clock, audit, shared=SqlBans(database))


async def test_a_ban_of_one_process_is_one_of_the_other(storage: SqlStorage, clock: FakeClock) -> None:
    one, other = process(storage, clock), process(storage, clock)
    one.note(BAD, "", "dictionary", "50 unknown recipients within an hour", 3600)
    assert other.meet(BAD, {"dictionary"}) is None
    await one.exchange()
    await other.exchange()
    met = other.meet(BAD, {"dictionary"})
    assert met is not None
    assert met.why == "50 unknown recipients within an hour"
    clock.advance(HOUR)
    assert other.meet(BAD, {"dictionary"}) is None


async def test_a_ban_that_one_process_lifts_is_lifted_at_the_other(storage: SqlStorage, clock: FakeClock) -> None:
    one, other = process(storage, clock), process(storage, clock)
    one.note(BAD, "", "network", "many", 3600)
    await one.exchange()
    await other.exchange()
    await other.lift(BAD, CLI)
    await one.exchange()
    assert (one.list_bans(), other.list_bans()) == ([], [])
    with pytest.raises(NotFound):
        await one.lift(BAD, CLI)


async def test_what_is_noted_while_the_others_are_asked_is_not_lost(storage: SqlStorage, clock: FakeClock) -> None:
    one = process(storage, clock)
    one.note(BAD, "", "network", "many", 3600)
    for _ in range(200):
        one.meet(BAD, {"network"})
    assert one.is_shut_out(BAD)
    await one.exchange()
    assert one.is_shut_out(BAD), "that he goes on trying is remembered"
