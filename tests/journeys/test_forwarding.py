"""Mail that an alias sends on to another server, and the bounces of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hongyan.addresses import Address
from hongyan.audit.events import SERVER
from hongyan.store.aliases import Alias
from tests.support.lines import PATIENCE
from tests.support.server import DOMAIN, Server, start_server
from tests.support.smtp_peer import SmtpPeer

LIST, BOTH = f"list@{DOMAIN}", f"both@{DOMAIN}"
MESSAGE = "From: friend@elsewhere.test\r\nSubject: Hello\r\n\r\nHello"


async def bring(server: Server, sender: str, recipient: str, message: str = MESSAGE) -> bytes:
    """Bring a message with this envelope; return the reply to its recipient, or to its end."""
    smtp = await server.connect("smtp")
    await smtp.reply()
    for line in ("EHLO elsewhere.test", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"):
        smtp.say(line)
        reply = await smtp.reply()
    if reply.startswith(b"250"):
        smtp.say("DATA")
        await smtp.reply()
        smtp.say(f"{message}\r\n.")
        reply = await smtp.reply()
    await smtp.close()
    return reply


async def until_messages(peer: SmtpPeer, number: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(peer.messages) < number:
            await asyncio.sleep(0.002)


async def test_what_is_sent_on_leaves_under_our_name_and_its_bounce_goes_back(tmp_path: Path) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        alias = Alias(Address.parse(LIST), (Address.parse("new@faraway.test"),), False)
        await server.app.services.directory.aliases.put(alias, SERVER)
        assert (await bring(server, "friend@elsewhere.test", LIST)).startswith(b"250")
        await until_messages(peer, 1)
        path = peer.messages[0].mail.split("<")[1].split(">")[0]
        assert path.startswith("SRS0=")
        assert path.endswith(f"=elsewhere.test=friend@{server.app.config.server.hostname}")
        assert (await bring(server, "someone@elsewhere.test", path)).startswith(b"550 5.1.1")
        assert (await bring(server, "", path.replace("SRS0=", "SRS0=x"))).startswith(b"550 5.1.1")
        assert (await bring(server, "", path)).startswith(b"250")
        await until_messages(peer, 2)
    assert peer.messages[1].mail.startswith("MAIL FROM:<>")
    assert peer.messages[1].recipients == ["RCPT TO:<friend@elsewhere.test>"]


async def test_what_comes_back_to_an_address_that_sent_it_on_is_refused(tmp_path: Path) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        aliases = server.app.services.directory.aliases
        away = (Address.parse("new@faraway.test"),)
        await aliases.put(Alias(Address.parse(LIST), away, False), SERVER)
        await aliases.put(Alias(Address.parse(BOTH), (*away, Address.parse(f"ann@{DOMAIN}")), False), SERVER)
        assert (await bring(server, "friend@elsewhere.test", LIST)).startswith(b"250")
        await until_messages(peer, 1)
        sent_on = peer.messages[0].octets.decode().rstrip()
        assert sent_on.startswith(f"Delivered-To: {LIST}\r\nAuthentication-Results: ")
        assert (await bring(server, "friend@elsewhere.test", LIST, sent_on)).startswith(b"554 5.4.6")
        assert (await bring(server, "friend@elsewhere.test", BOTH, sent_on)).startswith(b"250")  # another address
        await until_messages(peer, 2)
        looping = peer.messages[1].octets.decode().rstrip()
        assert looping.startswith(f"Delivered-To: {BOTH}\r\n")
        assert (await bring(server, "friend@elsewhere.test", BOTH, looping)).startswith(b"250")  # for Ann alone
        assert (await bring(server, "friend@elsewhere.test", f"ann@{DOMAIN}")).startswith(b"250")
        imap = await server.imap("ann")
        assert any(b"(MESSAGES 3)" in line for line in await imap.command("s", "STATUS INBOX (MESSAGES)"))
    assert len(peer.messages) == 2


async def test_what_our_own_people_send_on_keeps_their_address(tmp_path: Path) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        alias = Alias(Address.parse(LIST), (Address.parse("new@faraway.test"),), False)
        await server.app.services.directory.aliases.put(alias, SERVER)
        assert (await bring(server, "ann@hongyan.test", LIST)).startswith(b"250")
        await until_messages(peer, 1)
    assert peer.messages[0].mail.startswith("MAIL FROM:<ann@hongyan.test>")
