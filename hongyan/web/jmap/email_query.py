"""Email/query and Email/queryChanges (RFC 8621 §4.4, §4.5).

A result is made as a whole once, and kept with the state that it was made at: its pages, and what became of it since,
come from there. A result that is kept no more cannot be compared, and the client is told so.
"""

from __future__ import annotations

__all__ = ["QueryResults", "email_query", "email_query_changes"]

import json
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hongyan.store.index import email_of, number_of
from hongyan.types import AccountId, ModSeq
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.email_filter import parse_email_filter
from hongyan.web.jmap.email_search import EmailSearch, Found, parse_email_sort
from hongyan.web.jmap.email_services import EmailServices, open_all
from hongyan.web.jmap.ids import email_id, read_email_id
from hongyan.web.jmap.states import read_state, write_state
from hongyan.wire.jmap.arguments import Arguments
from hongyan.wire.jmap.faults import MethodError
from hongyan.wire.jmap.filters import Filter
from hongyan.wire.jmap.results import choose_window, query_delta
from hongyan.wire.jmap.standard import Comparator, read_query, read_query_changes

_KEPT_NUMBERS = 4_000_000
_KEPT_RESULTS = 500


@dataclass(frozen=True, slots=True)
class _Key:
    account: AccountId
    question: str
    modseq: ModSeq


class QueryResults:
    """The results that were made last, by what was asked and when."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, Found] = OrderedDict()
        self._numbers = 0

    def find(self, key: _Key) -> Found | None:
        """Return a result, if it is kept."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: _Key, found: Found) -> Found:
        """Keep a result."""
        before = self._kept.pop(key, None)
        self._numbers += found.weight - (0 if before is None else before.weight)
        self._kept[key] = found
        while (self._numbers > _KEPT_NUMBERS or len(self._kept) > _KEPT_RESULTS) and len(self._kept) > 1:
            self._numbers -= self._kept.popitem(last=False)[1].weight
        return found


async def email_query(services: EmailServices, results: QueryResults, call: Call) -> Mapping[str, object]:
    """RFC 8621 §4.4."""
    question = _question(call.arguments)
    is_collapsed = call.arguments.boolean("collapseThreads")
    asked = read_query(call.arguments)
    modseq, found = await _result(services, results, call.account, question, asked.filter, asked.sort, is_collapsed)
    anchor = None
    if asked.anchor is not None:
        email = read_email_id(asked.anchor, call.account)
        anchor = _index(found.all(), -1 if email is None else number_of(email))
    window = choose_window(asked, len(found), anchor, services.jmap.options.max_query)
    response: dict[str, object] = {
        "accountId": call.account_id,
        "queryState": write_state(modseq),
        "canCalculateChanges": True,
        "position": window.start,
        "ids": [
            email_id(email_of(call.account, number)) for number in found.upto(window.stop)[window.start : window.stop]
        ],
    }
    if window.limit is not None:
        response["limit"] = window.limit
    if asked.calculate_total:
        response["total"] = len(found)
    return response


async def email_query_changes(services: EmailServices, results: QueryResults, call: Call) -> Mapping[str, object]:
    """RFC 8621 §4.5."""
    question = _question(call.arguments)
    is_collapsed = call.arguments.boolean("collapseThreads")
    asked = read_query_changes(call.arguments)
    since = read_state(asked.since_query_state)
    modseq, found = await _result(services, results, call.account, question, asked.filter, asked.sort, is_collapsed)
    before = results.find(_Key(call.account, f"{question}{is_collapsed}", since))
    if before is None:
        raise MethodError("cannotCalculateChanges")
    removed, added = query_delta(before.all(), found.all(), _moved(before.all(), found.all()))
    if asked.max_changes is not None and len(removed) + len(added) > asked.max_changes:
        raise MethodError("tooManyChanges")
    response: dict[str, object] = {
        "accountId": call.account_id,
        "oldQueryState": asked.since_query_state,
        "newQueryState": write_state(modseq),
        "removed": [email_id(email_of(call.account, number)) for number in removed],
        "added": [{"id": email_id(email_of(call.account, number)), "index": at} for at, number in added],
    }
    if asked.calculate_total:
        response["total"] = len(found)
    return response


def _question(arguments: Arguments) -> str:
    """Return what is asked, as text: the same question is answered from what is kept."""
    given = arguments.rest()
    return json.dumps([given.get("filter"), given.get("sort")], sort_keys=True)


async def _result(
    services: EmailServices,
    results: QueryResults,
    account: AccountId,
    question: str,
    given: Filter | None,
    sort: Sequence[Comparator],
    is_collapsed: bool,
) -> tuple[ModSeq, Found]:
    """Return the whole result and the state that it is of, or of a later one."""
    search, orders = parse_email_filter(given), parse_email_sort(sort)
    modseq = await services.mail.mailboxes.highestmodseq(account)
    key = _Key(account, f"{question}{is_collapsed}", modseq)
    kept = results.find(key)
    if kept is not None:
        return modseq, kept
    states = await open_all(services, account)
    columns = await services.emails.open(account, states)
    looking = EmailSearch(services, account, states, columns)
    ordered = await looking.sort(await looking.find(search), orders)
    return modseq, results.keep(key, Found(ordered, columns.threads if is_collapsed else None))


def _index(found: Sequence[int], number: int) -> int | None:
    try:
        return found.index(number)
    except (ValueError, OverflowError):
        return None


def _moved(before: Sequence[int], now: Sequence[int]) -> frozenset[int]:
    """Return those of both that are not in the same order any more: as few as can be."""
    place = {number: at for at, number in enumerate(now)}
    common = [number for number in before if number in place]
    places = [place[number] for number in common]
    if all(one < other for one, other in pairwise(places)):
        return frozenset()
    return frozenset(common) - {now[at] for at in _longest_ascent(places)}


def _longest_ascent(values: Sequence[int]) -> list[int]:
    """Return a longest ascending subsequence of different numbers (by patience sorting)."""
    tops: list[int] = []
    owners: list[int] = []
    previous: list[int] = [-1] * len(values)
    for index, value in enumerate(values):
        at = bisect_left(tops, value)
        if at:
            previous[index] = owners[at - 1]
        if at == len(tops):
            tops.append(value)
            owners.append(index)
        else:
            tops[at], owners[at] = value, index
    chain: list[int] = []
    at = owners[-1] if owners else -1
    while at >= 0:
        chain.append(values[at])
        at = previous[at]
    return chain
