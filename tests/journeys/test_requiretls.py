"""Senders who want TLS on the whole way (REQUIRETLS), and senders who want mail to go without it (RFC 8689)."""

from __future__ import annotations

import asyncio
import smtplib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import SERVER
from hongyan.config import Config
from hongyan.store.aliases import Alias
from tests.journeys.test_transport_security import FOXES, MAIL_HOST, MX, publish, trusting, wait_for_answer
from tests.support.authority import Issued, tlsa
from tests.support.cli import Cli
from tests.support.dns_server import Zone, serve_dns
from tests.support.server import DOMAIN, SECRET, Server, in_thread, start_server
from tests.support.smtp_peer import SmtpPeer

pytestmark = pytest.mark.root  # another server listens on port 25

OFFERED = ("PIPELINING", "8BITMIME", "REQUIRETLS")
TEXT = f"From: ann@{DOMAIN}\r\nTo: goose@geese.test\r\nSubject: honk\r\n\r\nWhere the eggs are.\r\n"
WAIVING = f"TLS-Required: No\r\n{TEXT}"
FORGED = FOXES.issue("mx.geese.test")


def submit(server: Server, text: str, *options: str) -> None:
    """Send a message as Ann, from her program."""
    with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
        smtp.login(f"ann@{DOMAIN}", SECRET)
        assert smtp.has_extn("requiretls")
        for code, reply in (smtp.mail(f"ann@{DOMAIN}", options), smtp.rcpt("goose@geese.test"), smtp.data(text)):
            assert code == 250, reply


async def until_arrived(peer: SmtpPeer) -> None:
    async with asyncio.timeout(30):
        await peer.arrived.wait()


async def test_what_requires_tls_goes_where_tls_is_promised(tmp_path: Path) -> None:
    async with serve_dns() as zone, SmtpPeer(OFFERED, tls=MX.context, host=MAIL_HOST, port=25) as peer:
        publish(zone)
        async with start_server(tmp_path / "data", resolver=zone.server, change=trusting(443)) as server:
            await in_thread(lambda: submit(server, TEXT, "REQUIRETLS"))
            await until_arrived(peer)
    (received,) = peer.messages
    assert received.encrypted
    assert received.mail.split(" ")[-1] == "REQUIRETLS"
    assert b"Where the eggs are." in received.octets


@pytest.mark.parametrize(
    ("extensions", "shown"),
    [(OFFERED[:2], MX), (OFFERED, FORGED), (OFFERED, None)],
    ids=["not promised", "somebody else's certificate", "no TLS"],
)
async def test_what_requires_tls_comes_back_where_it_is_not_and_only_its_header(
    tmp_path: Path, extensions: tuple[str, ...], shown: Issued | None
) -> None:
    context = shown.context if shown else None
    async with serve_dns() as zone, SmtpPeer(extensions, tls=context, host=MAIL_HOST, port=25) as peer:
        publish(zone)
        async with start_server(tmp_path / "data", resolver=zone.server, change=trusting(443)) as server:
            imap = await server.imap("ann")
            await imap.command("s", "SELECT INBOX")
            imap.say("i IDLE")
            await imap.until(b"+")
            await in_thread(lambda: submit(server, TEXT, "REQUIRETLS"))
            await imap.until(b"* 1 EXISTS")
            imap.say("DONE")
            await imap.until(b"i OK")
            notice = b"\r\n".join(await imap.command("f", "FETCH 1 BODY[]"))
    assert b"Status: 5.7.30" in notice
    assert b"text/rfc822-headers" in notice
    assert b"Subject: honk" in notice
    assert b"eggs" not in notice
    assert "MAIL" not in peer.verbs


def bring(server: Server, recipient: str, *, tls: bool) -> tuple[int, bytes]:
    """Bring a message that requires TLS as another server does; return the reply to MAIL, or to the message."""
    with smtplib.SMTP("localhost", server.app.endpoints["smtp"].port, local_hostname="friend.test") as smtp:
        if tls:
            smtp.starttls(context=server.tls)
        smtp.ehlo()
        assert smtp.has_extn("requiretls") is tls
        code, reply = smtp.docmd("MAIL FROM:<friend@elsewhere.test> REQUIRETLS")
        if code != 250:
            return code, reply
        assert smtp.rcpt(recipient)[0] == 250
        return smtp.data(TEXT.replace(f"ann@{DOMAIN}", "friend@elsewhere.test"))


async def test_what_is_sent_on_requires_what_its_sender_required(tmp_path: Path) -> None:
    async with serve_dns() as zone, SmtpPeer(OFFERED, tls=MX.context, host=MAIL_HOST, port=25) as peer:
        publish(zone)
        async with start_server(tmp_path / "data", resolver=zone.server, change=trusting(443)) as server:
            alias = Alias(Address.parse(f"list@{DOMAIN}"), (Address.parse("goose@geese.test"),), False)
            await server.app.services.directory.aliases.put(alias, SERVER)
            code, _ = await in_thread(lambda: bring(server, f"list@{DOMAIN}", tls=True))
            assert code == 250
            await until_arrived(peer)
    assert peer.messages[0].mail.split(" ")[-1] == "REQUIRETLS"


async def test_nobody_can_require_tls_without_having_it(server: Server) -> None:
    code, reply = await in_thread(lambda: bring(server, f"ann@{DOMAIN}", tls=False))
    assert (code, reply[:5]) == (555, b"5.5.4")


def publish_wrong(zone: Zone) -> None:
    """Publish a record that the host's certificate does not fit."""
    publish(zone)
    record = tlsa(3, 1, 1, FOXES.signer.certificate)
    zone.records["TLSA _25._tcp.mx.geese.test"] = [f"3 1 1 {record.data.hex()}"]


async def test_a_sender_has_mail_go_where_tls_fails_and_other_mail_waits(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data")
    async with serve_dns() as zone, SmtpPeer(OFFERED, tls=MX.context, host=MAIL_HOST, port=25) as peer:
        publish_wrong(zone)
        async with start_server(tmp_path / "data", resolver=zone.server, change=trusting(443)) as server:
            await in_thread(lambda: submit(server, TEXT))
            assert "TLSA" in (await wait_for_answer(cli))["text"]
            assert "MAIL" not in peer.verbs
            await in_thread(lambda: submit(server, WAIVING))
            await until_arrived(peer)
            async with asyncio.timeout(30):
                while len((await in_thread(lambda: cli.json("queue", "list")))["messages"]) > 1:
                    await asyncio.sleep(0.05)
            assert "TLSA" in (await wait_for_answer(cli))["text"]
    (received,) = peer.messages
    assert b"\r\nTLS-Required: No\r\n" in received.octets
    assert received.encrypted


@pytest.mark.parametrize("way", ["REQUIRETLS", "not allowed"])
async def test_a_sender_waives_nothing_who_requires_it_too_or_may_not(tmp_path: Path, way: str) -> None:
    cli = Cli(tmp_path / "data")

    def change(config: Config) -> Config:
        trusted = trusting(443)(config)
        secured = replace(trusted.outgoing_tls, senders_may_waive=way != "not allowed")
        return replace(trusted, outgoing_tls=secured)

    options: list[Any] = ["REQUIRETLS"] if way == "REQUIRETLS" else []
    async with serve_dns() as zone, SmtpPeer(OFFERED, tls=MX.context, host=MAIL_HOST, port=25) as peer:
        publish_wrong(zone)
        async with start_server(tmp_path / "data", resolver=zone.server, change=change) as server:
            await in_thread(lambda: submit(server, WAIVING, *options))
            assert "TLSA" in (await wait_for_answer(cli))["text"]
    assert "MAIL" not in peer.verbs
