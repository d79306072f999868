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

__all__ = ["MakeUnit", "Many", "Row", "Rows", "SqlDatabase", "Statement", "Unit", "Value", "conditions", "unit_of"]

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ParamSpec, Protocol, TypeVar

from hongyan.types import BlobRef

P = ParamSpec("P")
T = TypeVar("T")

Value = int | str | bytes | float | None
Row = tuple[Any, ...]
Rows = list[Row]

_SHORT_RANGE = 8  # numbers; shorter ones are listed
_LISTS = (1, 4, 16, 64, 256)


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

    async def read_small(self, make: Callable[[], Unit[T]]) -> T:
        """Run a unit that reads a few rows, without a change of thread where it needs no waiting.

        `make` may be called again.
        """
        ...

    def read_now(self, sql: str, parameters: Sequence[Value]) -> Rows | None:
        """Return the rows of a statement that only reads, if they are at hand without waiting; else None."""
        ...

    async def write(
        self, make: MakeUnit[T], *, blobs: Sequence[bytes] = (), durable: bool = True, small: bool = False
    ) -> T:
        """Store the blobs, run the unit that `make` builds from their references, commit, and return its result.

        When this returns, blobs and rows are on stable storage. With `durable=False` the commit survives a crash of
        the process, and a power loss after at most one second; with `small` as well, the unit touches a few rows and
        may run on the loop itself. `make` may be called again when a transaction has to be repeated. Raises what the
        unit raised, `StorageFull`, `StorageFailed` or `Unavailable`; then nothing was stored.
        """
        ...


def unit_of(unit: Callable[P, Unit[T]], *arguments: P.args, **named: P.kwargs) -> MakeUnit[T]:
    """Return what makes a unit that needs no blobs, as `SqlDatabase.write` takes it."""
    return lambda _refs: unit(*arguments, **named)


def conditions(column: str, ranges: Iterable[tuple[int, int]], first: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield conditions with their parameters, from `$first` on, that together say: the column lies in these ranges.

    The ranges are inclusive and ascend; so do the conditions. A condition is a range, or a list of numbers whose
    length is one of a few, so that statements repeat and are found ready. (A disjunction of ranges would be looked
    for in all rows of the mailbox.)
    """
    numbers: list[int] = []
    for low, high in ranges:
        if high - low >= _SHORT_RANGE:
            yield from _lists(column, numbers, first)
            numbers = []
            yield f"{column} BETWEEN ${first} AND ${first + 1}", (low, high)
        else:
            numbers.extend(range(low, high + 1))
    yield from _lists(column, numbers, first)


def _lists(column: str, numbers: list[int], first: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for at in range(0, len(numbers), _LISTS[-1]):
        part = numbers[at : at + _LISTS[-1]]
        count = next(count for count in _LISTS if count >= len(part))
        yield _in_list(column, count, first), (*part, *part[-1:] * (count - len(part)))


@lru_cache(maxsize=64)
def _in_list(column: str, count: int, first: int) -> str:
    return f"{column} IN ({', '.join(f'${number}' for number in range(first, first + count))})"
