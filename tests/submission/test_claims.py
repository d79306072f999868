"""Results of authentication that a user writes himself reach nobody."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path

from tests.support.server import DOMAIN, SECRET, Server, start_server

_HEADER = (
    "Authentication-Results: mail.hongyan.test; dkim=pass header.d=bank.example\r\n"
    "Authentication-Results: mx.elsewhere.example; spf=pass\r\n"
    "Bcc: eve@hongyan.test\r\n"
)


async def submit(server: Server) -> bytes:
    """Submit a message from ann to bob, and return the last reply."""
    smtp = await server.connect("submissions")
    await smtp.reply()
    login = b64encode(f"\0ann@{DOMAIN}\0{SECRET}".encode()).decode()
    for line in (
        "EHLO client.example",
        f"AUTH PLAIN {login}",
        f"MAIL FROM:<ann@{DOMAIN}>",
        f"RCPT TO:<bob@{DOMAIN}>",
        "DATA",
    ):
        smtp.say(line)
        assert (await smtp.reply())[:1] in b"23"
    hostname = server.app.config.server.hostname
    smtp.say(f"From: ann@{DOMAIN}\r\n{_HEADER.replace('mail.hongyan.test', hostname)}Subject: x\r\n\r\nHonk.\r\n.")
    return await smtp.reply()


async def test_what_a_user_pretends_this_server_found_is_left_out(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        assert (await submit(server)).startswith(b"250 ")
        imap = await server.imap("bob")
        read = b""
        async with asyncio.timeout(10):
            while b"Honk." not in read:
                await imap.command("a", "SELECT INBOX")
                read = b"".join(await imap.command("b", "UID FETCH 1:* BODY.PEEK[]"))
        assert b"bank.example" not in read
        assert b"mx.elsewhere.example; spf=pass" in read
        assert b"eve@hongyan.test" not in read
