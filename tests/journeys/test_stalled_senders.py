"""Many senders stall in the middle of a message: memory stays bounded, and others bring their mail."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

from hongyan.config import Config
from hongyan.delivery.spool import IN_MEMORY, SpoolOptions
from tests.support.lines import PATIENCE
from tests.support.server import Server, start_server

SENDERS = 200
SAID = IN_MEMORY - 100_000  # of one message: it would wait in memory
MOST = 8 << 20
LINE = b"x" * 998 + b"\r\n"


def configure(config: Config) -> Config:
    smtp = replace(config.admission.smtp, connections_per_network=SENDERS + 10, new_per_minute=0)
    return replace(config, spool=SpoolOptions(MOST), admission=replace(config.admission, smtp=smtp))


def resident() -> int:
    """Return how much memory this process has, in octets."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def spooled(folder: Path) -> int:
    """Return how many octets lie in files of a spool: they have no names."""
    total = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            if os.readlink(link).startswith(f"{folder}/"):
                total += link.stat().st_size
        except OSError:  # closed meanwhile
            continue
    return total


async def stall(server: Server, *, header: bytes) -> None:
    """Bring a message almost to its end, and say no more."""
    smtp = await server.connect("smtp")
    await smtp.reply()
    for line in ("EHLO slow.test", "MAIL FROM:<slow@slow.test>", "RCPT TO:<ann@hongyan.test>", "DATA"):
        smtp.say(line)
        assert (await smtp.reply())[:1] in b"23"
    smtp.write(header)
    for _ in range(SAID // len(LINE) // 40):
        smtp.write(LINE * 40)
        await smtp._writer.drain()


async def test_two_hundred_stalled_senders_cost_no_more_memory_than_is_set(tmp_path: Path) -> None:
    async with start_server(tmp_path, change=configure) as server:
        room = server.app.services.inbound.spool
        before = resident()
        for _ in range(SENDERS // 20):
            # Of half of them the header never ends.
            headers = (b"", b"Subject: slow\r\n\r\n")
            await asyncio.gather(*(stall(server, header=headers[number % 2]) for number in range(20)))
        said = SENDERS * (SAID // len(LINE) // 40) * 40 * len(LINE)
        async with asyncio.timeout(PATIENCE):
            # What is not a whole line may wait elsewhere.
            while room.held + spooled(room.directory) < said - SENDERS * len(LINE):
                await asyncio.sleep(0.01)
        grown = resident() - before
        assert room.held <= MOST
        assert grown < said // 3, grown
        assert (await server.bring("ann@hongyan.test", size=10_000)).startswith(b"250")
