"""What a login and a forward-path cost within the server: `python -m bench.login`.

It prints the CPU of a warm login and of a warm resolution, and whether time tells an unknown name from a wrong
secret: the medians of 300 tries each, which should differ by less than 5 %.
"""

from __future__ import annotations

__all__ = ["main"]

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from hongyan.addresses import Address
from hongyan.auth.passwords import PasswordOptions
from hongyan.auth.principal import LoginRefused
from hongyan.clock import SystemClock, SystemRandom
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import SQLITE, migrate
from hongyan.engines.sqlite.database import SqliteDatabase
from hongyan.limits.rates import LimitOptions
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from tests.support.door import Door, open_door

_TRIES = 300
_WARM = 10_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> None:
    blobs = SegmentStore(folder / "blobs")
    database = SqliteDatabase(folder / "mail.db", blobs)
    database.open()
    await migrate(database, SQLITE)
    # One peer tries all: the limits count, and let all pass.
    limits = LimitOptions(failures_per_network=1 << 20, failures_per_name=1 << 20, failures_by_strangers=1 << 20)
    door = await open_door(database, SystemClock(), SystemRandom(), limits=limits, passwords=PasswordOptions())
    ann = await door.add("ann@geese.test", password=Secret("honk honk honk"))
    await _measure_warm(door, ann.app_password)
    await _measure_refusals(door)
    door.passwords.close()
    database.close()
    blobs.close()


async def _measure_warm(door: Door, secret: Secret) -> None:
    attempt = door.attempt("ann@geese.test", secret)
    web = door.attempt("ann@geese.test", "honk honk honk", service=Service.WEB)
    address = Address.parse("ann@geese.test")
    for name, act in (
        ("login with an app password", lambda: door.login.authenticate(attempt)),
        ("login with a remembered password", lambda: door.login.authenticate(web)),
        ("resolve a forward-path", lambda: door.aliases.resolve(address)),
    ):
        await act()
        started = time.process_time()
        for _ in range(_WARM):
            await act()
        print(f"{name}: {(time.process_time() - started) / _WARM * 1e6:.1f} µs of CPU")


async def _measure_refusals(door: Door) -> None:
    for service in (Service.IMAP, Service.WEB):
        wrong: list[float] = []
        unknown: list[float] = []
        for number in range(_TRIES):
            secret = f"wrong {number}"
            wrong.append(await _time(lambda: door.enter("ann@geese.test", secret, service=service, peer="192.0.2.2")))  # noqa: B023
            unknown.append(await _time(lambda: door.enter("bob@geese.test", secret, service=service, peer="192.0.2.2")))  # noqa: B023
        medians = statistics.median(wrong), statistics.median(unknown)
        print(
            f"{service}: wrong secret {medians[0] * 1e6:.0f} µs, unknown name {medians[1] * 1e6:.0f} µs,"
            f" {abs(medians[0] / medians[1] - 1):.1%} apart"
        )


async def _time(act: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    try:
        await act()
    except LoginRefused:
        pass
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
