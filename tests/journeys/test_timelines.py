"""What a user reads of his mail: what was sent, deferred, bounced, refused at our door; and nobody else's."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hongyan.audit.events import CLI, SERVER
from hongyan.config import Config
from hongyan.errors import Refused
from hongyan.message.dates import format_date
from hongyan.operations.calling import Caller, Document
from hongyan.store.queue import Selection
from tests.support.cli import Cli
from tests.support.clock import FakeClock
from tests.support.lines import PATIENCE
from tests.support.operations import call, read_own
from tests.support.server import DOMAIN, SECRET, Server, in_thread, start_server
from tests.support.smtp_peer import OK, SmtpPeer

_ANN, _BOB = f"ann@{DOMAIN}", f"bob@{DOMAIN}"
_TENCENT = "550 Ip frequency limited. https://service.mail.qq.com/detail/122/172"


@dataclass
class Stage:
    """A server, and the relay that takes what leaves it."""

    server: Server
    peer: SmtpPeer
    folder: Path

    async def send(self, *recipients: str, sender: str = _ANN) -> None:
        endpoint = self.server.app.endpoints["submissions"]

        def submit() -> None:
            with smtplib.SMTP_SSL("localhost", endpoint.port, context=self.server.tls) as smtp:
                smtp.login(sender, SECRET)
                smtp.sendmail(sender, recipients, f"From: {sender}\r\nTo: x@y.test\r\nSubject: secret\r\n\r\nHi.\r\n")

        await in_thread(submit)

    async def settle(self) -> None:
        """Wait until everything was tried at least once, and nothing is under way."""
        store = self.server.app.services.outgoing.store
        async with asyncio.timeout(PATIENCE):
            while True:
                entries = await store.list_messages(Selection(), limit=100)
                waiting = [one for entry in entries for one in entry.recipients if not one.state.is_finished]
                if all(one.attempts and one.leased_until is None for one in waiting):
                    return
                await asyncio.sleep(0.002)

    async def call(self, name: str, caller: Caller, **asked: object) -> Document:
        return await call(self.server, name, caller, **asked)

    async def own(self, whose: str, **asked: object) -> Sequence[Mapping[str, Any]]:
        """Return what an account is told of its own messages, the newest first."""
        return await read_own(self.server, whose, **asked)

    async def trace(self, *arguments: str, language: str = "C.UTF-8") -> str:
        done = await in_thread(lambda: Cli(self.folder)("mail", "trace", *arguments, language=language))
        assert done.code == 0, done.err
        return str(done.out)


@asynccontextmanager
async def stage(tmp_path: Path, change: Any = lambda config: config, **wishes: Any) -> AsyncIterator[Stage]:
    folder = tmp_path / "data"
    async with (
        SmtpPeer() as peer,
        start_server(folder, relay=f"127.0.0.1:{peer.port}", change=change, **wishes) as server,
    ):
        yield Stage(server, peer, folder)


def steps_of(message: Mapping[str, Any]) -> list[str]:
    return [step["step"] for step in message["steps"]]


async def test_a_code_of_a_large_provider_is_told_in_the_language_of_the_reader(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        on.peer.script("RCPT", _TENCENT)
        await on.send("goose@qq.com")
        await on.settle()
        chinese = await on.trace("--account", _ANN, "--to", "goose@qq.com", language="zh_CN.UTF-8")
        english = await on.trace("--account", _ANN, "--to", "goose@qq.com")
    assert f"{_ANN} → goose@qq.com: 被退回" in chinese
    assert f"收件人阶段: {_TENCENT}" in chinese
    assert "原因: 本服务器的 IP 向对方发信过多或过快。" in chinese
    assert "怎么办: 不再自动重试，请数小时后重发。" in chinese
    assert "why: The receiving server got too much mail from the address of our server." in english
    assert "notified (failed)" in english
    assert "secret" not in chinese + english, "nothing of the content is kept"


async def test_what_is_deferred_says_when_again_and_then_that_it_was_delivered(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        on.peer.script("RCPT", "450 4.2.0 <x>: Recipient address rejected: Greylisted", OK)
        await on.send("bob@example.net")
        await on.settle()
        (message,) = await on.own(_ANN)
        assert (message["state"], steps_of(message)) == ("deferred", ["accepted", "deferred"])
        step = message["steps"][-1]
        assert (step["stage"], step["code"], step["status"]) == ("recipient", 450, "4.2.0")
        assert step["next_attempt"] > step["at"]
        assert (step["cause"]["name"], step["cause"]["class"]) == ("first-contact", "greylisted")
        await on.call("queue.retry", Caller(CLI), destination="example.net")
        async with asyncio.timeout(PATIENCE):
            await on.peer.arrived.wait()
        await on.settle()
        (message,) = await on.own(_ANN)
    assert (message["state"], steps_of(message)) == ("sent", ["accepted", "deferred", "relayed"])
    assert message["steps"][-1]["tls"] is False


async def test_each_recipient_has_a_state_of_its_own_and_a_colleague_has_the_message(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.send("carl@example.net", _BOB)
        await on.settle()
        messages = await on.own(_ANN)
        assert {message["counterpart"]: message["state"] for message in messages} == {
            "carl@example.net": "sent",
            _BOB: "delivered-to-inbox",
        }
        (received,) = await on.own(_BOB)
    assert (received["direction"], received["counterpart"], received["state"]) == (
        "incoming",
        _ANN,
        "delivered-to-inbox",
    )
    assert received["mid"] == messages[0]["mid"]


async def test_another_account_sees_nothing_and_cannot_ask(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.send("carl@example.net")
        await on.settle()
        (message,) = await on.own(_ANN)
        assert await on.own(_BOB) == []
        assert await on.own(_BOB, mid=message["mid"]) == []
        with pytest.raises(Refused, match="no parameter account"):
            await on.own(_BOB, account=_ANN)
        with pytest.raises(Refused, match="Only an account"):
            await on.call("timeline.own", Caller(CLI))


async def test_an_operator_sees_all_and_that_is_written_down(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.send("carl@example.net")
        await on.settle()
        (message,) = await on.own(_ANN)
        assert message["mid"] in await on.trace(message["mid"])
        assert "Nothing is known" in await on.trace("0123456789")
        (entry, _) = await on.server.app.services.directory.audit.query(event_prefix="mail:timeline")
    assert (entry.event, entry.detail) == ("mail:timeline:read", {"mid": "0123456789"})


async def test_mail_from_elsewhere_says_where_it_was_filed(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        assert (await on.server.bring(_ANN)).startswith(b"250")
        (message,) = await on.own(_ANN)
    assert (message["counterpart"], message["state"]) == ("friend@elsewhere.test", "delivered-to-inbox")
    assert message["steps"][0]["host"] == "127.0.0.1"


async def test_mail_that_a_full_mailbox_put_off_is_listed_for_its_owner(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        account = (await on.server.account("ann")).account_id
        await on.server.app.services.directory.quotas.set_limits(
            account, limit_octets=1000, limit_messages=0, actor=SERVER
        )
        assert (await on.server.bring(_ANN, size=2000)).startswith(b"452 4.2.2")
        for _ in range(3):
            await on.server.bring(_ANN, size=2000)
        messages = await on.own(_ANN)
        shown = await on.trace("--account", _ANN, language="zh_CN.UTF-8")
    assert {message["state"] for message in messages} == {"deferred"}
    steps = [step for message in messages for step in message["steps"]]
    assert {(step["code"], step["reason"], step["cause"]["name"]) for step in steps} == {
        (452, "over-quota", "over-quota")
    }
    assert sum(step["times"] for step in steps) == 4
    assert len(steps) < 3, "tries of one kind are one entry"
    assert "原因: 你的邮箱已满。" in shown


async def test_mail_that_is_refused_for_its_form_is_listed_for_its_recipient(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        smtp = await on.server.connect("smtp")
        await smtp.reply()
        for line in ("EHLO elsewhere.test", "MAIL FROM:<friend@elsewhere.test>", f"RCPT TO:<{_ANN}>", "DATA"):
            smtp.say(line)
            await smtp.reply()
        smtp.say("From: a@elsewhere.test\r\nFrom: b@elsewhere.test\r\nSubject: two\r\n\r\nHi.\r\n.")
        assert (await smtp.reply()).startswith(b"550")
        (message,) = await on.own(_ANN)
    assert message["state"] == "blocked"
    (step,) = message["steps"]
    assert (step["step"], step["stage"], step["reason"].split("/")[0]) == ("refused", "end of data", "author")
    assert step["cause"]["chinese"] == "邮件没有按规范写明唯一的发件人。"


async def test_a_flood_of_refused_mail_leaves_few_rows(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, timelines=replace(config.timelines, refusals_per_account=5))

    async with stage(tmp_path, change) as on:
        account = await on.server.account("ann")
        await on.server.app.services.directory.accounts.suspend(account.account_id, SERVER)
        smtp = await on.server.connect("smtp")
        await smtp.reply()
        smtp.say("EHLO elsewhere.test")
        await smtp.reply()
        for number in range(40):
            for line in (f"MAIL FROM:<{number}@elsewhere.test>", f"RCPT TO:<{_ANN}>", "RSET"):
                smtp.say(line)
                if not await smtp.reply():
                    break
        timelines = on.server.app.services.directory.timelines
        entries = await timelines.read(account.account_id, limit=100)
    assert 2 <= len(entries) <= 6
    assert entries[0].new.reason == "disabled"
    assert {entry.new.counterpart for entry in entries if entry.times > 1} <= {""}


async def test_what_an_operator_does_to_a_message_its_sender_can_read(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        on.peer.script("RCPT", "450 4.3.2 not now")
        await on.send("carl@example.net")
        await on.settle()
        await on.call("queue.hold", Caller(CLI), destination="example.net")
        assert (await on.own(_ANN))[0]["state"] == "blocked"
        await on.call("queue.release", Caller(CLI), destination="example.net")
        await on.call("queue.drop", Caller(CLI), destination="example.net")
        (message,) = await on.own(_ANN)
    assert message["state"] == "failed"
    assert steps_of(message)[-3:] == ["held", "released", "cancelled"]


async def test_old_steps_go(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await on.server.bring(_ANN)
        timelines = on.server.app.services.directory.timelines
        assert await timelines.flush()
        assert await timelines.expire() == 0
        store = timelines._store
        later = on.server.app._clock.now() + timedelta(days=1)
        assert await store.expire_timeline(later, keep=10) == 1
        assert await on.own(_ANN) == []


async def test_mail_from_elsewhere_tells_its_way_and_what_each_stage_took(tmp_path: Path) -> None:
    clock = FakeClock()
    async with stage(tmp_path, clock=clock) as on:
        stamp = format_date(clock.now() - timedelta(seconds=125))
        smtp = await on.server.connect("smtp")
        await smtp.reply()
        for line in ("EHLO elsewhere.test", "MAIL FROM:<friend@elsewhere.test>", f"RCPT TO:<{_ANN}>", "DATA"):
            smtp.say(line)
            await smtp.reply()
        clock.advance(3)
        smtp.say(
            f"Received: from laptop by mail.elsewhere.test; {stamp}\r\nFrom: friend@elsewhere.test\r\n\r\nHi.\r\n."
        )
        assert (await smtp.reply()).startswith(b"250")
        (message,) = await on.own(_ANN)
        shown = await on.trace("--account", _ANN)
        chinese = await on.trace("--account", _ANN, language="zh_CN.UTF-8")
    passage = message["steps"][0]["passage"]
    assert (passage["wait"], passage["transfer"], passage["checks"], passage["storing"]) == (125, 3.0, 0.0, 0.0)
    assert "way: 2026-01-01 11:57:55Z  laptop → mail.elsewhere.test" in shown
    assert "way: 2026-01-01 12:00:00Z (+125 s)  → this server" in shown
    assert "took: transfer 3.000 s · checks 0.000 s · storing 0.000 s" in shown
    assert "耗时: 传输 3.000 s · 检查 0.000 s · 存储 0.000 s" in chinese
