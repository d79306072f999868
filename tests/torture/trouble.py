"""A disk in trouble: full, read-only, or failing; and clocks that jump. What is answered then, and afterwards.

Whatever the trouble, a client gets a reply that tells it to try again, everything that is there can be read, and when
the trouble is over the server works on without a restart.
"""

from __future__ import annotations

__all__ = ["trouble"]

import asyncio
import contextlib
import errno
import mmap
import os
import random
import re
import struct
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tests.torture.check import check
from tests.torture.cycles import Options, Outcome, folder_of
from tests.torture.forgetful import Forgetful
from tests.torture.journal import Journal
from tests.torture.load import ACCOUNTS, SECRET, Load, address
from tests.torture.mounts import mount_tmpfs, unmount
from tests.torture.probes import Probes
from tests.torture.service import Service
from tests.torture.verify import ask, verify

_SMALL = 192 << 20
_RESERVE = 64 << 20
_RECOVERS_WITHIN = 10.0
_FLAGS_REST = 3.0

OK = r"OK\Z"
ANY = r"OK\Z|NO |-ERR |4\d\d "
FULL_SMTP = r"452 4\.3\.1 "
FAILED_SMTP = r"45[12] 4\.3\.[01] "
FULL_IMAP = r"NO \[(OVERQUOTA|LIMIT)\] "
FAILED_IMAP = r"NO \[(SERVERBUG|OVERQUOTA|UNAVAILABLE)\] "
_TAKES_NOTHING = {
    "deliver": FULL_SMTP,
    "deliver a large one": FULL_SMTP,
    "submit": FULL_SMTP,
    "append": FULL_IMAP,
    "read": OK,
    "fetch by POP3": OK,
}
_AT_RESERVE = _TAKES_NOTHING | {"flag": OK, "expunge": OK, "delete by POP3": OK, "create": ANY, "copy": ANY}
_TO_THE_BRIM = _TAKES_NOTHING | {"flag": ANY, "expunge": ANY, "delete by POP3": ANY, "create": ANY, "copy": ANY}
# What was being written when the disk became read-only failed; what comes later is told that there is no room.
_READ_ONLY = _TAKES_NOTHING | {"deliver": FAILED_SMTP, "flag": "NO ", "expunge": "NO ", "create": "NO ", "copy": "NO "}
_FAILING = {
    "deliver": FAILED_SMTP,
    "submit": FAILED_SMTP,
    "append": FAILED_IMAP,
    "expunge": FAILED_IMAP,
    "create": FAILED_IMAP,
    "copy": FAILED_IMAP,
    "read": OK,
    "fetch by POP3": OK,
}


async def trouble(options: Options, only: str = "") -> Outcome:
    """Go through all of it, or through what is called `only` so."""
    outcome = Outcome("trouble")
    for name, part in _PARTS.items():
        if only not in ("", name):
            continue
        with folder_of(options) as folder:
            began = time.monotonic()
            before = len(outcome.violations)
            await part(folder / name, outcome, options)
            took = time.monotonic() - began
            print(f"{name}: {len(outcome.violations) - before} violations, {took:.0f} s", flush=True)
    return outcome


class _Case:
    """A server, a journal, and what is expected of it."""

    def __init__(self, folder: Path, data: Path, outcome: Outcome) -> None:
        self.journal = Journal(ACCOUNTS)
        self.service = Service(data, folder / "log", [address(account) for account in ACCOUNTS], SECRET)
        self.probes = Probes(self.journal)
        self._outcome = outcome

    async def start(self) -> None:
        await self.service.start()
        self.probes.at = self.service.endpoints

    async def expect(self, when: str, wanted: Mapping[str, str]) -> None:
        """Ask, and blame each answer that is not as wanted."""
        for name, said in (await self.probes.ask(wanted)).items():
            if not re.match(wanted[name], said):
                self.journal.blame(f"{when}: {name} is answered {said!r}")

    async def expect_recovery(self, when: str) -> None:
        """Everything works again, soon, and without a restart."""
        deadline = time.monotonic() + _RECOVERS_WITHIN
        while any(said != "OK" for said in (await self.probes.ask(("deliver", "append"))).values()):
            if time.monotonic() > deadline:
                break
        await self.expect(when, dict.fromkeys((*_AT_RESERVE,), OK))

    async def look(self, *, power_lost_at: float | None = None) -> None:
        """Everything that was answered OK is there, once the queue has tried again what failed."""
        await ask(self.service, "queue", "retry", "--all")
        await check(self.service.endpoints, self.journal, power_lost_at=power_lost_at, is_final=True)
        self.journal.violations += await verify(self.service)

    async def restart(self) -> None:
        """SIGKILL and start."""
        self.service.kill()
        await self.service.ended()
        await self.start()

    async def close(self) -> None:
        self.service.kill()
        await self.service.ended()
        self._outcome.violations += self.journal.violations
        if self.journal.violations:
            self._outcome.log = self.service.last_words()


@contextlib.asynccontextmanager
async def _case(folder: Path, data: Path, outcome: Outcome) -> AsyncIterator[_Case]:
    case = _Case(folder, data, outcome)
    try:
        await case.start()
        for _ in range(3):
            await case.expect("at first", {"deliver": OK, "submit": OK, "append": OK})
        await case.look()
        yield case
    finally:
        await case.close()


# -- full


async def _full_disk(folder: Path, outcome: Outcome, _options: Options) -> None:
    small = folder / "small"
    small.mkdir(parents=True)
    mount_tmpfs(small, _SMALL)
    try:
        async with _case(folder, small / "data", outcome) as case:
            _fill(small / "filler", _free_octets(small) - _RESERVE // 2)
            await case.expect("at the reserve", _AT_RESERVE)
            (small / "filler").unlink()
            await case.expect_recovery("with room again")
            await case.look()
            _fill(small / "filler", _SMALL)
            await case.expect("without a free octet", _TO_THE_BRIM)
            (small / "filler").unlink()
            await case.expect_recovery("with room again")
            await case.look()
            _fill(small / "filler", _SMALL)
            await case.restart()
            await case.expect("started without a free octet", {"read": OK, "deliver": FULL_SMTP})
            (small / "filler").unlink()
            await case.expect_recovery("with room at last")
            await case.look()
    finally:
        unmount(small)


def _free_octets(directory: Path) -> int:

    told = os.statvfs(directory)
    return told.f_bavail * told.f_frsize


def _fill(path: Path, octets: int) -> None:
    """Write so much, or as much as there is room for."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while octets > 0:
            octets -= file.write(bytes(min(octets, 1 << 20))) or octets
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while octets > 0:
            octets -= file.write(bytes(min(octets, 4096))) or octets


# -- read-only and failing


async def _read_only_disk(folder: Path, outcome: Outcome, _options: Options) -> None:
    folder.mkdir(parents=True)
    with Forgetful(folder) as disk:
        async with _case(folder, disk.data, outcome) as case:
            disk.fail("modify", errno.EROFS)
            await case.expect("read-only", _READ_ONLY)
            disk.mend()
            await case.expect_recovery("writable again")
            await case.look()


async def _failing_disk(folder: Path, outcome: Outcome, options: Options) -> None:
    """Syncs fail: of messages, of the log, of the database, of all; then the power goes."""
    folder.mkdir(parents=True)
    with Forgetful(folder) as disk:
        async with _case(folder, disk.data, outcome) as case:
            case.journal.refusal_is_doubt = True
            for suffix, wanted in (
                (".segment", {"deliver": FAILED_SMTP, "submit": FAILED_SMTP, "append": FAILED_IMAP, "read": OK}),
                ("-wal", _FAILING),
                ("", _FAILING),
            ):
                disk.fail("sync", errno.EIO, suffix=suffix)
                await case.expect(f"syncs of {suffix or 'everything'} fail", wanted)
                disk.mend()
                await case.expect_recovery(f"syncs of {suffix or 'everything'} work again")
                await case.look()
                for _ in range(2):
                    disk.fail("sync", errno.EIO, suffix=suffix, times=1)
                    await case.probes.ask(("deliver", "append", "submit", "expunge"))
                    disk.mend()
                await case.expect_recovery("after a sync that failed once")
            await _lose_power(case, disk, options.seed)
            # Of flags alone, the log is synced a little later. That fails once, and nobody asks for anything else.
            await case.expect("before flags", {"append": OK})
            disk.fail("sync", errno.EIO, suffix="-wal", times=1)
            await case.expect("flags alone", {"flag": OK})
            await asyncio.sleep(_FLAGS_REST)
            await _lose_power(case, disk, options.seed + 1)


async def _lose_power(case: _Case, disk: Forgetful, seed: int) -> None:
    lost = time.monotonic()
    disk.freeze()
    case.service.kill()
    disk.cut(seed)
    await case.service.ended()
    await case.start()
    await case.look(power_lost_at=lost)


# -- the clock


async def _jumping_clock(folder: Path, outcome: Outcome, options: Options) -> None:
    """Hours forward and back, while mail flows and over a restart; nothing ends, comes twice or goes back."""
    folder.mkdir(parents=True)
    with _wall_clock(folder / "clock") as move:
        case = _Case(folder, folder / "data", outcome)
        case.service.environment["HONGYAN_CLOCK"] = str(folder / "clock")
        chance = random.Random(options.seed)
        try:
            await case.start()
            for hours in (0, 3, -26, 24 * 40, -1):
                load = Load(case.service.endpoints, case.journal, chance.randrange(1 << 30))
                load.start()
                await load.lasts(0.6)
                move(hours * 3600)
                await load.lasts(0.8)
                await load.end()
                await case.expect(f"the clock {hours} h off", dict.fromkeys((*_AT_RESERVE,), OK))
                await case.look()
            await case.restart()
            await case.look()
            move(-5 * 3600)
            await case.restart()
            await case.look()
        finally:
            await case.close()


@contextlib.contextmanager
def _wall_clock(path: Path):  # type: ignore[no-untyped-def]
    """Yield what sets the server's wall clock, so many seconds off."""
    path.write_bytes(bytes(8))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8) as shown:

        def move(seconds: float) -> None:
            shown[:] = struct.pack("d", seconds)

        yield move


_PARTS = {
    "full": _full_disk,
    "read-only": _read_only_disk,
    "failing": _failing_disk,
    "clock": _jumping_clock,
}
