"""Debian's Exim and this server send each other mail: over TLS that DANE vouches for, signed, and refused where due."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import cast

import pytest

from tests.support.authority import Authority, tlsa
from tests.support.cli import Cli
from tests.support.dnssec import SignedDns, SignedZone, start_signed_dns
from tests.support.exim import Exim, start_exim
from tests.support.ports import free_addresses
from tests.support.public import (
    WRITER,
    count_sessions,
    our_zone,
    serve_publicly,
    submit,
    wait_for_mail,
    wait_for_outcome,
)
from tests.support.server import in_thread

pytestmark = [pytest.mark.interop, pytest.mark.root]

GEESE = Authority()
CHAIN = GEESE.issue("mx.exim.test")
GANDER = "gander@exim.test"
LONG = "x" * 900 + "\r\n" + "雁" * 300


@dataclass(frozen=True)
class World:
    dns: SignedDns
    exim: Exim
    ours: str

    def let_exim_send(
        self, recipient: str, subject: str, body: str = "Honk.", *, mail: Sequence[str] = (), rcpt: Sequence[str] = ()
    ) -> None:
        """Give Exim a message for us, as a program on its machine would."""
        octets = f"From: {GANDER}\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()
        with smtplib.SMTP(self.exim.host, 25) as smtp:
            smtp.sendmail(GANDER, [recipient], octets, mail_options=list(mail), rcpt_options=list(rcpt))

    def last_of_exim(self, subject: str) -> str:
        """Return the message of that subject that Exim has kept."""
        (found,) = (octets for octets in self.exim.messages() if f"\nSubject: {subject}\n".encode() in octets)
        return found.decode()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    ours, theirs = free_addresses(2)
    record = tlsa(3, 1, 1, CHAIN.certificate)
    records = [f"@ MX 10 mx\nmx A {theirs}", f'@ TXT "v=spf1 ip4:{theirs} -all"', '_dmarc TXT "v=DMARC1; p=reject"']
    records.append(f"_25._tcp.mx TLSA 3 1 1 {record.data.hex()}")
    sending = ["hosts_require_dane = *"]
    with (
        start_signed_dns(tmp_path_factory.mktemp("dns"), [our_zone(ours), SignedZone("exim.test", records)]) as dns,
        start_exim(host=theirs, resolver=dns.address, chain=CHAIN.write(), size="200K", sending=sending) as exim,
    ):
        text = exim.dkim_record
        strings = " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200))
        dns.publish("exim.test", f"exim._domainkey.exim.test. IN TXT {strings}")
        yield World(dns, exim, ours)


# -- from Exim ---------------------------------------------------------------------------------------------------------


async def test_exim_brings_signed_mail_over_tls_that_our_record_vouches_for(world: World, tmp_path: Path) -> None:
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        await in_thread(lambda: world.let_exim_send(WRITER, "long lines", LONG, mail=["BODY=8BITMIME"]))
        (octets,) = await wait_for_mail(server, 1)
    message = octets.decode()
    assert LONG.replace("\r\n", "\n") in message
    assert "with ESMTPS id" in message
    results = message[message.index("Authentication-Results: mail.hongyan.test") :].split("\nReceived")[0]
    for result in ("spf=pass", "dkim=pass", "dmarc=pass"):
        assert result in results
    (line,) = (line for line in world.exim.log.splitlines() if f"=> {WRITER}" in line)
    assert {"CV=dane", "DS", "L", "K"} <= set(line.split()), line  # TLSA held, DNSSEC, pipelining, BDAT


async def test_exim_brings_mail_of_an_internationalized_sender(world: World, tmp_path: Path) -> None:
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:

        def send() -> None:
            with smtplib.SMTP(world.exim.host, 25) as smtp:
                octets = f"From: 雁@exim.test\r\nTo: {WRITER}\r\nSubject: 飞\r\n\r\n嘎\r\n".encode()
                smtp.sendmail("雁@exim.test", [WRITER], octets, mail_options=["SMTPUTF8", "BODY=8BITMIME"])

        await in_thread(send)
        (octets,) = await wait_for_mail(server, 1)
    message = octets.decode()
    assert "with UTF8SMTPS id" in message
    assert "Return-Path: <雁@exim.test>" in message
    assert "Subject: 飞" in message


async def test_a_sender_at_exim_is_told_that_a_message_arrived_and_that_another_did_not(
    world: World, tmp_path: Path
) -> None:
    before = len(world.exim.messages())
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        asked = {"mail": ["RET=HDRS", "ENVID=goose-17"], "rcpt": ["NOTIFY=SUCCESS", f"ORCPT=rfc822;{WRITER}"]}
        await in_thread(lambda: world.let_exim_send(WRITER, "receipt", **asked))
        await in_thread(lambda: world.let_exim_send("nobody@hongyan.test", "refused"))
        await wait_for_mail(server, 1)
        messages = await in_thread(lambda: world.exim.wait_for_messages(before + 2))
    told = "\n".join(octets.decode() for octets in messages[before:])
    for words in ("Action: delivered", "Original-Envelope-Id: goose-17", f"Original-Recipient: rfc822;{WRITER}"):
        assert words.lower() in told.lower().replace("rfc822; ", "rfc822;")
    assert "There is no such recipient here" in told


# -- to Exim -----------------------------------------------------------------------------------------------------------


async def test_exim_gets_our_mail_over_tls_and_finds_signature_and_sender_right(world: World, tmp_path: Path) -> None:
    before, secured = len(world.exim.messages()), count_sessions("tlsa")
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        await submit(server, GANDER, "plain", LONG, mail=["BODY=8BITMIME"])
        await submit(server, "鹅@exim.test", "utf8", "鹅", mail=["SMTPUTF8", "BODY=8BITMIME"])
        await in_thread(lambda: world.exim.wait_for_messages(before + 2))
    assert count_sessions("tlsa") > secured
    message = world.last_of_exim("plain")
    assert LONG.replace("\r\n", "\n") in message
    found = message[message.index("Authentication-Results: mx.exim.test") :].split("\nReceived")[0]
    assert "spf=pass smtp.mailfrom=hongyan.test" in found
    assert [found.count(f"dkim={result}") for result in ("pass", "fail")] == [2, 0]  # RSA and Ed25519
    assert "with esmtps  (TLS1.3)" in message.replace("\n\t", " ")
    assert "鹅@exim.test" in world.last_of_exim("utf8")


async def test_exim_sees_that_somebody_changed_what_we_signed(world: World, tmp_path: Path) -> None:
    before = len(world.exim.messages())
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        await submit(server, GANDER, "changed")
        (signed,) = (await in_thread(lambda: world.exim.wait_for_messages(before + 1)))[before:]
        changed = signed[signed.index(b"DKIM-Signature:") :].replace(b"Honk.", b"Hiss.")

        def send() -> None:
            with smtplib.SMTP(world.exim.host, 25) as smtp:
                smtp.sendmail(WRITER, [GANDER], changed)

        await in_thread(send)
        (octets,) = (await in_thread(lambda: world.exim.wait_for_messages(before + 2)))[before + 1 :]
    found = octets.decode().split("\nReceived")[0]
    assert [found.count(f"dkim={result}") for result in ("pass", "fail")] == [0, 2]


async def test_our_user_can_read_why_exim_refused(world: World, tmp_path: Path) -> None:
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        await submit(server, "nobody@exim.test", "refused", mail=["ENVID=goose-18", "RET=HDRS"])
        (octets,) = await wait_for_mail(server, 1)
    status, text = read_report(octets)
    assert status["Original-Envelope-Id"] == "goose-18"
    assert status["Final-Recipient"] == "rfc822; nobody@exim.test"
    assert (status["Action"], status["Status"]) == ("failed", "5.1.1")
    assert status["Remote-MTA"] == "dns; mx.exim.test"
    assert "550 5.1.1 No such goose" in status["Diagnostic-Code"]
    assert "nobody@exim.test" in text


async def test_what_is_too_large_for_exim_comes_back_unsent(world: World, tmp_path: Path) -> None:
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        await submit(server, GANDER, "large", "goose " * 10_000 + "\r\n" + ("honk\r\n" * 60_000))
        (octets,) = await wait_for_mail(server, 1)
    status, _ = read_report(octets)
    assert (status["Action"], status["Status"]) == ("failed", "5.3.4")


async def test_exim_puts_a_first_contact_off_and_takes_it_later(world: World, tmp_path: Path) -> None:
    before = len(world.exim.messages())
    async with serve_publicly(tmp_path, world.dns, world.ours) as server:
        await submit(server, "later@exim.test", "patience")
        assert "Greylisted, please come back" in await wait_for_outcome(tmp_path)
        world.exim.let_in()
        retried = await in_thread(lambda: Cli(tmp_path / "data")("queue", "retry", "--to", "exim.test"))
        assert retried.code == 0, retried
        await in_thread(lambda: world.exim.wait_for_messages(before + 1))
    assert "Subject: patience" in world.last_of_exim("patience")


def read_report(octets: bytes) -> tuple[dict[str, str], str]:
    """Return the fields of a report on delivery, those of the message and of its recipient, and its words."""
    begun = octets[octets.index(b"Return-Path:") :]
    message = cast(EmailMessage, message_from_bytes(begun, policy=policy.default))
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    words, status, *_ = message.iter_parts()
    fields: dict[str, str] = {}
    for block in cast("list[Message]", status.get_payload()):
        fields.update({name: str(value) for name, value in block.items()})
    return fields, words.get_content()
