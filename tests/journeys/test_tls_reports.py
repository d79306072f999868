"""A server could not reach another one safely and holds the mail back: the other side is told the next day, and why."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hongyan.addresses import Address, Domain
from hongyan.audit.events import CLI
from hongyan.config import Config
from hongyan.queue.items import new_message
from hongyan.store.queue import NewRecipient
from tests.journeys.test_reports import OWNER, of_owner, publish_keys, without_gate
from tests.support.authority import Authority, tlsa
from tests.support.cli import Cli
from tests.support.clock import FakeClock
from tests.support.dns_server import Zone, serve_dns
from tests.support.public import serve_policy
from tests.support.server import Server, in_thread, start_server

pytestmark = pytest.mark.root  # the owner listens on port 25

# Addresses of loopback that no other process of the tests has.
_HIGH, _LOW = divmod(os.getpid() % 60_000, 250)
MAIL_HOST, POLICY_HOST = f"127.87.{_HIGH}.{_LOW + 1}", f"127.88.{_HIGH}.{_LOW + 1}"
MX = f"mx.{OWNER}"
POLICY = f"version: STSv1\r\nmode: enforce\r\nmx: {MX}\r\nmax_age: 604800\r\n".encode()
TRUSTED, FOREIGN = Authority(), Authority("Foxes")


@dataclass
class World:
    """Who sends, and the owner of a domain whose certificate is not the one that it says it has."""

    sender: Server
    owner: Server
    zone: Zone
    clock: FakeClock
    folder: Path

    async def send(self) -> str:
        """Send a message to the owner's domain; return what the queue says of it when it was tried."""
        queue = self.sender.app.services.outgoing.queue
        now, octets = queue.clock.now(), b"Subject: honk\r\n\r\nHonk.\r\n"
        to = [NewRecipient(Address.parse(f"gander@{OWNER}"))]
        author = Address.parse("ann@hongyan.test")
        expires = queue.schedule.expires(now)
        await queue.enqueue(new_message(author, to, now=now, expires=expires, size=len(octets), octets=octets))
        cli = Cli(self.folder / "sender")
        async with asyncio.timeout(30):
            while True:
                listed = await in_thread(lambda: cli.json("queue", "list"))
                last = listed["messages"][0]["recipients"][0]["last"] if listed["messages"] else None
                if last is not None:
                    return str(last["text"])
                await asyncio.sleep(0.05)

    async def pass_a_day(self) -> None:
        """Let the next day come, the report leave, and the owner read it."""
        reports = self.sender.app.services.reports
        await reports.tallies.flush()
        self.clock.advance(timedelta(days=1))
        assert await reports.sender.send_due() == 1
        services = self.owner.app.services
        async with asyncio.timeout(30):
            while not await services.reports.received.list_reports(since=self.clock.now() - timedelta(days=9)):
                await services.screening.consumers.catch_up()
                await asyncio.sleep(0.05)

    async def shown(self, *options: str, language: str = "C.UTF-8") -> str:
        """Return what `hongyan report show` prints at the owner."""
        cli = Cli(self.folder / "owner")
        return (await in_thread(lambda: cli("report", "show", OWNER, *options, language=language))).out


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with contextlib.AsyncExitStack() as stack:
        zone = await stack.enter_async_context(serve_dns())
        serving = serve_policy(POLICY_HOST, POLICY, TRUSTED.server(f"mta-sts.{OWNER}"))
        port, _ = await stack.enter_async_context(serving)
        zone.records |= {
            f"MX {OWNER}": [f"10 {MX}."],
            f"A {MX}": [MAIL_HOST],
            f"A mta-sts.{OWNER}": [POLICY_HOST],
            f"TXT _smtp._tls.{OWNER}": [f'"v=TLSRPTv1; rua=mailto:postmaster@{OWNER}"'],
        }
        clock = FakeClock()
        settings: dict[str, Any] = {"clock": clock, "resolver": zone.server}
        places = {"smtp": (MAIL_HOST, 25)}
        owner = await stack.enter_async_context(
            start_server(tmp_path / "owner", change=of_owner, places=places, **settings)
        )
        await owner.app.services.directory.domains.add(Domain.parse(OWNER), CLI)

        def trusting(config: Config) -> Config:
            secured = replace(config.outgoing_tls, authorities=str(TRUSTED.file()), policy_port=port)
            return without_gate(replace(config, outgoing_tls=secured))

        sender = await stack.enter_async_context(start_server(tmp_path / "sender", change=trusting, **settings))
        await publish_keys(sender, zone, "hongyan.test")
        yield World(sender, owner, zone, clock, tmp_path)


async def test_mail_that_a_policy_held_back_is_in_the_report_of_the_next_day(world: World) -> None:
    world.zone.records[f"TXT _mta-sts.{OWNER}"] = ['"v=STSv1; id=1;"']
    assert "MTA-STS" in await world.send()
    await world.pass_a_day()
    told = json.loads(await world.shown("--json"))
    (failure,) = told["tls"]["failures"]
    assert (told["tls"]["sessions"], told["tls"]["failed"]) == (1, 1)
    assert (failure["policy"], failure["result"], failure["host"]) == ("sts", "certificate-not-trusted", MX)
    assert told["reporters"] == [{"organization": "mail.hongyan.test", "sender": "hongyan.test", "reports": 1}]
    assert f"{MX}: sessions 1: Nobody who is trusted has signed the certificate." in await world.shown()
    assert f"{MX}：1 次会话：证书不是由受信任的机构签发的。" in await world.shown(language="zh_CN.UTF-8")


async def test_mail_that_dane_held_back_is_in_the_report_of_the_next_day(world: World) -> None:
    world.zone.records[f"TLSA _25._tcp.{MX}"] = [f"3 1 1 {tlsa(3, 1, 1, FOREIGN.signer.certificate).data.hex()}"]
    assert "TLSA" in await world.send()
    await world.pass_a_day()
    (failure,) = json.loads(await world.shown("--json"))["tls"]["failures"]
    assert (failure["policy"], failure["result"], failure["host"]) == ("tlsa", "validation-failure", MX)
    assert f"{MX}: sessions 1: The certificate does not fit the TLSA records." in await world.shown()
