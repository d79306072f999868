"""From SQLite to PostgreSQL and back: what comes back is what went, and clients notice nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.engines.sql.catalog import read_tables
from hongyan.engines.sql.facts import require_presence
from hongyan.engines.sql.units import Row, Statement, Unit
from hongyan.engines.storage import SqlStorage
from hongyan.engines.upkeep.transfer import transfer
from hongyan.engines.upkeep.verify import Verification
from hongyan.errors import AlreadyExists, ConfigurationError
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.types import AccountId, MailboxId
from tests.support.clock import FakeClock
from tests.support.mail import ACCOUNT, MailShop, message_octets, new_message
from tests.support.storage import open_postgres, open_sqlite


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    async with open_sqlite(tmp_path) as storage:
        yield storage


@pytest.fixture
async def postgres(tmp_path: Path, postgres_dsn: str) -> AsyncIterator[SqlStorage]:
    async with open_postgres(postgres_dsn, tmp_path) as storage:
        yield storage


async def fill(storage: SqlStorage) -> MailShop:
    shop = MailShop(storage)
    await shop.open_account()
    await shop.open_account(AccountId(8))
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Größe/雁", special_use="\\Archive")
    for number in range(4):
        await shop.add(*[new_message(f"雁 {number} {at}", flags=(b"\\Seen",) * (at % 2)) for at in range(300)])
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    await mark(mail, ACCOUNT, state, BitMap(range(1, 50)), FlagAction.ADD, (b"$Label",))
    modseq, pack = state.snapshot()
    await shop.mailboxes.save_snapshot(ACCOUNT, shop.inbox, modseq, pack())
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([3, 4]), {}, other.mailbox_id, move=True)
    await shop.expunge(7)
    for _ in range(3):
        await shop.run(
            "INSERT INTO queue_messages (blob_ref, size, prefix, omitted, trace_id, body, smtputf8, require_tls,"
            " queued_at, expires, unfinished) VALUES ($1, 1, $2, '', '', '7BIT', 0, 0, 0, 0, 1)",
            bytes((await shop.rows("SELECT blob_ref FROM emails WHERE account_id = $1 LIMIT 1"))[0][0]),
            b"\0binary\xff",
        )
    await shop.run(
        "INSERT INTO queue_recipients (queue_id, number, address, destination, state, attempts, next_attempt,"
        " delay_told) VALUES (2, 0, 'a@b', 'b', 'ready', 0, 5, 0)"
    )
    await shop.run("DELETE FROM queue_messages WHERE queue_id = 3")
    return shop


async def everything(storage: SqlStorage) -> dict[str, list[Row]]:
    """Return all rows of all tables."""

    def rows(table: str, columns: str) -> Unit[list[Row]]:
        return (yield Statement(f"SELECT {columns} FROM {table}"))

    tables = await storage.database.read(read_tables(storage.dialect))
    found = {}
    for table in tables:
        columns = ", ".join(sorted(table.columns))
        found[table.name] = sorted(await storage.database.read(rows(table.name, columns)), key=repr)
    return found


async def test_what_went_to_postgresql_and_back_is_the_same(
    sqlite: SqlStorage, postgres: SqlStorage, tmp_path: Path
) -> None:
    await fill(sqlite)
    before = await everything(sqlite)
    report = await transfer(sqlite, postgres)
    assert report.rows["messages"] == 1199
    assert await everything(postgres) == before
    assert (await Verification(postgres, FakeClock()).run()).findings == []
    async with open_sqlite(tmp_path / "back") as back:
        await transfer(postgres, back)
        assert await everything(back) == before
        assert {name: len(rows) for name, rows in before.items()} == report.rows


async def test_a_client_notices_nothing(sqlite: SqlStorage, postgres: SqlStorage) -> None:
    shop = await fill(sqlite)
    before = await shop.mail().live.open(ACCOUNT, shop.inbox)
    await transfer(sqlite, postgres)
    there = MailShop(postgres)
    after = await there.mail().live.open(ACCOUNT, shop.inbox)
    assert (after.uids, after.modseqs, after.uidvalidity) == (before.uids, before.modseqs, before.uidvalidity)
    assert [after.column.set_of(at) for at in range(60)] == [before.column.set_of(at) for at in range(60)]
    assert await there.read(1) == message_octets("雁 0 0")
    assert (await there.add_many(1)).first_uid == 1201
    made = await there.mailboxes.create_mailbox(ACCOUNT, "New")
    assert made.mailbox_id == MailboxId(3)
    await there.require_exact_counters()


async def test_what_a_database_counts_itself_goes_on(sqlite: SqlStorage, postgres: SqlStorage, tmp_path: Path) -> None:
    await fill(sqlite)
    await transfer(sqlite, postgres)
    insert = (
        "INSERT INTO queue_messages (blob_ref, size, prefix, omitted, trace_id, body, smtputf8, require_tls, queued_at,"
        " expires, unfinished) VALUES ($1, 1, $1, '', '', '7BIT', 0, 0, 0, 0, 1)"
    )
    await MailShop(postgres).run(insert, b"x" * 29)
    async with open_sqlite(tmp_path / "back") as back:
        await transfer(postgres, back)
        await MailShop(back).run(insert, b"x" * 29)
        numbers = await MailShop(back).rows("SELECT queue_id FROM queue_messages WHERE $1 > 0 ORDER BY queue_id")
        assert [row[0] for row in numbers] == [1, 2, 4, 5]


async def test_a_database_that_holds_mail_is_not_filled(sqlite: SqlStorage, postgres: SqlStorage) -> None:
    await fill(sqlite)
    await MailShop(postgres).open_account()
    with pytest.raises(AlreadyExists):
        await transfer(sqlite, postgres)


async def test_a_transfer_that_is_broken_off_is_begun_anew(sqlite: SqlStorage, postgres: SqlStorage) -> None:
    await fill(sqlite)
    before = await everything(sqlite)

    def break_off(done: int, total: int) -> None:
        if done > total // 2:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await transfer(sqlite, postgres, break_off)
    with pytest.raises(ConfigurationError):
        await require_presence(postgres.database)
    await require_presence(sqlite.database)
    await transfer(sqlite, postgres)
    assert await everything(postgres) == before


async def test_nobody_works_on_what_was_left_behind(sqlite: SqlStorage, postgres: SqlStorage, tmp_path: Path) -> None:
    shop = await fill(sqlite)
    await transfer(sqlite, postgres)
    with pytest.raises(ConfigurationError):
        await require_presence(sqlite.database)
    async with open_sqlite(tmp_path / "other") as other:
        with pytest.raises(ConfigurationError):
            await transfer(sqlite, other)
    await MailShop(postgres).add_many(1)
    there = await everything(postgres)
    await transfer(postgres, sqlite)
    assert await everything(sqlite) == there
    assert await shop.rows("SELECT 1 FROM messages WHERE account_id = $1 AND uid = 1201") == [(1,)]


async def test_databases_of_different_versions_are_not_mixed(sqlite: SqlStorage, postgres: SqlStorage) -> None:
    await MailShop(postgres).run("ALTER TABLE mailboxes ADD COLUMN colour TEXT")
    with pytest.raises(ConfigurationError):
        await transfer(sqlite, postgres)
