"""Mail to a domain that publishes how it is to be delivered: DNS, policy host and mail server stand on loopback."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hongyan.addresses import Address
from hongyan.config import Config
from hongyan.queue.items import new_message
from hongyan.store.queue import NewRecipient
from tests.support.authority import Authority, tlsa
from tests.support.cli import Cli
from tests.support.dns_server import Zone, serve_dns
from tests.support.public import serve_policy
from tests.support.server import Server, in_thread, start_server
from tests.support.smtp_peer import SmtpPeer

pytestmark = pytest.mark.root  # another server listens on port 25

# Addresses of loopback that no other process of the tests has.
_HIGH, _LOW = divmod(os.getpid() % 60_000, 250)
MAIL_HOST, POLICY_HOST = f"127.77.{_HIGH}.{_LOW + 1}", f"127.78.{_HIGH}.{_LOW + 1}"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx.geese.test\r\nmax_age: 604800\r\n"
GEESE, FOXES = Authority(), Authority("Foxes")
MX = GEESE.issue("mx.geese.test")


def publish(zone: Zone) -> None:
    zone.records["MX geese.test"] = ["10 mx.geese.test."]
    zone.records["A mx.geese.test"] = [MAIL_HOST]


def trusting(port: int) -> Callable[[Config], Config]:
    def change(config: Config) -> Config:
        secured = replace(config.outgoing_tls, authorities=str(GEESE.file()), policy_port=port)
        route = replace(config.route, private_addresses=True, hold=False)
        return replace(config, outgoing_tls=secured, route=route)

    return change


async def send(server: Server) -> None:
    queue = server.app.services.outgoing.queue
    now = queue.clock.now()
    octets = b"Subject: honk\r\n\r\nHonk.\r\n"
    expires = queue.schedule.expires(now)
    to = [NewRecipient(Address.parse("goose@geese.test"))]
    sender = Address.parse("ann@hongyan.test")
    await queue.enqueue(new_message(sender, to, now=now, expires=expires, size=len(octets), octets=octets))


async def wait_for_delivery(cli: Cli) -> None:
    """Wait until the queue has kept what it knows of the one message and let it go.

    The other server has the mail before that: its answer is still on the way to the queue.
    """
    async with asyncio.timeout(30):
        while (await in_thread(lambda: cli.json("queue", "list")))["messages"]:
            await asyncio.sleep(0.05)


async def wait_for_answer(cli: Cli) -> dict[str, Any]:
    """Return what the queue says of the one message, when an attempt was made."""
    async with asyncio.timeout(30):
        while True:
            listed = await in_thread(lambda: cli.json("queue", "list"))
            last = listed["messages"][0]["recipients"][0]["last"] if listed["messages"] else None
            if last is not None:
                return dict(last)
            await asyncio.sleep(0.05)


async def test_a_policy_is_fetched_once_kept_and_obeyed(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data")
    tls = GEESE.server("mta-sts.geese.test")
    async with serve_dns() as zone, serve_policy(POLICY_HOST, POLICY, tls) as (port, fetched):
        publish(zone)
        zone.records["TXT _mta-sts.geese.test"] = ['"v=STSv1; id=1;"']
        zone.records["A mta-sts.geese.test"] = [POLICY_HOST]
        settings: dict[str, Any] = {"resolver": zone.server, "change": trusting(port)}
        async with SmtpPeer(tls=MX.context, host=MAIL_HOST, port=25) as peer:  # noqa: SIM117 - one after the other
            async with start_server(tmp_path / "data", **settings) as server:
                await send(server)
                await wait_for_delivery(cli)
                assert peer.messages[0].encrypted
                shown = await in_thread(lambda: cli.json("domain", "tls"))
                (domain,) = shown["domains"]
                assert (domain["level"], domain["policy"]["mode"]) == ("verified", "enforce")
        del zone.records["TXT _mta-sts.geese.test"]  # somebody is in the way: what is kept counts
        async with SmtpPeer(host=MAIL_HOST, port=25) as plain:
            async with start_server(tmp_path / "data", **settings) as server:
                await send(server)
                last = await wait_for_answer(cli)
            assert "MTA-STS" in last["text"]
            assert "STARTTLS is not offered" in last["text"]
            assert "MAIL" not in plain.verbs
    assert len(fetched) == 1
    assert fetched[0].startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\n")


@pytest.mark.parametrize("is_right", [True, False])
async def test_a_host_is_known_by_its_tlsa_record(tmp_path: Path, is_right: bool) -> None:
    record = tlsa(3, 1, 1, (MX if is_right else FOXES.signer).certificate)
    cli = Cli(tmp_path / "data")
    async with serve_dns() as zone:
        publish(zone)
        zone.records["TLSA _25._tcp.mx.geese.test"] = [f"3 1 1 {record.data.hex()}"]
        async with SmtpPeer(tls=MX.context, host=MAIL_HOST, port=25) as peer:  # noqa: SIM117 - it outlives the server
            async with start_server(tmp_path / "data", resolver=zone.server, change=trusting(443)) as server:
                await send(server)
                if is_right:
                    await wait_for_delivery(cli)
                    assert peer.messages[0].encrypted
                else:
                    last = await wait_for_answer(cli)
                    assert "TLSA" in last["text"]
                    assert "MAIL" not in peer.verbs
