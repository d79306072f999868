"""Cycles of load, blow, restart and check: the blow is a SIGKILL, or the power goes."""

from __future__ import annotations

__all__ = ["Options", "Outcome", "folder_of", "kill_cycles", "power_cycles"]

import asyncio
import contextlib
import errno
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.check import check
from tests.torture.clients import Gone, Refused, SmtpClient
from tests.torture.forgetful import Forgetful
from tests.torture.journal import Journal, Mail, Presence
from tests.torture.load import ACCOUNTS, SECRET, Load, address, send
from tests.torture.service import Service, ServiceFailed
from tests.torture.verify import ask, verify

_FAULTS = (
    ("sync", errno.EIO, (".segment", "-wal", "mail.db", "")),
    ("sync", errno.EIO, (".segment", "-wal", "mail.db", "")),
    ("write", errno.EIO, (".segment", "-wal", "mail.db", "")),
    ("write", errno.ENOSPC, ("",)),
    ("modify", errno.EROFS, ("",)),
)
_SENT_AGAIN = 20  # messages that were acknowledged and are sent again all the same, in each cycle
_REMEMBERED = 480.0  # seconds for which that is done: well within the ten minutes that are promised


@dataclass(frozen=True, slots=True)
class Options:
    """How long and how hard."""

    cycles: int
    seed: int
    seconds: float = 3.0
    mutation: str = ""
    folder: Path | None = None
    start_limit: float = 30.0
    """Seconds within which a server that was struck serves again."""
    quiet: float = 0.4
    """How often the power goes while nothing but flags is changed, which nothing else then takes to the disk."""
    faults: bool = False
    """Whether the disk fails, fills up or becomes read-only for a while under the load."""
    stops_at: tuple[str, ...] = ()
    """Violations in these words are what the run is to find: the first one ends it."""


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    name: str
    violations: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    blows: int = 0
    unanswered: int = 0
    stored_unanswered: int = 0  # of these: they were there after all, and a resend must not make a second copy
    sent_again: int = 0
    log: str = ""

    def found(self, words: tuple[str, ...]) -> bool:
        """Return whether a violation says one of these."""
        return any(said in sentence for sentence in self.violations for said in words)

    def describe(self) -> str:
        """Say it in a few lines."""
        done = ", ".join(f"{number} {what}" for what, number in sorted(self.counts.items()))
        slowest = f"slowest start {max(self.starts):.1f} s" if self.starts else "no start"
        return (
            f"{self.name}: {len(self.violations)} violations in {self.blows} blows; {slowest}; {done};"
            f" {self.unanswered} messages unanswered, {self.stored_unanswered} of them stored;"
            f" {self.sent_again} sent again"
        )


async def kill_cycles(options: Options) -> Outcome:
    """SIGKILL at random instants, again and again on one data directory."""
    with folder_of(options) as folder:
        return await _Cycles(options, folder, None).run()


async def power_cycles(options: Options) -> Outcome:
    """The power goes at random instants, and with it what was not synced."""
    with folder_of(options) as folder, Forgetful(folder) as disk:
        return await _Cycles(options, folder, disk).run()


@contextlib.contextmanager
def folder_of(options: Options) -> Iterator[Path]:
    """Yield where everything lies: for good if a folder was named."""
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        yield options.folder
        return
    with tempfile.TemporaryDirectory(prefix="hongyan-torture-") as made:
        yield Path(made)


class _Cycles:
    def __init__(self, options: Options, folder: Path, disk: Forgetful | None) -> None:
        self._options = options
        self._chance = random.Random(options.seed)
        self._disk = disk
        self._journal = Journal(ACCOUNTS)
        name = "kill" if disk is None else "faults" if options.faults else "power"
        self._outcome = Outcome(name, violations=self._journal.violations)
        data = folder / "data" if disk is None else disk.data
        self._service = Service(data, folder / "log", [address(account) for account in ACCOUNTS], SECRET)
        if options.mutation:
            self._service.environment["HONGYAN_TORTURE"] = options.mutation
        self._journal.refusal_is_doubt = options.faults
        self._power_lost_at: float | None = None

    async def run(self) -> Outcome:
        """Run all cycles; the last one ends in peace."""
        try:
            for number in range(self._options.cycles):
                await self._cycle(number)
                if self._outcome.found(self._options.stops_at):
                    return self._outcome
            await self._start()
            await self._look()
            await self._end_in_peace()
        except (Gone, Refused, ServiceFailed) as error:
            self._journal.blame(f"{type(error).__name__}: {error}")
        finally:
            self._service.kill()
            await self._service.ended()
            self._outcome.counts = self._journal.counts
            self._outcome.log = self._service.last_words()
        return self._outcome

    async def _cycle(self, number: int) -> None:
        began = time.monotonic()
        took = await self._start()
        if number:
            await self._look()
        looked = time.monotonic()
        load = Load(self._service.endpoints, self._journal, self._chance.randrange(1 << 30))
        load.start()
        await self._wait_for_moment(load)
        await self._strike()
        await load.end()
        if self._chance.random() < 0.3:
            await self._strike_while_starting()
        print(
            f"{self._outcome.name} {number + 1}: started in {took:.1f} s, looked {looked - began - took:.1f} s,"
            f" {len(self._journal.unanswered())} unanswered, {len(self._journal.doubts)} doubts,"
            f" {len(self._journal.violations)} violations",
            flush=True,
        )

    # -- before the blow

    async def _wait_for_moment(self, load: Load) -> None:
        """Half of the blows fall at any time; the others a few milliseconds after a client has sent something."""
        chance, journal = self._chance, self._journal
        await asyncio.sleep(chance.uniform(0.2, self._options.seconds))
        if self._disk is not None and self._options.faults:
            await self._disturb(self._disk)
        elif self._disk is not None and chance.random() < self._options.quiet:
            load.only_flags()
            await asyncio.sleep(chance.uniform(1.2, 2.5))
        if chance.random() < 0.5:
            journal.sent.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await journal.sent.wait()
            await asyncio.sleep(chance.choice((0, 0.001, 0.003, 0.006, 0.012)))

    async def _disturb(self, disk: Forgetful) -> None:
        """Let the disk fail for a while; in one of three cases it still does when the power goes."""
        chance = self._chance
        what, error, suffixes = chance.choice(_FAULTS)
        disk.fail(what, error, suffix=chance.choice(suffixes), times=chance.choice((1, 2, 5, -1)))
        await asyncio.sleep(chance.uniform(0.1, 0.8))
        if chance.random() < 0.7:
            disk.mend()
            await asyncio.sleep(chance.uniform(0.1, 1.5))

    async def _strike(self) -> None:
        service, chance = self._service, self._chance
        self._outcome.blows += 1
        if self._disk is not None:
            self._power_lost_at = time.monotonic()
            self._journal.is_over = True
            self._disk.freeze()
        elif chance.random() < 0.15:
            # An administrator who is not patient: SIGTERM first.
            self._journal.is_over = True
            service.signal(signal.SIGTERM)
            await asyncio.sleep(chance.uniform(0, 0.4))
        self._journal.is_over = True
        service.kill()
        if self._disk is not None:
            # Only now can a thread that waits for the disk die.
            self._disk.cut(self._chance.randrange(1 << 30))
        await service.ended()

    async def _strike_while_starting(self) -> None:
        """Once more, before the server is up again."""
        self._outcome.blows += 1
        starting = asyncio.create_task(self._service.start())
        await asyncio.sleep(self._chance.uniform(0.1, 1.2))
        if self._disk is not None and not starting.done():
            self._disk.freeze()
            self._service.kill()
            self._disk.cut(self._chance.randrange(1 << 30))
        self._service.kill()
        await asyncio.gather(starting, return_exceptions=True)
        await self._service.ended()

    # -- after it

    async def _start(self) -> float:
        self._service.environment["HONGYAN_PATIENT"] = self._chance.choice(("", "1")) if self._disk else ""
        took = await self._service.start()
        self._outcome.starts.append(took)
        if self._outcome.blows and took > self._options.start_limit:
            self._journal.blame(f"the first command was served {took:.1f} s after the start")
        return took

    async def _look(self) -> None:
        """Check; let clients send again what was not answered, and some that was; check again."""
        at, journal, lost = self._service.endpoints, self._journal, self._power_lost_at
        if self._options.faults:
            # What could not be delivered while the disk failed is tried again after minutes: we have not got them.
            await ask(self._service, "queue", "retry", "--all")
        await check(at, journal, power_lost_at=lost, is_final=False)
        self._count_unanswered()
        await self._send_again()
        await check(at, journal, power_lost_at=None, is_final=True)
        self._power_lost_at = None
        journal.violations += await verify(self._service)

    def _count_unanswered(self) -> None:
        journal, outcome = self._journal, self._outcome
        for mail in journal.unanswered():
            copies = [journal.inbox(recipient).copies[mail.token] for recipient in mail.recipients]
            outcome.unanswered += 1
            outcome.stored_unanswered += any(copy.presence is not Presence.MAYBE for copy in copies)

    async def _send_again(self) -> None:
        journal = self._journal
        horizon = time.monotonic() - _REMEMBERED
        recent = [mail for mail in journal.mails.values() if mail.accepted and mail.at > horizon]
        again = journal.unanswered() + self._chance.sample(recent, min(len(recent), _SENT_AGAIN))
        journal.is_over = False
        by_way: dict[bool, list[Mail]] = {False: [], True: []}
        for mail in again:
            by_way[mail.by_submission].append(mail)
        for is_submission, mails in by_way.items():
            if not mails:
                continue
            login = (address("emil"), SECRET) if is_submission else None
            client = await SmtpClient.open(self._service.endpoints["submission" if is_submission else "smtp"], login)
            for mail in mails:
                await send(client, mail, journal)
            client.close()
        self._outcome.sent_again += len(again)

    async def _end_in_peace(self) -> None:
        """SIGTERM, and a start after that: nothing is otherwise than before."""
        status = await self._service.stop()
        if status:
            self._journal.blame(f"after SIGTERM the server ended with {status}")
        if self._disk is not None:
            self._power_lost_at = time.monotonic()
            self._disk.freeze()
            self._disk.cut(self._chance.randrange(1 << 30))
            self._power_lost_at = None  # It had all the time it wanted.
        await self._start()
        await check(self._service.endpoints, self._journal, power_lost_at=self._power_lost_at, is_final=True)
        self._journal.violations += await verify(self._service)
