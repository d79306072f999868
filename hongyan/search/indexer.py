"""Fills the text index behind delivery: a consumer of the change logs (decision 2).

The log says that there is something new; how far the index has come, the index itself knows, in the same commit as
what it holds. So neither a crash nor an index that was lost leaves a gap: what is not covered is indexed again, and
until then read by whoever searches. Emails are taken in order of their ids, a bounded batch at a time, and accounts
take turns batch by batch: nobody's new mail waits for somebody's import. After each batch comes a rest in proportion to
the CPU that it took, so that indexing takes no more than its share, and on a machine that has much else to do does not
wait for that twice. Where the disk comes to its reserve, indexing stops, and goes on by itself when there is room. Its
threads have no lower priority than others: one that the system sets aside while it holds the interpreter's lock would
hold up the whole server.
"""

from __future__ import annotations

__all__ = ["Indexer"]

import asyncio
import threading
from collections.abc import Sequence
from time import thread_time
from typing import NamedTuple, NoReturn
from zlib import crc32

from pyroaring import BitMap

from hongyan import telemetry
from hongyan.errors import Corrupt, HongyanError, NotFound, ServerFault, StorageFull
from hongyan.mailboxes.mail import Mail
from hongyan.message.outline import Outline
from hongyan.message.searchable import body_texts, header_block, header_texts
from hongyan.notify.consumers import NotYet
from hongyan.search.options import SearchOptions
from hongyan.store.changes import Appended, Expunged, LoggedChange, MailboxChanged
from hongyan.store.index import Document, IndexField, TextIndex, email_of, number_of
from hongyan.store.messages import Column, Row
from hongyan.telemetry import metrics
from hongyan.types import AccountId

MAX_READ = 16 << 20
"""Octets of a message that are searched and indexed."""

_BATCH = 50  # emails
_BATCH_OCTETS = 4 << 20
_MAX_TEXT = 1 << 20  # characters of one email; one with more is read by each search
_LONGEST_REST = 1.0  # seconds
_LOOK_FOR_ROOM = 30.0  # seconds
_PAGE = 5000  # emails that are compared at once
_MAX_ASKED = 10_000
_MARKS = 10  # emails by which an index is known to be of this history of the database

_COLUMNS = (Column.EMAIL_ID, Column.SIZE, Column.PREFIX, Column.BLOB, Column.SKIPPED, Column.OUTLINE)
_TEXTS = {
    IndexField.FROM: Column.FROM_TEXT,
    IndexField.TO: Column.TO_TEXT,
    IndexField.CC: Column.CC_TEXT,
    IndexField.BCC: Column.BCC_TEXT,
    IndexField.SUBJECT: Column.SUBJECT_TEXT,
}

_MARKED_BY = (Column.SKIPPED, Column.OUTLINE, *_TEXTS.values())
"""What never changes of an email, whether a message has it or none has it any more."""

log = telemetry.logger("search")


class _Batch(NamedTuple):
    """Messages as rows, with the octets that are searched of each, and which emails these are all of."""

    messages: Sequence[tuple[Row, bytes | None]]
    after: int
    covered: int


class Indexer:
    """Brings the index of each account up to its mail. `notify.consumers.Consumer`."""

    name = "search-index"

    def __init__(self, mail: Mail, index: TextIndex, options: SearchOptions) -> None:
        self._mail = mail
        self._index = index
        self._rest = 1.0 / options.share - 1.0  # for each second of work
        self._busy = asyncio.Lock()
        self._asked: dict[AccountId, bool] = {}  # and whether its index is damaged
        self._stirred = asyncio.Event()
        self._shrunk: set[AccountId] = set()  # accounts that have lost messages since their index was tidied
        self._vetted: set[AccountId] = set()  # accounts whose index is of this history of the database
        self._damaged: set[AccountId] = set()  # accounts whose index was dropped, and nothing was written since
        self._is_short = False  # of room on the disk

    # -- as a consumer

    async def take(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        """Index some of what has come; remember who has lost something. Raises `NotYet` while there is more."""
        if any(_takes_away(change) for change in changes):
            self._shrunk.add(account)
        if any(isinstance(change.change, Appended) for change in changes):
            await self._take_turn(account)

    async def start_over(self, account: AccountId) -> None:
        """The index has its own place in the mail; the log is only a hint. Raises `NotYet` while there is more."""
        self._shrunk.add(account)
        await self._take_turn(account)

    async def _take_turn(self, account: AccountId) -> None:
        try:
            is_done = await self.advance(account)
        except StorageFull:
            await asyncio.sleep(_LOOK_FOR_ROOM)
            is_done = False
        if not is_done:
            raise NotYet

    # -- on demand

    def ask(self, account: AccountId, *, damaged: bool = False) -> None:
        """Have an account looked at soon: a search has found its index behind, missing or damaged."""
        if len(self._asked) < _MAX_ASKED:
            self._asked[account] = damaged or self._asked.get(account, False)
            self._stirred.set()

    async def run(self) -> NoReturn:
        """Look after the accounts that were asked for, until cancelled: a batch of each in turn."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._asked:
                account, damaged = next(iter(self._asked.items()))
                del self._asked[account]
                try:
                    if damaged:
                        await self._drop(account)
                    await self._take_turn(account)
                except NotYet:
                    self._asked.setdefault(account, False)
                except HongyanError as error:
                    log.warning("index-waits", account=int(account), error=error)

    async def begin_anew(self, account: AccountId) -> None:
        """Forget an account's index and make it from the mail. Raises `NotFound` and `ServerFault`."""
        await self._drop(account)
        await self.catch_up(account)

    async def _drop(self, account: AccountId) -> None:
        async with self._busy:
            await self._index.drop(account)

    async def catch_up(self, account: AccountId) -> None:
        """Index all that an account has and the index has not. Raises `NotFound` and `ServerFault`."""
        while not await self.advance(account):
            pass

    async def advance(self, account: AccountId) -> bool:
        """Index the next batch of an account's mail, and rest; return whether that was the last.

        Others who wait have their turn before the next. An index that is damaged or of another history is dropped, and
        begun anew by the next call. Raises `NotFound` and `ServerFault`: `StorageFull` while there is no room.
        """
        async with self._busy:
            newest = number_of(await self._mail.messages.newest_email(account))
            try:
                covered = await self._index.find_covered(account)
                is_ours = await self._is_of_this_history(account, covered, newest)
            except Corrupt as fault:
                return await self._begin_damaged_anew(account, fault)
            if not is_ours:
                log.warning("index-of-another-history", account=int(account))
                await self._index.drop(account)
                covered = 0
            self._vetted.add(account)
            if covered < newest:
                batch = await self._read_batch(account, covered, newest)
                try:
                    took = await self._index_batch(account, batch)
                except Corrupt as fault:
                    return await self._begin_damaged_anew(account, fault)
                await asyncio.sleep(min(took * self._rest, _LONGEST_REST))
                covered = batch.covered
            return covered >= newest

    async def _begin_damaged_anew(self, account: AccountId, fault: Corrupt) -> bool:
        log.warning("index-dropped", account=int(account), cause=fault.cause)
        await self._index.drop(account)
        if account in self._damaged:  # Whatever damages it, time and again, takes not all of the time.
            await asyncio.sleep(_LONGEST_REST)
        self._damaged.add(account)
        return False

    async def is_trusted(self, account: AccountId) -> bool:
        """Whether an account's index is of the database as it is: not of a later state, from which somebody went back.

        That happens only while nobody serves, so it is looked at once. Raises `NotFound` and `ServerFault`.
        """
        if account in self._vetted:
            return True
        covered = await self._index.find_covered(account)
        newest = number_of(await self._mail.messages.newest_email(account))
        if not await self._is_of_this_history(account, covered, newest):
            return False
        if covered:
            self._vetted.add(account)
        return True

    async def _is_of_this_history(self, account: AccountId, covered: int, newest: int) -> bool:
        if covered > newest:
            return False
        if account in self._vetted:
            return True
        marks = await self._index.newest_marks(account, _MARKS)
        if not marks:
            return True
        # Those that are gone say nothing; they are in no mailbox, so nothing wrong is found by them.
        columns = (Column.EMAIL_ID, *_MARKED_BY)
        rows = await self._mail.messages.emails(account, columns, email_of(account, min(marks) - 1), limit=_MARKS)
        return all(marks.get(number_of(row[0]), mark) == mark for row, mark in ((row, _mark(row[1:])) for row in rows))

    async def _read_batch(self, account: AccountId, after: int, newest: int) -> _Batch:
        """Read the messages that come next."""
        rows = await self._mail.messages.emails(
            account, (*_COLUMNS, *_TEXTS.values()), email_of(account, after), limit=_BATCH
        )
        messages: list[tuple[Row, bytes | None]] = []
        octets = 0
        for row in rows:
            served = await self._read(row)
            messages.append((row, served))
            octets += len(served or b"")
            if octets >= _BATCH_OCTETS:
                break
        is_last = len(rows) < _BATCH and len(messages) == len(rows)
        return _Batch(messages, after, newest if is_last else number_of(messages[-1][0][0]))

    async def _index_batch(self, account: AccountId, batch: _Batch) -> float:
        """Index them; return the seconds of CPU that it took."""
        given_up = threading.Event()
        try:
            documents, took = await asyncio.to_thread(_documents, batch.messages, given_up)
        except asyncio.CancelledError:
            given_up.set()
            raise
        try:
            took += await self._index.put(account, documents, batch.after, batch.covered)
        except StorageFull as fault:
            self._note_room(is_short=True, cause=fault.cause)
            raise
        self._note_room(is_short=False)
        self._damaged.discard(account)
        metrics.indexed_total.inc(len(documents))
        return took

    def _note_room(self, *, is_short: bool, cause: str = "") -> None:
        """Tell when indexing stops for want of room, and when it goes on."""
        if is_short and not self._is_short:
            log.warning("index-stopped", cause=cause)
        elif self._is_short and not is_short:
            log.info("index-goes-on")
        self._is_short = is_short
        metrics.index_stopped.set(int(is_short))

    async def _read(self, row: Row) -> bytes | None:
        """Return the first octets of a message as served; None if it cannot be read back, or is in no mailbox."""
        _, size, prefix, ref, skipped, *_ = row
        if size is None:
            return None
        stop = min(size, MAX_READ)
        try:
            return bytes(prefix + await self._mail.blobs.read(ref, skipped, skipped + max(stop - len(prefix), 0)))
        except Corrupt:
            return None

    # -- what is gone

    async def tidy(self) -> int:
        """Forget emails and accounts that are no more; return how many emails."""
        forgotten = 0
        for account in await self._index.list_accounts():
            try:
                await self._mail.messages.newest_email(account)
                if account in self._shrunk:
                    self._shrunk.discard(account)
                    forgotten += await self._tidy(account)
            except NotFound:
                await self._index.drop(account)
            except ServerFault as fault:
                log.warning("tidy-failed", account=int(account), cause=fault.cause)
        return forgotten

    async def _tidy(self, account: AccountId) -> int:
        async with self._busy:
            dead = await self._index.numbers(account)
            after = email_of(account, 0)
            while rows := await self._mail.messages.emails(account, (Column.EMAIL_ID,), after, limit=_PAGE):
                dead -= BitMap([number_of(row[0]) for row in rows])
                after = rows[-1][0]
            await self._index.delete(account, dead)
        return len(dead)


def _takes_away(change: LoggedChange) -> bool:
    return isinstance(change.change, Expunged) or (
        isinstance(change.change, MailboxChanged) and change.change.what == "deleted"
    )


def _documents(messages: Sequence[tuple[Row, bytes | None]], given_up: threading.Event) -> tuple[list[Document], float]:
    """Return what is indexed of the messages, and the seconds of CPU that it took; less if that is given up."""
    began = thread_time()
    documents = [_document(row, served) for row, served in messages if row[1] is not None and not given_up.is_set()]
    return documents, thread_time() - began


def _document(row: Row, served: bytes | None) -> Document:
    number, mark = number_of(row[0]), _mark((*row[4:6], *row[len(_COLUMNS) :]))
    if served is None:
        return Document(number, {}, is_whole=False, mark=mark)
    texts: dict[IndexField, Sequence[str]] = {
        field: (text,) for field, text in zip(_TEXTS, row[len(_COLUMNS) :], strict=True)
    }
    room = _MAX_TEXT
    for field, found in (
        (IndexField.HEADER, header_texts(header_block(served))),
        (IndexField.BODY, body_texts(Outline(row[5]), served)),
    ):
        some: list[str] = []
        for text in found:
            room -= len(text)
            if room < 0:
                return Document(number, {}, is_whole=False, mark=mark)
            some.append(text)
        texts[field] = some
    return Document(number, texts, mark=mark)


def _mark(row: Row) -> int:
    """Return 32 bits of what never changes of an email, `_MARKED_BY`."""
    skipped, outline, *texts = row
    return crc32(repr((skipped, bytes(outline), texts)).encode("utf-8", "surrogatepass"))
