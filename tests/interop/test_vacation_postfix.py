"""Postfix brings mail to somebody who is away: one answer comes back to it, and none for a list."""

from __future__ import annotations

import smtplib
from functools import partial
from pathlib import Path

import pytest

from tests.support.jmap import CORE, JmapClient
from tests.support.ports import free_port
from tests.support.postfix import Postfix, start_postfix
from tests.support.public import wait_for_mail
from tests.support.server import DOMAIN, in_thread, start_server

pytestmark = pytest.mark.interop

ANN = f"ann@{DOMAIN}"
BEN = "ben@postfix.test"


def send(postfix: Postfix, sender: str, *fields: str) -> None:
    """Let Postfix bring Ann a message."""
    octets = "".join(f"{one}\r\n" for one in (f"From: {sender}", f"To: {ANN}", *fields)) + "\r\nHonk.\r\n"
    with smtplib.SMTP("127.0.0.1", postfix.port) as smtp:
        smtp.sendmail(sender, [ANN], octets.encode())


async def test_a_mail_gets_one_answer_the_second_none_and_a_list_none(tmp_path: Path) -> None:
    port = free_port()
    to_us = f"transport_maps = inline:{{{{{DOMAIN} = smtp:[127.0.0.1]:{port}}}}}"
    with start_postfix(domains=["postfix.test"], extra=[to_us], tls="none") as postfix:
        relay = f"127.0.0.1:{postfix.port}"
        async with start_server(tmp_path, relay=relay, places={"smtp": ("127.0.0.1", port)}) as server:
            ann = await JmapClient(server, "ann").open()
            ann.using = (CORE, "urn:ietf:params:jmap:vacationresponse")
            away = {"isEnabled": True, "subject": "我不在", "textBody": "I am away."}
            assert (await ann.call("VacationResponse/set", update={"singleton": away}))["updated"]
            await in_thread(partial(send, postfix, "geese-list@postfix.test", "List-Id: <geese.postfix.test>"))
            await in_thread(partial(send, postfix, BEN, "Subject: first", "Message-ID: <1@postfix.test>"))
            await in_thread(partial(send, postfix, BEN, "Subject: second"))
            await wait_for_mail(server, 3)
            await server.app.services.screening.consumers.catch_up()
            # What is sent last comes last: so there is nothing that is still on its way.
            await in_thread(partial(send, postfix, "cyd@postfix.test", "Subject: third"))
            await wait_for_mail(server, 4)
            await server.app.services.screening.consumers.catch_up()
            answers = await in_thread(partial(postfix.wait_for_messages, 2))
    to_ben = [one for one in answers if b"To: <ben@postfix.test>\n" in one]
    assert len(answers) == 2
    assert len(to_ben) == 1
    for line in (b"Return-Path: <>", b"Auto-Submitted: auto-replied (vacation)", b"In-Reply-To: <1@postfix.test>"):
        assert line in to_ben[0].split(b"\n")
    assert b"I am away." in to_ben[0]
