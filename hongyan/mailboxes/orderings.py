"""The mailboxes in order that are in memory: read when first asked for, brought up to date when asked again.

The least used leave when all together take more than `[ordering] memory`. The first commands after an upgrade may
find messages that wait for their keys: those of the account get them before the answer; `fill_all` does so for all
accounts in the background.
"""

from __future__ import annotations

__all__ = ["OrderingOptions", "Orderings"]

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pyroaring import BitMap

from hongyan.mailboxes.order import THREADED_BY, MailboxOrder, Ordering, Piece, pieces_of
from hongyan.mailboxes.thread_forest import Forest
from hongyan.mailboxes.thread_links import ThreadAlgorithm
from hongyan.options import option
from hongyan.store.messages import MessageStore, Row
from hongyan.store.ordering import OrderingStore
from hongyan.types import AccountId, MailboxId

_ROWS = 10_000  # read at a time; others have their turn between
_FILLED = 200
_PAUSE = 0.05  # seconds between two steps of the filling in the background
_LAST_UID = (1 << 32) - 1
_IN_A_THREAD = 10_000  # messages whose ordering would keep the loop busy too long

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OrderingOptions:
    """The section `[ordering]`."""

    memory: int = option(256, "What mailboxes kept in order for SORT and THREAD may take in memory.", unit="MiB")

    def __post_init__(self) -> None:
        if self.memory < 1:
            raise ValueError("memory is at least 1 MiB")


class _Kept:
    """A mailbox in order, and who is at work on it."""

    __slots__ = ("lock", "order", "weight")

    def __init__(self) -> None:
        self.order = MailboxOrder()
        self.lock = asyncio.Lock()
        self.weight = 0


class Orderings:
    """Keeps mailboxes in order."""

    def __init__(self, messages: MessageStore, store: OrderingStore, options: OrderingOptions | None = None) -> None:
        self._messages = messages
        self._store = store
        self._limit = (options or OrderingOptions()).memory << 20
        self._kept: OrderedDict[tuple[AccountId, MailboxId], _Kept] = OrderedDict()
        self._weight = 0

    async def sort(
        self,
        account: AccountId,
        mailbox: MailboxId,
        there: BitMap,
        orderings: tuple[Ordering, ...],
        among: BitMap,
        scores: Mapping[int, int] | None = None,
    ) -> Sequence[int]:
        """Return those UIDs in order; `there` are all of the mailbox, `scores` are for `OrderBy.RELEVANCY`."""
        async with self._opened(account, mailbox, there, pieces_of(orderings)) as order:
            return await _work(order, lambda: order.sort(orderings, among, scores))

    async def thread(
        self, account: AccountId, mailbox: MailboxId, there: BitMap, algorithm: ThreadAlgorithm, among: BitMap
    ) -> tuple[Forest, Sequence[int]]:
        """Return the threads of those UIDs, and the UIDs by the places that it speaks of."""
        async with self._opened(account, mailbox, there, THREADED_BY) as order:
            forest = await _work(order, lambda: order.forest(algorithm, among))
            return forest, order.uids

    async def dates(self, account: AccountId, mailbox: MailboxId, there: BitMap) -> MailboxOrder | None:
        """Return the mailbox with the dates of arrival and the sizes of all messages; None if nobody asked before.

        Who asks once is answered faster by the database.
        """
        if (account, mailbox) not in self._kept:
            self._weigh((account, mailbox), self._keep((account, mailbox)))
            return None
        async with self._opened(account, mailbox, there, (Piece.DATES,)) as order:
            return order

    @contextlib.asynccontextmanager
    async def _opened(
        self, account: AccountId, mailbox: MailboxId, there: BitMap, pieces: Sequence[Piece]
    ) -> AsyncIterator[MailboxOrder]:
        """Hold the mailbox with these pieces of all messages that are there."""
        key = (account, mailbox)
        kept = self._keep(key)
        async with kept.lock:
            order = kept.order
            known = order.uids[-1] if order.uids else 0
            if there and there.max() > known:
                await self._read(account, mailbox, order, Piece.DATES)
            order.drop_gone(there)
            for piece in pieces:
                if not order.is_read(piece):
                    await self._read(account, mailbox, order, piece)
            yield order
            self._weigh(key, kept)

    async def _read(self, account: AccountId, mailbox: MailboxId, order: MailboxOrder, piece: Piece) -> None:
        last = _LAST_UID if piece is Piece.DATES else order.uids[-1]
        while (first := order.next_uid(piece)) <= last:
            rows = await self._rows(account, mailbox, piece, first, last)
            if rows:
                order.take(piece, rows)
            if len(rows) < _ROWS:
                break
        order.end(piece)

    async def _rows(self, account: AccountId, mailbox: MailboxId, piece: Piece, first: int, last: int) -> Sequence[Row]:
        columns, ranges = piece.value, [(first, last)]
        rows = await self._messages.rows(account, mailbox, columns, ranges, limit=_ROWS)
        if piece not in {Piece.DATES, Piece.SENT} and any(row[1] is None for row in rows):
            await self.fill(account)
            rows = await self._messages.rows(account, mailbox, columns, ranges, limit=_ROWS)
        return rows

    def _keep(self, key: tuple[AccountId, MailboxId]) -> _Kept:
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _Kept()
        self._kept.move_to_end(key)
        return kept

    def _weigh(self, key: tuple[AccountId, MailboxId], kept: _Kept) -> None:
        if self._kept.get(key) is not kept:
            return  # It has left while it was read.
        weight = kept.order.weight
        self._weight += weight - kept.weight
        kept.weight = weight
        while self._weight > self._limit and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._weight -= gone.weight

    # -- messages that wait for their keys

    async def fill(self, account: AccountId) -> None:
        """Give their keys to all emails of an account that wait for them."""
        await self._fill(account, 0)

    async def fill_all(self) -> None:
        """Do so for all accounts, so slowly that nobody notices."""
        for account in await self._store.accounts_that_wait():
            await self._fill(account, _PAUSE)

    async def _fill(self, account: AccountId, pause: float) -> None:
        filled = _FILLED
        while filled == _FILLED:
            filled = await self._store.fill(account, _FILLED)
            await asyncio.sleep(pause)


async def _work(order: MailboxOrder, work: Callable[[], T]) -> T:
    return work() if len(order.uids) < _IN_A_THREAD else await asyncio.to_thread(work)
