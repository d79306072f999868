"""PostgreSQL, or a database that speaks its protocol, through asyncpg.

Blobs are stored before the transaction begins; the commit is the database's own, with `synchronous_commit` on unless
the unit may lose its last second. A transaction that another one has broken is repeated from the start.

When the database has been started anew, what it may have lost with its last second are MODSEQs that clients have
seen: before the first connection is used, the accounts' logs move ahead, and whoever follows them starts over.
"""

from __future__ import annotations

__all__ = ["BlobPutter", "PostgresDatabase", "to_postgres"]

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import asyncpg

from hongyan.clock import Random, SystemRandom
from hongyan.engines.sql.skipping import MODSEQS_OF_A_SECOND
from hongyan.engines.sql.units import MakeUnit, Many, Rows, Statement, Unit, Value
from hongyan.errors import Conflict, Corrupt, ServerFault, StorageFailed, StorageFull, Unavailable
from hongyan.types import BlobRef

T = TypeVar("T")

_TRIES = 8
_FIRST_PAUSE = 0.005  # seconds; doubled with each try


class BlobPutter(Protocol):
    """What this engine needs of a blob store."""

    async def put(self, blobs: Sequence[bytes]) -> Sequence[BlobRef]:
        """Store the blobs and return their references once they are safe."""
        ...


class PostgresDatabase:
    """A pool of connections to one database."""

    def __init__(self, dsn: str, blobs: BlobPutter, *, connections: int = 10) -> None:
        self._dsn = dsn
        self._blobs = blobs
        self._connections = connections
        self._pool: asyncpg.Pool | None = None
        self._random: Random = SystemRandom()

    async def open(self) -> None:
        """Connect. Raises `Unavailable`."""
        try:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=1,
                max_size=self._connections,
                command_timeout=60,
                statement_cache_size=512,
                init=_greet,
            )
        except (OSError, asyncpg.PostgresError, ValueError, TimeoutError) as error:  # the last but one: of a wrong DSN
            raise Unavailable(cause=f"PostgreSQL: {error}") from error

    async def close(self) -> None:
        """Finish what is under way and disconnect."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def read(self, unit: Unit[T]) -> T:
        """Run a reading unit. See `SqlDatabase.read`."""
        try:
            async with self._acquire() as connection:
                return await _drive(connection, unit)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise _fault(error) from error

    async def read_small(self, make: Callable[[], Unit[T]]) -> T:
        """Run a small reading unit. See `SqlDatabase.read_small`."""
        return await self.read(make())

    def read_now(self, sql: str, parameters: Sequence[Value]) -> Rows | None:  # noqa: ARG002 - nothing is at hand
        """Return None: rows come over a wire. See `SqlDatabase.read_now`."""
        return None

    async def write(
        self,
        make: MakeUnit[T],
        *,
        blobs: Sequence[bytes] = (),
        durable: bool = True,
        small: bool = False,  # noqa: ARG002 - every unit has to wait for the network
    ) -> T:
        """Store the blobs, run the unit, commit. See `SqlDatabase.write`."""
        refs = await self._blobs.put(blobs) if blobs else ()
        pause = _FIRST_PAUSE
        for attempt in range(1, _TRIES + 1):
            try:
                async with self._acquire() as connection, connection.transaction():
                    if not durable:
                        await connection.execute("SET LOCAL synchronous_commit = off")
                    return await _drive(connection, make(refs))
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
                if attempt == _TRIES:
                    raise Conflict(cause=f"PostgreSQL: {error}") from error
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise _fault(error) from error
            await asyncio.sleep(pause * self._random.jitter(0.5))  # lest those who met meet again
            pause *= 2
        raise Conflict(cause="PostgreSQL: too many repeated transactions")

    def _acquire(self) -> Any:
        if self._pool is None:
            raise Unavailable(cause="the database is closed")
        return self._pool.acquire()


async def _greet(connection: asyncpg.Connection) -> None:
    """Find out whether the database was started anew since it was last used."""
    try:
        async with connection.transaction():
            started = await connection.fetchval("SELECT pg_postmaster_start_time()::text")
            if await connection.fetchval(_NOTE_START, started):
                await connection.execute(
                    "UPDATE account_state SET highestmodseq = highestmodseq + $1, changes_floor = highestmodseq + $1",
                    MODSEQS_OF_A_SECOND,
                )
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError, asyncpg.UndefinedColumnError):
        return  # The schema is still to be made; or it is another database, with a word of its own for durability.


_NOTE_START = """
    INSERT INTO store_facts (name, fact) VALUES ('postgres-started', $1)
    ON CONFLICT (name) DO UPDATE SET fact = excluded.fact WHERE store_facts.fact <> excluded.fact RETURNING xmax <> 0
"""


@lru_cache(maxsize=2048)
def to_postgres(sql: str) -> str:
    """Return the statement in PostgreSQL's words."""
    sql = sql.replace("{position}", "strpos").replace("{for_share}", "FOR SHARE")
    return sql.replace("{lower_fields}", "lower(convert_from(e.fields, 'LATIN1'))")  # the stored fields hold no NUL


async def _drive(connection: asyncpg.Connection, unit: Unit[T]) -> T:
    try:
        statement = next(unit)
        while True:
            rows: Rows = []
            if type(statement) is Many:
                await connection.executemany(to_postgres(statement.sql), statement.parameters)
            else:
                assert isinstance(statement, Statement)  # noqa: S101 - the only other kind
                rows = [tuple(row) for row in await connection.fetch(to_postgres(statement.sql), *statement.parameters)]
            statement = unit.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        unit.close()


def _fault(error: Exception) -> ServerFault:
    text = f"PostgreSQL: {type(error).__name__}: {error}"
    match error:
        case asyncpg.DiskFullError() | asyncpg.ReadOnlySQLTransactionError():
            return StorageFull(cause=text)
        case asyncpg.DataCorruptedError() | asyncpg.IndexCorruptedError():
            return Corrupt(cause=text)
        case asyncpg.PostgresIOError():
            return StorageFailed(cause=text)
        case (
            OSError() | asyncpg.PostgresConnectionError() | asyncpg.InterfaceError() | asyncpg.TooManyConnectionsError()
        ):
            return Unavailable(cause=text)
        case _:
            return ServerFault(cause=text)
