"""A message that its sender has kept back (RFC 4865), and takes back."""

from __future__ import annotations

import re
import smtplib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hongyan.config import Config
from hongyan.operations.calling import Caller
from hongyan.operations.queue import queue_operations
from hongyan.store.queue import Selection
from tests.support.cli import Cli
from tests.support.server import SECRET, Server, in_thread, start_server

TEXT = "From: ann@hongyan.test\r\nSubject: Later\r\n\r\nNot yet.\r\n"


def submit(server: Server, *options: str) -> tuple[int, bytes, bytes]:
    """Send a message with parameters of MAIL; return the last reply, and what EHLO said of FUTURERELEASE."""
    with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
        smtp.login("ann@hongyan.test", SECRET)
        offered = smtp.esmtp_features.get("futurerelease", "").encode()
        code, text = smtp.mail("ann@hongyan.test", options)
        if code != 250:
            return code, text, offered
        assert smtp.rcpt("bob@hongyan.test")[0] == 250
        return (*smtp.data(TEXT), offered)


async def test_a_message_is_kept_back_until_the_time_that_its_sender_said(server: Server) -> None:
    code, _, offered = await in_thread(lambda: submit(server, "HOLDFOR=7200"))
    assert code == 250
    assert re.fullmatch(rb"2592000 \d{4}-\d\d-\d\dT\d\d:00:00Z", offered)
    (entry,) = await server.app.services.outgoing.store.list_messages(Selection())
    message = entry.message
    assert timedelta(hours=2) <= message.not_before - message.queued_at < timedelta(hours=2, minutes=1)
    assert entry.recipients[0].next_attempt == message.not_before
    assert entry.recipients[0].attempts == 0


@pytest.mark.parametrize("options", ["HOLDFOR=2592001", "HOLDUNTIL=2126-01-01T00:00:00Z", "HOLDFOR=x"])
async def test_nothing_is_kept_back_for_longer_than_is_offered(server: Server, options: str) -> None:
    code, text, _ = await in_thread(lambda: submit(server, options))
    assert (code, text[:5]) == (501, b"5.5.4")


async def test_a_time_that_is_over_is_now(server: Server) -> None:
    imap = await server.imap("bob")
    await imap.command("s", "SELECT INBOX")
    imap.say("i IDLE")
    await imap.until(b"+")
    assert (await in_thread(lambda: submit(server, "HOLDUNTIL=2020-01-01T00:00:00Z")))[0] == 250
    await imap.until(b"* 1 EXISTS")


async def test_without_the_offer_the_parameter_is_not_known(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, submission=replace(config.submission, future_release=0))

    async with start_server(tmp_path / "data", change=change) as server:
        code, _, offered = await in_thread(lambda: submit(server, "HOLDFOR=60"))
    assert (code, offered) == (555, b"")


async def test_a_message_that_waits_for_its_release_is_listed_and_taken_back(server: Server) -> None:
    await in_thread(lambda: submit(server, "HOLDFOR=7200"))
    cli = Cli(Path(server.app.config.server.data))
    listed = await in_thread(lambda: cli.json("queue", "list", "--account", "ann@hongyan.test"))
    number = str(listed["messages"][0]["id"])
    nobody = await in_thread(lambda: cli.json("queue", "list", "--account", "bob@hongyan.test"))
    assert nobody["messages"] == []
    refused = await in_thread(lambda: cli("queue", "cancel", number, "--account", "bob@hongyan.test"))
    assert refused.code != 0
    shown = await in_thread(lambda: cli("queue", "show", number, language="zh_CN.UTF-8"))
    assert "暂缓至" in shown.out
    assert (await in_thread(lambda: cli.json("queue", "cancel", number)))["recipients"] == 1
    assert (await in_thread(lambda: cli.json("queue", "list")))["messages"] == []


async def test_what_is_held_says_why_until_it_is_released(server: Server) -> None:
    await in_thread(lambda: submit(server, "HOLDFOR=7200"))
    operations = queue_operations(server.app.services)
    assert await operations["queue.hold"](Caller(), sender="ann@hongyan.test") == {"recipients": 1}
    cli = Cli(Path(server.app.config.server.data))
    assert "held by hand" in (await in_thread(lambda: cli("queue", "list"))).out
    assert "由管理员暂扣" in (await in_thread(lambda: cli("queue", "list", language="zh_CN.UTF-8"))).out
    assert await operations["queue.release"](Caller(), sender="ann@hongyan.test") == {"recipients": 1}
    (entry,) = await server.app.services.outgoing.store.list_messages(Selection())
    assert entry.recipients[0].held_for == ""
    assert entry.recipients[0].next_attempt == entry.message.not_before
