"""MTA-STS policies over time: fetched when the id changes, kept while they last, renewed, and never hammered for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from hongyan.engines.sql.transport import SqlTransport
from hongyan.mailauth.mta_sts import StsMode
from hongyan.queue.sts_policies import FetchFault, StsPolicies
from hongyan.queue.tls_results import ResultType, TlsResult
from hongyan.store.transport import TransportStore
from tests.support.clock import FakeClock
from tests.support.resolver import FakeResolver
from tests.support.storage import open_sqlite

DOMAIN = "example.net"
RECORD = ("TXT", f"_mta-sts.{DOMAIN}")
POLICY = b"version: STSv1\nmode: %b\nmx: mx.example.net\nmax_age: 604800\n"


@dataclass
class World:
    """A domain, its policy's host, and what we keep."""

    store: TransportStore
    clock: FakeClock = field(default_factory=FakeClock)
    dns: FakeResolver = field(default_factory=FakeResolver)
    served: bytes | None = POLICY % b"enforce"
    fetches: int = 0
    noted: list[TlsResult] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()
        self.publish("1")

    def restart(self) -> None:
        self.policies = StsPolicies(self.dns, self, self.store, self.clock, self)

    def publish(self, identity: str) -> None:
        self.dns.records[RECORD] = [f"v=STSv1; id={identity};".encode()]

    async def fetch(self, domain: str) -> bytes:
        self.fetches += 1
        if self.served is None:
            raise FetchFault(ResultType.STS_POLICY_FETCH_ERROR, "no connection")
        return self.served

    def note(self, result: TlsResult) -> None:
        self.noted.append(result)

    async def mode(self) -> StsMode | None:
        policy = await self.policies.find(DOMAIN)
        return None if policy is None else policy.mode


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_sqlite(tmp_path) as storage:
        yield World(SqlTransport(storage.database))


async def test_a_policy_is_fetched_once_for_an_id_and_survives_a_restart(world: World) -> None:
    for _ in range(3):
        assert await world.mode() is StsMode.ENFORCE
        world.restart()
    assert world.fetches == 1
    world.publish("2")
    world.served = POLICY % b"testing"
    assert await world.mode() is StsMode.TESTING
    assert world.fetches == 2


async def test_a_domain_without_a_record_is_not_asked(world: World) -> None:
    del world.dns.records[RECORD]
    assert await world.mode() is None
    assert world.fetches == 0


@pytest.mark.parametrize("way", ["no record", "no dns", "no host", "nonsense"])
async def test_what_is_kept_counts_until_it_runs_out(world: World, way: str) -> None:
    await world.mode()
    world.publish("2")
    if way == "no record":
        del world.dns.records[RECORD]
    elif way == "no dns":
        world.dns.failing.add(RECORD[1])
    else:
        world.served = None if way == "no host" else b"<html>"
    world.clock.advance(timedelta(days=6))
    assert await world.mode() is StsMode.ENFORCE
    world.clock.advance(timedelta(days=2))
    assert await world.mode() is None


async def test_a_failure_is_not_repeated_for_five_minutes_then_longer(world: World) -> None:
    world.served = None
    for minutes, fetches in ((0, 1), (4, 1), (2, 2), (6, 2), (5, 3)):
        world.clock.advance(timedelta(minutes=minutes))
        assert await world.mode() is None
        assert world.fetches == fetches
    assert {result.failure for result in world.noted} == {ResultType.STS_POLICY_FETCH_ERROR}


async def test_the_mode_none_ends_a_policy(world: World) -> None:
    await world.mode()
    world.publish("2")
    world.served = POLICY % b"none"
    assert await world.mode() is None
    assert world.fetches == 2


async def test_what_is_about_to_run_out_is_renewed_while_mail_asks_for_it(world: World) -> None:
    await world.mode()
    assert await world.policies.renew() == 0
    world.clock.advance(timedelta(days=6, hours=1))
    assert await world.policies.renew() == 1
    world.clock.advance(timedelta(days=6))
    assert await world.mode() is StsMode.ENFORCE
    assert world.fetches == 2
