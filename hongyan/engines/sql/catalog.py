"""Which tables there are, asked of the database itself: what has to look at all of them forgets none.

A column that refers to a blob is named `blob_ref`, in every table; the sweep and the verification find it by that.
"""

from __future__ import annotations

__all__ = ["BLOB_COLUMN", "Table", "count_rows", "page_of", "read_counter", "read_tables", "set_counter"]

from collections.abc import Sequence
from dataclasses import dataclass

from hongyan.engines.sql.migrations import Dialect
from hongyan.engines.sql.units import Row, Statement, Unit, Value

BLOB_COLUMN = "blob_ref"

_SQLITE = """
    SELECT t.name, c.name, c.pk, c.pk = 1 AND instr(upper(t.sql), 'AUTOINCREMENT') > 0
    FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c
    WHERE t.type = 'table' AND substr(t.name, 1, 7) <> 'sqlite_' AND c.hidden = 0 ORDER BY t.name, c.cid
"""
_POSTGRES = """
    SELECT c.table_name, c.column_name, COALESCE(k.ordinal_position, 0),
        CASE WHEN c.is_identity = 'YES' THEN 1 ELSE 0 END
    FROM information_schema.columns c
    JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
        AND t.table_type = 'BASE TABLE'
    LEFT JOIN information_schema.table_constraints p ON p.table_schema = c.table_schema
        AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY'
    LEFT JOIN information_schema.key_column_usage k ON k.constraint_schema = p.constraint_schema
        AND k.constraint_name = p.constraint_name AND k.table_name = c.table_name AND k.column_name = c.column_name
    WHERE c.table_schema = current_schema() AND c.is_generated = 'NEVER' ORDER BY c.table_name, c.ordinal_position
"""
_NOT_DATA = frozenset({"schema_log", "store_facts"})  # They speak of the database itself.


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the columns that are written, the key, and the key's column that the database counts up itself."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    counted: str | None = None

    @property
    def holds_blobs(self) -> bool:
        return BLOB_COLUMN in self.columns


def read_tables(dialect: Dialect) -> Unit[list[Table]]:
    """Return all tables that hold data, by name."""
    rows = yield Statement(_SQLITE if dialect.name == "sqlite" else _POSTGRES)
    tables = []
    for name in sorted({row[0] for row in rows} - _NOT_DATA):
        mine = [row for row in rows if row[0] == name]
        key = tuple(row[1] for row in sorted(mine, key=lambda row: int(row[2])) if row[2])
        counted = next((row[1] for row in mine if row[3]), None)
        tables.append(Table(name, tuple(row[1] for row in mine), key, counted))
    return tables


def count_rows(table: str) -> Unit[int]:
    """Return how many rows a table has."""
    rows = yield Statement(f"SELECT COUNT(*) FROM {table}")
    return int(rows[0][0])


def page_of(table: Table, columns: Sequence[str], after: Sequence[Value] | None, limit: int) -> Unit[list[Row]]:
    """Return the next rows of a table by its key: first the key, then the columns."""
    key = ", ".join(table.key)
    parameters: list[Value] = list(after or ())
    where = ""
    if parameters:
        where = f" WHERE ({key}) > ({', '.join(f'${number}' for number in range(1, len(parameters) + 1))})"
    parameters.append(limit)
    sql = f"SELECT {', '.join((*table.key, *columns))} FROM {table.name}{where} ORDER BY {key} LIMIT ${len(parameters)}"
    return (yield Statement(sql, parameters))


def read_counter(dialect: Dialect, table: Table) -> Unit[int]:
    """Return the last number that the database has given out for a table that it counts itself; 0 for none."""
    if dialect.name == "sqlite":
        rows = yield Statement("SELECT seq FROM sqlite_sequence WHERE name = $1", (table.name,))
        return int(rows[0][0]) if rows else 0
    sequence = yield from _sequence(table)
    rows = yield Statement(f"SELECT last_value, is_called FROM {sequence}")
    return int(rows[0][0]) if rows[0][1] else 0


def set_counter(dialect: Dialect, table: Table, last: int) -> Unit[None]:
    """Have the database go on counting after this number."""
    if dialect.name == "sqlite":
        yield Statement("DELETE FROM sqlite_sequence WHERE name = $1", (table.name,))
        yield Statement("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", (table.name, last))
    elif last:
        sequence = yield from _sequence(table)
        yield Statement("SELECT setval($1::text::regclass, $2)", (sequence, last))


def _sequence(table: Table) -> Unit[str]:
    rows = yield Statement("SELECT pg_get_serial_sequence($1, $2)", (table.name, table.counted))
    return str(rows[0][0])
