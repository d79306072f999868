"""A list asks for a return path for each recipient (XVERP): what leaves, what comes back, and who is blamed."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from hongyan.config import Config
from hongyan.store.messages import Column
from hongyan.types import BlobRef
from tests.journeys.test_late_failures import REPORT
from tests.journeys.test_timelines import Stage, stage, steps_of
from tests.support.server import DOMAIN, SECRET, Server, in_thread, start_server

ANN, BOB = f"ann@{DOMAIN}", f"bob@{DOMAIN}"
PATHS = [f"ann+{name}=elsewhere.test@{DOMAIN}" for name in ("one", "two", "three")]
READERS = ["one@elsewhere.test", "two@elsewhere.test", "three@elsewhere.test"]


def submit(server: Server, recipients: list[str], *options: str, sender: str = ANN) -> tuple[int, bytes]:
    """Send as Ann; return the first reply that was no yes, else the last one."""
    with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
        smtp.login(ANN, SECRET)
        code, text = smtp.mail(sender, options)
        for recipient in recipients:
            if code == 250:
                code, text = smtp.rcpt(recipient)
        return (code, text) if code != 250 else smtp.data(f"From: {ANN}\r\nSubject: Honks\r\n\r\nHonk.\r\n")


async def post(on: Stage, recipients: list[str], *options: str) -> None:
    assert (await in_thread(lambda: submit(on.server, recipients, *options)))[0] == 250
    await on.settle()


async def inbox(server: Server, name: str = "ann") -> list[bytes]:
    """Return the messages of an INBOX, as they are served."""
    mail, account = server.app.services.mail, (await server.account(name)).account_id
    inbox = next(one for one in await mail.mailboxes.list_mailboxes(account) if one.name == "INBOX")
    columns = (Column.PREFIX, Column.BLOB, Column.SKIPPED)
    rows = await mail.messages.rows(account, inbox.mailbox_id, columns, [(1, 1000)])
    return [bytes(prefix) + await mail.blobs.read(BlobRef(blob), skipped, 1 << 20) for prefix, blob, skipped in rows]


def senders(on: Stage) -> list[str]:
    return sorted(found[1] for one in on.peer.messages if (found := re.match(r"MAIL FROM:<(.*?)>", one.mail)))


async def test_each_recipient_has_a_transaction_with_a_return_path_that_names_him(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await post(on, READERS, "XVERP")
        assert senders(on) == sorted(PATHS)
        assert all(len(one.recipients) == 1 for one in on.peer.messages)
        await post(on, [BOB], "XVERP=+=")
        (copy,) = await inbox(on.server, "bob")
    assert copy.startswith(f"Return-Path: <ann+bob={DOMAIN}@{DOMAIN}>\r\n".encode())


async def test_without_the_wish_all_share_a_return_path_and_a_transaction(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await post(on, READERS)
        assert (senders(on), len(on.peer.messages[0].recipients)) == ([ANN], 3)


async def test_what_is_refused_is_told_to_the_return_path_of_each_recipient(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        on.peer.script("RCPT", "550 5.1.1 No such goose")
        await post(on, READERS, "XVERP")
        notices = [message_from_bytes(one, policy=policy.default) for one in await inbox(on.server)]
        assert sorted(str(one["To"]).strip("<>") for one in notices) == sorted(PATHS)
        assert all(one["Return-Path"] == "<>" for one in notices)
        messages = await outgoing(on)
    assert [(one["address"], one["state"]) for one in messages] == [(ANN, "bounced")] * 3


async def outgoing(on: Stage) -> Sequence[Mapping[str, Any]]:
    return [one for one in await on.own(ANN) if one["direction"] == "outgoing"]


async def bounce(on: Stage, written_to: str, returned: str, recipient: str) -> None:
    words = {"sender": written_to, "recipient": recipient, "action": "failed", "status": "5.1.1", "code": 550}
    octets = REPORT.format(returned=returned, **words).replace("\n", "\r\n")

    def bring() -> None:
        with smtplib.SMTP("127.0.0.1", on.server.app.endpoints["smtp"].port) as smtp:
            smtp.sendmail("", [written_to], octets)

    await in_thread(bring)
    await on.server.app.services.screening.consumers.catch_up()


async def test_a_bounce_finds_the_list_and_is_held_against_the_recipient_whom_its_address_names(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        for number in range(3):
            await post(on, [*READERS, f"{number}@elsewhere.test"], "XVERP")
            returned = on.peer.messages[-1].octets.decode().replace("\r\n", "\n")
            # The reader's own server sent it on, and the report names an address that Ann has never seen.
            await bounce(on, PATHS[1], returned, "behind@third.test")
        states = {one["counterpart"]: one for one in await on.own(ANN)}
        assert states[READERS[1]]["state"] == "bounced"
        assert states[READERS[0]]["state"] == "sent"
        assert steps_of(states[READERS[1]])[-1] == "bounced"
        assert states[READERS[1]]["steps"][-1]["text"].startswith("<behind@third.test>: 550 5.1.1")
        (suppressed,) = await on.server.app.services.outgoing.suppressions.list_suppressed(10)
        assert str(suppressed.address) == READERS[1]
        assert len(await inbox(on.server)) == 3, "the bounces are the list's to read"


async def test_a_bounce_without_our_trace_blames_nobody(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await post(on, READERS, "XVERP")
        await bounce(on, PATHS[0], "Subject: no trace\n", READERS[0])
        assert {one["state"] for one in await outgoing(on)} == {"sent"}


@pytest.mark.parametrize(
    ("sender", "option", "code"),
    [
        (ANN, "XVERP=@%", b"501 5.5.4"),
        (ANN, "XVERP=+", b"501 5.5.4"),
        (ANN, "XVERP=-=", b"501 5.5.4"),  # Here no subaddress begins with "-": the bounce would find nobody.
        ("", "XVERP", b"501 5.5.4"),
        (f"ann+news@{DOMAIN}", "XVERP", b"501 5.5.4"),
    ],
)
async def test_what_could_not_come_back_is_refused(server: Server, sender: str, option: str, code: bytes) -> None:
    refused = await in_thread(lambda: submit(server, READERS, option, sender=sender))
    assert b"%d %.5b" % refused == code


async def test_a_recipient_whom_no_return_path_can_name_is_refused(server: Server) -> None:
    far = "u" * 64 + "@" + "d" * 60 + ".example.net"
    refused = await in_thread(lambda: submit(server, [far], "XVERP"))
    assert b"%d %.5b" % refused == b"553 5.1.7"


async def test_nobody_asks_for_it_on_port_25_or_where_it_is_not_offered(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        return replace(config, submission=replace(config.submission, verp=False))

    def offers(make: Callable[[], smtplib.SMTP]) -> bool:
        with make() as smtp:
            smtp.ehlo()
            is_offered = smtp.has_extn("xverp")
            with suppress(smtplib.SMTPException):
                smtp.login(ANN, SECRET)
            assert smtp.mail(ANN, ["XVERP"])[0] == (250 if is_offered else 555)
            return is_offered

    async with start_server(tmp_path / "data") as server:
        ports = server.app.endpoints
        tls = server.tls
        assert await in_thread(
            lambda: offers(lambda: smtplib.SMTP_SSL("localhost", ports["submissions"].port, context=tls))
        )
        assert not await in_thread(lambda: offers(lambda: smtplib.SMTP("127.0.0.1", ports["smtp"].port)))
    async with start_server(tmp_path / "other", change=change) as server:
        port, tls = server.app.endpoints["submissions"].port, server.tls
        assert not await in_thread(lambda: offers(lambda: smtplib.SMTP_SSL("localhost", port, context=tls)))
