"""A server takes a message and cannot deliver it: its notification reaches the timeline, and who counts bounces."""

from __future__ import annotations

import smtplib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.test_timelines import Stage, stage, steps_of
from tests.support.server import DOMAIN, in_thread

ANN = f"ann@{DOMAIN}"
GONE = "gone@elsewhere.test"

REPORT = """\
From: MAILER-DAEMON@mx.elsewhere.test
To: {sender}
Subject: Undelivered Mail
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.elsewhere.test

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {code} {status} <{recipient}>: unknown user

--b
Content-Type: message/rfc822

{returned}
--b--
"""


QMAIL = """\
From: MAILER-DAEMON@mx.elsewhere.test
To: {sender}
Subject: failure notice

Hi. This is the qmail-send program at mx.elsewhere.test.
Sorry it didn't work out.

<{recipient}>:
Remote host said: {code} {status} <{recipient}>: unknown user

--- Below this line is a copy of the message.

{returned}"""

EXIM = """\
From: Mail Delivery System <Mailer-Daemon@mx.elsewhere.test>
To: {sender}
X-Failed-Recipients: {recipient}

A message that you sent could not be delivered:

  {recipient}
    host mx.elsewhere.test [192.0.2.1]: {code} {status} <{recipient}>: unknown user

------ This is a copy of the message, including all the headers. ------

{returned}"""


@asynccontextmanager
async def sent(tmp_path: Path, *recipients: str) -> AsyncIterator[tuple[Stage, str]]:
    """Serve, with a message of Ann's that the next hop has taken; and what of it comes back."""
    async with stage(tmp_path) as on:
        await on.send(*recipients)
        await on.settle()
        yield on, on.peer.messages[0].octets.decode().replace("\r\n", "\n")


async def bounce(
    on: Stage, returned: str, *, form: str = REPORT, reverse_path: str = "", recipient: str = GONE, **said: Any
) -> None:
    """Let the next hop bring a notification, and wait until it was looked at."""
    words = {"sender": ANN, "recipient": recipient, "action": "failed", "status": "5.1.1", "code": 550} | said
    octets = form.format(returned=returned, **words).replace("\n", "\r\n")

    def bring() -> None:
        with smtplib.SMTP("127.0.0.1", on.server.app.endpoints["smtp"].port) as smtp:
            smtp.ehlo("mx.elsewhere.test")
            assert smtp.mail(reverse_path)[0] == 250
            assert smtp.rcpt(ANN)[0] == 250
            assert smtp.data(octets)[0] == 250

    await in_thread(bring)
    await on.server.app.services.screening.consumers.catch_up()


async def outgoing(on: Stage, counterpart: str = GONE) -> Mapping[str, Any]:
    (message,) = [one for one in await on.own(ANN) if one["counterpart"] == counterpart]
    return message


async def test_the_sender_reads_that_it_bounced_and_why(tmp_path: Path) -> None:
    async with sent(tmp_path, GONE) as (on, returned):
        assert (await outgoing(on))["state"] == "sent"
        await bounce(on, returned)
        message = await outgoing(on)
        assert (message["state"], steps_of(message)) == ("bounced", ["accepted", "relayed", "bounced"])
        step = message["steps"][-1]
        assert (step["code"], step["status"], step["host"]) == (550, "5.1.1", "mx.elsewhere.test")
        assert step["cause"]["name"] == "mailbox-unknown"
        shown = await on.trace("--account", ANN, "--to", GONE, language="zh_CN.UTF-8")
    assert "对方域名下没有这个邮箱。" in shown


@pytest.mark.parametrize("form", [QMAIL, EXIM], ids=["qmail", "exim"])
async def test_what_qmail_and_older_exims_write_is_believed_on_the_same_proof(tmp_path: Path, form: str) -> None:
    async with sent(tmp_path, GONE) as (on, returned):
        mid = (await outgoing(on))["mid"]
        await bounce(on, returned.replace(mid, "0" * 18), form=form)
        await bounce(on, returned, form=form, reverse_path="somebody@elsewhere.test")
        await bounce(on, "Subject: no trace\n", form=form)
        assert (await outgoing(on))["state"] == "sent"
        await bounce(on, returned, form=form)
        message = await outgoing(on)
    assert message["state"] == "bounced"
    step = message["steps"][-1]
    assert (step["code"], step["status"], step["host"]) == (550, "5.1.1", "mx.elsewhere.test")
    assert step["cause"]["name"] == "mailbox-unknown"


async def test_the_same_notification_says_nothing_twice(tmp_path: Path) -> None:
    async with sent(tmp_path, GONE) as (on, returned):
        await bounce(on, returned)
        await bounce(on, returned)
        assert steps_of(await outgoing(on)) == ["accepted", "relayed", "bounced"]


async def test_three_late_bounces_suppress_the_address_and_count_against_the_account(tmp_path: Path) -> None:
    async with sent(tmp_path, GONE) as (on, _):
        for number in range(3):
            if number:
                await on.send(GONE, f"{number}@elsewhere.test")
                await on.settle()
            await bounce(on, on.peer.messages[number].octets.decode().replace("\r\n", "\n"))
        suppressions = on.server.app.services.outgoing.suppressions
        (one,) = await suppressions.list_suppressed(10)
        assert (str(one.address), one.status) == (GONE, "5.1.1")
        await on.server.app.services.sending.evidence.flush()
        account = (await on.server.account("ann")).account_id
        state = await on.server.app.services.sending.store.find_sender(account)
    assert (state.outcomes.count("d"), state.outcomes.count("h")) == (5, 3)


async def test_a_delay_is_a_step_and_the_failure_after_it_another(tmp_path: Path) -> None:
    async with sent(tmp_path, GONE) as (on, returned):
        await bounce(on, returned, action="delayed", status="4.4.1", code=451)
        assert (await outgoing(on))["state"] == "deferred"
        await bounce(on, returned)
        message = await outgoing(on)
    assert steps_of(message) == ["accepted", "relayed", "deferred", "bounced"]


async def test_a_forged_notification_changes_nothing(tmp_path: Path) -> None:
    async with sent(tmp_path, GONE, "kept@elsewhere.test") as (on, returned):
        mid = (await outgoing(on))["mid"]
        await bounce(on, returned.replace(mid, "0" * 18))
        await bounce(on, returned, recipient="never-written-to@elsewhere.test")
        await bounce(on, returned, reverse_path="somebody@elsewhere.test")
        await bounce(on, returned.replace("(Hongyan)", "(Other)"))
        await bounce(on, "Subject: no trace\n")
        assert (await outgoing(on))["state"] == "sent"
        assert (await outgoing(on, "kept@elsewhere.test"))["state"] == "sent"
        await bounce(on, returned)
        assert (await outgoing(on))["state"] == "bounced"
        assert (await outgoing(on, "kept@elsewhere.test"))["state"] == "sent"


async def test_the_notification_of_another_account_is_not_believed(tmp_path: Path) -> None:
    async with sent(tmp_path, GONE) as (on, returned):
        await on.send(GONE, sender=f"bob@{DOMAIN}")
        await on.settle()
        await bounce(on, on.peer.messages[1].octets.decode().replace("\r\n", "\n"))  # Bob's message, told to Ann.
        assert (await outgoing(on))["state"] == "sent"
        (message,) = await on.own(f"bob@{DOMAIN}")
    assert message["state"] == "sent"
    assert returned


async def test_a_bounce_from_behind_a_forward_is_told_and_not_held_against_the_address(tmp_path: Path) -> None:
    async with sent(tmp_path, GONE) as (on, returned):
        for _ in range(3):
            await bounce(on, returned, recipient="behind@third.test")
        message = await outgoing(on)
        assert message["state"] == "bounced"
        assert message["steps"][-1]["text"].startswith("<behind@third.test>: 550 5.1.1")
        assert await on.server.app.services.outgoing.suppressions.list_suppressed(10) == []
