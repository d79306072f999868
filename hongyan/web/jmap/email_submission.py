"""EmailSubmission/get, /changes, /query and /queryChanges (RFC 8621 §7.1-§7.4)."""

from __future__ import annotations

__all__ = ["SUBMISSION", "submission_capability"]

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from hongyan.types import AccountId
from hongyan.web.jmap.call import Call, Capability, method
from hongyan.web.jmap.identity import identity_methods
from hongyan.web.jmap.submission_record import (
    KIND,
    PROPERTIES,
    Submission,
    SubmissionServices,
    list_submissions,
    read_submission_state,
    tell_delivery,
)
from hongyan.web.jmap.submission_set import set_submissions
from hongyan.wire.jmap.faults import MethodError, invalid_arguments
from hongyan.wire.jmap.filters import Condition, Filter
from hongyan.wire.jmap.results import choose_window
from hongyan.wire.jmap.standard import read_changes, read_get, read_query, read_query_changes
from hongyan.wire.jmap.values import is_id, parse_utc_date

SUBMISSION: Final = "urn:ietf:params:jmap:submission"

_PAGE: Final = 500
_MOST_STEPS: Final = 5000
_SORTED_BY: Final[Mapping[str, Callable[[Submission], str | int]]] = {
    "emailId": lambda one: one.email,
    "threadId": lambda one: one.thread,
    "sentAt": lambda one: one.send_at,  # as RFC 8621 §7.3 writes it; the property is sendAt
    "sendAt": lambda one: one.send_at,
}
_IDS: Final[Mapping[str, Callable[[Submission], str]]] = {
    "identityIds": lambda one: one.identity,
    "emailIds": lambda one: one.email,
    "threadIds": lambda one: one.thread,
}
_STATUSES: Final = ("pending", "final", "canceled")

Test = Callable[[Submission], bool]


def submission_capability(services: SubmissionServices) -> Capability:
    """Return the capability (RFC 8621 §1.3.2)."""
    methods = {
        **identity_methods(services.identities),
        "EmailSubmission/get": method(partial(_get, services)),
        "EmailSubmission/changes": method(partial(_changes, services)),
        "EmailSubmission/query": method(partial(_query, services)),
        "EmailSubmission/queryChanges": method(_query_changes),
        "EmailSubmission/set": method(partial(set_submissions, services)),
    }
    account = {
        "maxDelayedSend": round(services.transactions.future_release.total_seconds()),
        "submissionExtensions": {
            "SIZE": [str(services.max_message)],
            "DSN": [],
            "SMTPUTF8": [],
            "REQUIRETLS": [],
            "FUTURERELEASE": [],
        },
    }
    return Capability(SUBMISSION, methods, {}, account)


async def _get(services: SubmissionServices, call: Call) -> Mapping[str, object]:
    asked = read_get(call.arguments, PROPERTIES, services.identities.max_objects_in_get)
    found, state = await list_submissions(services, call.account)
    ids = list(found) if asked.ids is None else [call.created.resolve(one) or one for one in asked.ids]
    if len(ids) > services.identities.max_objects_in_get:
        raise MethodError("requestTooLarge", "More ids than maxObjectsInGet.")
    wanted = {"id", *(asked.properties or PROPERTIES)}
    now, told = services.clock.now(), list[Mapping[str, object]]()
    for one in (found[one] for one in ids if one in found):
        described = one.describe(now)
        if "deliveryStatus" in wanted:
            described["deliveryStatus"] = await tell_delivery(services, call.account, one)
        told.append({name: value for name, value in described.items() if name in wanted})
    missing = [one for one in ids if one not in found]
    return {"accountId": call.account_id, "state": str(state), "list": told, "notFound": missing}


async def _changes(services: SubmissionServices, call: Call) -> Mapping[str, object]:
    """What was made, changed or destroyed; what was released; and what a step of the timeline speaks of."""
    asked = read_changes(call.arguments)
    since = read_submission_state(asked.since_state)
    found, state = await list_submissions(services, call.account)
    changes = await services.records.record_changes(call.account, KIND, since.records)
    if changes is None or since.step > state.step:
        raise MethodError("cannotCalculateChanges")
    mids = await _mids_since(services, call.account, since.step)
    now = services.clock.timestamp()
    moved = [
        one.submission_id
        for one in found.values()
        if one.mid in mids or (not one.canceled and since.released < one.send_at <= now)
    ]
    updated = list(dict.fromkeys([*changes.updated, *(one for one in moved if one not in set(changes.created))]))
    if asked.max_changes is not None and asked.max_changes < (
        len(changes.created) + len(updated) + len(changes.destroyed)
    ):
        raise MethodError("cannotCalculateChanges")
    return {
        "accountId": call.account_id,
        "oldState": asked.since_state,
        "newState": str(state),
        "hasMoreChanges": False,
        "created": list(changes.created),
        "updated": updated,
        "destroyed": list(changes.destroyed),
    }


async def _mids_since(services: SubmissionServices, account: AccountId, step: int) -> frozenset[str]:
    """Return of which messages the timeline has told something since. Raises `MethodError` where that is too much."""
    mids: set[str] = set()
    before: int | None = None
    for _ in range(_MOST_STEPS // _PAGE):
        page = await services.timelines.list_timeline(account, before=before, limit=_PAGE)
        mids.update(one.new.mid for one in page if one.entry_id > step)
        if len(page) < _PAGE or page[-1].entry_id <= step:
            return frozenset(mids)
        before = page[-1].entry_id
    raise MethodError("cannotCalculateChanges")


async def _query(services: SubmissionServices, call: Call) -> Mapping[str, object]:
    asked = read_query(call.arguments)
    found, state = await list_submissions(services, call.account)
    matches = _test_of(asked.filter, services)
    results = [one for one in found.values() if matches(one)]
    for comparator in reversed(asked.sort):
        key = _SORTED_BY.get(comparator.property)
        if key is None or comparator.more:
            raise MethodError("unsupportedSort")
        results.sort(key=key, reverse=not comparator.is_ascending)
    ids = [one.submission_id for one in results]
    anchor = ids.index(asked.anchor) if asked.anchor in ids else None
    window = choose_window(asked, len(ids), anchor, services.identities.max_objects_in_get)
    return {
        "accountId": call.account_id,
        "queryState": str(state),
        "canCalculateChanges": False,
        "position": window.start,
        "ids": ids[window.start : window.stop],
        **({"total": len(ids)} if asked.calculate_total else {}),
        **({"limit": window.limit} if window.limit is not None else {}),
    }


async def _query_changes(call: Call) -> Mapping[str, object]:
    """Results depend on the time; who wants them asks anew (RFC 8620 §5.6)."""
    read_query_changes(call.arguments)
    raise MethodError("cannotCalculateChanges")


def _test_of(wanted: Filter | None, services: SubmissionServices) -> Test:
    if wanted is None:
        return lambda _one: True
    if isinstance(wanted, Condition):
        return _condition(wanted, services)
    tests = [_test_of(one, services) for one in wanted.conditions]
    match wanted.operator:
        case "AND":
            return lambda one: all(test(one) for test in tests)
        case "OR":
            return lambda one: any(test(one) for test in tests)
    return lambda one: not any(test(one) for test in tests)


def _condition(wanted: Condition, services: SubmissionServices) -> Test:
    tests: list[Test] = []
    for name, value in wanted.properties.items():
        match name:
            case "identityIds" | "emailIds" | "threadIds" if isinstance(value, list) and all(map(is_id, value)):
                tests.append(lambda one, of=_IDS[name], ids=frozenset(value): of(one) in ids)  # type: ignore[misc]
            case "undoStatus" if value in _STATUSES:
                now = services.clock.now()
                tests.append(lambda one, now=now, value=value: one.undo_status(now) == value)  # type: ignore[misc]
            case "before" | "after" if (moment := parse_utc_date(value)) is not None:
                limit = moment.timestamp()
                before = name == "before"
                tests.append(lambda one, at=limit, before=before: (one.send_at < at) == before)  # type: ignore[misc]
            case "identityIds" | "emailIds" | "threadIds" | "undoStatus" | "before" | "after":
                raise invalid_arguments(f"{name} has no value of its type.")
            case _:
                raise MethodError("unsupportedFilter", f"Unknown condition {name[:50]!r}.")
    return lambda one: all(test(one) for test in tests)
