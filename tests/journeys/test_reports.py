"""Two servers tell one another what they saw: forged mail leads to a report, the next day, to the owner of the name."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap

from hongyan.addresses import Address, Domain
from hongyan.audit.events import CLI
from hongyan.config import Config
from hongyan.domains.dns_records import Kind, wanted_records
from hongyan.store.aliases import Alias
from hongyan.store.mailboxes import INBOX_ID
from tests.support.cli import Cli
from tests.support.clock import FakeClock
from tests.support.dns_server import Zone, serve_dns
from tests.support.server import Server, in_thread, start_server

OWNER = "geese.test"
SPOOF = f"From: Gander <gander@{OWNER}>\r\nSubject: Feed me\r\n\r\nNow.\r\n."


LETTER = "From: Goose <goose@fox.test>\r\nSubject: Report Domain: mine\r\n\r\nYour mail does not reach me.\r\n."


ELSEWHERE = "victim@foxes.test"


@dataclass
class World:
    """A server that is sent forged mail, the owner of the forged name, and the DNS that both ask."""

    reporter: Server
    owner: Server
    zone: Zone
    clock: FakeClock
    cli: Cli
    """At the owner."""

    async def forge(self) -> None:
        """Bring the reporter a message in the owner's name, again while DNS is too slow on a busy machine."""
        async with asyncio.timeout(60):
            while not (reply := await say(self.reporter, SPOOF)).startswith(b"550 5.7.26"):
                assert reply.startswith(b"451"), reply

    async def pass_a_day(self) -> None:
        """Let the next day come, and what is due then leave."""
        reports = self.reporter.app.services.reports
        await reports.tallies.flush()
        self.clock.advance(timedelta(days=1))
        self.dealt_with = await reports.sender.send_due()

    async def wait_for_report(self) -> None:
        """Wait until the owner has read what came."""
        services = self.owner.app.services
        async with asyncio.timeout(60):
            for looks in itertools.count(1):
                await services.screening.consumers.catch_up()
                if await services.reports.received.list_reports(since=self.clock.now() - timedelta(days=9)):
                    return
                await asyncio.sleep(0.05)
                if looks % 100 == 0:
                    self.clock.advance(timedelta(minutes=20))  # What a busy machine put off is tried again.


async def say(
    server: Server, message: str, sender: str = f"gander@{OWNER}", recipient: str = "ann@hongyan.test"
) -> bytes:
    smtp = await server.connect("smtp")
    await smtp.reply()
    for line in (f"EHLO {OWNER}", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
        smtp.say(line)
        await smtp.reply()
    smtp.say(message)
    reply = await smtp.reply()
    await smtp.close()
    return reply


def without_gate(config: Config) -> Config:
    return replace(config, gate=replace(config.gate, enabled=False))


def of_owner(config: Config) -> Config:
    return without_gate(replace(config, server=replace(config.server, hostname=f"mail.{OWNER}")))


async def add_elsewhere(server: Server) -> None:
    """Let somebody of another domain have letters there."""
    directory = server.app.services.directory
    await directory.domains.add(Domain.parse("foxes.test"), CLI)
    ann = (await server.account("ann")).address
    await directory.aliases.put(Alias(Address.parse(ELSEWHERE), (ann,), False), CLI)


async def publish_keys(server: Server, zone: Zone, name: str) -> None:
    """Let the zone have the DKIM keys of a domain."""
    facts = await server.app.services.domain_care.facts.facts(Domain.parse(name))
    for record in wanted_records(facts):
        if record.kind is Kind.TXT and "._domainkey." in record.name:
            pieces = (record.value[start : start + 255] for start in range(0, len(record.value), 255))
            zone.records[f"TXT {record.name}"] = [" ".join(f'"{piece}"' for piece in pieces)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with contextlib.AsyncExitStack() as stack:
        zone = await stack.enter_async_context(serve_dns())
        clock = FakeClock()
        settings: dict[str, Any] = {"clock": clock, "resolver": zone.server}
        owner = await stack.enter_async_context(start_server(tmp_path / "owner", change=of_owner, **settings))
        await owner.app.services.directory.domains.add(Domain.parse(OWNER), CLI)
        relay = f"127.0.0.1:{owner.app.endpoints['smtp'].port}"
        reporter = await stack.enter_async_context(
            start_server(tmp_path / "reporter", change=without_gate, relay=relay, **settings)
        )
        await publish_keys(reporter, zone, "hongyan.test")
        zone.records[f"TXT _dmarc.{OWNER}"] = [f'"v=DMARC1; p=reject; rua=mailto:postmaster@{OWNER}"']
        zone.records[f"TXT {OWNER}"] = ['"v=spf1 -all"']
        yield World(reporter, owner, zone, clock, Cli(tmp_path / "owner"))


async def test_forged_mail_is_reported_the_next_day_and_its_owner_is_shown_it(world: World) -> None:
    for _ in range(3):
        await world.forge()
    await world.pass_a_day()
    assert world.dealt_with == 1
    await world.wait_for_report()
    (report,) = await world.owner.app.services.reports.received.list_reports(
        since=world.clock.now() - timedelta(days=9)
    )
    assert (report.domain, report.sender, report.failed, report.succeeded) == (OWNER, "hongyan.test", 3, 0)


async def test_what_others_report_is_shown_in_two_languages_with_what_helps(world: World) -> None:
    world.zone.records["PTR 1.0.0.127.in-addr.arpa"] = ["fox.example."]
    await world.forge()
    await world.pass_a_day()
    await world.wait_for_report()
    shown = await in_thread(lambda: world.cli.json("report", "show", OWNER))
    (source,) = shown["dmarc"]["sources"]
    assert (source["address"], source["messages"], source["rejected"]) == ("127.0.0.1", 1, 1)
    assert (source["name"], source["trouble"]) == ("fox.example", "unvouched")
    assert shown["reporters"] == [{"organization": "mail.hongyan.test", "sender": "hongyan.test", "reports": 1}]
    english = (await in_thread(lambda: world.cli("report", "show", OWNER))).out
    assert "DMARC: messages 1, passed 0, failed 1; reports 1." in english
    assert "If not, it is forged" in english
    chinese = (await in_thread(lambda: world.cli("report", "show", OWNER, language="zh_CN.UTF-8"))).out
    assert "DMARC：1 份报告，1 封邮件；通过 0 封，未通过 1 封。" in chinese
    listed = (await in_thread(lambda: world.cli("report", "list"))).out
    assert "mail.hongyan.test (hongyan.test)" in listed


async def test_a_letter_whose_report_was_read_goes_out_of_the_way_and_teaches_the_spam_filter_nothing(
    world: World,
) -> None:
    assert (await say(world.owner, LETTER, "goose@fox.test", f"postmaster@{OWNER}")).startswith(b"250")
    await world.forge()
    await world.pass_a_day()
    await world.wait_for_report()
    services = world.owner.app.services
    await services.screening.consumers.catch_up()
    imap = await world.owner.imap("admin")
    (counts,) = [line for line in await imap.command("a", "STATUS INBOX (MESSAGES)") if b"MESSAGES" in line]
    assert b"(MESSAGES 1)" in counts  # The letter of a person stays.
    assert any(b"(MESSAGES 1)" in line for line in await imap.command("b", "STATUS Reports (MESSAGES)"))
    await imap.command("c", "SELECT Reports")
    (fetched,) = [line for line in await imap.command("d", "FETCH 1 (FLAGS)") if b"FLAGS (" in line]
    assert {b"\\Seen", b"$AutoFiled"} <= set(fetched.partition(b"FLAGS (")[2].partition(b")")[0].split())
    account = (await world.owner.account("admin")).account_id
    assert await services.screening.spam_store.find_model(account) is None


async def test_letters_stay_where_no_mailbox_is_named_for_them(tmp_path: Path) -> None:
    def staying(config: Config) -> Config:
        return replace(config, reports=replace(config.reports, folder=""))

    async with start_server(tmp_path, change=staying) as server:
        filing = server.app.services.reports.reader.filing
        account = (await server.account("admin")).account_id
        await server.bring("postmaster@hongyan.test")
        await filing.file(account, INBOX_ID, BitMap([1]))
        imap = await server.imap("admin")
        assert any(b"(MESSAGES 1)" in line for line in await imap.command("b", "STATUS INBOX (MESSAGES)"))


async def test_a_domain_that_wants_no_reports_is_sent_none(world: World) -> None:
    cli = Cli(world.reporter.app.engines.directory.path)
    assert (await in_thread(lambda: cli("report", "optout", OWNER))).code == 0
    listed = await in_thread(lambda: cli.json("report", "optout"))
    assert [one["domain"] for one in listed["domains"]] == [OWNER]
    await world.forge()
    (waiting,) = (await in_thread(lambda: cli.json("report", "pending")))["reports"]
    assert waiting["domain"] == OWNER
    await world.pass_a_day()
    assert world.dealt_with == 1
    assert not await delivered(world)
    assert not await world.owner.app.services.reports.received.list_reports(since=world.clock.now() - timedelta(days=9))
    assert (await in_thread(lambda: cli("report", "optout", OWNER, "--undo"))).code == 0
    await world.forge()
    await world.pass_a_day()
    await world.wait_for_report()


async def test_an_address_elsewhere_is_written_to_only_if_its_domain_agrees(world: World) -> None:
    await add_elsewhere(world.owner)
    world.zone.records[f"TXT _dmarc.{OWNER}"] = [
        f'"v=DMARC1; p=reject; rua=mailto:{ELSEWHERE}, mailto:postmaster@{OWNER}!10"'
    ]
    await world.forge()
    await world.pass_a_day()
    assert world.dealt_with == 1
    assert not await delivered(world)  # One did not agree, and the other takes ten octets at most.
    world.zone.records[f"TXT {OWNER}._report._dmarc.foxes.test"] = ['"v=DMARC1"']
    world.clock.advance(timedelta(days=1))
    await world.forge()
    await world.pass_a_day()
    assert world.dealt_with == 1
    assert await delivered(world) == [f"<{ELSEWHERE}>"]


async def test_a_report_is_not_reported_on(world: World) -> None:
    for name, policy in (("hongyan.test", "postmaster@hongyan.test"), (OWNER, f"postmaster@{OWNER}")):
        world.zone.records[f"TXT _dmarc.{name}"] = [f'"v=DMARC1; p=reject; rua=mailto:{policy}"']
    await world.forge()
    await world.pass_a_day()
    await world.wait_for_report()
    await world.owner.app.services.reports.tallies.flush()
    assert await world.owner.app.services.reports.evaluations.list_waiting() == []


async def delivered(world: World) -> list[str]:
    """Return to whom letters came that wait for nobody to read them, once nothing is under way any more."""
    async with asyncio.timeout(60):
        for looks in itertools.count(1):
            if not (await world.reporter.app.services.outgoing.store.counts()).messages:
                break
            await asyncio.sleep(0.05)
            if looks % 100 == 0:
                world.clock.advance(timedelta(minutes=20))  # What a busy machine put off is tried again.
    imap = await world.owner.imap("ann")
    await imap.command("b", "EXAMINE INBOX")
    lines = await imap.command("c", "UID FETCH 1:* BODY.PEEK[HEADER.FIELDS (TO)]")
    return [line[len(b"To: ") :].decode().strip() for line in lines if line.startswith(b"To: ")]
