"""From one engine to the other and back: every row of every table, as it is.

UIDs, UIDVALIDITY, MODSEQs and all ids stay, so that no client notices. References to blobs stay too: the target's blobs
are the same segments, shared or copied. Both schemas are of the same version, and nobody works on either meanwhile.

Each database says all the time whether the data are in it (`sql.facts`): a transfer that is broken off leaves the
source as it was, and is begun anew on the same target.
"""

from __future__ import annotations

__all__ = ["TransferReport", "check_transfer", "transfer"]

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from hongyan.engines.sql.catalog import Table, count_rows, page_of, read_counter, read_tables, set_counter
from hongyan.engines.sql.facts import Presence, find_presence, note_presence
from hongyan.engines.sql.units import Many, Statement, Unit, Value, unit_of
from hongyan.engines.storage import SqlStorage
from hongyan.errors import AlreadyExists, ConfigurationError, Conflict

_PAGE = 500
_MAIL = ("account_state", "messages", "queue_messages")


@dataclass(slots=True)
class TransferReport:
    """How many rows of each table were transferred."""

    rows: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the report as values that JSON has."""
        return asdict(self)


Tell = Callable[[int, int], None]
"""Is told how many rows are transferred, and how many there are."""


async def check_transfer(source: SqlStorage, target: SqlStorage) -> TransferReport:
    """Look whether all rows could be copied, and return how many there are. A target without tables will do.

    Raises `AlreadyExists` when the target holds mail, and `ConfigurationError` when the schemas differ or the data are
    not in the source.
    """
    tables = await source.database.read(read_tables(source.dialect))
    theirs = await target.database.read(read_tables(target.dialect))
    there = await target.database.read(find_presence()) if theirs else Presence.ARRIVING
    here = await source.database.read(find_presence())
    # Both marks are set at the end, first the source's: who was broken off between them begins anew.
    if here is not Presence.HERE and (here, there) != (Presence.GONE, Presence.ARRIVING):
        raise ConfigurationError("The data are not in the database that the configuration names.")
    if theirs and _columns(tables) != _columns(theirs):
        raise ConfigurationError("The two databases have different schemas: bring both up to date first.")
    if there is Presence.HERE and any([await target.database.read(count_rows(table)) for table in _MAIL]):
        raise AlreadyExists("The database that is to be filled holds mail already.")
    return TransferReport({table.name: await source.database.read(count_rows(table.name)) for table in tables})


async def transfer(source: SqlStorage, target: SqlStorage, tell: Tell = lambda _done, _total: None) -> TransferReport:
    """Copy all rows; from then on the data are in the target. Raises as `check_transfer` does."""
    total = sum((await check_transfer(source, target)).rows.values())
    await target.database.write(unit_of(note_presence, Presence.ARRIVING))
    report = TransferReport()
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        tell(done, total)

    tables = await source.database.read(read_tables(source.dialect))
    for table in tables:
        report.rows[table.name] = await _transfer_table(source, target, table, count)
    for table in tables:
        await _require_same(source, target, table, report.rows[table.name])
    await source.database.write(unit_of(note_presence, Presence.GONE))
    await target.database.write(unit_of(note_presence, Presence.HERE))
    return report


def _columns(tables: Sequence[Table]) -> dict[str, set[str]]:
    return {table.name: set(table.columns) for table in tables}


async def _transfer_table(source: SqlStorage, target: SqlStorage, table: Table, count: Callable[[int], None]) -> int:
    width = len(table.key)
    # What the migrations wrote into the new table is there a second time.
    await target.database.write(unit_of(_clear, table))
    done = 0
    after: Sequence[Value] | None = None
    while page := await source.database.read(page_of(table, table.columns, after, _PAGE)):
        after = page[-1][:width]
        await target.database.write(unit_of(_insert, table, [row[width:] for row in page]))
        done += len(page)
        count(len(page))
    if table.counted is not None:
        counter = await source.database.read(read_counter(source.dialect, table))
        await target.database.write(unit_of(set_counter, target.dialect, table, counter))
    return done


async def _require_same(source: SqlStorage, target: SqlStorage, table: Table, rows: int) -> None:
    for database in (source.database, target.database):
        if await database.read(count_rows(table.name)) != rows:
            raise Conflict(cause=f"{table.name} changed while it was transferred")


def _clear(table: Table) -> Unit[None]:
    yield Statement(f"DELETE FROM {table.name}")


def _insert(table: Table, rows: Sequence[Sequence[Value]]) -> Unit[None]:
    places = ", ".join(f"${number}" for number in range(1, len(table.columns) + 1))
    yield Many(f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({places})", rows)
