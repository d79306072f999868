"""A listener that ends says so, counts, closes on its day and may be put off; new certificates come under load."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hongyan.clock import SystemClock
from hongyan.config import Config
from hongyan.domains.local_authority import make_local_certificate
from hongyan.servers.lifecycle import Lifecycle
from tests.support.cli import Cli
from tests.support.clock import FakeClock
from tests.support.server import SECRET, Server, in_thread, start_server

TODAY = datetime.now(UTC).date()
LATER = (TODAY + timedelta(days=30)).isoformat()


def ending(deprecated: str, off: str) -> Callable[[Config], Config]:
    def change(config: Config) -> Config:
        listen = {name: replace(to, deprecated=deprecated, off=off) for name, to in config.listen.items()}
        return replace(config, listen=listen)

    return change


async def hongyan(server: Server, *arguments: str) -> Any:
    cli = Cli(Path(server.app.config.server.data))
    return await in_thread(lambda: cli.json("listener", *arguments))


async def test_a_deprecated_listener_says_when_it_ends_and_counts_who_comes(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=ending("2026-01-01", LATER)) as server:
        for service in ("smtp", "submissions", "pop3s"):
            assert f"closes on {LATER}".encode() in await (await server.connect(service)).line()  # type: ignore[arg-type]
        imap = await server.connect("imaps")
        await imap.line()
        imap.say('x ID ("name" "Old Mail")')
        await imap.until(b"x ")
        imap.say(f'a LOGIN ann@hongyan.test "{SECRET}"')
        assert f"closes on {LATER}".encode() in await imap.until(b"* OK [ALERT]")
        told = {each["service"]: each for each in (await hongyan(server, "report"))["listeners"]}
        assert told["imaps"]["stage"] == "deprecated"
        assert [(use["account"], use["count"]) for use in told["imaps"]["uses"]] == [("ann@hongyan.test", 1)]
        assert "Old Mail" in told["imaps"]["uses"][0]["client"]
        assert told["smtp"]["uses"] == []
    async with start_server(tmp_path, change=ending("2026-01-01", LATER)) as server:
        again = {each["service"]: each for each in (await hongyan(server, "report"))["listeners"]}
        assert again["imaps"]["uses"] == told["imaps"]["uses"], "a restart forgets nobody"


async def test_a_listener_whose_day_has_come_says_why_until_it_is_put_off(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=ending("2026-01-01", TODAY.isoformat())) as server:
        for service, beginning in (
            ("smtp", b"421 "),
            ("imaps", b"* BYE "),
            ("pop3", b"-ERR "),
            ("submissions", b"421 "),
        ):
            line = await (await server.connect(service)).line()  # type: ignore[arg-type]
            assert line.startswith(beginning)
            assert f"closed on {TODAY}".encode() in line
        assert (await hongyan(server, "prolong", "smtp", LATER))["off"] == LATER
        (entry,) = await server.app.services.directory.audit.query(event_prefix="servers:listener:prolonged")
        assert (entry.actor, entry.detail) == ("cli", {"service": "smtp", "off": LATER, "former": TODAY.isoformat()})
        assert (await (await server.connect("smtp")).line()).startswith(b"220 ")
        assert (await (await server.connect("imaps")).line()).startswith(b"* BYE ")


async def test_mail_programs_are_not_led_to_a_listener_that_ends(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        listen = dict(config.listen)
        listen |= {name: replace(listen[name], deprecated="2026-01-01") for name in ("imaps", "https")}
        listen["pop3s"] = replace(listen["pop3s"], off="2026-01-01")
        return replace(config, listen=listen)

    async with start_server(tmp_path, change=change):
        cli = Cli(tmp_path)
        lines = (await in_thread(lambda: cli("domain", "dns", "hongyan.test", "--zone"))).out
    told = {service: f"_{service}._tcp.hongyan.test. IN SRV 0 0 0 ." in lines for service in ("imaps", "pop3s")}
    assert told == {"imaps": True, "pop3s": True}
    assert "_submissions._tcp.hongyan.test. IN SRV 0 1 " in lines
    assert "autoconfig" not in lines
    assert "autodiscover" not in lines


def test_the_day_comes_by_the_clock() -> None:
    clock = FakeClock(datetime(2026, 12, 30, 23, 59, tzinfo=UTC))
    life = Lifecycle("imap", date(2026, 12, 31), date(2027, 1, 1), clock)
    stages = [life.stage.value]
    for _ in range(2):
        clock.advance(timedelta(days=1))
        stages.append(life.stage.value)
    assert stages == ["active", "deprecated", "off"]
    assert life.notice == ""
    life.note("ann", "x")
    assert not life.uses


@pytest.mark.slow
async def test_new_certificates_meet_new_connections_while_none_under_load_is_dropped(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        sessions = [await server.imap("ann") for _ in range(20)]
        stop, done = asyncio.Event(), [0] * len(sessions)

        async def work(number: int) -> None:
            while not stop.is_set():
                await sessions[number].command(f"n{done[number]}", "NOOP")
                done[number] += 1

        async def serial() -> bytes:
            endpoint = server.app.endpoints["imaps"]
            context = ssl._create_unverified_context()
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=context)
            octets: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.transport.abort()
            return octets

        async with asyncio.TaskGroup() as tasks:
            for number in range(len(sessions)):
                tasks.create_task(work(number))
            chain = Path(server.app.config.certificates[0].chain)
            seen = [await serial()]
            for _ in range(3):
                chain.unlink()
                make_local_certificate(chain.parent, "hongyan.test", SystemClock())
                before = list(done)
                await server.app.reload()
                seen.append(await serial())
                while any(now == then for now, then in zip(done, before, strict=True)):
                    await asyncio.sleep(0)
            stop.set()
        assert len(set(seen)) == 4
        assert min(done) >= 3
