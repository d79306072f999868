"""What we say of a message is read by others: Postfix asks and is told; two libraries of Perl and Python's own read it.

Postfix has a user whose mail leaves through us: it logs in as Ann, who may write as that user. What it asks to be told
(RFC 3461) is of recipients here, of an address here that stands for several, and of those behind a server without DSN.
"""

from __future__ import annotations

import contextlib
import json
import smtplib
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import SERVER
from hongyan.clock import SystemClock
from hongyan.store.aliases import Alias
from tests.support import debian
from tests.support.cli import Cli
from tests.support.ports import free_port
from tests.support.postfix import Postfix, start_postfix
from tests.support.public import wait_for_outcome
from tests.support.server import DOMAIN, SECRET, Server, in_thread, start_server

pytestmark = pytest.mark.interop

ANN, BOB, LIST = (f"{name}@{DOMAIN}" for name in ("ann", "bob", "flock"))
GOOSE = "goose@origin.test"
KEPT, LATER, GONE = "kept@elsewhere.test", "later@elsewhere.test", "gone@elsewhere.test"
FIRST = "the+goose@first.test"
"""Whom the message was for at first: ORCPT spells the plus in hexadecimal."""
LAST_WORDS = f"{{{LATER} = 450 4.2.1 The goose is out}}, {{{GONE} = 550 5.1.1 No such user}}"
ENVELOPE = "flight=17+b"

SISIMAI = """\
use strict; use warnings; use Sisimai; use JSON::PP;
my $read = Sisimai->make($ARGV[0], 'delivered' => 1) || [];
print encode_json([map { { action => $_->action, status => $_->deliverystatus, recipient => $_->recipient->address,
    original => $_->alias, reason => $_->reason,
    subject => $_->subject, code => $_->replycode } } @$read]);
"""
BOUNCE_PARSER = """\
use strict; use warnings; use Mail::DeliveryStatus::BounceParser; use JSON::PP;
open my $file, '<', $ARGV[0] or die; local $/;
my $read = Mail::DeliveryStatus::BounceParser->new(<$file>);
sub about { my $one = shift;
    return { map { my $name = $_; my $value = $one->get($name) // ''; $value =~ s/\\s+$//; ($name => $value) }
        qw(action status email original-recipient std_reason) }; }
print encode_json([map { about($_) } $read->reports]);
"""


class ShiftedClock(SystemClock):
    """The system's clock, some hours ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def timestamp(self) -> float:
        return super().timestamp() + self.ahead.total_seconds()

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead.total_seconds()


@dataclass(frozen=True)
class World:
    server: Server
    clock: ShiftedClock
    origin: Postfix
    """Where the goose is at home."""

    def send(self, recipient: str, subject: str, notify: str = "SUCCESS,FAILURE,DELAY") -> None:
        """Give Postfix a message of the goose's that wants to know whatever can be known."""
        octets = f"From: {GOOSE}\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\nHonk.\r\n"
        with smtplib.SMTP("127.0.0.1", self.origin.port) as smtp:
            rcpt = [f"NOTIFY={notify}", "ORCPT=rfc822;the+2Bgoose@first.test"]
            mail = ["RET=HDRS", "ENVID=flight+3D17+2Bb"]
            smtp.sendmail(GOOSE, [recipient], octets, mail_options=mail, rcpt_options=rcpt)

    async def told(self, count: int = 1) -> list[bytes]:
        """Return what has come back to the goose, when there are so many."""
        return cast("list[bytes]", await in_thread(partial(self.origin.wait_for_messages, count)))


@contextlib.asynccontextmanager
async def start_world(folder: Path) -> AsyncIterator[World]:
    back, clock = free_port(), ShiftedClock()
    deaf = [
        "smtpd_discard_ehlo_keywords = dsn, silent-discard",
        f"smtpd_recipient_restrictions = check_recipient_access inline:{{{LAST_WORDS}}}",
        f"transport_maps = inline:{{{{origin.test = smtp:[127.0.0.1]:{back}}}}}",
    ]
    with start_postfix(domains=["elsewhere.test"], hostname="mx.elsewhere.test", extra=deaf, tls="none") as behind:
        wishes = {"relay": f"127.0.0.1:{behind.port}", "clock": clock}
        async with start_server(folder / "data", **wishes) as server:  # type: ignore[arg-type]  # wishes of two types
            accounts = server.app.services.directory
            await accounts.identities.grant((await server.account("ann")).account_id, Address.parse(GOOSE), SERVER)
            flock = (Address.parse(BOB), Address.parse(KEPT))
            await accounts.aliases.put(Alias(Address.parse(LIST), flock, False), SERVER)
            hop = f"[127.0.0.1]:{server.app.endpoints['submissions'].port}"
            login = [
                "smtp_sasl_auth_enable = yes",
                f"smtp_sasl_password_maps = inline:{{{{{hop} = {ANN}:{SECRET}}}}}",
                "smtp_sasl_security_options = noanonymous",
                "smtp_tls_wrappermode = yes",
            ]
            at = ("127.0.0.1", back)
            with start_postfix(domains=["origin.test"], relay_host=hop, tls="encrypt", extra=login, at=at) as origin:
                yield World(server, clock, origin)


def read_by_perl(package: str, script: str, octets: bytes, folder: Path) -> list[Mapping[str, str]]:
    """Return what a library of Perl finds in a message."""
    root = debian.require(package)
    (folder / "notice.eml").write_bytes(octets)
    command = [debian.find_program(root, "perl"), "-e", script, folder / "notice.eml"]
    done = subprocess.run(command, env=debian.run_environment(root), capture_output=True, text=True, check=True)
    return cast("list[Mapping[str, str]]", json.loads(done.stdout))


def read_by_sisimai(octets: bytes, folder: Path) -> list[Mapping[str, str]]:
    return read_by_perl("libsisimai-perl", SISIMAI, octets, folder)


def read_by_python(octets: bytes) -> tuple[Mapping[str, str], Sequence[Mapping[str, str]]]:
    """Return the fields of the message and those of each recipient."""
    message = message_from_bytes(octets, policy=policy.default)
    assert message.get_content_type() == "multipart/report"
    _, status, returned = message.iter_parts()  # type: ignore[attr-defined]  # policy.default makes an EmailMessage
    assert returned.get_content_type() == "text/rfc822-headers"
    first, *others = cast("list[Message]", status.get_payload())
    return {**first}, [{**one} for one in others]


@pytest.mark.parametrize(
    ("recipient", "action", "status"),
    [(BOB, "delivered", "2.1.5"), (LIST, "expanded", "2.1.5"), (KEPT, "relayed", "2.0.0")],
)
async def test_who_asked_postfix_to_be_told_of_success_is_told_by_us(
    tmp_path: Path, recipient: str, action: str, status: str
) -> None:
    async with start_world(tmp_path) as world:
        await in_thread(partial(world.send, recipient, "Geese on their way"))
        (notice,) = await world.told()
    assert b"\nReturn-Path: <>\n" in b"\n" + notice
    check(notice, action=action, status=status, recipient=recipient)
    (read,) = read_by_sisimai(notice, tmp_path)
    assert (read["action"], read["status"], read["reason"]) == (action, status, "delivered")
    assert (read["recipient"], read["original"]) == (recipient, FIRST)
    assert read["subject"] == "Geese on their way"


async def test_who_asked_postfix_to_be_told_of_delay_is_told_by_us(tmp_path: Path) -> None:
    async with start_world(tmp_path) as world:
        await in_thread(partial(world.send, LATER, "Slow geese"))
        assert "The goose is out" in await wait_for_outcome(tmp_path)
        world.clock.ahead = timedelta(hours=5)
        await in_thread(partial(Cli(tmp_path / "data"), "queue", "retry", "--to", "elsewhere.test"))
        (delay,) = await world.told()
    fields = check(delay, action="delayed", status="4.2.1", recipient=LATER)
    assert fields["Remote-MTA"] == "dns; [127.0.0.1]"
    until = parsedate_to_datetime(fields["Will-Retry-Until"]) - parsedate_to_datetime(fields["Last-Attempt-Date"])
    assert timedelta(days=4) < until < timedelta(days=5)
    (read,) = read_by_sisimai(delay, tmp_path)
    assert (read["action"], read["status"], read["code"]) == ("delayed", "4.2.1", "450")
    assert (read["recipient"], read["original"]) == (LATER, FIRST)


async def test_who_asked_postfix_to_be_told_of_success_alone_hears_of_no_failure(tmp_path: Path) -> None:
    async with start_world(tmp_path) as world:
        await in_thread(partial(world.send, GONE, "Unheard", "SUCCESS"))
        await in_thread(partial(world.send, GONE, "Heard", "FAILURE"))
        (notice,) = await world.told()
    check(notice, action="failed", status="5.1.1", recipient=GONE)
    (read,) = read_by_sisimai(notice, tmp_path)
    assert (read["subject"], read["action"], read["reason"]) == ("Heard", "failed", "userunknown")
    assert (read["recipient"], read["original"]) == (GONE, FIRST)
    (parsed,) = read_by_perl("libmail-deliverystatus-bounceparser-perl", BOUNCE_PARSER, notice, tmp_path)
    assert parsed["std_reason"] == "user_unknown"
    assert (parsed["action"], parsed["status"], parsed["email"]) == ("failed", "5.1.1", FIRST)
    assert parsed["original-recipient"] == f"rfc822; {FIRST}"


def check(notice: bytes, *, action: str, status: str, recipient: str) -> Mapping[str, str]:
    """Make sure that Python's parser finds all that was asked for; return the recipient's fields."""
    message, (fields,) = read_by_python(notice)
    assert message["Original-Envelope-Id"] == ENVELOPE
    assert message["Reporting-MTA"] == f"dns; mail.{DOMAIN}"
    assert (fields["Action"], fields["Status"]) == (action, status)
    assert fields["Original-Recipient"] == f"rfc822; {FIRST}"
    assert fields["Final-Recipient"] == f"rfc822; {recipient}"
    return fields
