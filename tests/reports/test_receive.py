"""Whose reports are taken: vouched for, about our domains, once, of a time that can be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from hongyan.addresses import Domain
from hongyan.engines.sql.received_reports import SqlReceivedReports
from hongyan.mailauth.reports.aggregate import AggregateReport, AggregateRow, PublishedPolicy
from hongyan.mailauth.reports.aggregate_writer import write_aggregate
from hongyan.mailauth.reports.letter import Letter, aggregate_letter, tls_letter
from hongyan.mailauth.reports.packed import pack
from hongyan.mailauth.reports.tls import TlsPolicyResults, TlsReport, write_tls_report
from hongyan.reports.options import ReportOptions
from hongyan.reports.receive import ReportReader
from hongyan.store.evaluations import ReportKind
from tests.support.clock import FakeClock, FakeRandom
from tests.support.storage import open_storage

NOW = datetime(2026, 5, 6, 3, tzinfo=UTC)
BEGIN, END = NOW - timedelta(days=1), NOW - timedelta(hours=3)
VOUCHED = b"Authentication-Results: mail.ours.test;\r\n dkim=pass header.d=big.test\r\nReceived: from x\r\n"
LETTER = Letter(
    submitter="big.test",
    organization="Big",
    contact="p@big.test",
    sender="noreply@big.test",
    recipient="postmaster@ours.test",
    domain="ours.test",
    report_id="1@big.test",
    begin=BEGIN,
    end=END,
    at=NOW,
)
REPORT = AggregateReport(
    organization="Big",
    contact="p@big.test",
    report_id="1@big.test",
    begin=BEGIN,
    end=END,
    policy=PublishedPolicy(domain="ours.test", policy="none"),
    rows=(AggregateRow(source="192.0.2.1", count=5), AggregateRow(source="192.0.2.2", count=2, spf_aligned=True)),
)


class OurDomains:
    """Serves ours.test and theirs.test."""

    def is_local(self, domain: Domain) -> bool:
        return domain.text in ("ours.test", "theirs.test")


@pytest.fixture
async def store(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[SqlReceivedReports]:
    async with open_storage("sqlite", tmp_path, request) as storage:
        yield SqlReceivedReports(storage.database)


@pytest.fixture
def reader(store: SqlReceivedReports) -> ReportReader:
    nobody = cast(Any, None)
    return ReportReader(
        nobody, store, cast(Any, OurDomains()), nobody, FakeClock(NOW), ReportOptions(most_a_day=3), nobody
    )


def letter(report: AggregateReport = REPORT) -> bytes:
    return aggregate_letter(LETTER, pack(write_aggregate(report)), FakeRandom())


async def test_a_report_that_somebody_vouches_for_is_kept_once(reader: ReportReader, store: SqlReceivedReports) -> None:
    assert await reader.keep(letter(), VOUCHED) == "new"
    assert await reader.keep(letter(), VOUCHED) == "known"
    (kept,) = await store.list_reports(since=BEGIN)
    assert (kept.sender, kept.domain, kept.succeeded, kept.failed) == ("big.test", "ours.test", 2, 5)


@pytest.mark.parametrize(
    "prefix",
    [
        b"Received: from x\r\n",
        VOUCHED.replace(b"pass", b"fail"),
        b"Received: from x\r\n" + VOUCHED,
    ],
    ids=["nothing", "failed", "not ours"],
)
async def test_what_nobody_vouches_for_is_a_letter_and_no_more(reader: ReportReader, prefix: bytes) -> None:
    assert await reader.keep(letter(), prefix) == "unauthenticated"


async def test_a_report_on_the_domain_of_others_is_not_kept(reader: ReportReader) -> None:
    foreign = replace(REPORT, policy=PublishedPolicy(domain="foreign.test", policy="none"))
    assert await reader.keep(letter(foreign), VOUCHED) == "foreign"


async def test_a_report_on_a_domain_below_is_its_domains(reader: ReportReader, store: SqlReceivedReports) -> None:
    below = replace(REPORT, policy=PublishedPolicy(domain="mail.ours.test", policy="none"))
    assert await reader.keep(letter(below), VOUCHED) == "new"
    assert [one.domain for one in await store.list_reports("ours.test", since=BEGIN)] == ["ours.test"]


@pytest.mark.parametrize(
    ("begin", "end"),
    [(BEGIN, NOW + timedelta(days=30)), (NOW - timedelta(days=60), END)],
    ids=["of the future", "of two months"],
)
async def test_a_report_of_a_time_that_cannot_be_is_not_kept(
    reader: ReportReader, begin: datetime, end: datetime
) -> None:
    assert await reader.keep(letter(replace(REPORT, begin=begin, end=end)), VOUCHED) == "impossible"


async def test_one_sender_cannot_fill_the_disk(reader: ReportReader) -> None:
    results = [await reader.keep(letter(replace(REPORT, report_id=str(n))), VOUCHED) for n in range(5)]
    assert results == ["new", "new", "new", "too-many", "too-many"]


async def test_many_names_of_one_sender_cannot_fill_the_disk(reader: ReportReader) -> None:
    results = [
        await reader.keep(letter(), VOUCHED.replace(b"big.test", b"n%d.big.test" % number)) for number in range(62)
    ]
    assert results == ["new"] * 60 + ["too-many"] * 2


async def test_what_pretends_to_be_a_report_is_counted_as_unreadable(reader: ReportReader) -> None:
    octets = letter().replace(b"H4sI", b"H4sJ")
    assert await reader.keep(octets, VOUCHED) == "unreadable"
    assert await reader.keep(bytes(6 << 20), VOUCHED) == "too-large"
    assert await reader.keep(b"Subject: Report Domain: x\r\n\r\nHello", VOUCHED) == "none"


async def test_a_tls_report_is_kept_for_each_domain_of_ours(reader: ReportReader, store: SqlReceivedReports) -> None:
    policies = [
        TlsPolicyResults(type="sts", domain=domain, succeeded=number, failed=1)
        for number, domain in enumerate(("ours.test", "theirs.test", "foreign.test"))
    ]
    report = TlsReport(organization="Big", contact="", report_id="t", begin=BEGIN, end=END, policies=tuple(policies))
    assert await reader.keep(tls_letter(LETTER, pack(write_tls_report(report)), FakeRandom()), VOUCHED) == "new"
    kept = await store.list_reports(since=BEGIN - timedelta(days=1))
    assert sorted((one.domain, one.kind, one.succeeded) for one in kept) == [
        ("ours.test", ReportKind.TLS, 0),
        ("theirs.test", ReportKind.TLS, 1),
    ]
