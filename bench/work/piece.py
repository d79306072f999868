"""A piece of work: how it is prepared, what is measured, what is put away; and whose mail it uses."""

from __future__ import annotations

__all__ = [
    "APPEND_USERS",
    "BIG_BOX",
    "BIG_USER",
    "DELIVERY_USERS",
    "FAULTS",
    "INDEX_USER",
    "MIXED_USERS",
    "MOVE_USER",
    "RETRIEVE_USER",
    "SMALL_BOX",
    "SMALL_COUNT",
    "SMALL_USER",
    "Work",
    "run_name",
    "together",
]

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from bench.clients import Unexpected
from bench.laps import Lap
from bench.programs import ProgramFault
from bench.server import Server

# Accounts by number, so that one kind of work never finds the mail of another.
DELIVERY_USERS = range(50)
APPEND_USERS = range(60, 80)
BIG_USER = 100
SMALL_USER = 101
MOVE_USER = 102
RETRIEVE_USER = 103
MIXED_USERS = range(110, 160)
INDEX_USER = 104

BIG_BOX = b"bench-big"
SMALL_BOX = b"bench-small"
SMALL_COUNT = 1000

# What a server can be at fault for. Answers that cannot be read are no reason to end a run.
FAULTS = (Unexpected, ProgramFault, OSError, TimeoutError, ValueError, LookupError)


async def _nothing(_server: Server) -> None:
    """Nothing to prepare or to put away."""


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the table."""

    name: str
    unit: str
    lap: Callable[[Server, Lap], Awaitable[None]]
    prepare: Callable[[Server], Awaitable[None]] = _nothing
    finish: Callable[[Server], Awaitable[None]] = _nothing
    needs_big: bool = False  # the big mailbox has to be there
    brings_mail: bool = False  # what comes after it waits until the mail is indexed
    rounds: int | None = None  # so many at most, whatever is asked for
    settle: float = 0.0  # see Lap


async def together(doing: Iterable[Awaitable[None]]) -> None:
    """Wait until all are done, and then raise what the first that failed raised."""
    for outcome in await asyncio.gather(*doing, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def run_name() -> bytes:
    """A word that makes this lap's Message-IDs differ from those of all others."""
    return b"r%x" % time.time_ns()
