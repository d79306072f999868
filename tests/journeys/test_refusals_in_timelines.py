"""What is refused, at our door or of our own users, stands in the timeline of whom it concerns, with a plain cause."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import CLI
from hongyan.config import Config
from hongyan.limits.sending import ClassQuotas, SendingOptions
from hongyan.limits.smtp_rates import SmtpRateOptions
from hongyan.operations.calling import Caller
from hongyan.screening.dnsbl import BlockList
from hongyan.screening.dnsbl_service import DnsblOptions
from hongyan.screening.gate import GateOptions
from hongyan.screening.greylist import GreylistOptions
from hongyan.screening.spam_filter import SpamOptions, Vote
from hongyan.screening.tokens import read_tokens
from hongyan.screening.virus import VirusOptions
from hongyan.servers.proxy import ProxyOptions
from hongyan.store.suppressions import HardBounce, SuppressionRule
from tests.screening.letters import unwanted, wanted
from tests.support.clamd import INFECTED, start_clamd
from tests.support.cli import Cli
from tests.support.operations import call, read_own
from tests.support.resolver import FakeResolver
from tests.support.server import DOMAIN, SECRET, Server, in_thread, start_server

ANN = f"ann@{DOMAIN}"
STRANGERS = SmtpRateOptions(exempt_own=False)
DAY = timedelta(days=1)
NO_GATE = GateOptions(enabled=False)
NO_CLAMD = VirusOptions(clamd="/nowhere/clamd.sock")


def with_sections(**sections: object) -> Callable[[Config], Config]:
    return lambda config: replace(config, **sections)  # type: ignore[arg-type]


async def bring(server: Server, octets: bytes, *, before: bytes = b"", helo: str = "mx.elsewhere.test") -> bytes:
    """Let another server bring ann a message; return the last reply, or the first that refuses."""
    smtp = await server.connect("smtp")
    if before:
        smtp.write(before)
    await smtp.reply()
    for line in (f"EHLO {helo}", "MAIL FROM:<friend@elsewhere.test>", f"RCPT TO:<{ANN}>", "DATA"):
        smtp.say(line)
        reply = await smtp.reply()
        if reply[:1] not in b"23":
            return reply
    smtp.write(octets + b"\r\n.\r\n")
    return await smtp.reply()


async def submit(server: Server, *recipients: str) -> str:
    """Let ann send a message; return the refusal."""

    def send() -> str:
        with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
            smtp.login(ANN, SECRET)
            try:
                smtp.sendmail(ANN, recipients, f"From: {ANN}\r\nSubject: x\r\n\r\nHi.\r\n")
            except smtplib.SMTPRecipientsRefused as refused:
                ((code, said),) = refused.recipients.values()
            except smtplib.SMTPDataError as refused:
                code, said = refused.smtp_code, refused.smtp_error
            else:
                return ""
        return f"{code} {said.decode() if isinstance(said, bytes) else said}"

    return await in_thread(send)


async def read_step(server: Server, state: str) -> dict[str, Any]:
    """Return the only step of ann's only message, which is in this state."""
    (message,) = await read_own(server, ANN)
    assert message["state"] == state
    (step,) = message["steps"]
    return dict(step)


def told(step: dict[str, Any]) -> tuple[object, ...]:
    return step["step"], step["stage"], step["code"], step["cause"]["name"]


LETTER = b"From: friend@elsewhere.test\r\nSubject: x\r\n\r\nHonk."


async def test_a_message_that_could_not_be_looked_at_for_viruses(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=with_sections(virus=NO_CLAMD)) as server:
        assert (await bring(server, LETTER)).startswith(b"451")
        step = await read_step(server, "deferred")
    assert told(step) == ("deferred", "end of data", 451, "virus")


@pytest.mark.interop
async def test_a_message_with_a_virus(tmp_path: Path) -> None:
    with start_clamd() as daemon:
        async with start_server(tmp_path, change=with_sections(virus=VirusOptions(clamd=daemon.socket))) as server:
            await bring(server, LETTER + INFECTED)
            step = await read_step(server, "blocked")
            shown = await in_thread(lambda: Cli(tmp_path)("mail", "trace", "--account", ANN, language="zh_CN.UTF-8"))
    assert told(step) == ("refused", "end of data", 550, "virus")
    assert "Test.Goose" in step["text"]
    assert "原因: 邮件含有恶意软件，或暂时无法检查。" in shown.out


async def test_a_message_that_looks_like_spam_lies_in_junk_and_says_why(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=with_sections(spam=SpamOptions(least_ham=5, least_spam=5))) as server:
        spam = server.app.services.screening.spam
        await spam.train([Vote(read_tokens(unwanted(number)), is_spam=True) for number in range(9)])
        await spam.train([Vote(read_tokens(wanted(number)), is_spam=False) for number in range(9)])
        await bring(server, unwanted(50))
        step = await read_step(server, "delivered-to-junk")
        shown = await in_thread(lambda: Cli(tmp_path)("mail", "trace", "--account", ANN, language="zh_CN.UTF-8"))
    assert (step["step"], step["folder"], step["cause"]["name"]) == ("delivered", "junk", "spam")
    assert "原因: 邮件疑似垃圾邮件。" in shown.out


async def test_a_message_that_is_asked_to_come_again(tmp_path: Path) -> None:
    change = with_sections(
        smtp_rates=STRANGERS, greylist=GreylistOptions(enabled=True), gate=replace(GateOptions(), greeting_delay=0)
    )
    async with start_server(tmp_path, change=change) as server:
        assert (await bring(server, LETTER, helo="localhost")).startswith(b"450")
        step = await read_step(server, "deferred")
    assert told(step) == ("deferred", "recipient", 450, "greylist")


async def test_a_message_from_a_server_on_a_block_list(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        smtp = replace(config.listen["smtp"], proxy=ProxyOptions(networks=("127.0.0.0/8",)))
        lists = DnsblOptions(lists=(BlockList(zone="bl.test", weight=2.0),))
        gate = replace(GateOptions(), greeting_delay=0)
        return replace(config, listen={**config.listen, "smtp": smtp}, dnsbl=lists, gate=gate)

    async with start_server(tmp_path, change=change) as server:
        server.app.services.gatehouse.listings.resolver = (
            FakeResolver().add_address("2.0.0.127.bl.test", "127.0.0.2").add_address("99.2.0.192.bl.test", "127.0.0.2")
        )
        header = b"PROXY TCP4 192.0.2.99 203.0.113.5 4000 25\r\n"
        assert (await bring(server, LETTER, before=header)).startswith(b"550")
        step = await read_step(server, "blocked")
    assert (step["step"], step["code"], step["cause"]["name"], step["host"]) == ("refused", 550, "dnsbl", "192.0.2.99")


async def test_a_message_beyond_what_an_account_takes_in_an_hour(tmp_path: Path) -> None:
    change = with_sections(smtp_rates=replace(STRANGERS, account_messages=1), gate=NO_GATE)
    async with start_server(tmp_path, change=change) as server:
        assert (await bring(server, LETTER)).startswith(b"250")
        assert (await bring(server, LETTER)).startswith(b"450 4.2.1")
        newest, _ = await read_own(server, ANN)
    assert (newest["state"], newest["steps"][0]["cause"]["name"]) == ("deferred", "rate")


async def test_what_a_user_may_not_send_for_its_number(tmp_path: Path) -> None:
    change = with_sections(sending=SendingOptions(consumer=ClassQuotas(recipients_per_message=1)))
    async with start_server(tmp_path, change=change) as server:
        crowd = ["carl@elsewhere.test", "dora@elsewhere.test"]
        assert (await submit(server, *crowd)).startswith("550 5.5.3")
        assert (await submit(server, *crowd)).startswith("550 5.5.3")
        messages = await read_own(server, ANN)
        assert {(message["counterpart"], message["state"]) for message in messages} == {
            (recipient, "blocked") for recipient in crowd
        }
        (step,) = messages[0]["steps"]
        shown = await in_thread(lambda: Cli(tmp_path)("mail", "trace", "--account", ANN))
    assert told(step) == ("blocked", "end of data", 550, "quota")
    assert step["times"] == 2
    assert "why: You have reached a limit on sending." in shown.out


async def test_what_a_user_sends_while_the_account_is_on_hold(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        await call(server, "account.hold", Caller(CLI), address=ANN, reason="asked to")
        assert (await submit(server, f"bob@{DOMAIN}")).startswith("450 4.7.1")
        step = (await read_own(server, ANN, counterpart=f"bob@{DOMAIN}"))[0]["steps"][0]
    assert told(step) == ("blocked", "end of data", 450, "held")


async def test_what_a_user_sends_that_could_not_be_looked_at_for_viruses(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=with_sections(virus=NO_CLAMD)) as server:
        assert (await submit(server, f"bob@{DOMAIN}")).startswith("451 4.7.1")
        step = await read_step(server, "blocked")
    assert told(step) == ("blocked", "end of data", 451, "virus")


async def test_a_recipient_that_is_suppressed_and_one_that_does_not_exist_here(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        suppressions, rule = server.app.services.outgoing.suppressions, SuppressionRule(1, DAY, DAY)
        account, now = (await server.account("ann")).account_id, datetime.now(UTC)
        gone = Address.parse("gone@elsewhere.test")
        await suppressions._store.note([HardBounce(account, gone, now, "5.1.1", "No such user", rule)])
        await suppressions.load()
        assert (await submit(server, str(gone))).startswith("550 5.1.1")
        step = await read_step(server, "blocked")
        assert told(step) == ("blocked", "recipient", 550, "suppressed")
        assert (await submit(server, f"nobody@{DOMAIN}")).startswith("550 5.1.1")
        message, _ = await read_own(server, ANN)
    assert message["state"] == "bounced"
    assert message["steps"][0]["cause"]["name"] == "mailbox-unknown"
