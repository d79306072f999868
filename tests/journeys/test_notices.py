"""What other servers' users are told when mail cannot be delivered: signed as ours, and not without end."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from hongyan.addresses import Address, Domain
from hongyan.audit.events import SERVER
from hongyan.config import Config
from hongyan.demonstration import DOMAIN
from hongyan.mailauth.dkim import DkimStatus
from hongyan.store.aliases import Alias
from tests.support.dns_server import serve_dns
from tests.support.lines import PATIENCE
from tests.support.server import SECRET, Server, start_server
from tests.support.signatures import verify_signatures
from tests.support.smtp_peer import OK, SmtpPeer

LIST = f"list@{DOMAIN}"
REFUSED = "550 5.1.1 No such user"
SENDER = "MAIL FROM:<>"


async def add_list(server: Server) -> None:
    """Add an address of ours that stands for one elsewhere."""
    alias = Alias(Address.parse(LIST), (Address.parse("gone@faraway.test"),), False)
    await server.app.services.directory.aliases.put(alias, SERVER)


async def until_empty(server: Server) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await server.app.services.outgoing.store.counts()).messages:
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("hostname", ["mail.hongyan.test", "hongyan.test", "mx1.east.hongyan.test"])
async def test_a_notification_to_another_server_is_signed_by_the_domain_of_our_host(
    tmp_path: Path, hostname: str
) -> None:
    def change(config: Config) -> Config:
        return replace(config, server=replace(config.server, hostname=hostname))

    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}", change=change) as server:
        peer.script("RCPT", REFUSED, OK)
        await add_list(server)
        assert (await server.bring(LIST)).startswith(b"250")
        await until_empty(server)
    (notice,) = peer.messages
    assert notice.mail.startswith(SENDER)
    assert notice.recipients == ["RCPT TO:<friend@elsewhere.test>"]
    assert f"From: Mail Delivery System <postmaster@{hostname}>".encode() in notice.octets
    results = await verify_signatures(notice.octets, tmp_path / "dkim", Domain(DOMAIN))
    assert [(result.status, result.domain) for result in results] == [(DkimStatus.PASS, DOMAIN)] * 2


@pytest.mark.parametrize("hostname", ["mail.elsewhere.test", "nothongyan.test"])
async def test_a_host_outside_our_domains_signs_nothing(tmp_path: Path, hostname: str) -> None:
    def change(config: Config) -> Config:
        return replace(config, server=replace(config.server, hostname=hostname))

    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}", change=change) as server:
        peer.script("RCPT", REFUSED, OK)
        await add_list(server)
        await server.bring(LIST)
        await until_empty(server)
    (notice,) = peer.messages
    assert b"dkim-signature" not in notice.octets.lower()


async def test_a_notification_leaves_unsigned_when_a_key_cannot_be_read(tmp_path: Path) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        peer.script("RCPT", REFUSED, OK)
        for key in (tmp_path / "dkim" / DOMAIN).iterdir():
            key.chmod(0o644)
        await add_list(server)
        await server.bring(LIST)
        await until_empty(server)
    (notice,) = peer.messages
    assert b"dkim-signature" not in notice.octets.lower()


async def test_a_forged_sender_is_told_so_often_and_no_more(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, queue=replace(config.queue, notices_per_hour=2))

    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}", change=change) as server:
        peer.script("RCPT", REFUSED, OK, REFUSED, OK, REFUSED)
        await add_list(server)
        for number in range(5):
            await server.bring(LIST, f"Message {number}")
            await until_empty(server)
    assert [message.mail[: len(SENDER)] for message in peer.messages] == [SENDER] * 2


@pytest.mark.parametrize("address", ["192.0.2.7", "127.0.0.1"])
async def test_mail_for_a_domain_whose_exchanger_is_this_server_is_a_loop(tmp_path: Path, address: str) -> None:
    """The exchanger has another name: its address is that of our host in the DNS, or one that we listen on."""
    async with serve_dns() as zone, start_server(tmp_path, resolver=zone.server) as server:
        zone.records["A mail.hongyan.test"] = ["192.0.2.7"]
        zone.records["MX faraway.test"] = ["10 another-name.test.", "20 backup.test."]
        zone.records["A another-name.test"] = [address]
        zone.records["A backup.test"] = ["192.0.2.8"]
        await submit(server, "gone@faraway.test")
        await until_empty(server)
        imap = await server.imap("ann")
        assert b"* 1 EXISTS" in await imap.command("s", "SELECT INBOX")
        report = b"\n".join(await imap.command("f", "FETCH 1 BODY.PEEK[2]"))
    assert b"Final-Recipient: rfc822; gone@faraway.test" in report
    assert b"Status: 5.4.6" in report


async def submit(server: Server, recipient: str) -> None:
    smtp = await server.connect("submissions")
    await smtp.reply()
    for line in (
        "EHLO client.example",
        "AUTH PLAIN " + b64encode(f"\0ann@{DOMAIN}\0{SECRET}".encode()).decode(),
        f"MAIL FROM:<ann@{DOMAIN}>",
        f"RCPT TO:<{recipient}>",
        "DATA",
        f"From: ann@{DOMAIN}\r\n\r\nHonk.\r\n.",
    ):
        smtp.say(line)
        reply = await smtp.reply()
        assert reply[:1] in b"23", (line, reply)
