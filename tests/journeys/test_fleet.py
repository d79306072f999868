"""Two servers on one PostgreSQL: what one refuses, the other refuses."""

from __future__ import annotations

import contextlib
import shutil
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from hongyan.config import Config, DatabaseOptions
from hongyan.limits.sending import ClassQuotas
from hongyan.servers.proxy import ProxyOptions
from tests.support.cli import Cli
from tests.support.server import DOMAIN, SECRET, Server, in_thread, start_server

ANN = f"ann@{DOMAIN}"
BAD = "198.51.100.66"


@dataclass(frozen=True)
class Fleet:
    one: Server
    other: Server


@pytest.fixture
async def fleet(tmp_path: Path, postgres_dsn: str) -> AsyncIterator[Fleet]:
    """Two servers with the same keys, behind a proxy that says whom it speaks for."""

    def change(config: Config) -> Config:
        proxied = replace(config.listen["smtp"], proxy=ProxyOptions(networks=("127.0.0.0/8",)))
        return replace(
            config,
            database=DatabaseOptions("postgres", postgres_dsn, 5),
            listen={**config.listen, "smtp": proxied},
            gate=replace(config.gate, greeting_delay=0.0, tarpit_delay=0.0),
            limits=replace(config.limits, failures_per_network=4, failures_per_name=4),
            smtp_rates=replace(config.smtp_rates, unknown_recipients=5),
            sending=replace(config.sending, consumer=ClassQuotas(messages_per_day=3)),
        )

    async with contextlib.AsyncExitStack() as running:
        one = await running.enter_async_context(start_server(tmp_path / "one", change=change))
        shutil.copytree(tmp_path / "one", tmp_path / "other", ignore=shutil.ignore_patterns("*.sock", "blobs", "lock"))
        other = await running.enter_async_context(start_server(tmp_path / "other", change=change))
        yield Fleet(one, other)


async def fail(server: Server, times: int) -> bytes:
    """Log in so often with a wrong secret; return the last answer."""
    answer = b""
    for _ in range(times):
        imap = await server.connect("imaps")
        await imap.line()
        imap.say(f'a LOGIN {ANN} "wrong"')
        answer = await imap.line()
        await imap.close()
    return answer


async def test_failed_logins_at_one_server_count_at_the_other(fleet: Fleet) -> None:
    assert b"AUTHENTICATIONFAILED" in await fail(fleet.one, 3)
    assert b"AUTHENTICATIONFAILED" in await fail(fleet.other, 1)
    for server in (fleet.one, fleet.other):
        assert b"Too many failed logins" in await fail(server, 1)


async def guess(server: Server) -> bytes:
    """Guess names on port 25 until it is enough; return the last reply."""
    smtp = await server.connect("smtp")
    smtp.write(f"PROXY TCP4 {BAD} 203.0.113.5 4000 25\r\n".encode())
    reply = await smtp.reply()
    for line in (
        "EHLO elsewhere.test",
        "MAIL FROM:<a@elsewhere.test>",
        *(f"RCPT TO:<g{n}@{DOMAIN}>" for n in range(7)),
    ):
        if not reply.startswith((b"2", b"550 5.1.1")):
            break
        smtp.say(line)
        reply = await smtp.reply()
    await smtp.close()
    return reply


async def test_who_is_banned_by_one_server_is_banned_by_the_other_until_the_ban_is_lifted(
    fleet: Fleet, tmp_path: Path
) -> None:
    bans = [server.app.services.entrance.bans for server in (fleet.one, fleet.other)]
    assert (await guess(fleet.one)).startswith(b"421 ")
    for known in bans:
        await known.exchange()
    assert (await guess(fleet.other)).startswith(b"554 ")
    told = await in_thread(lambda: Cli(tmp_path / "other").json("ban", "list"))
    assert [(ban["network"], ban["rule"]) for ban in told["bans"]] == [(BAD, "dictionary")]
    await in_thread(lambda: Cli(tmp_path / "other").json("ban", "lift", BAD))
    for known in bans:
        await known.exchange()
    assert not (await guess(fleet.one)).startswith(b"554 ")


def submit(server: Server, number: int) -> int:
    """Send a message elsewhere as Ann; return the code that it gets."""
    with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
        smtp.login(ANN, SECRET)
        try:
            smtp.sendmail(ANN, [f"goose{number}@elsewhere.test"], f"From: {ANN}\r\n\r\nHonk {number}.\r\n")
        except smtplib.SMTPResponseException as refusal:
            return refusal.smtp_code
        except smtplib.SMTPRecipientsRefused as refusal:
            return next(iter(refusal.recipients.values()))[0]
    return 250


async def test_what_an_account_sends_by_one_server_counts_at_the_other(fleet: Fleet) -> None:
    servers = (fleet.one, fleet.other, fleet.one, fleet.other, fleet.one)
    codes = [await in_thread(partial(submit, server, number)) for number, server in enumerate(servers)]
    assert codes[:3] == [250, 250, 250]
    assert [code // 100 for code in codes[3:]] == [4, 4]
