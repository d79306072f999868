"""Filters of /query (RFC 8620 §5.5): conditions of a type, joined by AND, OR and NOT."""

from __future__ import annotations

__all__ = ["Condition", "Filter", "Operator", "parse_filter"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hongyan.wire.jmap.faults import MethodError, invalid_arguments

_MAX_NODES = 500
_MAX_LEVELS = 20


@dataclass(frozen=True, slots=True)
class Condition:
    """A FilterCondition; what its properties mean is the type's business. Without any, everything matches."""

    properties: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Operator:
    """`AND`: all match; `OR`: at least one does; `NOT`: none does."""

    operator: str
    conditions: Sequence[Filter]


Filter = Condition | Operator


def parse_filter(value: object) -> Filter | None:
    """Return the filter, or None for null. Raises `MethodError`."""
    return None if value is None else _parse(value, [_MAX_NODES], 1)


def _parse(value: object, left: list[int], level: int) -> Filter:
    left[0] -= 1
    if left[0] < 0 or level > _MAX_LEVELS:
        raise MethodError("unsupportedFilter", "The filter is too large.")
    if not isinstance(value, dict):
        raise invalid_arguments("A filter is an object.")
    if "operator" not in value:
        return Condition(value)
    operator, conditions = value["operator"], value.get("conditions")
    if operator not in ("AND", "OR", "NOT") or not isinstance(conditions, list) or len(value) != 2:
        raise invalid_arguments("An operator is AND, OR or NOT with its conditions.")
    return Operator(operator, [_parse(one, left, level + 1) for one in conditions])
