"""What is done with an infected message, and with one that nobody could look at."""

from __future__ import annotations

import pytest

from hongyan.mailauth.authentication import Authentication
from hongyan.screening.examined import Examined
from hongyan.screening.verdict import Disposition, Finding
from hongyan.screening.virus import Scan, ScanResult, VirusCheck, VirusOptions, clean_name, parse_place

INFECTED = Scan(ScanResult.INFECTED, "Test.Goose")
FAILED = Scan(ScanResult.FAILED, "refused")


class Scanner:
    def __init__(self, scan: Scan) -> None:
        self.answer = scan
        self.scans = 0

    async def scan(self, octets: bytes) -> Scan:
        self.scans += 1
        return self.answer


def message(octets: bytes = b"Subject: x\r\n\r\nHello\r\n") -> Examined:
    return Examined(
        mid="m1",
        peer="192.0.2.1",
        helo="elsewhere.test",
        reverse_path=None,
        accounts={},
        octets=octets,
        body=0,
        authentication=Authentication(),
        encrypted=True,
    )


async def findings(scan: Scan, options: VirusOptions, octets: bytes = b"x") -> list[Finding]:
    return list(await VirusCheck(Scanner(scan), options).judge(message(octets)))


async def test_a_clean_message_gives_rise_to_nothing() -> None:
    assert await findings(Scan(ScanResult.CLEAN), VirusOptions()) == []


async def test_an_infected_message_is_refused_with_the_name_of_what_was_found() -> None:
    (found,) = await findings(INFECTED, VirusOptions())
    assert found.disposition is Disposition.REJECT
    assert str(found.reply) == "550 5.7.1 The message is infected: Test.Goose"


async def test_an_infected_message_is_quarantined_where_that_is_set() -> None:
    (found,) = await findings(INFECTED, VirusOptions(on_infected="quarantine"))
    assert found.disposition is Disposition.QUARANTINE
    assert found.text == "infected: Test.Goose"


@pytest.mark.parametrize(
    ("setting", "disposition"),
    [("defer", Disposition.DEFER), ("accept", Disposition.ACCEPT), ("junk", Disposition.JUNK)],
)
async def test_a_scanner_that_does_not_answer_defers_or_what_is_set(setting: str, disposition: Disposition) -> None:
    options = VirusOptions(on_failure=setting)  # type: ignore[arg-type]  # one of its words
    assert [found.disposition for found in await findings(FAILED, options)] == [disposition]
    assert [found.disposition for found in VirusCheck(Scanner(FAILED), options).overdue()] == [disposition]


async def test_a_deferred_sender_is_told_to_come_again() -> None:
    (found,) = await findings(FAILED, VirusOptions())
    assert found.reply is not None
    assert found.reply.code == 451


@pytest.mark.parametrize(
    ("setting", "disposition"),
    [("accept", Disposition.ACCEPT), ("junk", Disposition.JUNK), ("reject", Disposition.REJECT)],
)
async def test_what_is_too_large_is_treated_as_set_and_not_sent_to_the_scanner(
    setting: str, disposition: Disposition
) -> None:
    scanner = Scanner(INFECTED)
    options = VirusOptions(largest=100, on_too_large=setting)  # type: ignore[arg-type]  # one of its words
    (found,) = await VirusCheck(scanner, options).judge(message(b"x" * 101))
    assert found.disposition is disposition
    assert scanner.scans == 0


async def test_what_the_scanner_itself_finds_too_large_is_treated_alike() -> None:
    (found,) = await findings(Scan(ScanResult.TOO_LARGE), VirusOptions(on_too_large="reject"))
    assert found.reply is not None
    assert found.reply.code == 552


@pytest.mark.parametrize("name", ["", "a\r\n250 OK", "\x1b[31m", "病毒", "x" * 10_000, "a b\0c"])
async def test_a_name_is_made_harmless(name: str) -> None:
    assert clean_name(name)
    (found,) = await findings(Scan(ScanResult.INFECTED, name), VirusOptions())
    assert found.text.isascii()
    assert found.text.isprintable()
    assert len(found.text) < 100


@pytest.mark.parametrize("place", ["clamd", "host:", ":3310", "host:0", "host:99999", "relative/clamd.sock", "host:x"])
def test_a_place_that_is_none_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="socket"):
        VirusOptions(clamd=place)


def test_a_place_is_a_socket_or_host_and_port() -> None:
    assert parse_place("/run/clamav/clamd.ctl") == "/run/clamav/clamd.ctl"
    assert parse_place("clamav:3310") == ("clamav", 3310)
    assert parse_place("[::1]:3310") == ("::1", 3310)
