"""What a search finds in the rows of messages: dates, sizes, ids, and the header fields that have a column."""

from __future__ import annotations

__all__ = ["TEXT_COLUMNS", "RowSearch"]

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from pyroaring import BitMap

from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.object_ids import email_object_id, read_thread_object_id
from hongyan.message.dates import parse_day
from hongyan.message.fold import fold_text
from hongyan.message.headers import iterate_fields
from hongyan.store.changes import uid_runs
from hongyan.store.messages import Column, Row
from hongyan.types import AccountId, MailboxId
from hongyan.wire.imap.search import When

TEXT_COLUMNS = {
    b"from": Column.FROM_TEXT,
    b"to": Column.TO_TEXT,
    b"cc": Column.CC_TEXT,
    b"bcc": Column.BCC_TEXT,
    b"subject": Column.SUBJECT_TEXT,
}
"""The fields whose decoded and folded text has a column of its own."""

_DAY = 86_400
_BATCH = 2000
_FEW = 100  # rows that are read by themselves, sooner than all from the first to the last


class RowSearch:
    """Searches rows of one mailbox."""

    __slots__ = ("_account", "_mail", "_mailbox")

    def __init__(self, mail: Mail, account: AccountId, mailbox: MailboxId) -> None:
        self._mail = mail
        self._account = account
        self._mailbox = mailbox

    async def between(self, column: Column, start: int | None, stop: int | None) -> BitMap:
        """Return the messages whose date or size lies in [start, stop)."""
        return BitMap(await self._mail.messages.find_dates(self._account, self._mailbox, column, start, stop))

    async def text(self, column: Column, text: str, among: BitMap) -> BitMap:
        """Return those messages whose column holds the text."""
        if len(among) <= _FEW:
            needle = fold_text(text)
            return BitMap([uid async for uid, value in self.rows((Column.UID, column), among) if needle in value])
        found = await self._mail.messages.find_text(
            self._account, self._mailbox, column, fold_text(text), among.min(), among.max()
        )
        return among & BitMap(found)

    async def fields(self, needle: str, among: BitMap) -> BitMap:
        """Return those messages in whose stored fields an ASCII needle, in lower case, stands as received."""
        found = await self._mail.messages.find_in_fields(self._account, self._mailbox, needle, among.min(), among.max())
        return among & BitMap(found)

    async def email(self, email_id: bytes, among: BitMap) -> BitMap:
        """Return those messages that have the EMAILID."""
        columns = (Column.UID, Column.EMAIL_ID)
        return BitMap([uid async for uid, email in self.rows(columns, among) if email_object_id(email) == email_id])

    async def thread(self, thread_id: bytes, among: BitMap) -> BitMap:
        """Return those messages that are of the thread."""
        thread = read_thread_object_id(thread_id)
        if thread is None:
            return BitMap()
        return among & BitMap(await self._mail.messages.find_thread(self._account, self._mailbox, thread))

    async def days(self, column: Column, when: When, day: date, among: BitMap) -> BitMap:
        """Compare the day as it is written, its time and zone left aside (RFC 9051 §6.4.4).

        The row knows the moment. What lies within a day of a bound is read, and there the written day decides.
        """
        start = int(datetime.combine(day, time.min, UTC).timestamp())
        match when:
            case When.BEFORE:
                found = await self.between(column, None, start - _DAY)
                near = start - _DAY, start + _DAY
            case When.ON:
                found = BitMap()
                near = start - _DAY, start + 2 * _DAY
            case When.SINCE:
                found = await self.between(column, start + _DAY, None)
                near = start - _DAY, start + _DAY
        doubtful = among & await self.between(column, *near)
        written, read = _WRITTEN[column]
        return (found & among) | BitMap(
            [uid async for uid, value in self.rows((Column.UID, written), doubtful) if _is(read(value), when, day)]
        )

    async def rows(self, columns: Sequence[Column], uids: BitMap) -> AsyncIterator[Row]:
        """Yield the rows of messages, read in batches."""
        for at in range(0, len(uids), _BATCH):
            batch = uids[at : at + _BATCH]
            for row in await self._mail.messages.rows(
                self._account, self._mailbox, columns, uid_runs(batch), limit=len(batch)
            ):
                yield row


def _is(written: date | None, when: When, day: date) -> bool:
    if written is None:
        return False
    match when:
        case When.BEFORE:
            return written < day
        case When.ON:
            return written == day
        case When.SINCE:
            return written >= day


def _day_of_internal_text(text: bytes) -> date | None:
    """Read `" 2-Jan-2026 03:04:05 +0800"`."""
    return parse_day(text.strip(b'"').replace(b"-", b" ", 2))


def _day_of_date_field(fields: bytes) -> date | None:
    return next((parse_day(value) for name, value in iterate_fields(fields) if name.lower() == b"date"), None)


_Reader = Callable[[Any], date | None]
_WRITTEN: dict[Column, tuple[Column, _Reader]] = {
    Column.INTERNAL_DATE: (Column.INTERNAL_TEXT, _day_of_internal_text),
    Column.SENT_DATE: (Column.FIELDS, _day_of_date_field),
    Column.SAVED_AT: (Column.SAVED_AT, lambda seconds: datetime.fromtimestamp(seconds, UTC).date()),
}
"""Where a moment stands as it was written, and how its day is read there. SAVEDATE is told in UTC."""
