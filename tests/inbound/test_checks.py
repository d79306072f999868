"""Checks of whole messages: each is asked, none takes the others down, and what they say is done."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hongyan.errors import ServerFault
from hongyan.inbound.checks import Checks, read_header
from hongyan.inbound.origin import OriginServices
from hongyan.mailauth.spf_record import SpfStatus
from hongyan.screening.examined import Examined
from hongyan.screening.origin import OriginOptions
from hongyan.screening.verdict import Disposition, Finding
from hongyan.store.queue import RecipientState, Selection
from hongyan.wire.smtp import replies
from tests.support.clock import FakeClock
from tests.support.resolver import FakeResolver
from tests.support.server import DOMAIN, Server, start_server

MESSAGE = Examined(
    mid="m1",
    peer="192.0.2.1",
    helo="mx.elsewhere.test",
    reverse_path=None,
    accounts={},
    octets=b"From: a@elsewhere.test\r\n\r\nHonk.\r\n",
    body=26,
)


@dataclass
class Check:
    """A check that says what the test wants, when the test wants."""

    disposition: Disposition = Disposition.ACCEPT
    late: Disposition = Disposition.DEFER
    breaks: Exception | None = None
    waits: bool = False
    seen: list[Examined] = field(default_factory=list)
    name: str = "geese"

    async def judge(self, message: Examined) -> Sequence[Finding]:
        self.seen.append(message)
        if self.breaks is not None:
            raise self.breaks
        if self.waits:
            await asyncio.Event().wait()
        return [self._say(self.disposition, "seen")]

    def overdue(self) -> Sequence[Finding]:
        return [self._say(self.late, "late")]

    def _say(self, disposition: Disposition, reason: str) -> Finding:
        reply = replies.MESSAGE_REFUSED if disposition.is_refusal else None
        return Finding(check=self.name, reason=reason, disposition=disposition, text="honk", reply=reply)


def make_checks(*checks: Check, seconds: float = 30.0, resolver: FakeResolver | None = None) -> Checks:
    services = OriginServices(resolver or FakeResolver(), FakeClock(), "mail.hongyan.test", 20.0)
    return Checks(services, OriginOptions(), checks, seconds=seconds)


async def examine(checks: Checks) -> list[tuple[str, str]]:
    found = await checks.examine(None, MESSAGE, to_postmaster=False, smtputf8=False)
    return [(one.check, one.reason) for one in found.verdict.findings]


async def test_every_check_sees_the_message() -> None:
    first, second = Check(name="first"), Check(name="second")
    assert await examine(make_checks(first, second)) == [("first", "seen"), ("second", "seen")]
    assert first.seen == second.seen == [MESSAGE]


@pytest.mark.parametrize("error", [ValueError("a bug"), ServerFault(cause="the scanner is down")])
async def test_a_check_that_breaks_counts_as_late_and_the_others_are_heard(error: Exception) -> None:
    assert await examine(make_checks(Check(name="broken", breaks=error), Check(name="sound"))) == [
        ("broken", "late"),
        ("sound", "seen"),
    ]


async def test_a_check_that_does_not_end_counts_as_late() -> None:
    assert await examine(make_checks(Check(waits=True), Check(name="quick"), seconds=0.01)) == [
        ("geese", "late"),
        ("quick", "seen"),
    ]


async def test_what_its_origin_refuses_no_other_check_is_asked_about() -> None:
    check = Check()
    checks = make_checks(check)
    origin = checks.begin("192.0.2.1", "mx.elsewhere.test", None)
    assert origin is not None
    origin.add(b"Subject: from nobody\r\n\r\n")
    found = await checks.examine(origin, MESSAGE, to_postmaster=False, smtputf8=False)
    assert [one.check for one in found.verdict.findings] == ["author"]
    assert check.seen == []


@pytest.mark.parametrize(("size", "lines"), [(1, 0), (2, 0), (3, 0), (7, 0), (1000, 0), (1000, 8000), (100_000, 8000)])
async def test_a_message_may_come_in_pieces_of_any_size(size: int, lines: int) -> None:
    resolver = FakeResolver().add_txt("elsewhere.test", "v=spf1 ip4:192.0.2.1 -all")
    checks = make_checks(resolver=resolver)
    origin = checks.begin("192.0.2.1", "mx.elsewhere.test", None)
    assert origin is not None
    octets = (
        b"Received: x\r\n" * lines + b"From: a@elsewhere.test\r\nSubject: x\r\n\r\nFrom: b@other.test\r\n\r\nHonk.\r\n"
    )
    for at in range(0, len(octets), size):
        origin.add(octets[at : at + size])
    found = await origin.find(octets)
    assert [author.text for author in found.authors] == ["elsewhere.test"]  # type: ignore[union-attr]
    assert found.spf is not None
    assert found.spf.status is SpfStatus.NONE


@contextlib.asynccontextmanager
async def serving(folder: Path, check: Check) -> AsyncIterator[Server]:
    async with start_server(folder) as server:
        checks = server.app.services.inbound.checks
        checks._checks = [check]
        yield server


async def test_what_is_in_quarantine_waits_for_an_operator_who_may_release_it(tmp_path: Path) -> None:
    async with serving(tmp_path, Check(Disposition.QUARANTINE)) as server:
        assert (await server.bring(f"ann@{DOMAIN}")).startswith(b"250")
        imap = await server.imap("ann")
        assert b"* 0 EXISTS" in await imap.command("s", "SELECT INBOX")
        store = server.app.services.outgoing.store
        (entry,) = await store.list_messages(Selection())
        assert [(one.state, one.held_for) for one in entry.recipients] == [(RecipientState.HELD, "Quarantine: honk")]
        await store.release(Selection())
        server.app.services.outgoing.worker.wake([DOMAIN])
        async with asyncio.timeout(20):
            while b"* 1 EXISTS" not in await imap.command("n", "NOOP"):
                await asyncio.sleep(0.01)


async def test_a_message_that_is_junk_is_filed_there_and_one_refused_is_not_kept(tmp_path: Path) -> None:
    check = Check(Disposition.JUNK)
    async with serving(tmp_path, check) as server:
        assert (await server.bring(f"ann@{DOMAIN}")).startswith(b"250")
        check.disposition = Disposition.REJECT
        assert (await server.bring(f"ann@{DOMAIN}", "Other")).startswith(b"550")
        imap = await server.imap("ann")
        assert b"* 1 EXISTS" in await imap.command("s", "SELECT Junk")
        assert b"* 0 EXISTS" in await imap.command("s", "SELECT INBOX")


def test_the_message_of_these_tests_says_where_its_body_is() -> None:
    assert replace(MESSAGE).octets[MESSAGE.body :] == b"Honk.\r\n"


async def test_a_long_header_is_read_beside_the_loop_and_a_short_one_at_once() -> None:
    here = threading.get_ident()
    assert await read_header(lambda _: threading.get_ident(), b"", 4_000) == here
    assert await read_header(lambda _: threading.get_ident(), b"", 60_000) != here
