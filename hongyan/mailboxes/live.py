"""The mailboxes that are in memory, kept at the head of the log.

Whoever commits a change says so with `committed`; what other processes commit arrives as a hint and is read from the
log by `catch_up`. Both apply changes strictly in order of MODSEQ, so a mailbox in memory is always some true state.
Mailboxes that nobody has pinned leave, the least used first, when too many messages are in memory.
"""

from __future__ import annotations

__all__ = ["Hints", "LiveMailboxes", "MemoryOptions"]

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hongyan.errors import HongyanError, NotFound
from hongyan.mailboxes.state import MailboxState
from hongyan.options import option
from hongyan.store.changes import ChangeStore, LoggedChange
from hongyan.store.mailboxes import MailboxStore
from hongyan.types import AccountId, MailboxId, ModSeq

_FOLD_UNLOADED = 512
_COUNTED_MAILBOXES = 10_000
_WEIGHT_OF_A_MAILBOX = 400  # in messages: what one takes in memory even if it is empty
_PACKED_HERE = 20_000  # messages; a greater snapshot is packed in a thread


class Hints(Protocol):
    """Tells those who wait that an account has changed."""

    def publish(self, account: AccountId, modseq: ModSeq) -> None:
        """Say that the account is at `modseq`."""
        ...


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """How much of the mailboxes is kept in memory."""

    messages: int = option(5_000_000, "Messages of mailboxes kept in memory; each takes about 13 octets.")


class _Account:
    """The mailboxes of one account that are in memory, all at `cursor` or later.

    `pending` holds, for a mailbox that is being read, what was committed meanwhile.
    """

    __slots__ = ("catching_up", "cursor", "mailboxes", "pending")

    def __init__(self, cursor: ModSeq) -> None:
        self.cursor = cursor
        self.mailboxes: dict[MailboxId, MailboxState] = {}
        self.pending: dict[MailboxId, list[LoggedChange]] = {}
        self.catching_up: asyncio.Task[None] | None = None


class LiveMailboxes:
    """Opens mailboxes, keeps them current, lets them go."""

    def __init__(
        self, mailboxes: MailboxStore, changes: ChangeStore, hints: Hints, options: MemoryOptions | None = None
    ) -> None:
        self._mailboxes = mailboxes
        self._changes = changes
        self._hints = hints
        self._options = options or MemoryOptions()
        self._accounts: dict[AccountId, _Account] = {}
        self._loading: dict[tuple[AccountId, MailboxId], asyncio.Task[MailboxState]] = {}
        self._used: OrderedDict[tuple[AccountId, MailboxId], MailboxState] = OrderedDict()
        self._weights: dict[tuple[AccountId, MailboxId], int] = {}
        self._weight = 0
        self._pins: Counter[tuple[AccountId, MailboxId]] = Counter()
        self._unloaded: Counter[tuple[AccountId, MailboxId]] = Counter()
        self._saving: set[tuple[AccountId, MailboxId]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def loaded(self, account: AccountId, mailbox: MailboxId) -> MailboxState | None:
        """Return the mailbox if it is in memory."""
        live = self._accounts.get(account)
        state = live.mailboxes.get(mailbox) if live is not None else None
        if state is not None:
            self._used.move_to_end((account, mailbox))
        return state

    async def open(self, account: AccountId, mailbox: MailboxId) -> MailboxState:
        """Return the mailbox, from memory or the database. Raises `NotFound` and `Corrupt`."""
        key = (account, mailbox)
        # Again, if it has left before its turn came to whoever waited: a state that nobody keeps current is of no use.
        while (state := self.loaded(account, mailbox)) is None:
            task = self._loading.get(key)
            if task is None:
                task = self._loading[key] = self._start(self._load(account, mailbox))
                task.add_done_callback(lambda _task: self._loading.pop(key, None))
            await asyncio.shield(task)
        return state

    async def _load(self, account: AccountId, mailbox: MailboxId) -> MailboxState:
        live = self._accounts.get(account)
        if live is None:
            head = await self._mailboxes.highestmodseq(account)
            live = self._accounts.setdefault(account, _Account(head))
        live.pending[mailbox] = []
        try:
            state = MailboxState(await self._mailboxes.load_state(account, mailbox))
            for change in live.pending[mailbox]:
                state.apply(change)
            live.mailboxes[mailbox] = state
        finally:
            del live.pending[mailbox]
            self._forget_if_empty(account, live)
        key = (account, mailbox)
        self._used[key] = state
        self._weights[key] = len(state) + _WEIGHT_OF_A_MAILBOX
        self._weight += self._weights[key]
        self._unloaded.pop(key, None)
        self._fold(account, state)
        self._let_go(but=key)
        return state

    def pin(self, account: AccountId, mailbox: MailboxId) -> None:
        """Keep an open mailbox in memory until `unpin`."""
        self._pins[account, mailbox] += 1

    def unpin(self, account: AccountId, mailbox: MailboxId) -> None:
        """Undo one `pin`."""
        key = (account, mailbox)
        self._pins[key] -= 1
        if self._pins[key] <= 0:
            del self._pins[key]

    def stir(self, account: AccountId) -> None:
        """Let those who wait for an account look, though its log says nothing new."""
        self._hints.publish(account, ModSeq(0))

    # -- following the log

    def committed(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        """Take in changes that this process has just committed, and tell those who wait."""
        live = self._accounts.get(account)
        if live is None:
            self._count_unloaded(account, changes)
        elif changes[0].modseq == live.cursor + 1:
            self._apply(account, live, changes)
            live.cursor = changes[-1].modseq
        elif changes[-1].modseq > live.cursor:
            self._catch_up_soon(account, live)
        self._hints.publish(account, changes[-1].modseq)

    def touched(self, account: AccountId) -> None:
        """Tell those who wait of what no mailbox in memory knows: a subscription has changed, or a note."""
        self._hints.publish(account, ModSeq(0))

    async def follow(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        """Do as `committed`, and return when what is in memory holds these changes."""
        self.committed(account, changes)
        live = self._accounts.get(account)
        if live is not None and live.cursor < changes[-1].modseq:
            with contextlib.suppress(HongyanError):  # The change is made, whoever cannot look at it now.
                await self.catch_up(account)

    def _apply(self, account: AccountId, live: _Account, changes: Sequence[LoggedChange]) -> None:
        for change in changes:
            state = live.mailboxes.get(change.mailbox)
            if state is None:
                if change.mailbox in live.pending:
                    live.pending[change.mailbox].append(change)
                else:
                    self._count_unloaded(account, (change,))
                continue
            state.apply(change)
            if state.is_deleted:
                self.forget(account, change.mailbox)
            elif state.wants_snapshot:
                self._fold(account, state)

    def _catch_up_soon(self, account: AccountId, live: _Account) -> None:
        if live.catching_up is None or live.catching_up.done():
            live.catching_up = self._start(self._catch_up_and_tell(account, live))

    async def _catch_up_and_tell(self, account: AccountId, live: _Account) -> None:
        """Catch up; who was told too early and saw nothing is told again."""
        with contextlib.suppress(HongyanError):  # The next change tries again, and so does everybody's own look.
            await self.catch_up(account)
            self._hints.publish(account, live.cursor)

    async def catch_up(self, account: AccountId) -> None:
        """Read what the log has after the account's cursor."""
        live = self._accounts.get(account)
        more = live is not None
        while live is not None and more:
            start = live.cursor
            page = await self._changes.changes_since(account, start)
            if start < page.floor:
                await self._reload(account, live)
                continue
            # Others may have moved the cursor meanwhile; what is known already is skipped.
            fresh = [change for change in page.changes if change.modseq > live.cursor]
            self._apply(account, live, fresh)
            live.cursor = ModSeq(max(live.cursor, page.modseq))
            more = page.more

    async def _reload(self, account: AccountId, live: _Account) -> None:
        """The log does not reach back to the cursor any more: read anew what is in memory."""
        cursor = await self._mailboxes.highestmodseq(account)
        for mailbox, state in list(live.mailboxes.items()):
            try:
                before, stored = None, None
                while stored is None or state.modseq != before:  # Others may have brought it further meanwhile.
                    before = state.modseq
                    stored = await self._mailboxes.load_state(account, mailbox)
                state.reload(stored)
            except NotFound:
                state.is_deleted = True
                self.forget(account, mailbox)
        live.cursor = ModSeq(max(live.cursor, cursor))

    # -- snapshots

    def _count_unloaded(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        """Fold the log of a mailbox that nobody opens before it grows long."""
        for change in changes:
            key = (account, change.mailbox)
            self._unloaded[key] += 1
            if self._unloaded[key] > _FOLD_UNLOADED and key not in self._loading:
                self._unloaded[key] = 0
                self._start(self._open_to_fold(account, change.mailbox))
        while len(self._unloaded) > _COUNTED_MAILBOXES:
            del self._unloaded[next(iter(self._unloaded))]

    async def _open_to_fold(self, account: AccountId, mailbox: MailboxId) -> None:
        with contextlib.suppress(HongyanError):  # Whoever opens it for its own sake is told.
            await self.open(account, mailbox)

    def _fold(self, account: AccountId, state: MailboxState, *, at_the_end: bool = False) -> None:
        key = (account, state.mailbox_id)
        if (state.wants_snapshot or at_the_end) and key not in self._saving:
            self._saving.add(key)
            self._start(self._save(account, state))

    async def _save(self, account: AccountId, state: MailboxState) -> None:
        try:
            modseq, pack = state.snapshot()
            octets = pack() if len(state) < _PACKED_HERE else await asyncio.to_thread(pack)
            await self._mailboxes.save_snapshot(account, state.mailbox_id, modseq, octets)
        except HongyanError:
            pass  # The log still has everything; the next fold tries again.
        finally:
            self._saving.discard((account, state.mailbox_id))

    # -- memory

    def _let_go(self, *, but: tuple[AccountId, MailboxId]) -> None:
        """Drop the least used mailboxes until the rest is small enough."""
        if self._weight <= self._options.messages:
            return
        for key in list(self._used):
            if self._weight <= self._options.messages:
                return
            if self._pins[key] <= 0 and key not in self._saving and key != but:
                self.forget(*key)

    def forget(self, account: AccountId, mailbox: MailboxId) -> None:
        """Let a mailbox go: it was deleted, or its memory is needed."""
        key = (account, mailbox)
        self._used.pop(key, None)
        self._weight -= self._weights.pop(key, 0)
        live = self._accounts.get(account)
        if live is not None:
            live.mailboxes.pop(mailbox, None)
            self._forget_if_empty(account, live)

    def _forget_if_empty(self, account: AccountId, live: _Account) -> None:
        if not live.mailboxes and not live.pending and self._accounts.get(account) is live:
            del self._accounts[account]

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Who waits has it; if nobody waits any more, nobody is to be told.

    async def close(self) -> None:
        """Save what would make the next start slow, and wait for all snapshots."""
        for (account, _mailbox), state in self._used.items():
            if state.is_worth_a_snapshot:
                self._fold(account, state, at_the_end=True)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
