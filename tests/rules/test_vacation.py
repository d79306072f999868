"""Who gets an answer while somebody is away: a pure decision (RFC 5230 §4, RFC 3834 §2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address
from hongyan.message.headers import pick_fields, split_fields
from hongyan.rules.vacation import FIELDS, ReceivedMessage, Silence, VacationOptions, find_named, find_silence
from hongyan.rules.vacation_letter import write_answer
from hongyan.store.vacations import Vacation
from tests.support.clock import FakeClock, FakeRandom

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN, BEN = Address.parse("ann@home.test"), Address.parse("ben@elsewhere.test")
OWN = frozenset({ANN.canonical})
AWAY = Vacation(enabled=True, enabled_at=NOW - HOUR, text="Away.")


def message(*fields: str, sender: Address | None = BEN) -> ReceivedMessage:
    lines = ("To: Ann <ann@home.test>", *fields) if not any(one.startswith("To:") for one in fields) else fields
    header = "".join(f"{one}\r\n" for one in lines).encode()
    picked, _ = pick_fields(split_fields(header), FIELDS)
    named = frozenset(one.canonical for one in find_named(picked))
    return ReceivedMessage(sender=sender, arrived_at=NOW, fields=picked, named=named)


def silence(told: ReceivedMessage, vacation: Vacation = AWAY) -> Silence | None:
    return find_silence(vacation, told, OWN, NOW)


def test_a_person_who_writes_to_this_person_gets_an_answer() -> None:
    assert silence(message()) is None
    assert silence(message("Auto-Submitted: no", "Precedence: first-class")) is None
    assert silence(message("To: ben@elsewhere.test", "Cc: a@b.test, ANN@Home.Test")) is None
    assert silence(message("To: ben@elsewhere.test", "Resent-To: ann@home.test")) is None


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ("Auto-Submitted: auto-replied", Silence.PROGRAM),
        ("Auto-Submitted: AUTO-generated; owner-email=x", Silence.PROGRAM),
        ("List-Id: <geese.test>", Silence.LIST),
        ("List-Unsubscribe: <mailto:x@y.test>", Silence.LIST),
        ("Mailing-List: geese", Silence.LIST),
        ("Precedence: Bulk", Silence.LIST),
        ("X-Auto-Response-Suppress: DR, OOF", Silence.SUPPRESSED),
        ("To: undisclosed-recipients:;", Silence.NOT_NAMED),
        ("To: team@home.test", Silence.NOT_NAMED),
    ],
)
def test_lists_programs_and_mail_to_others_get_none(field: str, why: Silence) -> None:
    assert silence(message(field)) is why


@pytest.mark.parametrize(
    "name",
    ["MAILER-DAEMON", "postmaster", "no-reply", "noreply+x", "owner-geese", "geese-request", "bounce+4=ann"],
)
def test_senders_that_are_programs_get_none(name: str) -> None:
    assert silence(message(sender=Address.parse(f"{name}@elsewhere.test"))) is Silence.PROGRAM


def test_nobody_oneself_and_forged_senders_get_none() -> None:
    assert silence(message(sender=None)) is Silence.NOBODY
    assert silence(message(sender=ANN)) is Silence.OWN
    assert silence(replace(message(), is_forged=True)) is Silence.FORGED


def test_an_answer_is_given_only_while_the_owner_is_away() -> None:
    assert silence(message(), Vacation()) is Silence.OFF
    assert silence(message(), replace(AWAY, enabled_at=NOW + HOUR)) is Silence.OFF
    assert silence(message(), replace(AWAY, begins_at=NOW + HOUR)) is Silence.OFF
    assert silence(message(), replace(AWAY, ends_at=NOW)) is Silence.OFF
    assert silence(message(), replace(AWAY, begins_at=NOW, ends_at=NOW + HOUR)) is None
    assert find_silence(replace(AWAY, enabled_at=None), message(), OWN, NOW + 25 * HOUR) is Silence.OLD


def test_an_answer_names_what_it_answers_and_is_marked_as_one() -> None:
    told = message("Subject: =?utf-8?b?5L2g5aW9?=", "Message-ID: <2@x.test>", "References: <1@x.test>")
    octets = write_answer(AWAY, ANN, BEN, told.fields, FakeClock(), FakeRandom())
    header, _, body = octets.partition(b"\r\n\r\n")
    lines = header.split(b"\r\n")
    for line in (
        *(b"From: <ann@home.test>", b"To: <ben@elsewhere.test>", b"Auto-Submitted: auto-replied (vacation)"),
        *(b"In-Reply-To: <2@x.test>", b"References: <1@x.test> <2@x.test>"),
    ):
        assert line in lines
    assert b"Subject: =?utf-8?b?QXV0bzog5L2g5aW9?=" in [line.replace(b"?B?", b"?b?") for line in lines]
    assert body == b"Away."


def test_what_strangers_write_stays_in_its_field_and_what_is_missing_is_made() -> None:
    told = message("Subject: =?utf-8?q?a=0D=0ABcc:_x@y.test?=", "Message-ID: <a b> x\t<ok@x.test>")
    octets = write_answer(replace(AWAY, text=None, html="<p>Weg</p>"), ANN, BEN, told.fields, FakeClock(), FakeRandom())
    assert b"\nBcc:" not in octets
    assert b"In-Reply-To: <ok@x.test>\r\n" in octets
    assert b"text/plain" in octets
    assert b"text/html" in octets
    usual = write_answer(replace(AWAY, text=None, subject="离开"), ANN, BEN, {}, FakeClock(), FakeRandom())
    assert b"In-Reply-To" not in usual
    assert usual.isascii()


def test_options_that_cannot_be_are_refused() -> None:
    for wrong in ({"again_after": 0}, {"again_after": 366}, {"most_a_day": -1}):
        with pytest.raises(ValueError, match="again_after"):
            VacationOptions(**wrong)
