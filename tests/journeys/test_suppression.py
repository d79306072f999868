"""An address that bounces again and again is not written to for a while."""

from __future__ import annotations

import asyncio
import smtplib
from functools import partial
from pathlib import Path

from tests.support.cli import Cli
from tests.support.lines import PATIENCE
from tests.support.server import SECRET, Server, in_thread, start_server
from tests.support.smtp_peer import SmtpPeer


def submit(server: Server, recipient: str, number: int) -> tuple[int, bytes]:
    """Return the reply to the recipient, or to the end of the message."""
    with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
        smtp.login("ann@hongyan.test", SECRET)
        smtp.mail("ann@hongyan.test")
        code, text = smtp.rcpt(recipient)
        if code != 250:
            return code, text
        return smtp.data(f"From: ann@hongyan.test\r\nSubject: {number}\r\n\r\nHello\r\n")


async def until_empty(server: Server) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await server.app.services.outgoing.store.counts()).messages:
            await asyncio.sleep(0.002)


async def test_three_hard_bounces_suppress_an_address_until_somebody_lets_it_go(tmp_path: Path) -> None:
    async with SmtpPeer() as peer, start_server(tmp_path, relay=f"127.0.0.1:{peer.port}") as server:
        peer.script("RCPT", "550 5.1.1 No such user here")
        for recipient in ("gone@elsewhere.test", "postmaster@elsewhere.test"):
            for number in range(3):
                assert (await in_thread(partial(submit, server, recipient, number)))[0] == 250
                await until_empty(server)
        async with asyncio.timeout(PATIENCE):
            while (code := await in_thread(lambda: submit(server, "gone@elsewhere.test", 4)))[0] == 250:
                await until_empty(server)
        assert code[0] == 550
        assert code[1].startswith(b"5.1.1 The address bounced, and is suppressed since")
        assert (await in_thread(lambda: submit(server, "postmaster@elsewhere.test", 5)))[0] == 250
        cli = Cli(Path(server.app.config.server.data))
        (listed,) = (await in_thread(lambda: cli.json("suppression", "list")))["suppressions"]
        assert (listed["address"], listed["account"]) == ("gone@elsewhere.test", "ann@hongyan.test")
        assert "暂停" in (await in_thread(lambda: cli("suppression", "--help", language="zh_CN.UTF-8"))).out
        assert "No such user here" in (await in_thread(lambda: cli("suppression", "list"))).out
        await in_thread(lambda: cli.json("suppression", "remove", "gone@elsewhere.test"))
        assert (await in_thread(lambda: submit(server, "gone@elsewhere.test", 6)))[0] == 250
