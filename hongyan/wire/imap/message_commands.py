"""Commands about messages: fetch, store, search, copy, move, expunge (RFC 9051 §6.4), sort and thread (RFC 5256).

Mail programs ask with the same arguments again and again: what stands behind the set of messages in
FETCH and STORE is remembered by its octets.
"""

from __future__ import annotations

__all__ = [
    "read_copy",
    "read_expunge",
    "read_fetch",
    "read_move",
    "read_search",
    "read_sort",
    "read_store",
    "read_thread",
    "read_uid_expunge",
]

from functools import lru_cache
from typing import NamedTuple

from hongyan.wire.imap.commands import Copy, Expunge, Fetch, FlagChange, Move, Search, Sort, SortKey, SortOrder, Store
from hongyan.wire.imap.commands import Thread as ThreadCommand
from hongyan.wire.imap.cursor import MAX_NUMBER64, Cursor
from hongyan.wire.imap.fetch import FetchItem, read_fetch_items
from hongyan.wire.imap.search import Partial, SearchReturn
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
    return Search(tag, uid, read_search_program(cursor), returns)


def _read_optional_return(cursor: Cursor) -> SearchReturn | None:
    if cursor.octets[cursor.at : cursor.at + 7].upper() != b"RETURN ":
        return None
    cursor.at += 7
    returns = read_search_return(cursor)
    cursor.space()
    return returns


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
    return Sort(tag, uid, tuple(orders), read_search_program(cursor, charset=charset), returns)


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
