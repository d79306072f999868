"""INBOX as a POP3 session sees it: as it was at login, whatever others do meanwhile (RFC 1939 §3).

The snapshot is a UID and a size for each message. Prefixes and places of blobs are read when a message is asked for;
who asks for one after the other, as most clients do, has the next ones read ahead.
"""

from __future__ import annotations

__all__ = ["Inbox", "open_inbox"]

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, overload

from pyroaring import BitMap

from hongyan.errors import Conflict
from hongyan.mailboxes.expunge import expunge
from hongyan.mailboxes.mail import Mail
from hongyan.store.mailboxes import INBOX_ID
from hongyan.store.messages import Column
from hongyan.types import AccountId, BlobRef, UidValidity
from hongyan.wire.pop3.maildrop import Maildrop

_SIZES_AT_ONCE: Final = 2000
_ROWS_AHEAD: Final = 64

Place = tuple[bytes, BlobRef]
"""Where a message lies: its prefix, and the blob that follows."""


class Inbox:
    """The messages of one session by number, from 1."""

    __slots__ = ("_account", "_mail", "_next", "_places", "_sizes", "_uids", "_uidvalidity")

    def __init__(
        self, mail: Mail, account: AccountId, uidvalidity: UidValidity, uids: array[int], sizes: array[int]
    ) -> None:
        self._mail = mail
        self._account = account
        self._uidvalidity = uidvalidity
        self._uids = uids
        self._sizes = sizes
        self._places: dict[int, Place] = {}
        self._next = 1  # the number that goes on where reading ahead ended

    def maildrop(self) -> Maildrop:
        """Return what STAT, LIST, UIDL and DELE are answered from."""
        return Maildrop(self._sizes, _UniqueIds(self._uidvalidity, self._uids))

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
            (Column.UID, Column.PREFIX, Column.BLOB),
            [(uids[0], uids[-1])],
            limit=len(uids),
        )
        by_uid = {uid: (prefix, ref) for uid, prefix, ref in rows}
        self._places = {at: by_uid[uid] for at, uid in zip(numbers, uids, strict=True) if uid in by_uid}
        self._next = numbers.stop
        return self._places.get(number)

    async def delete(self, numbers: Iterable[int]) -> int:
        """Remove messages for good, those that are there still; return how many."""
        state = await self._mail.live.open(self._account, INBOX_ID)
        if state.uidvalidity != self._uidvalidity:
            raise Conflict(cause="UIDVALIDITY of INBOX changed: its UIDs are of other messages now")
        uids = BitMap([self._uids[number - 1] for number in numbers])
        return len(await expunge(self._mail, self._account, INBOX_ID, uids))


async def open_inbox(mail: Mail, account: AccountId) -> Inbox:
    """Take the snapshot."""
    state = await mail.live.open(account, INBOX_ID)
    known, count = state.uids, len(state.uids)  # This array will only grow.
    uids, sizes = array("I"), array("Q")
    for start in range(0, count, _SIZES_AT_ONCE):
        stop = min(start + _SIZES_AT_ONCE, count)
        rows = await mail.messages.rows(
            account, INBOX_ID, (Column.UID, Column.SIZE), [(known[start], known[stop - 1])], limit=stop - start
        )
        uids.extend([row[0] for row in rows])  # What has been removed by now has no row and no number.
        sizes.extend([row[1] for row in rows])
    return Inbox(mail, account, state.uidvalidity, uids, sizes)


class _UniqueIds(Sequence[str]):
    """Unique-ids (RFC 1939 §7): UIDVALIDITY and UID, which IMAP promises never to give again."""

    __slots__ = ("_uids", "_uidvalidity")

    def __init__(self, uidvalidity: UidValidity, uids: array[int]) -> None:
        self._uidvalidity = uidvalidity
        self._uids = uids

    def __len__(self) -> int:
        return len(self._uids)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [f"{self._uidvalidity}.{uid}" for uid in self._uids[at]]
        return f"{self._uidvalidity}.{self._uids[at]}"
