"""TLS results are counted, and a day later the domain's own record says where they go: by mail or by HTTPS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hongyan.addresses import Address
from hongyan.engines.sql.evaluations import SqlEvaluations
from hongyan.errors import PeerFault
from hongyan.mailauth.reports.mailed import read_letter
from hongyan.mailauth.reports.packed import unpack
from hongyan.mailauth.reports.tls import TlsReport, read_tls_report
from hongyan.queue.tls_results import PolicyType, ResultType, TlsResult
from hongyan.reports.options import ReportOptions
from hongyan.reports.send import ReportSender
from hongyan.reports.tallies import Tallies, TlsTallies
from tests.support.clock import FakeClock, FakeRandom
from tests.support.resolver import FakeResolver
from tests.support.storage import open_storage

HOST = "mail.foxes.test"


class World:
    """A sender of reports whose letters and posts end here."""

    def __init__(self, store: SqlEvaluations) -> None:
        self.clock = FakeClock(datetime(2026, 5, 5, 12, tzinfo=UTC))
        self.resolver = FakeResolver()
        self.store = store
        self.letters: list[tuple[str, bytes]] = []
        self.posted: list[tuple[str, str, str, bytes]] = []
        self.takes_posts = True
        options, random = ReportOptions(), FakeRandom()
        self.tallies = Tallies(store, random, options)
        self.results = TlsTallies(self.tallies)
        self.sender = ReportSender(HOST, store, self.resolver, self, self, self.clock, random, options)

    async def send(self, octets: bytes, recipient: Address, report_id: str) -> bool:
        self.letters.append((str(recipient), octets))
        return True

    async def post(self, host: str, path: str, media_type: str, octets: bytes, *, deadline: float) -> None:
        if not self.takes_posts:
            raise PeerFault(cause="no")
        self.posted.append((host, path, media_type, octets))

    def note(self, failure: ResultType | None = None, times: int = 1, domain: str = "geese.test") -> None:
        for _ in range(times):
            self.results.note(
                TlsResult(
                    at=self.clock.now(),
                    domain=domain,
                    policy_type=PolicyType.STS,
                    policy=("version: STSv1",),
                    patterns=("*.geese.test",),
                    host="mx.geese.test",
                    address="192.0.2.1",
                    source="192.0.2.9",
                    failure=failure,
                )
            )

    async def pass_a_day(self) -> int:
        await self.tallies.flush()
        self.clock.advance(timedelta(days=1))
        return await self.sender.send_due()


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with open_storage("sqlite", tmp_path, request) as storage:
        yield World(SqlEvaluations(storage.database))


async def test_sessions_of_a_day_are_told_by_mail(world: World) -> None:
    world.resolver.add_txt("_smtp._tls.geese.test", "v=TLSRPTv1; rua=mailto:t@geese.test")
    world.note(times=4)
    world.note(ResultType.CERTIFICATE_EXPIRED, times=2)
    assert await world.pass_a_day() == 1
    ((recipient, letter),) = world.letters
    assert recipient == "t@geese.test"
    report = read_letter(letter)
    assert isinstance(report, TlsReport)
    assert (report.begin.isoformat(), report.end.isoformat()) == (
        "2026-05-05T00:00:00+00:00",
        "2026-05-05T23:59:59+00:00",
    )
    (policy,) = report.policies
    assert (policy.type, policy.domain, policy.succeeded, policy.failed) == ("sts", "geese.test", 4, 2)
    assert [(one.result, one.count, one.host) for one in policy.failures] == [
        ("certificate-expired", 2, "mx.geese.test")
    ]
    assert await world.sender.send_due() == 0


async def test_sessions_of_a_day_are_posted_where_that_is_asked_for(world: World) -> None:
    world.resolver.add_txt("_smtp._tls.geese.test", "v=TLSRPTv1; rua=https://r.test/x")
    world.note()
    await world.pass_a_day()
    ((host, path, media_type, octets),) = world.posted
    assert (host, path, media_type) == ("r.test", "/x", "application/tlsrpt+gzip")
    assert read_tls_report(unpack(octets, 10_000)).policies[0].succeeded == 1


async def test_who_takes_no_post_is_not_asked_for_ever(world: World) -> None:
    world.resolver.add_txt("_smtp._tls.geese.test", "v=TLSRPTv1; rua=https://r.test/x")
    world.takes_posts = False
    world.note()
    assert await world.pass_a_day() == 1
    assert await world.store.list_waiting() == []


async def test_who_asks_for_nothing_is_told_nothing(world: World) -> None:
    world.note()
    assert await world.pass_a_day() == 1
    assert world.letters == []
    assert await world.store.list_waiting() == []


async def test_while_the_dns_is_silent_a_report_waits_and_then_is_given_up(world: World) -> None:
    world.resolver.failing.add("_smtp._tls.geese.test")
    world.note()
    await world.pass_a_day()
    for _ in range(3):
        assert len(await world.store.list_waiting()) == 1
        world.clock.advance(timedelta(hours=2))
        await world.sender.send_due()
    world.clock.advance(timedelta(hours=2))
    await world.sender.send_due()
    assert await world.store.list_waiting() == []
    assert world.letters == []
