"""PostgreSQL: its errors are ours, and what it forgot when it crashed is not given out twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import asyncpg
import pytest
from pyroaring import BitMap

from hongyan.engines.postgres import database as postgres
from hongyan.engines.postgres.database import PostgresDatabase
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.sender_rows import lock_hold, open_sender
from hongyan.engines.sql.units import Statement, Unit
from hongyan.engines.storage import SqlStorage
from hongyan.errors import Conflict, Corrupt, ServerFault, StorageFailed, StorageFull, Unavailable
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.types import BlobRef
from tests.support.mail import ACCOUNT, MailShop
from tests.support.postgres import PostgresCluster
from tests.support.storage import open_postgres


@pytest.fixture
async def storage(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[SqlStorage]:
    async with open_postgres(postgres_dsn, tmp_path) as storage:
        yield storage


def rows(sql: str) -> Unit[list[tuple[int, ...]]]:
    return (yield Statement(sql))


async def test_after_a_restart_modseqs_are_skipped_once_and_memory_starts_over(
    storage: SqlStorage, postgres_dsn: str, tmp_path: Path
) -> None:
    shop = MailShop(storage)
    await shop.open_account()
    await shop.add_many(3)
    async with open_postgres(postgres_dsn, tmp_path / "other"):
        head = await shop.mailboxes.highestmodseq(ACCOUNT)
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    await shop.run("UPDATE store_facts SET fact = 'an earlier start' WHERE name = 'postgres-started'")
    for _ in range(2):
        async with open_postgres(postgres_dsn, tmp_path / "other"):
            pass
    later = await shop.mailboxes.highestmodseq(ACCOUNT)
    assert head + 1000 < later < head + 100_000
    assert await shop.mailboxes.log_floor(ACCOUNT) == later
    await shop.add_many(1)
    await mail.live.catch_up(ACCOUNT)
    assert list(state.uids) == [1, 2, 3, 4]
    done = await mark(mail, ACCOUNT, state, BitMap([4]), FlagAction.ADD, (b"\\Seen",))
    assert done.modseq is not None
    assert done.modseq > later


async def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    blobs = SegmentStore(tmp_path / "blobs")
    database = PostgresDatabase("postgresql://nobody@127.0.0.1:1/nothing", blobs)
    with pytest.raises(Unavailable):
        await database.open()
    with pytest.raises(Unavailable):
        await database.read(rows("SELECT 1"))


async def test_a_connection_that_breaks_is_unavailable_and_the_next_is_not(
    storage: SqlStorage, postgres_cluster: PostgresCluster, postgres_dsn: str
) -> None:
    name = postgres_dsn.split("@/")[1].split("?")[0]

    def make(_refs: Sequence[BlobRef]) -> Unit[None]:
        yield Statement("CREATE TABLE half_done (k BIGINT)")
        postgres_cluster.run_sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        yield Statement("SELECT 1")

    with pytest.raises(Unavailable):
        await storage.database.write(make)
    with pytest.raises(ServerFault):
        await storage.database.read(rows("SELECT * FROM half_done"))


async def test_a_transaction_that_another_has_broken_is_repeated(storage: SqlStorage) -> None:
    tries = []

    def make(_refs: Sequence[BlobRef]) -> Unit[int]:
        tries.append(1)
        yield Statement("SELECT 1")
        if len(tries) < 3:
            raise asyncpg.SerializationError("could not serialize access")
        return len(tries)

    assert await storage.database.write(make) == 3


async def test_a_transaction_that_is_always_broken_is_given_up(
    storage: SqlStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_FIRST_PAUSE", 0.0)

    def make(_refs: Sequence[BlobRef]) -> Unit[None]:
        yield Statement("SELECT 1")
        raise asyncpg.DeadlockDetectedError("deadlock detected")

    with pytest.raises(Conflict):
        await storage.database.write(make)


async def test_units_that_lock_in_different_orders_all_come_through(storage: SqlStorage) -> None:
    await storage.database.write(lambda _refs: rows("CREATE TABLE n (k BIGINT PRIMARY KEY, v BIGINT)"))
    await storage.database.write(lambda _refs: rows("INSERT INTO n VALUES (1, 0), (2, 0)"))

    def make(order: tuple[int, int]) -> Unit[None]:
        for key in order:
            yield Statement("UPDATE n SET v = v + 1 WHERE k = $1", (key,))

    orders = [(1, 2), (2, 1)] * 2
    await asyncio.gather(*[storage.database.write(lambda _refs, order=order: make(order)) for order in orders])  # type: ignore[misc]
    assert await storage.database.read(rows("SELECT v FROM n")) == [(4,), (4,)]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (asyncpg.DiskFullError("could not extend file"), StorageFull),
        (asyncpg.ReadOnlySQLTransactionError("cannot execute"), StorageFull),
        (asyncpg.DataCorruptedError("invalid page"), Corrupt),
        (asyncpg.PostgresIOError("could not fsync"), StorageFailed),
        (asyncpg.TooManyConnectionsError("sorry"), Unavailable),
        (ConnectionResetError("gone"), Unavailable),
        (TimeoutError("late"), Unavailable),
        (asyncpg.UniqueViolationError("duplicate"), ServerFault),
    ],
)
async def test_its_errors_are_ours(storage: SqlStorage, error: Exception, fault: type[ServerFault]) -> None:
    def make(_refs: Sequence[BlobRef]) -> Unit[None]:
        yield Statement("SELECT 1")
        raise error

    with pytest.raises(ServerFault) as told:
        await storage.database.write(make)
    assert type(told.value) is fault


async def test_nobody_changes_a_hold_that_a_unit_has_read_until_the_unit_ends(
    storage: SqlStorage, postgres_dsn: str
) -> None:
    await storage.database.write(lambda _refs: open_sender(ACCOUNT))
    steps: list[str] = []

    def read_and_go_on() -> Unit[None]:
        assert (yield from lock_hold(ACCOUNT)) is None
        yield Statement("SELECT pg_advisory_xact_lock(1)")
        steps.append("read")

    def change() -> Unit[None]:
        yield Statement("UPDATE senders SET held_at = 1")
        steps.append("changed")

    gate = await asyncpg.connect(postgres_dsn)
    try:
        await gate.execute("SELECT pg_advisory_lock(1)")
        async with asyncio.timeout(30), asyncio.TaskGroup() as units:
            units.create_task(storage.database.write(lambda _refs: read_and_go_on()))
            await _until_waiting(gate, 1)
            units.create_task(storage.database.write(lambda _refs: change()))
            await _until_waiting(gate, 2)
            await gate.execute("SELECT pg_advisory_unlock(1)")
    finally:
        await gate.close()
    assert steps == ["read", "changed"]


async def _until_waiting(connection: asyncpg.Connection, count: int) -> None:
    """Return when so many units wait for what another holds."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while await connection.fetchval(waiting) < count:
        pass
