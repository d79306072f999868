"""Runs the consumers of the change logs: those who react to mail without standing in its way (decision 2).

Each consumer has a cursor in each account's log. A hint marks an account as changed, and so does a look of our own each
minute at the accounts whose log goes on after the cursor; then the consumer is given what is new, and its cursor moves
ahead. A crash in between has it read the same again, so a consumer takes an entry that it knows for what it is.

What a consumer cannot digest is given to it entry by entry, and the one that does it is passed over, with an event. A
store that does not answer is no such entry: the account is tried again later. Accounts take their turns one by one, and
after each comes a rest in proportion to the work, so that consumers take no more than a share of the time. A consumer
that has much to do for an account does a part of it and says `NotYet`: it is given the same entries again after others
had their turn. Every second turn is for accounts in which something is new.
"""

from __future__ import annotations

__all__ = ["Consumer", "ConsumerOptions", "Consumers", "NotYet"]

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from hongyan import telemetry
from hongyan.errors import Corrupt, HongyanError, NotFound, ServerFault
from hongyan.options import option
from hongyan.store.bus import Bus, Topic
from hongyan.store.changes import ChangeStore, LoggedChange
from hongyan.store.cursors import CursorStore
from hongyan.telemetry import metrics
from hongyan.types import AccountId, ModSeq

_PAGE = 500  # positions of the log
_LOOK = 500  # accounts that are found behind by one question
_LONGEST_REST = 1.0  # seconds between two accounts, however long the first took
_MAX_CHANGED = 200_000  # accounts that are remembered as changed; those beyond are found by the look of each minute

log = telemetry.logger("consumers")


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """The section `[consumers]`."""

    share: float = option(
        0.02, "Share of its time that the server gives to what is done after delivery; 1 is all that is needed."
    )
    look_every: float = option(60.0, "How often accounts are looked for whose change nobody told of.", unit="s")

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 or self.look_every <= 0:
            raise ValueError("share lies above 0 and is at most 1, and look_every is above 0")


class NotYet(Exception):
    """A consumer has done a part of its work for an account, and does the next when it is given the entries again."""


class Consumer(Protocol):
    """Reacts to what happens in mailboxes. It may be given the same entries again, and takes that for nothing new."""

    @property
    def name(self) -> str:
        """The name of its cursors; never changed once it was released."""
        ...

    async def take(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        """React to entries of an account's log, oldest first. Raises `NotYet` to be given them again."""
        ...

    async def start_over(self, account: AccountId) -> None:
        """Entries were missed: the log does not reach back to the cursor. Begin from the mailboxes as they are."""
        ...


class Consumers:
    """All consumers, and which accounts they have to look at."""

    def __init__(
        self,
        bus: Bus,
        changes: ChangeStore,
        cursors: CursorStore,
        options: ConsumerOptions | None = None,
        *,
        settle: float = 0.0,
    ) -> None:
        """With `settle`, seconds pass after the first hint, so that more is there to be read together."""
        self._changes = changes
        self._cursors = cursors
        self._options = options or ConsumerOptions()
        self._settle = settle
        self._consumers: list[Consumer] = []
        self._changed: dict[AccountId, None] = {}
        self._unfinished: dict[AccountId, None] = {}
        self._was_changed = False  # whether the last turn was that of a changed account
        self._busy = asyncio.Lock()
        self._stirred = asyncio.Event()
        bus.subscribe(Topic.ACCOUNT, self._hinted)

    def add(self, *consumers: Consumer) -> None:
        """Let these read the logs too."""
        self._consumers += consumers

    @property
    def waiting(self) -> int:
        """How many accounts are to be looked at."""
        return len(self._changed.keys() | self._unfinished.keys())

    async def run(self) -> NoReturn:
        """Follow the logs until cancelled."""
        rest = 1.0 / self._options.share - 1.0  # for each second of work
        loop = asyncio.get_running_loop()
        next_look = loop.time()  # at once: what happened while we were away
        while True:
            if loop.time() >= next_look:
                await self.look()
                next_look = loop.time() + self._options.look_every
            if (account := self._next_account()) is not None:
                began = loop.time()
                await self.follow(account)
                await asyncio.sleep(min((loop.time() - began) * rest, _LONGEST_REST))
                continue
            self._stirred.clear()
            await self._wait(next_look - loop.time())
            if self._changed and self._settle:
                await asyncio.sleep(self._settle)

    def _next_account(self) -> AccountId | None:
        """Return whose turn it is; those that are not finished yet take turns with those that have changed."""
        self._was_changed = bool(self._changed) and not (self._was_changed and self._unfinished)
        waiting = self._changed if self._was_changed else self._unfinished
        account = next(iter(waiting), None)
        if account is not None:
            del waiting[account]
        return account

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        except TimeoutError:
            pass

    def _hinted(self, subject: int, _position: int) -> None:
        if self._consumers and len(self._changed) < _MAX_CHANGED:
            self._changed[AccountId(subject)] = None
            self._stirred.set()

    async def look(self) -> None:
        """Find the accounts whose logs go on after a cursor."""
        for consumer in self._consumers:
            try:
                self._mark(await self._find_behind(consumer))
            except ServerFault as fault:
                log.warning("look-failed", consumer=consumer.name, cause=fault.cause)

    async def _find_behind(self, consumer: Consumer) -> Sequence[AccountId]:
        found: list[AccountId] = []
        after = AccountId(0)
        while len(found) < _MAX_CHANGED:
            some = await self._cursors.list_behind(consumer.name, after, _LOOK)
            found += some
            if len(some) < _LOOK:
                break
            after = some[-1]
        return found

    def _mark(self, accounts: Iterable[AccountId]) -> None:
        for account in accounts:
            self._changed[account] = None

    async def catch_up(self) -> None:
        """Let all consumers read all that there is. For whoever has to know that they have."""
        await self.look()
        while (account := self._next_account()) is not None:
            await self.follow(account)

    async def follow(self, account: AccountId) -> None:
        """Give every consumer what is new in an account's log. Raises nothing but cancellation."""
        async with self._busy:
            for consumer in self._consumers:
                try:
                    await self._follow(consumer, account)
                except NotFound:  # What the consumer itself does not find is passed over further in.
                    return  # The account is gone, and its log with it.
                except NotYet:
                    self._unfinished[account] = None
                except HongyanError as error:
                    log.warning("consumer-waits", consumer=consumer.name, account=int(account), error=error)
                except Exception as error:  # noqa: BLE001 - the top of a job: the others go on
                    metrics.panic_total.labels("consumers").inc()
                    log.error("panic", consumer=consumer.name, account=int(account), error=error)

    async def _follow(self, consumer: Consumer, account: AccountId) -> None:
        cursor = await self._cursors.find_cursor(account, consumer.name)
        more = True
        while more:
            cursor, more = await self._read_page(consumer, account, cursor)
            await self._cursors.advance_cursor(account, consumer.name, cursor)

    async def _read_page(self, consumer: Consumer, account: AccountId, cursor: ModSeq) -> tuple[ModSeq, bool]:
        """Give a consumer the next entries; return where they end, and whether there are more."""
        try:
            page = await self._changes.changes_since(account, cursor, limit=_PAGE)
        except Corrupt:
            return await self._read_one(consumer, account, cursor)
        if cursor < page.floor:
            await consumer.start_over(account)
            return page.floor, True
        if page.changes:
            await self._give(consumer, account, page.changes)
        return page.modseq, page.more

    async def _read_one(self, consumer: Consumer, account: AccountId, cursor: ModSeq) -> tuple[ModSeq, bool]:
        """Somewhere ahead is an entry that cannot be read: take one step, over it if that is the one."""
        try:
            page = await self._changes.changes_since(account, cursor, limit=1)
        except Corrupt as fault:
            self._pass_over(consumer, account, ModSeq(cursor + 1), fault)
            return ModSeq(cursor + 1), True
        if page.changes:
            await self._give(consumer, account, page.changes)
        return page.modseq, page.more

    async def _give(self, consumer: Consumer, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        try:
            await consumer.take(account, changes)
        except NotYet:
            raise
        except Exception as error:
            if _is_our_trouble(error):
                raise
            if len(changes) == 1:
                self._pass_over(consumer, account, changes[0].modseq, error)
                return
            for change in changes:
                await self._give(consumer, account, (change,))

    def _pass_over(self, consumer: Consumer, account: AccountId, modseq: ModSeq, error: Exception) -> None:
        metrics.consumer_passed_over_total.labels(consumer.name).inc()
        log.error("passed-over", consumer=consumer.name, account=int(account), modseq=int(modseq), error=error)


def _is_our_trouble(error: Exception) -> bool:
    """Whether the store, and not the entry, is at fault: then nothing is passed over."""
    return isinstance(error, ServerFault) and not isinstance(error, Corrupt)
