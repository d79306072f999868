"""Which emails a filter finds, in which order: from the columns in memory, texts excepted (RFC 8621 §4.4)."""

from __future__ import annotations

__all__ = ["SORTED_BY", "EmailSearch", "Found", "parse_email_sort"]

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final

from pyroaring import BitMap

from hongyan.mailboxes.emails import EmailColumns
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Flag
from hongyan.store.index import email_of
from hongyan.types import AccountId
from hongyan.web.jmap.email_filter import (
    And,
    Attached,
    Between,
    Elsewhere,
    HasField,
    HasKeyword,
    HasText,
    InMailbox,
    Not,
    Or,
    Search,
    ThreadHas,
    flag_of,
)
from hongyan.web.jmap.email_services import EmailServices
from hongyan.web.jmap.email_texts import TextFinder
from hongyan.web.jmap.ids import mailbox_id
from hongyan.wire.jmap.faults import MethodError
from hongyan.wire.jmap.standard import Comparator

_BY_KEYWORD = ("hasKeyword", "allInThreadHaveKeyword", "someInThreadHaveKeyword")
_BY_KEY = ("sentAt", "from", "to", "subject")
SORTED_BY: Final = ("receivedAt", "size", *_BY_KEY, *_BY_KEYWORD)
"""What emails can be sorted by."""

_COLLATIONS = frozenset({None, "i;ascii-numeric", "i;ascii-casemap", "i;unicode-casemap"})


@dataclass(frozen=True, slots=True)
class EmailOrder:
    """One criterion. `flag` is the keyword of those that have one."""

    by: str
    is_ascending: bool
    flag: Flag = b""


def parse_email_sort(given: Sequence[Comparator]) -> Sequence[EmailOrder]:
    """Return the criteria. Raises `MethodError`."""
    orders: list[EmailOrder] = []
    for one in given:
        if one.property not in SORTED_BY or one.collation not in _COLLATIONS:
            raise MethodError("unsupportedSort", f"Emails cannot be sorted by {one.property[:50]!r} so.")
        flag = flag_of(one.more.get("keyword")) if one.property in _BY_KEYWORD else b""
        if set(one.more) - {"keyword"}:
            raise MethodError("unsupportedSort", "A comparator has a property that is not known.")
        orders.append(EmailOrder(one.property, one.is_ascending, flag))
    return orders


class EmailSearch:
    """One query of one account, over its mailboxes as they are."""

    def __init__(
        self,
        services: EmailServices,
        account: AccountId,
        states: Sequence[MailboxState],
        columns: EmailColumns,
    ) -> None:
        self._services = services
        self._account = account
        self._states = states
        self._columns = columns
        self._texts = TextFinder(services, account, services.jmap.clock)
        self._all: BitMap | None = None

    @property
    def everything(self) -> BitMap:
        """All emails that are shown."""
        if self._all is None:
            self._all = BitMap().union(*[self._columns.shown_in(state) for state in self._states])
        return self._all

    async def find(self, search: Search, among: BitMap | None = None) -> BitMap:
        """Return the emails that are looked for, of some or of all. Raises `MethodError`."""
        match search:
            case And(searches):
                found = among
                for one in sorted(searches, key=_cost):
                    found = await self.find(one, found)
                return self.everything if found is None else found
            case InMailbox(mailbox):
                return _within(self._in_mailboxes(lambda one: one == mailbox), among)
            case Elsewhere(mailboxes):
                return _within(self._in_mailboxes(lambda one: one not in mailboxes), among)
        among = self.everything if among is None else among
        match search:
            case Or(searches):
                some = BitMap()
                for one in sorted(searches, key=_cost):
                    some |= await self.find(one, among - some)
                return some
            case Not(searches):
                for one in sorted(searches, key=_cost):
                    among = among - await self.find(one, among)
                return among
            case HasText() | HasField():
                return await self._texts.find(search, among)
        return self._remembered(search, among)

    def _remembered(self, search: Search, among: BitMap) -> BitMap:
        columns = self._columns
        match search:
            case Between("arrived", low, high):
                return columns.between(columns.arrived, among, low, high)
            case Between("size", low, high):
                return columns.between(columns.sizes, among, low, high)
            case HasKeyword(flag):
                return among & self._having(flag)
            case ThreadHas(how_many, flag):
                return self._by_thread(how_many, flag, among)
            case Attached(is_so):
                return among & columns.attached if is_so else among - columns.attached
        raise MethodError("unsupportedFilter")

    def _in_mailboxes(self, is_meant: Callable[[str], bool]) -> BitMap:
        chosen = [self._columns.shown_in(one) for one in self._states if is_meant(mailbox_id(one.mailbox_id))]
        return chosen[0] if len(chosen) == 1 else BitMap().union(*chosen) if chosen else BitMap()

    def _having(self, flag: Flag) -> BitMap:
        return BitMap().union(*[self._columns.with_flag(state, flag) for state in self._states])

    def _by_thread(self, how_many: str, flag: Flag, among: BitMap) -> BitMap:
        threads = self._columns.threads
        having = Counter(map(threads.__getitem__, self._having(flag)))
        if how_many == "some":
            return BitMap([number for number in among if threads[number] in having])
        if how_many == "none":
            return BitMap([number for number in among if threads[number] not in having])
        whole = Counter(map(threads.__getitem__, self.everything))
        return BitMap([number for number in among if having[threads[number]] == whole[threads[number]]])

    async def sort(self, found: BitMap, orders: Sequence[EmailOrder]) -> list[int]:
        """Return the emails in order; what is equal by all criteria, and all without any, the newest first."""
        by_arrival = self._columns.by_arrival()
        newest_first = not orders or orders[0].by != "receivedAt" or not orders[0].is_ascending
        ordered = list(compress(by_arrival, map(found.__contains__, by_arrival)))
        if newest_first:
            ordered.reverse()
        if not orders or (len(orders) == 1 and orders[0].by == "receivedAt"):
            return ordered
        if any(order.by in _BY_KEY for order in orders):
            await self._columns_of_keys(found)
        for order in reversed(orders):
            ordered.sort(key=self._key(order, found), reverse=not order.is_ascending)
        return ordered

    async def _columns_of_keys(self, found: BitMap) -> None:
        missing = found - BitMap(self._columns.keys)
        emails = [email_of(self._account, number) for number in missing]
        for email, *keys in await self._services.placements.list_keys(self._account, emails):
            self._columns.keep_keys(email & 0xFFFFFFFF, keys)

    def _key(self, order: EmailOrder, found: BitMap) -> Callable[[int], int | str]:
        columns = self._columns
        match order.by:
            case "receivedAt":
                return columns.arrived.__getitem__
            case "size":
                return columns.sizes.__getitem__
            case "hasKeyword":
                return self._having(order.flag).__contains__
            case "allInThreadHaveKeyword":
                return self._by_thread("all", order.flag, found).__contains__
            case "someInThreadHaveKeyword":
                return self._by_thread("some", order.flag, found).__contains__
        at = _BY_KEY.index(order.by)
        keys: Mapping[int, tuple[int, str, str, str]] = columns.keys
        if order.by == "sentAt":
            return lambda number: keys[number][0] if number in keys else columns.arrived[number]
        return lambda number: keys[number][at] if number in keys else ""


class Found:
    """The result of a query. With `threads` only the first email of each thread is in it (RFC 8621 §4.4.3).

    Which those are is found as far as somebody asks: who wants the first page does not wait for the last.
    """

    __slots__ = ("_chosen", "_next", "_ordered", "_seen", "_threads", "_total")

    def __init__(self, ordered: Sequence[int], threads: Sequence[int] | None = None) -> None:
        self._ordered = array("I", ordered)
        self._threads = threads
        self._chosen = array("I") if threads is not None else self._ordered
        self._next = 0
        self._seen: set[int] = set()
        self._total: int | None = None if threads is not None else len(self._ordered)

    @property
    def weight(self) -> int:
        """How many numbers are kept."""
        return 2 * len(self._ordered)

    def __len__(self) -> int:
        if self._total is None and self._threads is not None:
            self._total = len(BitMap(array("I", map(self._threads.__getitem__, self._ordered))))
        return self._total or 0

    def upto(self, stop: int) -> Sequence[int]:
        """Return the first `stop` emails, and maybe more."""
        threads, seen, chosen = self._threads, self._seen, self._chosen
        if threads is None:
            return chosen
        at, ordered = self._next, self._ordered
        while len(chosen) < stop and at < len(ordered):
            number = ordered[at]
            at += 1
            if (thread := threads[number]) not in seen:
                seen.add(thread)
                chosen.append(number)
        self._next = at
        return chosen

    def all(self) -> Sequence[int]:
        """Return all emails."""
        return self.upto(len(self._ordered))


def _within(found: BitMap, among: BitMap | None) -> BitMap:
    return found if among is None else found & among


def _cost(search: Search) -> int:
    """What is answered fastest is asked first."""
    match search:
        case HasText("text" | "body") | HasField():
            return 3
        case HasText():
            return 2
        case And(searches) | Or(searches) | Not(searches):
            return max(map(_cost, searches), default=0)
        case InMailbox():
            return 0
    return 1
