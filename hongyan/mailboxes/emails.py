"""The emails of an account in memory: which messages they are, when they came, what they weigh, their threads.

What is kept of a message never changes, so it is read once: of new mail only the new rows. Whoever asks names the UIDs
that there are. An email is told by its number within the account, and lies in a column at that place. The accounts used
least leave when all together take more than their room.
"""

from __future__ import annotations

__all__ = ["AccountEmails", "EmailColumns", "visible_uids"]

import asyncio
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import compress

from pyroaring import BitMap

from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Flag
from hongyan.store.index import number_of
from hongyan.store.placements import PlacementStore
from hongyan.types import AccountId, MailboxId, ModSeq

_ROWS = 10_000
_ROOM = 20_000_000  # numbers of emails and of messages that are kept, of all accounts
_DELETED = b"\\Deleted"


class _Box:
    """The messages of one mailbox: UIDs and the emails' numbers behind them, those that have left included."""

    __slots__ = ("newest", "numbers", "shown", "shown_at", "uids")

    def __init__(self) -> None:
        self.uids: array[int] = array("I")
        self.numbers: array[int] = array("I")
        self.newest = 0
        self.shown = BitMap()  # the emails that JMAP shows in it, as of `shown_at`
        self.shown_at = ModSeq(0)


class EmailColumns:
    """The columns of one account. A number without an email has zeros."""

    def __init__(self) -> None:
        self.arrived: array[int] = array("q")
        self.sizes: array[int] = array("I")
        self.threads: array[int] = array("I")
        self.attached = BitMap()
        self.lock = asyncio.Lock()
        self._boxes: dict[MailboxId, _Box] = {}
        self._order: list[int] = []
        self._known = BitMap()
        self.keys: dict[int, tuple[int, str, str, str]] = {}
        """What emails are sorted by: when sent, and the texts of sender, recipient and subject."""

    @property
    def weight(self) -> int:
        """How many numbers are kept."""
        return len(self.arrived) * 3 + 40 * len(self.keys) + sum(2 * len(box.uids) for box in self._boxes.values())

    def box(self, mailbox: MailboxId) -> _Box:
        """Return what is known of a mailbox."""
        return self._boxes.setdefault(mailbox, _Box())

    def take(self, box: _Box, rows: Sequence[tuple[int, int, int, int, int, int]]) -> None:
        """Take in rows of a mailbox, by ascending UIDs behind those that are known."""
        numbers = [number_of(row[1]) for row in rows]
        box.uids.extend([row[0] for row in rows])
        box.numbers.extend(numbers)
        missing = max(numbers) + 1 - len(self.arrived)
        if missing > 0:
            for column in (self.arrived, self.sizes, self.threads):
                column.extend([0] * missing)
        for number, row in zip(numbers, rows, strict=True):
            self.arrived[number] = row[2]
            self.sizes[number] = min(row[3], 0xFFFFFFFF)
            self.threads[number] = number_of(row[4])
            if row[5]:
                self.attached.add(number)
        self._known.update(numbers)

    def numbers_of(self, mailbox: MailboxId, uids: BitMap) -> BitMap:
        """Return the emails of messages of a mailbox."""
        box = self.box(mailbox)
        if len(uids) == len(box.uids):
            return BitMap(box.numbers)
        return BitMap(array("I", compress(box.numbers, map(uids.__contains__, box.uids))))

    def shown_in(self, state: MailboxState) -> BitMap:
        """Return the emails that JMAP shows in a mailbox."""
        box = self.box(state.mailbox_id)
        if box.shown_at != state.modseq:
            box.shown, box.shown_at = self.numbers_of(state.mailbox_id, visible_uids(state)), state.modseq
        return box.shown

    def with_flag(self, state: MailboxState, flag: Flag) -> BitMap:
        """Return the emails that JMAP shows in a mailbox with a flag."""
        having = state.with_flag(flag)
        return self.numbers_of(state.mailbox_id, having) & self.shown_in(state) if having else having

    def keep_keys(self, number: int, keys: Sequence[int | str | None]) -> None:
        """Keep what an email is sorted by; what is missing is as nothing, and the time of arrival."""
        sent, *texts = keys
        sender, recipient, subject = (str(text or "") for text in texts)
        self.keys[number] = (self.arrived[number] if sent is None else int(sent), sender, recipient, subject)

    def uids_of(self, mailbox: MailboxId, numbers: BitMap) -> dict[int, int]:
        """Return the UIDs in a mailbox of emails, each with the email's number."""
        box = self.box(mailbox)
        chosen = list(map(numbers.__contains__, box.numbers))
        return dict(zip(compress(box.uids, chosen), compress(box.numbers, chosen), strict=True))

    def by_arrival(self) -> Sequence[int]:
        """Return all emails that were ever read, the oldest first; of one moment the lower number first."""
        if len(self._order) != len(self._known):
            new = self._known - BitMap(self._order)
            # Nearly all of it is in order already, which `sort` notices.
            self._order += new
            self._order.sort()
            self._order.sort(key=self.arrived.__getitem__)
        return self._order

    def between(self, column: Sequence[int], among: BitMap, low: int | None, high: int | None) -> BitMap:
        """Return those emails whose value lies in [low, high)."""
        chosen: Iterable[int] = among
        if low is not None:
            chosen = [number for number in chosen if column[number] >= low]
        if high is not None:
            chosen = [number for number in chosen if column[number] < high]
        return BitMap(chosen)

    def with_threads(self, among: BitMap) -> dict[int, list[int]]:
        """Return the emails by their threads."""
        threads: dict[int, list[int]] = {}
        for number in among:
            threads.setdefault(self.threads[number], []).append(number)
        return threads


class AccountEmails:
    """The columns of those accounts that were asked about last."""

    def __init__(self, mail: Mail, placements: PlacementStore) -> None:
        self._mail = mail
        self._placements = placements
        self._accounts: OrderedDict[AccountId, EmailColumns] = OrderedDict()

    async def open(self, account: AccountId, states: Sequence[MailboxState]) -> EmailColumns:
        """Return the columns of an account, whole for the messages of these mailboxes."""
        columns = self._accounts.setdefault(account, EmailColumns())
        self._accounts.move_to_end(account)
        if any(state.uids and columns.box(state.mailbox_id).newest < state.uids[-1] for state in states):
            async with columns.lock:
                for state in states:
                    await self._read(account, columns, state)
            self._let_go()
        return columns

    async def _read(self, account: AccountId, columns: EmailColumns, state: MailboxState) -> None:
        box = columns.box(state.mailbox_id)
        while state.uids and box.newest < (last := state.uids[-1]):
            rows = await self._placements.list_columns(account, state.mailbox_id, box.newest, limit=_ROWS)
            if rows:
                columns.take(box, rows)
                box.newest = rows[-1][0]
            if len(rows) < _ROWS:
                box.newest = max(box.newest, last)

    def _let_go(self) -> None:
        weights = {account: columns.weight for account, columns in self._accounts.items()}
        total = sum(weights.values())
        while total > _ROOM and len(self._accounts) > 1:
            account, _ = self._accounts.popitem(last=False)
            total -= weights[account]


def visible_uids(state: MailboxState) -> BitMap:
    """Return the messages of a mailbox that JMAP shows: those not marked for removal (RFC 8621 §4.1.1)."""
    everything = BitMap(state.uids)
    return everything - state.with_flag(_DELETED) if _DELETED in state.column.flags else everything
