"""`python -m bench.sizes`: one mailbox that grows: what SELECT, the newest 50, STORE and memory cost at each size.

`hongyan demo` without its text index, which nothing here asks, gets messages of 1 KB in one mailbox until that has
each of the sizes. At each size it is started again, with what the kernel knew of its files forgotten (as root), and
measured: the first SELECT, those after it, the listing of the newest 50 as a mail program shows them, STORE of single
messages anywhere in the mailbox, and the memory that it holds then. CPU is the server's.
"""

from __future__ import annotations

__all__ = ["Size", "fill", "main", "page_of"]

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.answers import number_before
from bench.clients import ImapClient, Unexpected
from bench.corpus import Corpus, Template
from bench.demo import Demo
from bench.laps import Lap
from bench.meters import make_meter
from bench.plot import Panel, plot
from bench.server import Server

_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_OCTETS = 1024
_BATCH = 500
_NEWEST = 50
_MIB = 1024


@dataclass(frozen=True, slots=True)
class Size:
    """What a mailbox of so many messages costs: CPU in milliseconds for each operation, memory (PSS) in MiB."""

    messages: int
    select_cold: float
    select_warm: float
    newest: float
    store: float
    memory: float


def main(arguments: Sequence[str]) -> int:
    """Measure each size; print a table, or JSON; draw it if that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizes", description="One mailbox that grows.")
    parser.add_argument("--sizes", default=",".join(map(str, _SIZES)), help="numbers of messages, growing")
    parser.add_argument("--repeat", type=int, default=3, help="starts at each size; the one in the middle counts")
    parser.add_argument("--commands", type=int, default=200, help="of each kind after each start")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them into this file (SVG)")
    parser.add_argument("--json", action="store_true", help="print figures for programs")
    options = parser.parse_args(arguments)
    wanted = [int(size) for size in options.sizes.split(",")]
    if wanted != sorted(set(wanted)) or wanted[0] < _NEWEST or min(options.repeat, options.commands) < 1:
        parser.error(f"sizes grow, from {_NEWEST} on; --repeat and --commands are at least 1")
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-", dir="/var/tmp") as folder:
        sizes = asyncio.run(_measure(Path(folder), wanted, options.repeat, options.commands))
    print(json.dumps([asdict(size) for size in sizes]) if options.json else page_of(sizes))
    if options.plot is not None:
        options.plot.write_text(plot(_panels(sizes)))
    return 0


def page_of(sizes: Sequence[Size]) -> str:
    """Return the figures as a table of a page."""
    rows = [
        f"| {size.messages:,} | {size.select_cold:.2f} ms | {size.select_warm:.3f} ms | {size.newest:.2f} ms"
        f" | {size.store:.3f} ms | {size.memory:.0f} MiB |"
        for size in sizes
    ]
    head = f"| messages | SELECT, cold | SELECT, warm | newest {_NEWEST} | STORE of one | memory |"
    return "\n".join((head, "| --: " * 6 + "|", *rows))


def _panels(sizes: Sequence[Size]) -> list[Panel]:
    numbers = [size.messages for size in sizes]
    return [
        Panel(title, unit, numbers, [getattr(size, name) for size in sizes])
        for title, unit, name in (
            ("SELECT, cold", "ms", "select_cold"),
            ("SELECT, warm", "ms", "select_warm"),
            (f"list the newest {_NEWEST}", "ms", "newest"),
            ("STORE of one message", "ms", "store"),
            ("memory", "MiB", "memory"),
        )
    ]


async def _measure(folder: Path, wanted: Sequence[int], repeat: int, commands: int) -> list[Size]:
    meter = make_meter("sizes")
    server = Server("hongyan", Demo(folder, meter, without={"index"}), meter)
    templates = Corpus().templates(_OCTETS)
    server.start()
    try:
        sizes = []
        for messages in wanted:
            await fill(server, templates, messages)
            starts = [await _start_and_measure(server, messages, commands) for _ in range(repeat)]
            columns = zip(*(list(asdict(start).values()) for start in starts), strict=True)
            sizes.append(Size(*(statistics.median(column) for column in columns)))
            print(f"# {sizes[-1]}", file=sys.stderr, flush=True)
        return sizes
    finally:
        server.stop()


async def fill(server: Server, templates: Sequence[Template], messages: int) -> None:
    """Append to the first account's inbox until it has so many messages."""
    client = await server.imap(0, b"INBOX")
    count = await _count(client)
    while count < messages:
        batch = range(count, min(count + _BATCH, messages))
        named = [(b"", templates[each % len(templates)].message(b"%09d.grown" % each)) for each in batch]
        await client.append_all(b"INBOX", named)
        count = batch.stop
    await client.logout()


async def _count(client: ImapClient) -> int:
    answer = await client.ok(b"SELECT INBOX")
    return number_before(answer.octets, b"EXISTS") or 0


async def _start_and_measure(server: Server, messages: int, commands: int) -> Size:
    server.make_cold()
    client = await server.imap(0)
    cold = await _lap(server, 1, lambda _: client.ok(b"SELECT INBOX"))
    if (count := await _count(client)) != messages:
        raise Unexpected(f"{count} messages are there, not {messages}")
    warm = await _lap(server, commands, lambda _: client.ok(b"SELECT INBOX"))
    items = b"UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE"
    newest = await _lap(
        server, commands, lambda _: client.ok(b"FETCH %d:%d (%b)" % (messages - _NEWEST + 1, messages, items))
    )
    chance = random.Random(messages)
    store = await _lap(
        server,
        commands,
        lambda each: client.ok(b"STORE %d %cFLAGS (\\Flagged)" % (chance.randint(1, messages), b"+-"[each % 2])),
    )
    memory = server.memory().pss_kib / _MIB
    await client.logout()
    return Size(messages, cold, warm, newest, store, memory)


async def _lap(server: Server, count: int, do: Callable[[int], Awaitable[object]]) -> float:
    """Return the milliseconds of CPU that the server takes for each of so many commands, one after the other."""
    lap = Lap(server)
    async with lap.clock():
        for each in range(count):
            await do(each)
    lap.operations = count
    return lap.cpu_ms


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
