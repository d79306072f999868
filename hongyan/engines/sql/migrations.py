"""The schema as numbered steps, forward only.

A step, once released, is never edited. Each runs in one transaction together with the row that records it, so that
a crash leaves the schema before or after a step and never between.
"""

from __future__ import annotations

__all__ = ["MIGRATIONS", "POSTGRES", "SQLITE", "Dialect", "Migration", "migrate", "schema_version"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hongyan.engines.sql import schema, schema_accounts, schema_upkeep
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the two dialects of the schema say differently."""

    name: str
    words: Mapping[str, str]
    types: Mapping[str, str]

    def say(self, sql: str) -> str:
        """Return the statement in this dialect."""
        for word, meaning in self.words.items():
            sql = sql.replace("{" + word + "}", meaning)
        for ours, theirs in self.types.items():
            sql = sql.replace(f" {ours}", f" {theirs}")
        return sql


SQLITE = Dialect(
    "sqlite",
    {"strict": "STRICT", "clustered": "STRICT, WITHOUT ROWID", "email_key": " PRIMARY KEY", "account_email_key": ""},
    {},
)
POSTGRES = Dialect(
    "postgres",
    {"strict": "", "clustered": "", "email_key": "", "account_email_key": ", PRIMARY KEY (account_id, email_id)"},
    {"INTEGER": "BIGINT", "BLOB": "BYTEA", "REAL": "DOUBLE PRECISION"},
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    statements: Sequence[str]


MIGRATIONS = (
    Migration(1, "mail", schema.MAIL),
    Migration(2, "accounts", schema_accounts.ACCOUNTS),
    Migration(4, "upkeep", schema_upkeep.UPKEEP),
)


async def migrate(database: SqlDatabase, dialect: Dialect, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring the schema up to date and return its version.

    Raises `ConfigurationError` when the data was written by a newer Hongyan.
    """
    await database.write(lambda _refs: _create_log())
    done = await database.read(_steps_done())
    newest = max(step.number for step in migrations)
    if done and max(done) > newest:
        raise ConfigurationError(
            f"The data has schema version {max(done)}; this Hongyan knows {newest}. Install the version that wrote it."
        )
    for step in migrations:
        if step.number not in done:
            await database.write(lambda _refs, step=step: _apply(step, dialect))  # type: ignore[misc]  # bound here
    return newest


async def schema_version(database: SqlDatabase) -> int:
    """Return the number of the last step that was done, 0 if none."""
    return max(await database.read(_steps_done()), default=0)


def _create_log() -> Unit[None]:
    yield Statement("CREATE TABLE IF NOT EXISTS schema_log (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL)")


def _steps_done() -> Unit[frozenset[int]]:
    rows = yield Statement("SELECT number FROM schema_log")
    return frozenset(row[0] for row in rows)


def _apply(step: Migration, dialect: Dialect) -> Unit[None]:
    # The row first: of two processes that start together, one waits here, and then finds it done.
    mine = yield Statement(
        "INSERT INTO schema_log (number, name) VALUES ($1, $2) ON CONFLICT (number) DO NOTHING RETURNING number",
        (step.number, step.name),
    )
    if mine:
        for statement in step.statements:
            yield Statement(dialect.say(statement))
