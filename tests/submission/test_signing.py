"""What leaves is signed, by RSA and by Ed25519, so that it verifies as the next hop has taken it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hongyan.addresses import Address, Domain
from hongyan.audit.events import SERVER
from hongyan.clock import SystemClock
from hongyan.domains.dkim_keys import make_missing_keys
from hongyan.mailauth.dkim import DkimStatus
from hongyan.message.headers import find_body
from hongyan.store.aliases import Alias
from tests.support.server import DOMAIN, SECRET, Server, start_server
from tests.support.signatures import verify_signatures
from tests.support.smtp_peer import SmtpPeer

OURS = Domain.parse(DOMAIN)
CLOCK = SystemClock()


async def submit(server: Server, recipients: list[str], octets: bytes) -> None:
    smtp = await server.connect("submissions")
    await smtp.reply()
    for line in (
        "EHLO client.example",
        "AUTH PLAIN " + _plain("ann"),
        "MAIL FROM:<ann@hongyan.test> BODY=8BITMIME",
        *[f"RCPT TO:<{recipient}>" for recipient in recipients],
        "DATA",
    ):
        smtp.say(line)
        reply = await smtp.reply()
        assert reply[:1] in b"23", (line, reply)
    smtp._writer.write(octets.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    assert (await smtp.reply()).startswith(b"250")


def _plain(name: str) -> str:
    from base64 import b64encode

    return b64encode(f"\0{name}@{DOMAIN}\0{SECRET}".encode()).decode()


async def taken(peer: SmtpPeer) -> bytes:
    async with asyncio.timeout(20):
        while not peer.messages:
            await asyncio.sleep(0.002)
    return peer.messages.pop(0).octets


LETTERS = {
    "plain": b"From: Ann <ann@hongyan.test>\r\nTo: goose@example.org\r\nSubject: hi\r\n\r\nHonk.\r\n",
    "dots, spaces and empty lines": b"From: ann@hongyan.test\r\nSubject:  two   spaces\t\r\n\r\n"
    b".\r\n..\r\n a \t b \r\n\r\n\r\n",
    "no body": b"From: ann@hongyan.test\r\nSubject: x\r\n\r\n",
    "no empty line": b"From: ann@hongyan.test\r\nSubject: x\r\n",
    "eight bits": "From: 雁 <ann@hongyan.test>\r\nSubject: 鸿雁\r\n\r\n雁\r\n".encode(),
    "with Bcc": b"Bcc: x@example.org\r\nFrom: ann@hongyan.test\r\nBcc:\r\n y@example.org\r\n\r\nHonk.\r\n",
    "with a folded From": b"From: Ann\r\n\t<ann@hongyan.test>\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\nHonk.\r\n",
}


@pytest.mark.parametrize("letter", LETTERS)
async def test_both_signatures_verify_at_the_next_hop(tmp_path: Path, letter: str) -> None:
    make_missing_keys(tmp_path / "dkim", OURS, CLOCK.now())
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}", limits=False) as server:
        await submit(server, ["goose@example.org"], LETTERS[letter])
        octets = await taken(peer)
    results = await verify_signatures(octets, tmp_path / "dkim", OURS)
    assert [result.status for result in results] == [DkimStatus.PASS] * 2
    assert {result.algorithm for result in results} == {"rsa-sha256", "ed25519-sha256"}
    assert b"\nbcc" not in octets[: find_body(octets, 0, len(octets))].lower()


async def test_what_is_changed_on_the_way_does_not_verify(tmp_path: Path) -> None:
    make_missing_keys(tmp_path / "dkim", OURS, CLOCK.now())
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}", limits=False) as server:
        await submit(server, ["goose@example.org"], LETTERS["plain"])
        octets = await taken(peer)
    for changed in (
        octets.replace(b"Honk.", b"Hiss."),
        octets.replace(b"Subject: hi", b"Subject: ho"),
        b"From: bob@hongyan.test\r\n" + octets,
    ):
        assert {result.status for result in await verify_signatures(changed, tmp_path / "dkim", OURS)} == {
            DkimStatus.FAIL
        }


async def test_what_leaves_by_an_alias_is_signed_too(tmp_path: Path) -> None:
    make_missing_keys(tmp_path / "dkim", OURS, CLOCK.now())
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}", limits=False) as server:
        away = Alias(Address.parse("away@hongyan.test"), (Address.parse("goose@example.org"),), False)
        await server.app.services.directory.aliases.put(away, SERVER)
        await submit(server, ["away@hongyan.test"], LETTERS["plain"])
        octets = await taken(peer)
    results = await verify_signatures(octets, tmp_path / "dkim", OURS)
    assert [result.status for result in results] == [DkimStatus.PASS] * 2


async def test_mail_that_stays_here_is_not_signed(tmp_path: Path) -> None:
    make_missing_keys(tmp_path / "dkim", OURS, CLOCK.now())
    async with start_server(tmp_path, limits=False) as server:
        imap = await server.imap("bob")
        await imap.command("a", "SELECT INBOX")
        imap.say("b IDLE")
        await submit(server, ["bob@hongyan.test"], LETTERS["plain"])
        await imap.until(b"* 1 EXISTS")
        imap.say("DONE")
        header = b"\n".join(await imap.command("c", "FETCH 1 BODY.PEEK[HEADER]"))
    assert b"Subject: hi" in header
    assert b"dkim-signature" not in header.lower()
