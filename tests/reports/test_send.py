"""Sending reports: one that cannot be made keeps no other from leaving."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import pytest

from hongyan.reports.options import ReportOptions
from hongyan.reports.send import ReportSender
from hongyan.store.evaluations import DueReport, OptOut, ReportKind
from tests.support.clock import FakeClock, FakeRandom
from tests.support.resolver import FakeResolver

DAY = date(2026, 5, 5)


@dataclass
class Shelf:
    due: list[DueReport]
    settled: list[str] = field(default_factory=list)

    async def claim_due(self, now: datetime, until: datetime) -> DueReport | None:
        return self.due.pop(0) if self.due else None

    async def settle(self, kind: ReportKind, day: date, domain: str) -> None:
        self.settled.append(domain)

    async def list_optouts(self) -> list[OptOut]:
        return []


@pytest.mark.parametrize(("attempts", "settled"), [(1, ["good.test"]), (5, ["bad.test", "good.test"])])
async def test_a_report_that_cannot_be_made_is_given_up_after_a_while(attempts: int, settled: list[str]) -> None:
    bad = DueReport(ReportKind.DMARC, DAY, "bad.test", "no document", attempts, [("x", 1)])
    good = DueReport(ReportKind.TLS, DAY, "good.test", "", 1, [])
    shelf = Shelf([bad, good])
    sender = ReportSender(
        "mx.ours.test",
        shelf,  # type: ignore[arg-type]
        FakeResolver(),
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        FakeClock(),
        FakeRandom(),
        ReportOptions(),
    )
    assert await sender.send_due() == 2
    assert shelf.settled == settled
