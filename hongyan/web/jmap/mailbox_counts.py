"""How many emails and threads a mailbox has, and how many of them are unread (RFC 8621 §2).

The threads of a mailbox are read once and then only those of new messages; the least used leave.
"""

from __future__ import annotations

__all__ = ["MailboxCounts"]

import asyncio
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence

from hongyan.mailboxes.flag_column import FlagColumn
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.orderings import Orderings
from hongyan.mailboxes.state import MailboxState
from hongyan.store.messages import Column
from hongyan.types import AccountId, MailboxId

_ROWS = 10_000  # read at a time
_KEPT_MESSAGES = 4_000_000  # twelve octets each
_LAST_UID = (1 << 32) - 1


class _Threads:
    """The thread of each message up to the last that was read; those that have left stay until nobody notices."""

    __slots__ = ("lock", "threads", "uids")

    def __init__(self) -> None:
        self.uids: array[int] = array("I")
        self.threads: array[int] = array("q")
        self.lock = asyncio.Lock()


class MailboxCounts:
    """Counts mailboxes."""

    def __init__(self, mail: Mail, orderings: Orderings) -> None:
        self._mail = mail
        self._orderings = orderings
        self._kept: OrderedDict[tuple[AccountId, MailboxId], _Threads] = OrderedDict()

    async def count(self, account: AccountId, mailbox: MailboxId, *, threads: bool = True) -> dict[str, int]:
        """Return the counts. Raises `NotFound`."""
        state = await self._mail.live.open(account, mailbox)
        column = state.column
        counts = {"totalEmails": column.count(_shown(column)), "unreadEmails": column.count(_unread(column))}
        if threads:
            among, column = await self._threads(account, state), state.column
            counts["totalThreads"] = len(set(column.choose(among, _shown(column))))
            counts["unreadThreads"] = len(set(column.choose(among, _unread(column))))
        return counts

    async def _threads(self, account: AccountId, state: MailboxState) -> Sequence[int]:
        """Return the thread of each message that is there, by position."""
        key = (account, state.mailbox_id)
        kept = self._kept.setdefault(key, _Threads())
        self._kept.move_to_end(key)
        async with kept.lock:
            while state.uids and (not kept.uids or kept.uids[-1] < state.uids[-1]):
                await self._read_more(account, state, kept)
            if len(kept.uids) != len(state.uids):
                _drop_gone(kept, state.uids)
            self._let_go(key)
            return kept.threads[: len(state.uids)]

    async def _read_more(self, account: AccountId, state: MailboxState, kept: _Threads) -> None:
        first, last = (kept.uids[-1] + 1 if kept.uids else 1), state.uids[-1]
        columns, ranges = (Column.UID, Column.THREAD_ID), [(first, last)]
        rows = await self._mail.messages.rows(account, state.mailbox_id, columns, ranges, limit=_ROWS)
        if any(thread is None for _, thread in rows):
            await self._orderings.fill(account)
            rows = await self._mail.messages.rows(account, state.mailbox_id, columns, ranges, limit=_ROWS)
        kept.uids.extend(row[0] for row in rows)
        kept.threads.extend(row[1] for row in rows)
        if len(rows) < _ROWS and (not kept.uids or kept.uids[-1] < last):
            kept.uids.append(last)  # It has left since.
            kept.threads.append(0)

    def _let_go(self, but: tuple[AccountId, MailboxId]) -> None:
        weight = sum(len(kept.uids) for kept in self._kept.values()) if len(self._kept) % 64 == 0 else 0
        while weight > _KEPT_MESSAGES and next(iter(self._kept)) != but:
            weight -= len(self._kept.popitem(last=False)[1].uids)


def _shown(column: FlagColumn) -> list[int]:
    """Return for each code whether a message that has it is shown: not what waits for its removal (RFC 8621 §4.1.1)."""
    return [int(not one) for one in column.having(b"\\Deleted")]


def _unread(column: FlagColumn) -> list[int]:
    """Return for each code whether it is shown and has neither `\\Seen` nor `\\Draft`."""
    flags = (_shown(column), column.having(b"\\Seen"), column.having(b"\\Draft"))
    return [int(shown and not seen and not draft) for shown, seen, draft in zip(*flags, strict=True)]


def _drop_gone(kept: _Threads, uids: array[int]) -> None:
    """Leave the messages that are there."""
    threads = array("q", bytes(8 * len(uids)))
    at = 0
    for position, uid in enumerate(uids):
        at = bisect_left(kept.uids, uid, at)
        threads[position] = kept.threads[at]
    kept.uids, kept.threads = uids[:], threads
