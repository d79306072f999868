"""Commands about messages: fetch, store, search, copy, move, expunge (RFC 9051 §6.4), sort and thread (RFC 5256).

Mail programs ask with the same arguments again and again: what stands behind the set of messages in
FETCH and STORE is remembered by its octets.
"""

from __future__ import annotations

__all__ = [
    "read_copy",
    "read_esearch",
    "read_expunge",
    "read_fetch",
    "read_move",
    "read_search",
    "read_sort",
    "read_store",
    "read_thread",
    "read_uid_batches",
    "read_uid_expunge",
]

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from hongyan.wire.imap.commands import (
    Copy,
    Esearch,
    Expunge,
    Fetch,
    FlagChange,
    Move,
    Search,
    Sort,
    SortKey,
    SortOrder,
    Source,
    Store,
    UidBatches,
)
from hongyan.wire.imap.commands import Thread as ThreadCommand
from hongyan.wire.imap.commands.messages import SELECTED
from hongyan.wire.imap.commands.notify import MailboxFilter
from hongyan.wire.imap.cursor import MAX_NUMBER, MAX_NUMBER64, Cursor
from hongyan.wire.imap.fetch import FetchItem, read_fetch_items
from hongyan.wire.imap.mailbox_filter import MAX_NAMES, read_filter, read_names
from hongyan.wire.imap.search import Partial, SearchKey, SearchOption, SearchReturn, is_fuzzy
from hongyan.wire.imap.search_program import read_partial, read_search_program, read_search_return

MAX_REMEMBERED = 200
"""How many octets of arguments are worth remembering."""


class _FetchArguments(NamedTuple):
    items: tuple[FetchItem, ...]
    changedsince: int | None
    vanished: bool
    partial: Partial | None


class _StoreArguments(NamedTuple):
    change: FlagChange
    flags: tuple[bytes, ...]
    silent: bool
    unchangedsince: int | None


def read_fetch(cursor: Cursor, tag: bytes, *, uid: bool = False) -> Fetch:
    # fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
    #         [SP fetch-modifiers]
    cursor.space()
    messages = cursor.read_sequence_set()
    cursor.space()
    rest = cursor.octets[cursor.at :]
    read = _remembered_fetch if len(rest) <= MAX_REMEMBERED else _read_fetch_arguments
    items, changedsince, vanished, partial = read(rest)
    if not uid and (vanished or partial):
        cursor.fail("VANISHED and PARTIAL go with UID FETCH only")  # RFC 7162 §3.2.6, RFC 9394 §3.3
    if vanished and changedsince is None:
        cursor.fail("VANISHED needs CHANGEDSINCE")  # RFC 7162 §3.2.6
    return Fetch(tag, uid, messages, items, changedsince, vanished, partial)


def _read_fetch_arguments(octets: bytes) -> _FetchArguments:
    # fetch-modifiers = "(" fetch-modifier *(SP fetch-modifier) ")"
    # fetch-modifier  =/ "CHANGEDSINCE" SP mod-sequence-value / "VANISHED" / "PARTIAL" SP partial-range
    cursor = Cursor(octets)
    items = read_fetch_items(cursor)
    changedsince, vanished, partial = None, False, None
    if cursor.take(b" "):
        cursor.require(b"(", "Modifiers of FETCH stand in parentheses")
        while True:
            word = cursor.read_word()
            if word == b"CHANGEDSINCE" and changedsince is None:
                cursor.space()
                # RFC 7162 §7 has no 0 here; clients that know nothing yet send it, and mean all.
                changedsince = cursor.read_number(MAX_NUMBER64)
            elif word == b"VANISHED" and not vanished:
                vanished = True
            elif word == b"PARTIAL" and partial is None:
                cursor.space()
                partial = read_partial(cursor)
            else:
                cursor.fail("FETCH knows the modifiers CHANGEDSINCE, VANISHED and PARTIAL, each once")
            if not cursor.take(b" "):
                break
        cursor.require(b")", "Modifiers of FETCH stand in parentheses")
    cursor.end()
    return _FetchArguments(items, changedsince, vanished, partial)


def read_store(cursor: Cursor, tag: bytes, *, uid: bool = False) -> Store:
    # store = "STORE" SP sequence-set [SP store-modifiers] SP store-att-flags
    cursor.space()
    messages = cursor.read_sequence_set()
    cursor.space()
    rest = cursor.octets[cursor.at :]
    read = _remembered_store if len(rest) <= MAX_REMEMBERED else _read_store_arguments
    change, flags, silent, unchangedsince = read(rest)
    return Store(tag, uid, messages, change, flags, silent, unchangedsince)


def _read_store_arguments(octets: bytes) -> _StoreArguments:
    # store-modifiers = "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"
    # store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
    cursor = Cursor(octets)
    unchangedsince = None
    if cursor.take(b"("):
        if cursor.read_word() != b"UNCHANGEDSINCE":
            cursor.fail("STORE knows the modifier UNCHANGEDSINCE, once")
        cursor.space()
        unchangedsince = cursor.read_number(MAX_NUMBER64)
        cursor.require(b") ", "Modifiers of STORE stand in parentheses, and what to store behind them")
    word = cursor.read_word()
    name = word.removesuffix(b".SILENT")
    if name not in _CHANGES:
        cursor.fail("STORE changes FLAGS, +FLAGS or -FLAGS")
    cursor.space()
    flags = cursor.read_flags() if cursor.peek() == b"(" else cursor.read_bare_flags()
    cursor.end()
    return _StoreArguments(_CHANGES[name], flags, word != name, unchangedsince)


_CHANGES = {change.value.encode(): change for change in FlagChange}
_remembered_fetch = lru_cache(500)(_read_fetch_arguments)
_remembered_store = lru_cache(500)(_read_store_arguments)


def read_copy(cursor: Cursor, tag: bytes, *, uid: bool = False) -> Copy:
    # copy = "COPY" SP sequence-set SP mailbox
    cursor.space()
    messages = cursor.read_sequence_set()
    cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.end()
    return Copy(tag, uid, messages, mailbox)


def read_move(cursor: Cursor, tag: bytes, *, uid: bool = False) -> Move:
    # move = "MOVE" SP sequence-set SP mailbox
    cursor.space()
    messages = cursor.read_sequence_set()
    cursor.space()
    mailbox = cursor.read_mailbox()
    cursor.end()
    return Move(tag, uid, messages, mailbox)


def read_expunge(cursor: Cursor, tag: bytes) -> Expunge:
    cursor.end()
    return Expunge(tag)


def read_uid_expunge(cursor: Cursor, tag: bytes) -> Expunge:
    # uid-expunge = "EXPUNGE" SP sequence-set
    cursor.space()
    uids = cursor.read_sequence_set()
    cursor.end()
    return Expunge(tag, uids)


def read_search(cursor: Cursor, tag: bytes, *, uid: bool = False) -> Search:
    # search = "SEARCH" [search-return-opts] SP search-program
    cursor.space()
    returns = _read_optional_return(cursor)
    key = read_search_program(cursor)
    _require_fuzzy(cursor, key, returns)
    return Search(tag, uid, key, returns)


def _require_fuzzy(
    cursor: Cursor, key: SearchKey, returns: SearchReturn | None, orders: Iterable[SortOrder] = ()
) -> None:
    """Refuse to tell how relevant messages are that nothing was looked for in loosely (RFC 6203 §4, §6)."""
    asks = (returns is not None and SearchOption.RELEVANCY in returns.options) or any(
        order.key is SortKey.RELEVANCY for order in orders
    )
    if asks and not is_fuzzy(key):
        cursor.fail("RELEVANCY goes with FUZZY")


def _read_optional_return(cursor: Cursor) -> SearchReturn | None:
    if cursor.octets[cursor.at : cursor.at + 7].upper() != b"RETURN ":
        return None
    cursor.at += 7
    returns = read_search_return(cursor)
    cursor.space()
    return returns


def read_esearch(cursor: Cursor, tag: bytes) -> Esearch:
    # esearch = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program
    cursor.space()
    sources: tuple[Source, ...] = (SELECTED,)
    if cursor.octets[cursor.at : cursor.at + 4].upper() == b"IN (":
        cursor.at += 4
        sources = _read_sources(cursor)
        cursor.space()
    returns = _read_optional_return(cursor) or SearchReturn(frozenset({SearchOption.ALL}))
    if SearchOption.SAVE in returns.options and sources != (SELECTED,):
        cursor.fail("SAVE goes with the selected mailbox alone")  # RFC 7377 §2.2
    key = read_search_program(cursor)
    _require_fuzzy(cursor, key, returns)
    return Esearch(tag, key, returns, sources)


def _read_sources(cursor: Cursor) -> tuple[Source, ...]:
    # esearch-source-opts = "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")", where no scope option is defined
    # source-mbox         = filter-mailboxes *(SP filter-mailboxes)
    sources = {_read_source(cursor): None}
    while cursor.take(b" "):
        sources[_read_source(cursor)] = None
        if sum(max(len(source.names), 1) for source in sources) > MAX_NAMES:
            cursor.fail(f"A command names at most {MAX_NAMES} mailboxes")
    cursor.require(b")", "Mailboxes to search in stand in parentheses")
    return tuple(sources)


def _read_source(cursor: Cursor) -> Source:
    chosen = read_filter(cursor)
    if chosen is MailboxFilter.SELECTED_DELAYED:
        cursor.fail("ESEARCH knows no SELECTED-DELAYED")  # RFC 7377 §2.2
    if not chosen.has_names:
        return Source(chosen)
    cursor.space()
    return Source(chosen, read_names(cursor))


def read_sort(cursor: Cursor, tag: bytes, *, uid: bool = False) -> Sort:
    # sort          = ["UID" SP] "SORT" [search-return-opts] SP sort-criteria SP search-criteria
    # sort-criteria = "(" sort-criterion *(SP sort-criterion) ")"
    cursor.space()
    returns = _read_optional_return(cursor)
    cursor.require(b"(", "Criteria of SORT stand in parentheses")
    orders = {_read_sort_order(cursor): None}
    while cursor.take(b" "):
        orders[_read_sort_order(cursor)] = None
    cursor.require(b") ", "Criteria of SORT stand in parentheses, and a charset behind them")
    charset = cursor.read_astring()
    cursor.space()
    key = read_search_program(cursor, charset=charset)
    _require_fuzzy(cursor, key, returns, orders)
    return Sort(tag, uid, tuple(orders), key, returns)


def _read_sort_order(cursor: Cursor) -> SortOrder:
    # sort-criterion = ["REVERSE" SP] sort-key
    word = cursor.read_word()
    reverse = word == b"REVERSE"
    if reverse:
        cursor.space()
        word = cursor.read_word()
    if word not in _SORT_KEYS:
        cursor.fail(f"SORT knows no criterion {word[:40].decode('ascii')}")
    return SortOrder(_SORT_KEYS[word], reverse)


_SORT_KEYS = {key.value.encode(): key for key in SortKey}


def read_thread(cursor: Cursor, tag: bytes, *, uid: bool = False) -> ThreadCommand:
    # thread          = ["UID" SP] "THREAD" SP thread-alg SP search-criteria
    # search-criteria = charset 1*(SP search-key)
    cursor.space()
    algorithm = cursor.read_word().decode("ascii")
    cursor.space()
    charset = cursor.read_astring()
    cursor.space()
    return ThreadCommand(tag, uid, algorithm, read_search_program(cursor, charset=charset))


def read_uid_batches(cursor: Cursor, tag: bytes) -> UidBatches:
    # uidbatches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number]
    cursor.space()
    size = cursor.read_number(MAX_NUMBER, 1)
    batches = None
    if cursor.take(b" "):
        first = cursor.read_number(MAX_NUMBER, 1)
        cursor.require(b":", "Batches are named as 1:5")
        batches = (first, cursor.read_number(MAX_NUMBER, 1))
    cursor.end()
    return UidBatches(tag, size, batches)
