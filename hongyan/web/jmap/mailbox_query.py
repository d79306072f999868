"""Mailbox/query and /queryChanges (RFC 8621 §2.3, §2.4). An account's mailboxes are few: all are looked at."""

from __future__ import annotations

__all__ = ["query_mailbox_changes", "query_mailboxes"]

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hongyan.message.collation import casemap
from hongyan.store.changes import MailboxChanged
from hongyan.store.mailboxes import Mailbox
from hongyan.types import MailboxId
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.mailbox_view import MailboxTree, mailbox_id_of, role_of
from hongyan.web.jmap.services import JmapServices
from hongyan.web.jmap.states import ChangeWindow, read_changes_since, read_state, write_state
from hongyan.wire.jmap.faults import MethodError, invalid_arguments
from hongyan.wire.jmap.filters import Condition, Filter
from hongyan.wire.jmap.results import choose_window
from hongyan.wire.jmap.standard import Comparator, read_query, read_query_changes
from hongyan.wire.jmap.values import is_id

Matches = Callable[[Mailbox], bool]


async def query_mailboxes(services: JmapServices, call: Call) -> Mapping[str, object]:
    """Find mailboxes."""
    sorts_as_tree, filters_as_tree = call.arguments.boolean("sortAsTree"), call.arguments.boolean("filterAsTree")
    asked = read_query(call.arguments)
    modseq = await services.mail.mailboxes.highestmodseq(call.account)
    tree = MailboxTree(await services.mail.mailboxes.list_mailboxes(call.account))
    found = _sorted(tree, _filtered(tree, asked.filter, filters_as_tree), asked.sort, sorts_as_tree)
    ids = [mailbox_id_of(box.mailbox_id) for box in found]
    anchor = ids.index(asked.anchor) if asked.anchor in ids else None
    window = choose_window(asked, len(ids), anchor, services.options.max_query)
    answer: dict[str, object] = {
        "accountId": call.account_id,
        "queryState": write_state(modseq),
        "canCalculateChanges": True,
        "position": window.start,
        "ids": ids[window.start : window.stop],
    }
    if asked.calculate_total:
        answer["total"] = len(ids)
    if window.limit is not None:
        answer["limit"] = window.limit
    return answer


async def query_mailbox_changes(services: JmapServices, call: Call) -> Mapping[str, object]:
    """Tell what became of a query's results: what was touched since is taken out, and put in where it is now."""
    sorts_as_tree, filters_as_tree = call.arguments.boolean("sortAsTree"), call.arguments.boolean("filterAsTree")
    asked = read_query_changes(call.arguments)
    since, head = read_state(asked.since_query_state), await services.mail.mailboxes.highestmodseq(call.account)
    window = await read_changes_since(services.changes, call.account, since, head, services.options.max_changes)
    if window.more:
        raise MethodError("cannotCalculateChanges")
    tree = MailboxTree(await services.mail.mailboxes.list_mailboxes(call.account))
    found = _sorted(tree, _filtered(tree, asked.filter, filters_as_tree), asked.sort, sorts_as_tree)
    touched = _touched(tree, window)
    added = [(at, box) for at, box in enumerate(found) if box.mailbox_id in touched]
    if asked.max_changes is not None and len(touched) + len(added) > asked.max_changes:
        raise MethodError("tooManyChanges")
    answer: dict[str, object] = {
        "accountId": call.account_id,
        "oldQueryState": asked.since_query_state,
        "newQueryState": write_state(window.modseq),
        "removed": [mailbox_id_of(one) for one in touched],
        "added": [{"id": mailbox_id_of(box.mailbox_id), "index": at} for at, box in added],
    }
    if asked.calculate_total:
        answer["total"] = len(found)
    return answer


def _touched(tree: MailboxTree, window: ChangeWindow) -> dict[MailboxId, None]:
    """Return the mailboxes that may stand elsewhere now: those that were changed, and all below them."""
    touched = {logged.mailbox: None for logged in window.changes if isinstance(logged.change, MailboxChanged)}
    for box in tree.by_id.values():
        if any(above.mailbox_id in touched for above in _ancestors(tree, box)):
            touched[box.mailbox_id] = None
    return touched


# -- filters


def _filtered(tree: MailboxTree, chosen: Filter | None, as_tree: bool) -> list[Mailbox]:
    everything = list(tree.by_id.values())
    if chosen is None:
        return everything
    matches = _compile(tree, chosen)
    found = {box.mailbox_id: box for box in everything if matches(box)}
    if not as_tree:
        return list(found.values())
    return [box for box in found.values() if all(above.mailbox_id in found for above in _ancestors(tree, box))]


def _ancestors(tree: MailboxTree, mailbox: Mailbox) -> list[Mailbox]:
    """Return the mailboxes above, the nearest first."""
    above: list[Mailbox] = []
    parent = tree.parent_of(mailbox)
    while parent is not None:
        above.append(parent)
        parent = tree.parent_of(parent)
    return above


def _compile(tree: MailboxTree, chosen: Filter) -> Matches:
    if isinstance(chosen, Condition):
        tests = [_test(tree, name, value) for name, value in chosen.properties.items()]
        return lambda box: all(test(box) for test in tests)
    parts = [_compile(tree, one) for one in chosen.conditions]
    match chosen.operator:
        case "AND":
            return lambda box: all(part(box) for part in parts)
        case "OR":
            return lambda box: any(part(box) for part in parts)
    return lambda box: not any(part(box) for part in parts)


def _test(tree: MailboxTree, name: str, value: object) -> Matches:
    match name, value:
        case "parentId", None:
            return lambda box: tree.parent_of(box) is None
        case "parentId", str(parent_id) if is_id(parent_id):
            return lambda box: tree.parent_of(box) is not None and tree.parent_of(box) is tree.find(parent_id)
        case "name", str(text):
            return partial(_contains, tree, casemap(text))
        case "role", None | str():
            return lambda box: role_of(box) == value
        case "hasAnyRole", bool():
            return lambda box: (role_of(box) is not None) is value
        case "isSubscribed", bool():
            return lambda box: box.subscribed is value
        case (("parentId" | "name" | "role" | "hasAnyRole" | "isSubscribed"), _):
            raise invalid_arguments(f"{name} of the filter has another type.")
    raise MethodError("unsupportedFilter", f"Mailboxes are not filtered by {name[:50]!r}.")


def _contains(tree: MailboxTree, needle: str, mailbox: Mailbox) -> bool:
    return needle in casemap(tree.name_of(mailbox))


# -- order


def _sorted(tree: MailboxTree, found: list[Mailbox], sort: Sequence[Comparator], as_tree: bool) -> list[Mailbox]:
    keys = [_key(tree, one) for one in sort]
    ordered = sorted(tree.by_id.values() if as_tree else found, key=lambda box: box.mailbox_id)
    for key, comparator in reversed(list(zip(keys, sort, strict=True))):
        ordered.sort(key=key, reverse=not comparator.is_ascending)  # type: ignore[arg-type]  # one kind in each
    if not as_tree:
        return ordered
    ranks = {box.mailbox_id: rank for rank, box in enumerate(ordered)}
    return sorted(found, key=lambda box: [ranks[one.mailbox_id] for one in (*reversed(_ancestors(tree, box)), box)])


def _key(tree: MailboxTree, comparator: Comparator) -> Callable[[Mailbox], object]:
    if comparator.more:
        raise invalid_arguments("A comparator has property, isAscending and collation.")
    if comparator.collation not in (None, "i;ascii-casemap", "i;unicode-casemap"):
        raise MethodError("unsupportedSort", "There is no such collation.")
    match comparator.property:
        case "sortOrder":
            return lambda box: box.sort_order
        case "name":
            return lambda box: casemap(tree.name_of(box))
    raise MethodError("unsupportedSort", f"Mailboxes are not sorted by {comparator.property[:50]!r}.")
