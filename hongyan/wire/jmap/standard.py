"""The arguments of the standard methods (RFC 8620 §5): /get, /changes, /set, /copy, /query, /queryChanges.

Each reader takes what the standard knows; a type's own arguments are taken before it, for it ends with `finish`.
`accountId` is read by whoever dispatches.
"""

from __future__ import annotations

__all__ = [
    "ChangesArguments",
    "Comparator",
    "CopyArguments",
    "GetArguments",
    "QueryArguments",
    "QueryChangesArguments",
    "SetArguments",
    "ThenDestroy",
    "choose_properties",
    "read_changes",
    "read_copy",
    "read_get",
    "read_query",
    "read_query_changes",
    "read_set",
]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from hongyan.wire.jmap.arguments import Arguments
from hongyan.wire.jmap.faults import MethodError, invalid_arguments
from hongyan.wire.jmap.filters import Filter, parse_filter

_MAX_COMPARATORS = 20


@dataclass(frozen=True, slots=True)
class GetArguments:
    """RFC 8620 §5.1. `ids` None asks for all, `properties` None for all that the type has."""

    ids: Sequence[str] | None
    properties: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class ChangesArguments:
    """RFC 8620 §5.2."""

    since_state: str
    max_changes: int | None


@dataclass(frozen=True, slots=True)
class SetArguments:
    """RFC 8620 §5.3. A key of `update` and a member of `destroy` may be `#` and a creation id."""

    if_in_state: str | None
    create: Mapping[str, Mapping[str, object]]
    update: Mapping[str, Mapping[str, object]]
    destroy: Sequence[str]


@dataclass(frozen=True, slots=True)
class ThenDestroy:
    """That the originals are to be destroyed once they are copied, if they are in this state."""

    if_in_state: str | None


@dataclass(frozen=True, slots=True)
class CopyArguments:
    """RFC 8620 §5.4, but for fromAccountId."""

    if_from_in_state: str | None
    if_in_state: str | None
    create: Mapping[str, Mapping[str, object]]
    then_destroy: ThenDestroy | None


@dataclass(frozen=True, slots=True)
class Comparator:
    """What two records are compared by. `more` are properties of the type's own."""

    property: str
    is_ascending: bool
    collation: str | None
    more: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class QueryArguments:
    """RFC 8620 §5.5. With an `anchor`, `position` means nothing; without, `anchor_offset` does not."""

    filter: Filter | None
    sort: Sequence[Comparator]
    position: int
    anchor: str | None
    anchor_offset: int
    limit: int | None
    calculate_total: bool


@dataclass(frozen=True, slots=True)
class QueryChangesArguments:
    """RFC 8620 §5.6."""

    filter: Filter | None
    sort: Sequence[Comparator]
    since_query_state: str
    max_changes: int | None
    up_to_id: str | None
    calculate_total: bool


def read_get(arguments: Arguments, properties: Collection[str] | None, max_objects: int) -> GetArguments:
    """Read /get. `properties` are what the type has; None: the caller checks them."""
    ids = arguments.find_ids("ids", references=True)
    chosen = arguments.find_strings("properties")
    arguments.finish()
    if ids is not None and len(ids) > max_objects:
        raise _too_large("More ids than maxObjectsInGet.")
    if chosen is not None and properties is not None:
        choose_properties(chosen, properties)
    return GetArguments(ids, None if chosen is None else frozenset(chosen))


def choose_properties(chosen: Collection[str], properties: Collection[str]) -> None:
    """Raise for a property that the type does not have."""
    unknown = sorted(set(chosen) - set(properties))
    if unknown:
        raise invalid_arguments(f"Unknown property {unknown[0][:50]!r}.")


def read_changes(arguments: Arguments) -> ChangesArguments:
    """Read /changes."""
    read = ChangesArguments(arguments.string("sinceState"), _max_changes(arguments))
    arguments.finish()
    return read


def read_set(arguments: Arguments, max_objects: int) -> SetArguments:
    """Read /set."""
    read = SetArguments(
        arguments.find_string("ifInState"),
        arguments.find_records("create") or {},
        arguments.find_records("update", references=True) or {},
        arguments.find_ids("destroy", references=True) or (),
    )
    arguments.finish()
    if len(read.create) + len(read.update) + len(read.destroy) > max_objects:
        raise _too_large("More objects than maxObjectsInSet.")
    return read


def read_copy(arguments: Arguments, max_objects: int) -> CopyArguments:
    """Read /copy, when fromAccountId has been taken."""
    create = arguments.find_records("create")
    if create is None:
        raise invalid_arguments("create is an object of objects by Id.")
    is_destroying = arguments.boolean("onSuccessDestroyOriginal")
    state = arguments.find_string("destroyFromIfInState")
    read = CopyArguments(
        arguments.find_string("ifFromInState"),
        arguments.find_string("ifInState"),
        create,
        ThenDestroy(state) if is_destroying else None,
    )
    arguments.finish()
    if len(create) > max_objects:
        raise _too_large("More objects than maxObjectsInSet.")
    return read


def read_query(arguments: Arguments) -> QueryArguments:
    """Read /query."""
    read = QueryArguments(
        parse_filter(arguments.take("filter")),
        _read_sort(arguments),
        arguments.integer("position", 0),
        arguments.find_id("anchor"),
        arguments.integer("anchorOffset", 0),
        arguments.find_unsigned("limit"),
        arguments.boolean("calculateTotal"),
    )
    arguments.finish()
    return read


def read_query_changes(arguments: Arguments) -> QueryChangesArguments:
    """Read /queryChanges."""
    read = QueryChangesArguments(
        parse_filter(arguments.take("filter")),
        _read_sort(arguments),
        arguments.string("sinceQueryState"),
        _max_changes(arguments),
        arguments.find_id("upToId"),
        arguments.boolean("calculateTotal"),
    )
    arguments.finish()
    return read


def _max_changes(arguments: Arguments) -> int | None:
    number = arguments.find_unsigned("maxChanges")
    if number == 0:
        raise invalid_arguments("maxChanges is greater than 0.")
    return number


def _read_sort(arguments: Arguments) -> Sequence[Comparator]:
    given = arguments.find_objects("sort") or ()
    if len(given) > _MAX_COMPARATORS:
        raise MethodError("unsupportedSort", "There are too many comparators.")
    return [_read_comparator(one) for one in given]


def _read_comparator(given: Mapping[str, object]) -> Comparator:
    of = Arguments(given)
    name, is_ascending = of.string("property"), of.boolean("isAscending", default=True)
    collation = of.find_string("collation")
    more = {key: value for key, value in given.items() if key not in ("property", "isAscending", "collation")}
    return Comparator(name, is_ascending, collation, more)


def _too_large(description: str) -> MethodError:
    return MethodError("requestTooLarge", description)
