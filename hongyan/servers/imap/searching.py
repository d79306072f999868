"""Carry out a search: a tree of keys over the messages of a view becomes a set of UIDs.

Flags, numbers, UIDs and MODSEQs are answered from memory; dates, sizes and the common header fields from rows; other
fields and bodies by reading messages, of those only that the other keys have left.

A search may ask for much and take long; it gives way to others while it does, and has its limits.
"""

from __future__ import annotations

__all__ = ["MAX_READING_KEYS", "MAX_ROW_KEYS", "Searcher"]

import asyncio

from pyroaring import BitMap

from hongyan.errors import OverLimit
from hongyan.message.analyze import STORED_FIELDS
from hongyan.servers.imap.search_messages import MessageSearch
from hongyan.servers.imap.search_rows import TEXT_COLUMNS, RowSearch
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.services import ImapServices
from hongyan.store.messages import Column
from hongyan.types import ModSeq
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
    Younger,
    iterate_keys,
)

MAX_READING_KEYS = 50
"""Keys of one search for which messages are read."""

MAX_ROW_KEYS = 500
"""Keys of one search for which rows are read."""

_AT_ONCE = 16
"""Keys that are looked up in memory before other connections have their turn."""

_MEMORY, _ROWS, _FIELDS, _HEADERS, _BODIES = range(5)  # what a key costs


class Searcher:
    """One search in one view."""

    __slots__ = ("_all", "_deadline", "_known", "_looked_up", "_messages", "_rows", "_selected", "_services")

    def __init__(self, services: ImapServices, selected: Selected) -> None:
        self._services = services
        self._selected = selected
        view = selected.view
        self._all = BitMap(view.uids[: view.exists]) - view.held
        self._rows = RowSearch(services.mail, selected.account, selected.state.mailbox_id)
        self._messages = MessageSearch(self._rows, services.mail.blobs, services.search_threads)
        self._known: dict[SearchKey, BitMap] = {}
        self._looked_up = 0
        self._deadline = 0.0

    async def run(self, key: SearchKey) -> BitMap:
        """Return the UIDs of the messages that meet the key. Raises `OverLimit`."""
        costs = [_own_cost(part) for part in iterate_keys(key)]
        if (
            costs.count(_ROWS) > MAX_ROW_KEYS
            or len(costs) - costs.count(_MEMORY) - costs.count(_ROWS) > MAX_READING_KEYS
        ):
            raise OverLimit("The search asks for too much at once.")
        self._deadline = self._services.clock.monotonic() + self._services.options.search_timeout
        return await self._run(key, self._all)

    def run_now(self, key: SearchKey) -> BitMap | None:
        """Return the same if nothing but a little of memory is needed, else None."""
        for count, part in enumerate(iterate_keys(key)):
            if count >= _AT_ONCE or _own_cost(part) != _MEMORY:
                return None
        return self._evaluate(key)

    # -- from memory

    def _evaluate(self, key: SearchKey) -> BitMap:
        match key:
            case And(keys):
                found = self._all
                for part in keys:
                    found = found & self._evaluate(part)
                return found
            case Or(left, right):
                return self._evaluate(left) | self._evaluate(right)
            case Not(inner):
                return self._all - self._evaluate(inner)
            case Fuzzy(inner):
                return self._evaluate(inner)
            case _:
                return self._remember(key)

    def _remember(self, key: SearchKey) -> BitMap:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._look_up(key) & self._all
        return found

    def _look_up(self, key: SearchKey) -> BitMap:
        selected = self._selected
        match key:
            case All() | SaveDateSupported():
                return self._all
            case HasFlag(flag):
                return selected.state.with_flag(flag)
            case Seqs(messages):
                return selected.uids(selected.positions(messages, uid=False))
            case Uids(uids):
                return selected.uids(selected.positions(uids, uid=True))
            case ModSeqSince(modseq):
                state = selected.state
                return BitMap([state.uids[at] for at in state.changed_since(ModSeq(max(modseq - 1, 0)))])
            case _:
                return BitMap()  # \Recent has nothing, and no message has a THREADID

    # -- from everywhere

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
        await self._give_way()
        return among & (self._remember(key) if _own_cost(key) == _MEMORY else await self._read(key, among))

    async def _give_way(self) -> None:
        self._looked_up += 1
        if self._looked_up % _AT_ONCE == 0:
            await asyncio.sleep(0)
        if self._services.clock.monotonic() > self._deadline:
            raise OverLimit("The search takes too long; ask for less.")

    async def _read(self, key: SearchKey, among: BitMap) -> BitMap:
        rows = self._rows
        match key:
            case InternalDate(when, day):
                return await rows.days(Column.INTERNAL_DATE, when, day, among)
            case SentDate(when, day):
                return await rows.days(Column.SENT_DATE, when, day, among)
            case SaveDate(when, day):
                return await rows.days(Column.SAVED_AT, when, day, among)
            case Older(seconds):
                return await rows.between(Column.INTERNAL_DATE, None, self._now() - seconds + 1)
            case Younger(seconds):
                return await rows.between(Column.INTERNAL_DATE, self._now() - seconds, None)
            case Larger(octets):
                return await rows.between(Column.SIZE, octets + 1, None)
            case Smaller(octets):
                return await rows.between(Column.SIZE, None, octets)
            case EmailIdIs(email_id):
                return await rows.email(email_id, among)
            case InHeader(field, text) if text and field in TEXT_COLUMNS:
                return await rows.text(TEXT_COLUMNS[field], text, among)
            case InHeader(field, text):
                return await self._messages.field(field, text, among)
            case InBody(text):
                return await self._messages.body(text, among)
            case InText(text):
                return await self._messages.anywhere(text, among)
            case _:
                raise ValueError(key)

    def _now(self) -> int:
        return int(self._services.clock.timestamp())


def _cost(key: SearchKey) -> int:
    """Order the keys of a conjunction: what memory knows first, what reads messages last."""
    return max(map(_own_cost, iterate_keys(key)), default=_MEMORY)


def _own_cost(key: SearchKey) -> int:
    match key:
        case InBody() | InText():
            return _BODIES
        case InHeader(field, text):
            if text and field in TEXT_COLUMNS:
                return _ROWS
            return _FIELDS if field in STORED_FIELDS else _HEADERS
        case All() | SaveDateSupported() | HasFlag() | IsRecent() | Seqs() | Uids() | ModSeqSince() | ThreadIdIs():
            return _MEMORY
        case _:
            return _ROWS
