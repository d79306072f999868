"""Units of work: what is to be done in one transaction, written once for every SQL engine.

A unit is a generator. It yields statements, is sent the rows of each, and returns its result;
an exception that leaves it undoes all it did. It knows nothing of threads, loops or drivers:
SQLite's writer thread and asyncpg drive the same generators.

    def count_messages(account: AccountId) -> Unit[int]:
        rows = yield Statement("SELECT messages FROM mailboxes WHERE account_id = $1", (account,))
        return sum(int(row[0]) for row in rows)

The SQL is what both dialects know: `$n` parameters that first appear in ascending order,
ON CONFLICT, RETURNING, window functions. A unit never spans two accounts.
"""

from __future__ import annotations

__all__ = ["MakeUnit", "Many", "Row", "Rows", "SqlDatabase", "Statement", "Unit", "Value", "in_ranges"]

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hongyan.types import BlobRef

T = TypeVar("T")

Value = int | str | bytes | float | None
Row = tuple[Any, ...]
Rows = list[Row]

_RANGES_IN_A_STATEMENT = 200


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement and its parameters; its rows are sent back."""

    sql: str
    parameters: Sequence[Value] = ()


@dataclass(frozen=True, slots=True)
class Many:
    """One statement for many rows of parameters; an empty list is sent back."""

    sql: str
    parameters: Sequence[Sequence[Value]]


Unit = Generator[Statement | Many, Rows, T]
MakeUnit = Callable[[Sequence[BlobRef]], Unit[T]]


class SqlDatabase(Protocol):
    """Carries out units of work."""

    async def read(self, unit: Unit[T]) -> T:
        """Run a unit that only reads. Its statements see committed data; each may see newer data than the last."""
        ...

    async def write(self, make: MakeUnit[T], *, blobs: Sequence[bytes] = (), durable: bool = True) -> T:
        """Store the blobs, run the unit that `make` builds from their references, commit, and return its result.

        When this returns, blobs and rows are on stable storage. With `durable=False` the commit survives a
        crash of the process, and a power loss after at most one second. `make` may be called again when a
        transaction has to be repeated. Raises what the unit raised, `StorageFull`, `StorageFailed` or `Unavailable`;
        then nothing was stored.
        """
        ...


def in_ranges(column: str, ranges: Iterable[tuple[int, int]]) -> list[str]:
    """Return conditions that together say that the column lies in one of the inclusive ranges.

    The numbers stand in the SQL itself: both dialects take them and no list type is needed. A condition
    holds at most 200 ranges, so that no statement grows without bound.
    """
    parts = [f"{column} BETWEEN {int(low)} AND {int(high)}" for low, high in ranges]
    step = _RANGES_IN_A_STATEMENT
    return ["(" + " OR ".join(parts[at : at + step]) + ")" for at in range(0, len(parts), step)]
