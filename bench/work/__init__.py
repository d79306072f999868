"""What the servers are made to do, one module for each kind of work, in the order in which a run does it."""

from __future__ import annotations

__all__ = ["all_work"]

from bench.terms import Terms
from bench.work import (
    append,
    bodies,
    deliver,
    flags,
    idle,
    indexing,
    listing,
    login,
    mixed,
    move,
    order,
    retrieve,
    search,
    single,
)
from bench.work.piece import Work


def all_work(terms: Terms) -> list[Work]:
    modules = (
        deliver,
        login,
        append,
        listing,
        bodies,
        single,
        flags,
        move,
        search,
        order,
        retrieve,
        mixed,
        indexing,
        idle,
    )
    return [work for module in modules for work in module.work(terms)]
