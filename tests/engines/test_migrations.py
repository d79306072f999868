"""Each step of the schema takes real mail of the version before it along, and ends where a fresh schema is."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import pytest
from pyroaring import BitMap

from hongyan.engines.sql.catalog import read_tables
from hongyan.engines.sql.migrations import MIGRATIONS, POSTGRES, SQLITE, Dialect, Migration, migrate, schema_version
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.engines.storage import SqlStorage
from hongyan.engines.upkeep.verify import Verification
from hongyan.errors import ConfigurationError, ServerFault
from hongyan.mailboxes.expunge import expunged_since
from hongyan.types import AccountId, ModSeq
from tests.engines.make_dump import DUMPS, folder_of
from tests.support.clock import FakeClock
from tests.support.mail import MailShop, message_octets
from tests.support.postgres import PostgresCluster
from tests.support.storage import ENGINES, open_postgres, open_sqlite, open_storage

_STEPS = sorted(int(path.name) for path in DUMPS.iterdir())
_INDEXES = {
    "sqlite": "SELECT tbl_name, name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
    "postgres": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 2",
}


@asynccontextmanager
async def open_dump(engine: str, step: int, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[SqlStorage]:
    """Open a storage made from a dump, brought up to date."""
    (folder / "blobs").mkdir(parents=True)
    shutil.copy(folder_of(step) / "00000001.segment", folder / "blobs")
    dump = (folder_of(step) / f"{engine}.sql").read_text()
    if engine == "sqlite":
        connection = apsw.Connection(str(folder / "mail.db"))
        connection.execute(dump)
        connection.close()
        async with open_sqlite(folder) as storage:
            yield storage
    else:
        cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
        name = cluster.create_database()
        cluster.run_sql(dump, name)
        async with open_postgres(cluster.dsn(name), folder) as storage:
            yield storage
        cluster.drop_database(name)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("step", _STEPS)
async def test_mail_of_an_older_schema_is_all_there_and_goes_on(
    engine: str, step: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with open_dump(engine, step, tmp_path, request) as storage:
        assert await schema_version(storage.database) == MIGRATIONS[-1].number
        shop = MailShop(storage, AccountId(1))
        assert (await Verification(storage, FakeClock()).run()).findings == []
        await shop.require_exact_counters()
        inbox, archive = await shop.mailbox(), await shop.mailbox("Archiv/雁")
        assert await shop.uids() == [1, 5, 6]
        assert await shop.read(5) == message_octets("雁 4", "honk " * 20)
        assert await shop.read(2, archive.mailbox_id) == message_octets("雁 2", "honk " * 20)
        state = await shop.mail().live.open(shop.account, shop.inbox)
        assert [set(state.column.set_of(at)) for at in range(3)] == [{b"$Label"}, {b"$Label"}, {b"\\Seen"}]
        assert await expunged_since(shop.mailboxes, shop.account, state, ModSeq(0)) == BitMap([2, 3, 4])
        done = await shop.add_many(2)
        assert (done.first_uid, done.uidvalidity) == (7, inbox.uidvalidity)
        await shop.require_exact_counters()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("step", _STEPS)
async def test_an_older_schema_becomes_what_a_fresh_one_is(
    engine: str, step: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with (
        open_dump(engine, step, tmp_path / "old", request) as old,
        open_storage(engine, tmp_path / "new", request) as new,
    ):
        assert await schema_of(old) == await schema_of(new)


async def schema_of(storage: SqlStorage) -> tuple[object, list[list[str]]]:
    tables = await storage.database.read(read_tables(storage.dialect))
    indexes = await storage.database.read(rows(_INDEXES[storage.dialect.name]))
    return tables, [" ".join(map(str, row)).split() for row in indexes]


def rows(sql: str) -> Unit[list[Row]]:
    return (yield Statement(sql))


def test_every_step_up_to_the_newest_dump_has_left_one() -> None:
    assert [step.number for step in MIGRATIONS if step.number <= _STEPS[-1]] == _STEPS


# -- how steps are taken


@pytest.fixture(params=ENGINES)
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStorage]:
    async with open_storage(request.param, tmp_path, request) as storage:
        yield storage


def dialect_of(storage: SqlStorage) -> Dialect:
    return {"sqlite": SQLITE, "postgres": POSTGRES}[storage.dialect.name]


async def test_a_step_is_taken_once_whoever_else_takes_it(storage: SqlStorage) -> None:
    step = Migration(900, "test", ("CREATE TABLE fresh (k INTEGER NOT NULL PRIMARY KEY) {strict}",))
    steps = [*MIGRATIONS, step]
    await asyncio.gather(*[migrate(storage.database, dialect_of(storage), steps) for _ in range(3)])
    assert await schema_version(storage.database) == 900


async def test_a_step_that_fails_leaves_nothing_and_is_tried_again(storage: SqlStorage) -> None:
    database: SqlDatabase = storage.database
    table = "CREATE TABLE fresh (k INTEGER NOT NULL PRIMARY KEY) {strict}"
    broken = Migration(900, "test", (table, "CREATE TABLE fresh (again)"))
    with pytest.raises(ServerFault):
        await migrate(database, dialect_of(storage), [*MIGRATIONS, broken])
    assert await schema_version(database) == MIGRATIONS[-1].number
    await migrate(database, dialect_of(storage), [*MIGRATIONS, Migration(900, "test", (table,))])
    assert await schema_version(database) == 900


async def test_a_newer_schema_is_refused(storage: SqlStorage) -> None:
    await migrate(storage.database, dialect_of(storage), [*MIGRATIONS, Migration(900, "test", ())])
    with pytest.raises(ConfigurationError, match="900"):
        await migrate(storage.database, dialect_of(storage))


def test_steps_are_numbered_in_order_and_each_once() -> None:
    numbers = [step.number for step in MIGRATIONS]
    assert numbers == sorted(set(numbers))
