"""`python -m bench.mx`: mail from strangers with SPF, DKIM, ARC and DMARC checked, beside Postfix, rspamd and Dovecot.

Twenty domains with SPF and DMARC bring mail, 30 % of it signed (RSA, 2048 bits), from an address that their records
allow. A DNS on this machine answers both servers; it is under no meter, and both remember what it says. Every message
must be accepted and carry Authentication-Results in the end. `half` brings messages at half of the highest rate that
our server has just shown, one by one in time, and tells how long each waits for its 250. Our spam filter is taught
first, some hundred messages of either kind, so that it judges.

    python -m bench.mx --without timelines+correspondents,consumers

shows what single parts cost instead: our server whole beside our server without them, each message from an address that
nobody has heard of. What is done after delivery, within eight seconds, is counted too.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter

import uvloop

from bench.clients import SmtpClient, Unexpected
from bench.corpus import SignedMail, make_senders
from bench.demo import Demo
from bench.dns import DnsServer
from bench.laps import Lap
from bench.machine import describe_machine
from bench.meters import Meter, make_meter
from bench.parts import costs_of, parse_variants
from bench.peers import PostfixDovecot
from bench.peers.rspamd import Rspamd
from bench.report import Report
from bench.rounds import Rounds
from bench.server import Product, Server
from bench.tables import line_of, page_of
from bench.taught import teach
from bench.terms import Terms
from bench.work.mailboxes import count_messages, empty
from bench.work.piece import DELIVERY_USERS, Work, run_name, together
from tests.support.ports import free_port

_SIZES = {"4k": (4096, 600), "100k": (102_400, 200)}
_CONNECTIONS = 20
_TEMPLATES = 16
_HALF = 0.5
_SETTLE = 8.0  # seconds after a lap of `--without` that belong to it: those who follow the change logs take their time
_LATE = 5.0  # seconds behind its time after which a message is not brought at half the rate any more


def main(arguments: Sequence[str]) -> int:
    """Measure, print the tables, and return 0 if every answer was right."""
    parser = argparse.ArgumentParser(prog="python -m bench.mx", description="Mail from strangers, checked.")
    parser.add_argument("--scale", type=float, default=1.0, help="how many messages, as a part of the whole")
    parser.add_argument("--repeat", type=int, default=4, help="rounds")
    parser.add_argument("--whole", action="store_true", help="rspamd with all its modules, as Debian ships it")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    parser.add_argument("--without", default="", metavar="PART,...", help="what our server is compared without")
    options = parser.parse_args(arguments)
    try:
        variants = parse_variants(options.without) if options.without else {}
    except ValueError as fault:
        parser.error(str(fault))
    command = " ".join(["python -m bench.mx", *arguments])
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-", dir="/var/tmp") as made, ExitStack() as running:
        folder = Path(made)
        terms = Terms(scale=options.scale, big=200, idle=1, seed=1)
        senders = make_senders()
        mail = {
            size: SignedMail(senders, terms.corpus.templates(octets, _TEMPLATES), strangers=bool(variants))
            for size, (octets, _) in _SIZES.items()
        }
        records = {name: text for sender in senders for name, text in sender.records()}
        dns = DnsServer(folder / "dns", free_port(), records)
        running.callback(dns.stop)
        products: dict[str, Callable[[Path, Meter], Product]] = {"hongyan": partial(Demo, dns=dns.port)}
        if not (options.alone or variants):
            products["postfix"] = partial(_peer, dns.port, everything=options.whole)
        print("# the spam filter is taught", flush=True)
        with (
            _running("hongyan", products["hongyan"], folder) as pupil,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(teach(pupil, terms, senders[0].address))
        if variants:
            products = {name: partial(Demo, dns=dns.port, without=parts) for name, parts in variants.items()}
            for name in products:
                shutil.copytree(folder / "hongyan" / "data", folder / name / "data")
        servers = [running.enter_context(_running(name, make, folder)) for name, make in products.items()]
        report = Report(
            command=command,
            machine=describe_machine(folder),
            versions={server.name: server.product.version for server in servers},
            big=0,
            exact=all(server.meter.exact for server in servers),
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_measure(terms, mail, servers, report, options.repeat, settle=_SETTLE if variants else 0.0))
    print(f"\n{costs_of(report) if variants else page_of(report)}")
    return 1 if report.wrong else 0


def _peer(dns: int, folder: Path, meter: Meter, *, everything: bool) -> Product:
    return PostfixDovecot(folder, meter, checks=lambda inner: Rspamd(inner, meter, dns, everything=everything))


@contextmanager
def _running(name: str, make: Callable[[Path, Meter], Product], folder: Path) -> Iterator[Server]:
    meter = make_meter(name)
    with ExitStack() as cleaning:
        cleaning.callback(meter.close)
        server = Server(name, make(folder / name, meter), meter)
        cleaning.callback(server.stop)
        server.start()
        yield server


async def _measure(
    terms: Terms,
    mail: dict[str, SignedMail],
    servers: Sequence[Server],
    report: Report,
    repeat: int,
    *,
    settle: float,
) -> None:
    rounds = Rounds(terms, servers, repeat, lambda line: print(line, flush=True))
    print(f"# {report.machine}\n# {'; '.join(report.versions.values())}", flush=True)
    prepare = partial(_prepare, settle)
    for size, (_, messages) in _SIZES.items():
        bring = _Bring(mail[size], terms.count(messages, _CONNECTIONS))
        for work in (
            Work(f"mx/{size}", "message", bring.lap, prepare, settle=settle),
            Work(f"mx/{size}/half", "message", bring.paced_lap, prepare, settle=settle),
        ):
            measurement = await rounds.measure(work)
            report.measurements.append(measurement)
            print(line_of(report, measurement), flush=True)


async def _prepare(settle: float, server: Server) -> None:
    for user in DELIVERY_USERS:
        await empty(server, user)
    await asyncio.sleep(settle)  # What follows from that is no part of the first lap.


@dataclass(slots=True)
class _Bring:
    mail: SignedMail
    messages: int
    rates: dict[str, float] = field(default_factory=dict)

    async def lap(self, server: Server, lap: Lap) -> None:
        """Bring all as fast as twenty connections can."""
        run = _Run(server, lap, self.mail, self.messages)
        clients = [await server.smtp() for _ in range(_CONNECTIONS)]
        async with lap.clock():
            await together(run.send_on(client) for client in clients)
            lap.ended = perf_counter()
        self.rates[server.name] = max(self.rates.get(server.name, 0.0), lap.operations / lap.wall)
        await run.check()
        await together(client.quit() for client in clients)

    async def paced_lap(self, server: Server, lap: Lap) -> None:
        """Bring each in its time, at half of the highest rate of the first server."""
        run = _Run(server, lap, self.mail, self.messages)
        pause = 1 / (_HALF * next(iter(self.rates.values())))
        clients: asyncio.Queue[SmtpClient] = asyncio.Queue()
        for _ in range(_CONNECTIONS):
            clients.put_nowait(await server.smtp())
        async with lap.clock():
            begun = perf_counter()
            await together(run.send_at(begun + number * pause, clients) for number in range(self.messages))
            lap.ended = perf_counter()
        await run.check()
        while not clients.empty():
            await clients.get_nowait().quit()


class _Run:
    """The messages of one lap, made before its clock begins."""

    def __init__(self, server: Server, lap: Lap, mail: SignedMail, count: int) -> None:
        self._server, self._lap = server, lap
        name = run_name()
        self._waiting = iter([mail.message(number, name) for number in range(count)])
        self._accepted: Counter[int] = Counter()

    async def send_on(self, client: SmtpClient) -> None:
        for sender, message in self._waiting:
            begun = perf_counter()
            await self._send(client, sender, message)
            self._lap.took(begun)

    async def send_at(self, when: float, clients: asyncio.Queue[SmtpClient]) -> None:
        await asyncio.sleep(max(when - perf_counter(), 0))
        if perf_counter() > when + _LATE:
            return  # the server does not keep up: the figures of the others say so
        client = await clients.get()
        sender, message = next(self._waiting)
        await self._send(client, sender, message)
        self._lap.took(when)
        clients.put_nowait(client)

    async def _send(self, client: SmtpClient, sender: str, message: bytes) -> None:
        user = DELIVERY_USERS[self._lap.operations % len(DELIVERY_USERS)]
        self._lap.operations += 1
        await client.send(sender.encode(), self._server.user(user).encode(), message)
        self._accepted[user] += 1
        self._lap.octets += len(message)

    async def check(self) -> None:
        """Look whether what was accepted carries the results of the checks."""
        user = next(iter(self._accepted))
        imap = await self._server.imap(user)
        count = await count_messages(imap, b"INBOX")
        await imap.ok(b"SELECT INBOX")
        told = (await imap.ok(b"FETCH %d BODY.PEEK[HEADER.FIELDS (Authentication-Results)]" % count)).octets
        right = b"spf=pass" in told and b"dmarc=pass" in told and (b"dkim=pass" in told or b"dkim=none" in told)
        self._lap.check([] if right else [f"not checked: {told[:200]!r}"])
        await imap.logout()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Unexpected as fault:
        sys.exit(f"bench.mx: {fault}")
