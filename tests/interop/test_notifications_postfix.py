"""Postfix takes a message, cannot deliver it, and says so: its own notification is read."""

from __future__ import annotations

import smtplib
from functools import partial
from pathlib import Path

import pytest

from hongyan.message.dsn import Action
from hongyan.message.dsn_reader import read_report
from tests.journeys.test_timelines import Stage as Journey
from tests.journeys.test_timelines import steps_of
from tests.support.operations import read_own
from tests.support.postfix import Postfix, start_postfix
from tests.support.server import DOMAIN, SECRET, Server, in_thread, start_server
from tests.support.smtp_peer import SmtpPeer

pytestmark = pytest.mark.interop

ANN = f"ann@{DOMAIN}"
GONE = "gone@elsewhere.test"


def send(server: Server, recipient: str, orcpt: str = "", notify: str = "SUCCESS,FAILURE") -> None:
    """Let Ann send a message, of which she wants to know whatever can be known."""
    with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
        smtp.login(ANN, SECRET)
        options = [f"NOTIFY={notify}", *([f"ORCPT={orcpt}"] if orcpt else [])]
        octets = f"From: {ANN}\r\nTo: {recipient}\r\nSubject: honk\r\n\r\nHonk.\r\n"
        smtp.sendmail(ANN, [recipient], octets, mail_options=["RET=HDRS", "ENVID=a+2Bb+3Dc"], rcpt_options=options)


def bring(server: Server, octets: bytes, recipient: str = ANN) -> None:
    with smtplib.SMTP("127.0.0.1", server.app.endpoints["smtp"].port) as smtp:
        smtp.sendmail("", [recipient], octets.replace(b"\n", b"\r\n"))


def returned_by(postfix: Postfix) -> bytes:
    """Return the notification, as Postfix has written it, without what it added when it filed it."""
    (notice,) = postfix.wait_for_messages(1, seconds=10.0)
    return notice


async def test_the_notification_of_postfix_reaches_the_timeline(tmp_path: Path) -> None:
    async with SmtpPeer() as goal:
        goal.script("RCPT", "550 5.1.1 No such goose")
        failing = f"transport_maps = inline:{{{{elsewhere.test = smtp:[127.0.0.1]:{goal.port}}}}}"
        with start_postfix(domains=[DOMAIN], extra=[failing], tls="none") as postfix:
            async with start_server(tmp_path / "data", relay=f"127.0.0.1:{postfix.port}") as server:
                await in_thread(partial(send, server, GONE, "rfc822;the+2Bgoose@first.test"))
                notice = await in_thread(partial(returned_by, postfix))
                report = read_report(notice)
                assert report is not None
                assert (report.reporter, report.envelope_id) == ("mx.postfix.test", "a+b=c")
                (gone,) = report.recipients
                assert (gone.original, gone.final) == ("the+goose@first.test", GONE)
                assert (gone.action, gone.status, gone.code) == (Action.FAILED, "5.1.1", 550)
                assert gone.text.endswith("No such goose")
                await in_thread(partial(bring, server, notice))
                await server.app.services.screening.consumers.catch_up()
                (message,) = await Journey(server, goal, tmp_path).own(ANN, counterpart=GONE)
    assert message["state"] == "bounced"
    assert steps_of(message)[-1] == "bounced"
    assert message["steps"][-1]["cause"]["name"] == "mailbox-unknown"


async def test_postfix_takes_a_copy_for_each_recipient_and_bounces_to_the_path_that_names_him(tmp_path: Path) -> None:
    """VERP: two recipients at Postfix, of whom one is refused behind it."""
    kept, gone = "kept@postfix.test", GONE
    async with SmtpPeer() as goal:
        goal.script("RCPT", "550 5.1.1 No such goose")
        failing = f"transport_maps = inline:{{{{elsewhere.test = smtp:[127.0.0.1]:{goal.port}}}}}"
        with start_postfix(domains=["postfix.test", DOMAIN], extra=[failing], tls="none") as postfix:
            async with start_server(tmp_path / "data", relay=f"127.0.0.1:{postfix.port}") as server:
                await in_thread(partial(send_to_list, server, [kept, gone]))
                messages = await in_thread(partial(postfix.wait_for_messages, 2))
                (notice,) = [one for one in messages if b"multipart/report" in one]
                (copy,) = [one for one in messages if b"multipart/report" not in one]
                assert copy.startswith(f"Return-Path: <ann+kept=postfix.test@{DOMAIN}>\n".encode())
                path = f"ann+gone=elsewhere.test@{DOMAIN}"
                assert f"To: {path}\n".encode() in notice
                await in_thread(partial(bring, server, notice, path))
                await server.app.services.screening.consumers.catch_up()
                own = await Journey(server, goal, tmp_path).own(ANN)
    states = {one["counterpart"]: one["state"] for one in own if one["direction"] == "outgoing"}
    assert states == {kept: "sent", gone: "bounced"}


def send_to_list(server: Server, recipients: list[str]) -> None:
    with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
        smtp.login(ANN, SECRET)
        octets = f"From: {ANN}\r\nSubject: honks\r\n\r\nHonk.\r\n"
        assert smtp.sendmail(ANN, recipients, octets, mail_options=["XVERP"]) == {}


async def test_postfix_says_that_it_has_delivered_and_that_is_read(tmp_path: Path) -> None:
    with start_postfix(domains=["postfix.test", DOMAIN], tls="none") as postfix:
        async with start_server(tmp_path / "data", relay=f"127.0.0.1:{postfix.port}") as server:
            await in_thread(partial(send, server, "kept@postfix.test"))
            messages = await in_thread(partial(postfix.wait_for_messages, 2))
            (notice,) = [one for one in messages if b"multipart/report" in one]
            report = read_report(notice)
            assert report is not None
            assert report.envelope_id == "a+b=c"
            (kept,) = report.recipients
            assert (kept.final, kept.action, kept.status) == ("kept@postfix.test", Action.DELIVERED, "2.0.0")
            await in_thread(partial(bring, server, notice))
            await server.app.services.screening.consumers.catch_up()
            own = await read_own(server, ANN)
    (message,) = [one for one in own if one["counterpart"] == "kept@postfix.test"]
    assert (message["state"], steps_of(message)) == ("sent", ["accepted", "relayed"]), (
        "who counts bounces hears nothing"
    )


async def test_the_delay_that_postfix_tells_of_is_a_step(tmp_path: Path) -> None:
    async with SmtpPeer() as goal:
        goal.script("RCPT", *["450 4.2.0 The goose is out"] * 20)
        slow = [
            f"transport_maps = inline:{{{{elsewhere.test = smtp:[127.0.0.1]:{goal.port}}}}}",
            "delay_warning_time = 1s",
        ]
        with start_postfix(domains=[DOMAIN], extra=slow, tls="none") as postfix:
            async with start_server(tmp_path / "data", relay=f"127.0.0.1:{postfix.port}") as server:
                await in_thread(partial(send, server, GONE, notify="DELAY,FAILURE"))
                notice = await in_thread(partial(returned_by, postfix))
                report = read_report(notice)
                assert report is not None
                (gone,) = report.recipients
                assert (gone.final, gone.action, gone.status) == (GONE, Action.DELAYED, "4.2.0")
                await in_thread(partial(bring, server, notice))
                await server.app.services.screening.consumers.catch_up()
                (message,) = await Journey(server, goal, tmp_path).own(ANN, counterpart=GONE)
    assert (message["state"], steps_of(message)) == ("deferred", ["accepted", "relayed", "deferred"])
