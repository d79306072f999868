"""The part of a query's results that a client asked for, and what became of results since (RFC 8620 §5.5, §5.6)."""

from __future__ import annotations

__all__ = ["Window", "choose_window", "query_delta"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from hongyan.wire.jmap.faults import MethodError
from hongyan.wire.jmap.standard import QueryArguments

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Window:
    """Results [start, stop) of the whole. `limit` is set when it is the server's and not the client's."""

    start: int
    stop: int
    limit: int | None


def choose_window(asked: QueryArguments, total: int, anchor: int | None, max_limit: int) -> Window:
    """Return which results are asked for; `anchor` is the index of the anchor among them. Raises `MethodError`."""
    if asked.anchor is not None:
        if anchor is None:
            raise MethodError("anchorNotFound")
        start = max(0, anchor + asked.anchor_offset)
    else:
        start = asked.position if asked.position >= 0 else max(0, total + asked.position)
    is_ours = asked.limit is None or asked.limit > max_limit
    limit = max_limit if asked.limit is None else min(asked.limit, max_limit)
    start = min(start, total)
    return Window(start, min(total, start + limit), max_limit if is_ours and total - start > max_limit else None)


def query_delta(old: Sequence[T], new: Sequence[T], touched: frozenset[T]) -> tuple[list[T], list[tuple[int, T]]]:
    """Return what to remove from `old`, and what to add where, ascending, to have `new` (RFC 8620 §5.6).

    What was `touched` may have moved: it is removed and added, where it is.
    """
    were, are = set(old), set(new)
    removed = [one for one in old if one not in are or one in touched]
    added = [(at, one) for at, one in enumerate(new) if one not in were or one in touched]
    return removed, added
