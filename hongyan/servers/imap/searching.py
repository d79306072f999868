"""Carry out a search: a tree of keys over the messages of a view becomes a set of UIDs.

Flags, numbers, UIDs and MODSEQs are answered from memory; dates, sizes and the common header fields by one query of
columns each; other fields and bodies by reading messages, of those that the other keys have left only.
"""

from __future__ import annotations

__all__ = ["Searcher"]

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.mailboxes.mail import Mail
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import find_body, iterate_fields
from hongyan.message.parts import read_parts
from hongyan.message.text import fold_text, message_text
from hongyan.servers.imap.selected import Selected
from hongyan.store.changes import uid_runs
from hongyan.store.messages import Column
from hongyan.wire.imap.search import (
    All,
    And,
    EmailIdIs,
    Fuzzy,
    HasFlag,
    InBody,
    InHeader,
    InternalDate,
    InText,
    IsRecent,
    Larger,
    ModSeqSince,
    Not,
    Older,
    Or,
    SaveDate,
    SaveDateSupported,
    SearchKey,
    SentDate,
    Seqs,
    Smaller,
    ThreadIdIs,
    Uids,
    When,
    Younger,
)

_DAY = timedelta(days=1)
_COLUMNS = {
    b"from": Column.FROM_TEXT,
    b"to": Column.TO_TEXT,
    b"cc": Column.CC_TEXT,
    b"bcc": Column.BCC_TEXT,
    b"subject": Column.SUBJECT_TEXT,
}
_BATCH = 200


class Searcher:
    """One search in one view."""

    __slots__ = ("_all", "_mail", "_selected")

    def __init__(self, mail: Mail, selected: Selected) -> None:
        self._mail = mail
        self._selected = selected
        view = selected.view
        self._all = BitMap(view.uids[: view.exists]) - view.held

    async def run(self, key: SearchKey) -> BitMap:
        """Return the UIDs of the messages that meet the key."""
        return await self._run(key, self._all)

    def run_now(self, key: SearchKey) -> BitMap | None:
        """Return the same if nothing but memory is needed, else None."""
        match key:
            case And(keys):
                found: BitMap | None = self._all
                for part in keys:
                    here = self.run_now(part)
                    if here is None or found is None:
                        return None
                    found = found & here
                return found
            case Or(left, right):
                one, other = self.run_now(left), self.run_now(right)
                return None if one is None or other is None else one | other
            case Not(inner):
                here = self.run_now(inner)
                return None if here is None else self._all - here
            case Fuzzy(inner):
                return self.run_now(inner)
            case _:
                return self._from_memory(key)

    def _from_memory(self, key: SearchKey) -> BitMap | None:
        selected = self._selected
        match key:
            case All() | SaveDateSupported():
                return self._all
            case HasFlag(flag):
                return selected.state.with_flag(flag) & self._all
            case IsRecent():
                return BitMap()
            case Seqs(messages):
                return selected.uids(selected.positions(messages, uid=False)) & self._all
            case Uids(uids):
                return selected.uids(selected.positions(uids, uid=True)) & self._all
            case ModSeqSince(modseq):
                state = selected.state
                since = type(state.modseq)(max(modseq - 1, 0))
                return BitMap([state.uids[at] for at in state.changed_since(since)]) & self._all
            case _:
                return None

    async def _run(self, key: SearchKey, among: BitMap) -> BitMap:
        """Return those `among` the UIDs that meet the key."""
        if not among:
            return among
        match key:
            case And(keys):
                for part in sorted(keys, key=_cost):
                    among = await self._run(part, among)
                return among
            case Or(left, right):
                one = await self._run(left, among)
                return one | await self._run(right, among - one)
            case Not(inner):
                return among - await self._run(inner, among)
            case Fuzzy(inner):
                return await self._run(inner, among)
        found = self._from_memory(key)
        return among & found if found is not None else await self._from_store(key, among)

    async def _from_store(self, key: SearchKey, among: BitMap) -> BitMap:
        match key:
            case InternalDate(when, day):
                return among & await self._dates(Column.INTERNAL_DATE, when, day)
            case SentDate(when, day):
                return among & await self._dates(Column.SENT_DATE, when, day)
            case SaveDate(when, day):
                return among & await self._dates(Column.SAVED_AT, when, day)
            case Older(seconds):
                return among & await self._between(Column.INTERNAL_DATE, None, self._now() - seconds + 1)
            case Younger(seconds):
                return among & await self._between(Column.INTERNAL_DATE, self._now() - seconds, None)
            case Larger(octets):
                return among & await self._between(Column.SIZE, octets + 1, None)
            case Smaller(octets):
                return among & await self._between(Column.SIZE, None, octets)
            case InHeader(field, text) if field in _COLUMNS and text:
                return await self._text(_COLUMNS[field], text, among)
            case InHeader(field, text):
                return await self._read(among, lambda served: _header_has(served, field, fold_text(text)))
            case InBody(text):
                needle = fold_text(text)
                return await self._read(among, lambda served: _body_has(served, needle))
            case InText(text):
                needle = fold_text(text)
                return await self._read(
                    among, lambda served: _header_has(served, None, needle) or _body_has(served, needle)
                )
            case EmailIdIs(email_id):
                return await self._by_email(email_id, among)
            case ThreadIdIs():
                return BitMap()
            case _:
                raise ValueError(key)

    def _now(self) -> int:
        return int(self._mail.clock.timestamp())

    async def _dates(self, column: Column, when: When, day: date) -> BitMap:
        """Compare a date without its time, in UTC (RFC 9051 §6.4.4 leaves the zone aside)."""
        start = int(datetime.combine(day, time.min, UTC).timestamp())
        stop = int((datetime.combine(day, time.min, UTC) + _DAY).timestamp()) if day < date.max else None
        match when:
            case When.BEFORE:
                return await self._between(column, None, start)
            case When.ON:
                return await self._between(column, start, stop)
            case When.SINCE:
                return await self._between(column, start, None)

    async def _between(self, column: Column, start: int | None, stop: int | None) -> BitMap:
        selected = self._selected
        return BitMap(
            await self._mail.messages.find_dates(selected.account, selected.state.mailbox_id, column, start, stop)
        )

    async def _text(self, column: Column, text: str, among: BitMap) -> BitMap:
        selected = self._selected
        found = await self._mail.messages.find_text(
            selected.account, selected.state.mailbox_id, column, fold_text(text), among.min(), among.max()
        )
        return among & BitMap(found)

    async def _by_email(self, email_id: bytes, among: BitMap) -> BitMap:
        rows = await self._rows((Column.UID, Column.EMAIL_ID), among)
        return BitMap([uid for uid, email in rows if b"M%x" % email == email_id])

    async def _rows(self, columns: Sequence[Column], uids: BitMap) -> Sequence[tuple[int, int]]:
        selected = self._selected
        return await self._mail.messages.rows(
            selected.account, selected.state.mailbox_id, columns, uid_runs(uids), limit=len(uids)
        )

    # -- reading messages

    async def _read(self, among: BitMap, meets: Callable[[bytes], bool]) -> BitMap:
        """Read messages and keep those that meet the test; a thread tests, so that other connections go on."""
        selected, found = self._selected, BitMap()
        columns = (Column.UID, Column.PREFIX, Column.BLOB)
        uids = list(among)
        for at in range(0, len(uids), _BATCH):
            batch = BitMap(uids[at : at + _BATCH])
            rows = await self._mail.messages.rows(
                selected.account, selected.state.mailbox_id, columns, uid_runs(batch), limit=_BATCH
            )
            messages = [(uid, prefix, await self._blob(ref)) for uid, prefix, ref in rows]
            found |= await asyncio.to_thread(_test_all, messages, meets)
        return found

    async def _blob(self, ref: object) -> bytes:
        try:
            return await self._mail.blobs.read(ref)  # type: ignore[arg-type]  # a column of references
        except Corrupt:
            return b""


def _test_all(messages: Sequence[tuple[int, bytes, bytes]], meets: Callable[[bytes], bool]) -> BitMap:
    return BitMap([uid for uid, prefix, octets in messages if meets(prefix + octets)])


def _header_has(served: bytes, field: bytes | None, needle: str) -> bool:
    """Whether the header field (any, if None) is there and holds the text."""
    block = served[: find_body(served, 0, len(served))]
    for name, value in iterate_fields(block):
        if field is None:
            if needle in fold_text(f"{name.decode('latin-1')}: {decode_words(value)}"):
                return True
        elif name.lower() == field and needle in fold_text(decode_words(value)):
            return True
    return False


def _text_has(served: bytes, needle: str) -> bool:
    return _header_has(served, None, needle) or _body_has(served, needle)


def _body_has(served: bytes, needle: str) -> bool:
    parts = read_parts(served)
    return any(needle in fold_text(text) for text in message_text(parts, served, _MAX_TEXT))


_MAX_TEXT = 4 << 20


def _cost(key: SearchKey) -> int:
    """Order the keys of a conjunction: what memory knows first, what reads messages last."""
    match key:
        case InBody() | InText():
            return 3
        case InHeader(field, _) if field not in _COLUMNS:
            return 2
        case And(keys):
            return max(map(_cost, keys))
        case Or(left, right):
            return max(_cost(left), _cost(right))
        case Not(inner) | Fuzzy(inner):
            return _cost(inner)
        case HasFlag() | Seqs() | Uids() | All() | ModSeqSince():
            return 0
        case _:
            return 1
