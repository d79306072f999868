"""A server without some of its parts lacks these and nothing else, and what they cost is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import hongyan.app
import hongyan.assembly.screening
import hongyan.assembly.services
from bench.composition import leave_out
from bench.laps import Lap
from bench.machine import Machine
from bench.parts import costs_of, parse_variants
from bench.report import Report
from bench.rounds import Measurement
from hongyan.addresses import Address
from hongyan.config import Config
from tests.support.dns_server import serve_dns
from tests.support.server import Server, start_server

ANN = "ann@hongyan.test"
SENDER = "gander@geese.test"


@pytest.fixture
def replaceable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is put in the place of parts is taken away again."""
    for module, name in (
        (hongyan.app, "make_services"),
        (hongyan.assembly.services, "InboundTimeline"),
        (hongyan.assembly.services, "Deliverer"),
        (hongyan.assembly.screening, "Consumers"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))


def without_gate(config: Config) -> Config:
    return replace(config, gate=replace(config.gate, enabled=False))


async def bring(server: Server) -> None:
    smtp = await server.connect("smtp")
    await smtp.reply()
    for line in ("EHLO geese.test", f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{ANN}>", "DATA"):
        smtp.say(line)
        await smtp.reply()
    smtp.say(f"From: {SENDER}\r\nSubject: x\r\n\r\nHello.\r\n.")
    assert (await smtp.reply()).startswith(b"250")
    await smtp.close()


async def left_behind(server: Server) -> set[str]:
    """Return which parts show that they have seen a message."""
    services = server.app.services
    await services.screening.consumers.catch_up()
    (ann,) = (await services.directory.aliases.resolve(Address.parse(ANN))).recipients
    found = {
        "timelines": await services.directory.timelines.read(ann.account),
        "consumers": await services.screening.cursors.find_cursor(ann.account, "late-failures"),
        "correspondents": await services.sending.correspondents.find_correspondents(
            ann.account, [Address.parse(SENDER)]
        ),
    }
    return {name for name, seen in found.items() if seen}


@pytest.mark.usefixtures("replaceable")
@pytest.mark.parametrize(
    "parts",
    [set(), {"timelines"}, {"consumers"}, {"correspondents"}, {"spam", "index", "reputation", "reports"}],
    ids=lambda parts: "+".join(sorted(parts)) or "none",
)
async def test_a_server_lacks_the_parts_that_are_left_out_and_no_other(parts: set[str], tmp_path: Path) -> None:
    leave_out(parts)
    async with serve_dns() as zone, start_server(tmp_path, resolver=zone.server, change=without_gate) as server:
        zone.records["TXT geese.test"] = ['"v=spf1 ip4:127.0.0.0/8 -all"']
        await bring(server)
        assert await left_behind(server) == {"timelines", "consumers", "correspondents"} - parts
        checks = [check.name for check in server.app.services.screening.incoming]
        assert ("spam" in checks) == ("spam" not in parts)
        assert (server.app.services.searching.index is None) == ("index" in parts)


def test_parts_are_left_out_each_alone_or_several_together() -> None:
    assert parse_variants("consumers,timelines+correspondents") == {
        "whole": frozenset(),
        "consumers": {"consumers"},
        "timelines+correspondents": {"timelines", "correspondents"},
    }
    with pytest.raises(ValueError, match="parts are"):
        parse_variants("timelines,delivery")


def lap(cpu: float) -> Lap:
    made = object.__new__(Lap)
    made.operations, made.server_cpu = 1000, cpu
    return made


def test_what_a_part_costs_is_told_round_by_round() -> None:
    laps = {"whole": [lap(1.03), lap(2.0)], "timelines": [lap(1.0), lap(2.0)]}
    report = Report("x", Machine(1, "", 1, "", "", "", 1.0, 1.0), dict.fromkeys(laps, "1"), 0, exact=True)
    report.measurements.append(Measurement("mx/4k", "message", {name: list(done) for name, done in laps.items()}))
    row = costs_of(report).splitlines()[-1]
    assert row == "| mx/4k | 1.515 | 1.500 | +1.5 % (+0.0 … +3.0) |"
