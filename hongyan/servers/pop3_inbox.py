"""INBOX as a POP3 session sees it: as it was at login, whatever others do meanwhile (RFC 1939 §3).

The snapshot is a UID and a size for each message. Prefixes and places of blobs are read when a message is asked for;
who asks for one after the other, as most clients do, has the next ones read ahead.
"""

from __future__ import annotations

__all__ = ["FETCHED", "Inbox", "open_inbox"]

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, overload

from pyroaring import BitMap

from hongyan.accounts.settings import Deleted, Fetched, Pop3Policy
from hongyan.errors import Conflict
from hongyan.mailboxes.deletion import delete
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.state import MailboxState
from hongyan.store.mailboxes import INBOX_ID
from hongyan.store.messages import Column
from hongyan.types import AccountId, BlobRef, UidValidity
from hongyan.wire.pop3.maildrop import Maildrop

_SIZES_AT_ONCE: Final = 2000
_ROWS_AHEAD: Final = 64
_DAY: Final = 86_400  # seconds
_SNAPSHOT: Final = (Column.UID, Column.SIZE, Column.EMAIL_ID, Column.SAVED_AT)

FETCHED: Final = b"$POP3Fetched"
"""The keyword of what a POP3 program has fetched and is to be removed one day."""

Place = tuple[bytes, BlobRef, int]
"""Where a message lies: its prefix, and the blob that follows."""


class Inbox:
    """The messages of one session by number, from 1."""

    __slots__ = ("_account", "_email_ids", "_mail", "_next", "_places", "_sizes", "_uids", "_uidvalidity")

    def __init__(
        self,
        mail: Mail,
        account: AccountId,
        uidvalidity: UidValidity,
        uids: array[int],
        sizes: array[int],
        email_ids: array[int],
    ) -> None:
        self._mail = mail
        self._account = account
        self._uidvalidity = uidvalidity
        self._uids = uids
        self._sizes = sizes
        self._email_ids = email_ids
        self._places: dict[int, Place] = {}
        self._next = 1  # the number that goes on where reading ahead ended

    def maildrop(self) -> Maildrop:
        """Return what STAT, LIST, UIDL and DELE are answered from."""
        return Maildrop(self._sizes, _UniqueIds(self._email_ids, self._uids))

    def size(self, number: int) -> int:
        """Return the size of a message as it is served."""
        return self._sizes[number - 1]

    def find_place(self, number: int) -> Place | None:
        """Return where a message lies, if that is known already."""
        return self._places.get(number)

    def forget_places(self) -> None:
        """Let go of what was read ahead."""
        self._places.clear()

    async def read_place(self, number: int) -> Place | None:
        """Return where a message lies, or None if somebody has removed it since."""
        stop = number + (_ROWS_AHEAD if number == self._next else 1)
        numbers = range(number, min(stop, len(self._uids) + 1))
        uids = self._uids[number - 1 : numbers.stop - 1]
        rows = await self._mail.messages.rows(
            self._account,
            INBOX_ID,
            (Column.UID, Column.PREFIX, Column.BLOB, Column.SKIPPED),
            [(uids[0], uids[-1])],
            limit=len(uids),
        )
        by_uid = {uid: (prefix, ref, skipped) for uid, prefix, ref, skipped in rows}
        self._places = {at: by_uid[uid] for at, uid in zip(numbers, uids, strict=True) if uid in by_uid}
        self._next = numbers.stop
        return self._places.get(number)

    async def leave(self, deleted: Iterable[int], fetched: Iterable[int], policy: Pop3Policy) -> int:
        """Do what QUIT leads to, to those messages that are there still; return how many of `deleted` were."""
        state = await self._open()
        gone = await self._delete(state, self._named(deleted), policy.deleted)
        if policy.fetched is Fetched.SEEN:
            await mark(self._mail, self._account, state, self._named(fetched), FlagAction.ADD, (b"\\Seen",))
        elif policy.fetched is Fetched.DELETE:
            await mark(self._mail, self._account, state, self._named(fetched), FlagAction.ADD, (FETCHED,))
            await delete(self._mail, self._account, state, await self._old(state, policy.keep_days), policy.deleted)
        return gone

    async def _open(self) -> MailboxState:
        state = await self._mail.live.open(self._account, INBOX_ID)
        if state.uidvalidity != self._uidvalidity:
            raise Conflict(cause="UIDVALIDITY of INBOX changed: its UIDs are of other messages now")
        return state

    def _named(self, numbers: Iterable[int]) -> BitMap:
        return BitMap([self._uids[number - 1] for number in numbers])

    async def _old(self, state: MailboxState, days: int) -> BitMap:
        """Return what a POP3 program has fetched, now or before, and has been here for so many days."""
        fetched = state.with_flag(FETCHED)
        if not days or not fetched:
            return fetched
        before = int(self._mail.clock.now().timestamp()) - days * _DAY
        saved = await self._mail.messages.find_dates(self._account, INBOX_ID, Column.SAVED_AT, None, before)
        return fetched & BitMap(saved)

    async def _delete(self, state: MailboxState, uids: BitMap, way: Deleted) -> int:
        if way is Deleted.KEEP:
            return sum(stop - start for start, stop in state.position_runs(uids))
        return await delete(self._mail, self._account, state, uids, way) if uids else 0


async def open_inbox(mail: Mail, account: AccountId, *, days: int = 0) -> Inbox:
    """Take the snapshot; with `days`, of what came within so many."""
    oldest = int(mail.clock.now().timestamp()) - days * _DAY if days else 0
    state = await mail.live.open(account, INBOX_ID)
    known, count = state.uids, len(state.uids)  # This array will only grow.
    uids, sizes, email_ids = array("I"), array("Q"), array("q")
    for start in range(0, count, _SIZES_AT_ONCE):
        stop = min(start + _SIZES_AT_ONCE, count)
        rows = await mail.messages.rows(
            account, INBOX_ID, _SNAPSHOT, [(known[start], known[stop - 1])], limit=stop - start
        )
        if days:
            rows = [row for row in rows if row[3] >= oldest]
        uids.extend([row[0] for row in rows])  # What has been removed by now has no row and no number.
        sizes.extend([row[1] for row in rows])
        email_ids.extend([row[2] for row in rows])
    return Inbox(mail, account, state.uidvalidity, uids, sizes, email_ids)


class _UniqueIds(Sequence[str]):
    """Unique-ids (RFC 1939 §7): a message keeps its own when it is moved away and back.

    Of copies of one message the first has its id, and each other also a UID: they are as new to the client.
    """

    __slots__ = ("_copies", "_email_ids", "_uids")

    def __init__(self, email_ids: array[int], uids: array[int]) -> None:
        self._email_ids = email_ids
        self._uids = uids
        self._copies: set[int] = set()  # places of messages whose id stands before
        if len(set(email_ids)) < len(email_ids):
            seen: set[int] = set()
            for at, email_id in enumerate(email_ids):
                if email_id in seen:
                    self._copies.add(at)
                seen.add(email_id)

    def __len__(self) -> int:
        return len(self._uids)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            if not self._copies:
                return [f"M{email_id:x}" for email_id in self._email_ids[at]]
            return [self[place] for place in range(*at.indices(len(self._uids)))]
        own = f"M{self._email_ids[at]:x}"
        return f"{own}.{self._uids[at]}" if at in self._copies else own
