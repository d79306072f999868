"""Wakes those who wait for an account: IMAP sessions, pushes.

A hint says that an account has changed. If this process made the change, its mailboxes in memory know it already,
and who waits is told at once. If another process did, memory first catches up with the log, a few accounts at a
time; hints that come meanwhile fall into one. Where other processes write to the same database, every account that
somebody waits for is looked at each half minute as well: a lost hint costs that long and no more.
"""

from __future__ import annotations

__all__ = ["Hub", "Waiter"]

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn, Protocol

from hongyan import telemetry
from hongyan.errors import HongyanError
from hongyan.store.bus import Bus, Topic
from hongyan.telemetry import metrics
from hongyan.types import AccountId, ModSeq

_BEATS = 30  # seconds after which an account is looked at without a hint
_READERS = 8  # accounts that catch up with the log at once

log = telemetry.logger("notify")


class Waiter(Protocol):
    """Somebody who wants to know that an account has changed."""

    def account_changed(self, modseq: ModSeq) -> None:
        """The account is at `modseq` or later, or may be: look. Never waits."""
        ...


class Hub:
    """Who waits for which account.

    `catch_up` brings what is in memory of an account to the head of the log. Without it this process is the only
    one that writes, and nothing has to be read.
    """

    def __init__(self, bus: Bus, catch_up: Callable[[AccountId], Awaitable[None]] | None = None) -> None:
        self._bus = bus
        self._catch_up = catch_up
        self._waiters: dict[AccountId, dict[Waiter, None]] = {}
        self._ours: dict[AccountId, ModSeq] = {}  # where this process itself has brought an account
        self._behind: dict[AccountId, ModSeq] = {}  # accounts that have to catch up
        self._stirred = asyncio.Event()
        self._beats: list[set[AccountId]] = [set() for _ in range(_BEATS)]
        self._beat = 0
        bus.subscribe(Topic.ACCOUNT, self._hinted)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiters.values()))

    def join(self, account: AccountId, waiter: Waiter) -> None:
        """Wake the waiter from now on when the account has changed."""
        self._waiters.setdefault(account, {})[waiter] = None
        self._beats[account % _BEATS].add(account)

    def leave(self, account: AccountId, waiter: Waiter) -> None:
        """Wake the waiter no longer. A second time does nothing."""
        waiters = self._waiters.get(account)
        if waiters is None or waiter not in waiters:
            return
        del waiters[waiter]
        if not waiters:
            del self._waiters[account]
            self._ours.pop(account, None)
            self._behind.pop(account, None)
            self._beats[account % _BEATS].discard(account)

    def publish(self, account: AccountId, modseq: ModSeq) -> None:
        """This process has committed a change, and its memory knows it: tell all who wait, here and elsewhere."""
        if account in self._waiters:
            self._ours[account] = max(modseq, self._ours.get(account, modseq))
        self._bus.publish(Topic.ACCOUNT, account, modseq)

    def tick(self) -> None:
        """To be called each second: look at the accounts whose half minute is over."""
        self._beat = (self._beat + 1) % _BEATS
        if self._catch_up is not None:
            for account in self._beats[self._beat]:
                self._fall_behind(account, self._ours.get(account, ModSeq(0)))

    async def run(self) -> None:
        """Catch up with the log where it is needed, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_READERS):
                group.create_task(self._read())

    def _hinted(self, subject: int, position: int) -> None:
        account, modseq = AccountId(subject), ModSeq(position)
        if account not in self._waiters:
            return
        if self._catch_up is not None and modseq > self._ours.get(account, 0):
            self._fall_behind(account, modseq)
        else:
            self._tell(account, modseq)

    def _fall_behind(self, account: AccountId, modseq: ModSeq) -> None:
        self._behind[account] = max(modseq, self._behind.get(account, modseq))
        self._stirred.set()

    async def _read(self) -> NoReturn:
        while True:
            while not self._behind:
                self._stirred.clear()
                await self._stirred.wait()
            account = next(iter(self._behind))
            modseq = self._behind.pop(account)
            await self._follow(account)
            self._tell(account, modseq)

    async def _follow(self, account: AccountId) -> None:
        try:
            if self._catch_up is not None:
                await self._catch_up(account)
        except HongyanError as error:
            log.warning("log-unreadable", account=account, error=error)
        except Exception as error:  # noqa: BLE001 - the top of a job
            metrics.panic_total.labels("notify").inc()
            log.error("panic", error=error, account=account)

    def _tell(self, account: AccountId, modseq: ModSeq) -> None:
        for waiter in tuple(self._waiters.get(account, ())):
            try:
                waiter.account_changed(modseq)
            except Exception as error:  # noqa: BLE001 - the top of a job: one waiter must not stop the others
                metrics.panic_total.labels("notify").inc()
                log.error("panic", error=error, account=account)
