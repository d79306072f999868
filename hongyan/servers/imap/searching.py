"""Carry out a search: a tree of keys over the messages of a view becomes a set of UIDs.

Flags, numbers, UIDs and MODSEQs are answered from memory, dates and sizes from rows, texts from the index (`search`).
What the index cannot answer for is looked for in rows, where the common header fields are, or by reading messages, of
those only that the other keys have left; the answer is the same.

A search may ask for much and take long; it gives way to others while it does, and has its limits.
"""

from __future__ import annotations

__all__ = ["MAX_READING_KEYS", "MAX_ROW_KEYS", "SearchTimeout", "Searcher", "require_modest"]

import asyncio
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import islice

from pyroaring import BitMap

from hongyan.errors import OverLimit
from hongyan.message.anatomy import STORED_FIELDS
from hongyan.servers.imap.message_limit import take_newest
from hongyan.servers.imap.progress import Progress
from hongyan.servers.imap.relevancy import find_scores
from hongyan.servers.imap.search_index import Answers
from hongyan.servers.imap.search_rows import TEXT_COLUMNS, RowSearch
from hongyan.servers.imap.search_text import TextSearch
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
    UidsBeyond,
    When,
    Younger,
    iterate_keys,
    spread_fuzzy,
)

MAX_READING_KEYS = 50
"""Keys of one search for which messages are read."""

MAX_ROW_KEYS = 500
"""Keys of one search for which rows are read."""

_EPOCH = date(1970, 1, 1).toordinal()
_AT_ONCE = 16
"""Keys that are looked up in memory before other connections have their turn."""

_MEMORY, _ROWS, _FIELDS, _HEADERS, _BODIES = range(5)  # what a key costs


class SearchTimeout(OverLimit):
    """A search took longer than searches may."""


class Searcher:
    """One search in one view.

    Of a search of several mailboxes it is a part: it ends at the `deadline` of all, and what the index has said for
    one mailbox is among its `answers` for the next.
    """

    __slots__ = ("_all", "_deadline", "_known", "_looked_up", "_rows", "_selected", "_services", "_texts")

    def __init__(
        self,
        services: ImapServices,
        selected: Selected,
        *,
        deadline: float | None = None,
        answers: Answers | None = None,
        progress: Progress | None = None,
    ) -> None:
        """`progress` is told of messages that are read."""
        self._services = services
        self._selected = selected
        view = selected.view
        self._all = BitMap(view.uids[: view.exists]) - view.held
        self._rows = RowSearch(services.mail, selected.account, selected.state.mailbox_id)
        self._texts = TextSearch(
            services.mail,
            selected.account,
            selected.state.mailbox_id,
            services.index,
            services.email_maps,
            services.index_keeper,
            services.search_threads,
            answers or Answers(),
            progress or Progress(),
        )
        self._known: dict[SearchKey, BitMap] = {}
        self._looked_up = 0
        if deadline is None:
            deadline = services.clock.monotonic() + services.options.search_timeout
        self._deadline = deadline

    def limit(self, key: SearchKey, most: int) -> bytes:
        """Look through `most` messages and no more, the newest; return the code that tells of it if there are more.

        What is counted are messages that are looked through, whether or not they meet the key (RFC 9738 §3.1): those
        within the sets that all of them have to be in.
        """
        if not most or len(self._all) <= most:
            return b""
        for part in islice(_sets_around(key), _AT_ONCE):
            self._all = self._all & self._look_up(part)
        self._all, limited = take_newest(self._all, most)
        return limited

    async def run(self, key: SearchKey) -> BitMap:
        """Return the UIDs of the messages that meet the key. Raises `OverLimit`."""
        require_modest(key)
        return await self._run(spread_fuzzy(key), self._all)

    async def find_scores(self, key: SearchKey, found: BitMap) -> Mapping[int, int]:
        """Return how relevant each of the messages is that were found (RFC 6203 §4)."""
        return await find_scores(self._texts, spread_fuzzy(key), found)

    def run_now(self, key: SearchKey) -> BitMap | None:
        """Return the same if nothing but a little of memory is needed, else None."""
        for count, part in enumerate(iterate_keys(key)):
            if count >= _AT_ONCE or _own_cost(part) != _MEMORY:
                return None
        return self._evaluate(spread_fuzzy(key))

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
            case UidsBeyond():
                return self._beyond(key)
            case ModSeqSince(modseq):
                state = selected.state
                return BitMap([state.uids[at] for at in state.changed_since(ModSeq(max(modseq - 1, 0)))])
            case _:
                return BitMap()  # \Recent has nothing

    def _beyond(self, key: UidsBeyond) -> BitMap:
        """Return those before or after one UID, or after all that were saved."""
        saved = self._selected.view.saved
        if not (key.uid or saved):
            return BitMap()
        if key.after:
            low, high = (key.uid or saved.max()) + 1, 1 << 32
        else:
            low, high = 0, key.uid or saved.min()
        known = BitMap()
        known.add_range(low, high)
        return known

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
            case Fuzzy(InHeader() | InBody() | InText() as inner):
                await self._give_way()
                return among & await self._texts.find_loosely(inner, among)
        await self._give_way()
        return among & (self._remember(key) if _own_cost(key) == _MEMORY else await self._read(key, among))

    async def _give_way(self) -> None:
        self._looked_up += 1
        if self._looked_up % _AT_ONCE == 0:
            await asyncio.sleep(0)
        if self._services.clock.monotonic() > self._deadline:
            raise SearchTimeout("The search takes too long; ask for less.")

    async def _read(self, key: SearchKey, among: BitMap) -> BitMap:
        rows = self._rows
        match key:
            case InternalDate() | Older() | Younger() | Larger() | Smaller():
                return await self._read_dates(key, among)
            case SentDate(when, day):
                return await rows.days(Column.SENT_DATE, when, day, among)
            case SaveDate(when, day):
                return await rows.days(Column.SAVED_AT, when, day, among)
            case EmailIdIs(email_id):
                return await rows.email(email_id, among)
            case ThreadIdIs(thread_id):
                return await rows.thread(thread_id, among)
            case InHeader() | InBody() | InText():
                return await self._texts.find(key, among)
            case _:
                raise ValueError(key)

    async def _read_dates(self, key: InternalDate | Older | Younger | Larger | Smaller, among: BitMap) -> BitMap:
        """Look at dates of arrival and sizes: in memory if somebody has asked before."""
        selected, rows = self._selected, self._rows
        there = BitMap(selected.state.uids)
        order = await self._services.orderings.dates(selected.account, selected.state.mailbox_id, there)
        start: int | None
        stop: int | None
        match key:
            case InternalDate(when, day):
                return (
                    among & order.arrived_on(*_days(when, day))
                    if order
                    else await rows.days(Column.INTERNAL_DATE, when, day, among)
                )
            case Older(seconds):
                start, stop = None, self._now() - seconds + 1
            case Younger(seconds):
                start, stop = self._now() - seconds, None
            case Larger(octets):
                start, stop = octets + 1, None
            case Smaller(octets):
                start, stop = None, octets
        if isinstance(key, Larger | Smaller):
            return order.sized(start, stop) if order else await rows.between(Column.SIZE, start, stop)
        return order.arrived(start, stop) if order else await rows.between(Column.INTERNAL_DATE, start, stop)

    def _now(self) -> int:
        return int(self._services.clock.timestamp())


def require_modest(key: SearchKey) -> None:
    """Raise `OverLimit` for a search that asks for too much."""
    costs = [_own_cost(part) for part in iterate_keys(key)]
    if costs.count(_ROWS) > MAX_ROW_KEYS or len(costs) - costs.count(_MEMORY) - costs.count(_ROWS) > MAX_READING_KEYS:
        raise OverLimit("The search asks for too much at once.")


def _sets_around(key: SearchKey) -> Iterator[SearchKey]:
    """Yield sets of messages in which each message that meets the key has to be."""
    match key:
        case And(keys):
            for part in keys:
                yield from _sets_around(part)
        case Seqs() | Uids() | UidsBeyond():
            yield key


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
        case All() | SaveDateSupported() | HasFlag() | IsRecent() | Seqs() | Uids() | UidsBeyond() | ModSeqSince():
            return _MEMORY
        case _:
            return _ROWS


def _days(when: When, day: date) -> tuple[int | None, int | None]:
    """Return the days that are meant, as [start, stop), counted from 1970."""
    number = day.toordinal() - _EPOCH
    match when:
        case When.BEFORE:
            return None, number
        case When.ON:
            return number, number + 1
        case When.SINCE:
            return number, None
