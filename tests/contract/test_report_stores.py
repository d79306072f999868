"""`EvaluationStore` and `ReceivedReportStore`: what is to be told to others once a day, and what they told us."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from hongyan.engines.sql.evaluations import SqlEvaluations
from hongyan.engines.sql.received_reports import SqlReceivedReports
from hongyan.engines.sql.units import SqlDatabase
from hongyan.errors import NotFound
from hongyan.store.audit import AuditEntry
from hongyan.store.evaluations import OptOut, ReportKind, Tally
from hongyan.store.received_reports import Added, ReceivedReport

NOW = datetime(2026, 5, 6, 1, tzinfo=UTC)
TODAY = date(2026, 5, 5)
LATER = NOW + timedelta(hours=1)
SEEN = Tally(kind=ReportKind.DMARC, day=TODAY, domain="a.test", about="p", facts="x", count=2, due_at=NOW)
REPORT = ReceivedReport(
    domain="ours.test",
    kind=ReportKind.DMARC,
    sender="big.test",
    report_id="1",
    organization="Big",
    begins_at=NOW - timedelta(days=1),
    ends_at=NOW,
    received_at=NOW,
    succeeded=7,
    failed=3,
    content=b"\0packed",
)


def act() -> AuditEntry:
    return AuditEntry(1, NOW, "directory:reports:declined", None, "cli", "", {})


@pytest.fixture
def store(sql_database: SqlDatabase) -> SqlEvaluations:
    return SqlEvaluations(sql_database)


@pytest.fixture
def received(sql_database: SqlDatabase) -> SqlReceivedReports:
    return SqlReceivedReports(sql_database)


async def add(store: SqlEvaluations, *tallies: Tally, most_domains: int = 10, most_facts: int = 10) -> int:
    return await store.add(tallies, most_domains=most_domains, most_facts=most_facts)


async def test_the_same_facts_are_counted_together_and_the_last_policy_counts(store: SqlEvaluations) -> None:
    assert await add(store, SEEN, replace(SEEN, facts="y", count=1)) == 0
    assert await add(store, replace(SEEN, count=5, about="q", due_at=LATER)) == 0
    report = await store.claim_due(NOW, LATER)
    assert report is not None
    assert (report.kind, report.day, report.domain, report.about) == (ReportKind.DMARC, TODAY, "a.test", "q")
    assert report.facts == [("x", 7), ("y", 1)]


async def test_a_claimed_report_is_nobody_elses_until_the_claim_ends(store: SqlEvaluations) -> None:
    await add(store, SEEN)
    assert await store.claim_due(NOW - timedelta(seconds=1), LATER) is None
    first = await store.claim_due(NOW, LATER)
    assert first is not None
    assert first.attempts == 1
    assert await store.claim_due(NOW, LATER) is None
    again = await store.claim_due(LATER, LATER + timedelta(hours=1))
    assert again is not None
    assert again.attempts == 2


async def test_a_settled_report_is_gone_with_its_facts(store: SqlEvaluations) -> None:
    await add(store, SEEN, replace(SEEN, kind=ReportKind.TLS))
    await store.settle(ReportKind.DMARC, TODAY, "a.test")
    (waiting,) = await store.list_waiting()
    assert (waiting.kind, waiting.domain, waiting.facts) == (ReportKind.TLS, "a.test", 1)
    await add(store, replace(SEEN, count=1))
    report = await store.claim_due(LATER, LATER)
    assert report is not None
    assert report.facts == [("x", 1)] if report.kind is ReportKind.DMARC else [("x", 2)]


async def test_a_flood_finds_no_room_and_what_is_known_goes_on_being_counted(store: SqlEvaluations) -> None:
    assert await add(store, *(replace(SEEN, facts=str(number)) for number in range(8)), most_facts=5) == 3
    assert await add(store, replace(SEEN, facts="0"), replace(SEEN, facts="9"), most_facts=5) == 1
    assert await add(store, *(replace(SEEN, domain=f"{number}.test") for number in range(5)), most_domains=3) == 3
    waiting = {one.domain: one.facts for one in await store.list_waiting()}
    assert waiting == {"a.test": 5, "0.test": 1, "1.test": 1}
    report = await store.claim_due(NOW, LATER)
    while report is not None and report.domain != "a.test":
        report = await store.claim_due(NOW, LATER)
    assert report is not None
    assert report.facts[0] == ("0", 4)


async def test_who_wants_no_reports_is_remembered(store: SqlEvaluations) -> None:
    await store.put_optout(OptOut("b.test", NOW), audit=act())
    assert await store.list_optouts() == [OptOut("b.test", NOW)]
    await store.remove_optout("b.test", audit=replace(act(), entry_id=2))
    assert await store.list_optouts() == []
    with pytest.raises(NotFound):
        await store.remove_optout("b.test", audit=replace(act(), entry_id=3))


async def test_a_report_is_kept_once_and_comes_back(received: SqlReceivedReports) -> None:
    assert await received.add(REPORT, most_a_day=10) is Added.NEW
    assert await received.add(replace(REPORT, failed=9), most_a_day=10) is Added.KNOWN
    since = NOW - timedelta(days=3)
    assert await received.list_reports(since=since) == [replace(REPORT, content=b"")]
    assert await received.read_reports("ours.test", ReportKind.DMARC, since=since) == [REPORT]
    assert await received.read_reports("ours.test", ReportKind.TLS, since=since) == []
    assert await received.list_reports("else.test", since=since) == []
    assert await received.list_reports("ours.test", since=NOW) == []


async def test_one_sender_has_room_for_so_many_reports_a_day(received: SqlReceivedReports) -> None:
    for number in range(3):
        assert await received.add(replace(REPORT, report_id=str(number)), most_a_day=3) is Added.NEW
    assert await received.add(replace(REPORT, report_id="x"), most_a_day=3) is Added.TOO_MANY
    assert await received.add(replace(REPORT, report_id="x", sender="c.test"), most_a_day=3) is Added.NEW
    tomorrow = replace(REPORT, report_id="x", received_at=NOW + timedelta(days=1))
    assert await received.add(tomorrow, most_a_day=3) is Added.NEW


async def test_old_reports_go(received: SqlReceivedReports) -> None:
    await received.add(REPORT, most_a_day=3)
    assert await received.expire(NOW) == 0
    assert await received.expire(LATER) == 1
    assert await received.list_reports(since=NOW - timedelta(days=3)) == []


async def test_many_senders_together_have_a_bound_too(received: SqlReceivedReports) -> None:
    for number in range(20):
        one = replace(REPORT, sender=f"s{number}.test")
        assert await received.add(one, most_a_day=1) is Added.NEW
    assert await received.add(replace(REPORT, sender="s20.test"), most_a_day=1) is Added.TOO_MANY
    assert await received.add(replace(REPORT, sender="s20.test", domain="other.test"), most_a_day=1) is Added.NEW
