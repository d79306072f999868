"""Postfix brings mail, and takes what our users send."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clients import Office, Owner
from tests.support.postfix import Postfix, start_postfix
from tests.support.server import SECRET, Demo, start_demo

pytestmark = pytest.mark.interop

LETTER = "From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\nX-Dots: no\r\n\r\n.\r\n..two\r\n{body}\r\n"
LONG = "x" * 900 + "\r\n" + "雁" * 300


@pytest.fixture(scope="module")
def next_hop() -> Iterator[Postfix]:
    refusing = "smtpd_recipient_restrictions = check_recipient_access inline:{{nobody@postfix.test = REJECT}}"
    with start_postfix(domains=["postfix.test"], extra=[refusing]) as postfix:
        yield postfix


@pytest.fixture(scope="module")
def relaying(next_hop: Postfix) -> Iterator[Demo]:
    with start_demo("--account", f"ann@hongyan.test={SECRET}", "--relay", f"127.0.0.1:{next_hop.port}") as running:
        yield running


def submit(demo: Demo, recipient: str, subject: str, body: str = "Honk.", **options: object) -> None:
    context = ssl.create_default_context(cafile=str(demo.told["ca"]))
    with smtplib.SMTP_SSL("localhost", demo.endpoint("submissions")[1], context=context) as smtp:
        smtp.login("ann@hongyan.test", SECRET)
        octets = LETTER.format(sender="ann@hongyan.test", recipient=recipient, subject=subject, body=body).encode()
        smtp.sendmail("ann@hongyan.test", [recipient], octets, mail_options=["BODY=8BITMIME"])


def test_postfix_is_a_next_hop_that_gets_every_octet(relaying: Demo, next_hop: Postfix) -> None:
    before = len(next_hop.messages())
    submit(relaying, "goose@postfix.test", "plain")
    submit(relaying, "goose@postfix.test", "long lines and 8 bits", LONG)
    plain, long = next_hop.wait_for_messages(before + 2)[before:]
    if b"Subject: plain" not in plain:
        plain, long = long, plain
    assert b"\n\n.\n..two\nHonk.\n" in plain
    assert LONG.replace("\r\n", "\n").encode() in long
    assert plain.count(b"\nReceived: ") >= 2


def test_postfix_as_a_next_hop_refuses_and_the_sender_is_told(relaying: Demo, tmp_path: Path) -> None:
    office, ann = Office(relaying, tmp_path), Owner("ann@hongyan.test")
    submit(relaying, "nobody@postfix.test", "refused")
    (notice,) = office.wait_for(ann, 1)
    assert b"multipart/report" in notice
    assert b"Action: failed" in notice


@pytest.mark.parametrize("tls", ["none", "encrypt"])
def test_postfix_brings_mail(office: Office, owner: Owner, tls: str) -> None:
    with start_postfix(domains=["other.test"], relay_host=f"[127.0.0.1]:{office.port('smtp')}", tls=tls) as postfix:
        with smtplib.SMTP("127.0.0.1", postfix.port) as smtp:
            for subject, body in (("plain", "Honk."), ("long", LONG)):
                octets = LETTER.format(sender="a@other.test", recipient=owner.address, subject=subject, body=body)
                smtp.sendmail("a@other.test", [owner.address], octets.encode(), mail_options=["BODY=8BITMIME"])
        messages = sorted(office.wait_for(owner, 2), key=len)
    assert b"\r\n\r\n.\r\n..two\r\nHonk.\r\n" in messages[0]
    assert LONG.encode() in messages[1]
    assert (b"with ESMTPS id" in messages[0]) == (tls == "encrypt")


def test_postfix_tells_its_sender_what_we_refuse(office: Office) -> None:
    with start_postfix(domains=["other.test"], relay_host=f"[127.0.0.1]:{office.port('smtp')}") as postfix:
        with smtplib.SMTP("127.0.0.1", postfix.port) as smtp:
            smtp.sendmail("a@other.test", ["nobody@hongyan.test"], b"Subject: x\r\n\r\nHonk.\r\n")
        (notice,) = postfix.wait_for_messages(1)
    assert b"There is no such recipient here" in notice
