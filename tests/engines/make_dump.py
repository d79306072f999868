"""Make the dumps from which the next step of the schema is tested: `python -m tests.engines.make_dump`.

A dump holds real mail in the schema as it stands today, in SQLite's words and in PostgreSQL's, and the segment with its
blobs. It is made and committed when a step is finished, before the next one is begun, and never made again.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pyroaring import BitMap

from hongyan.addresses import Address, Domain
from hongyan.engines.postgres.database import PostgresDatabase
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.migrations import MIGRATIONS, POSTGRES, SQLITE, Dialect, migrate
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.engines.sql.queue import SqlQueue
from hongyan.engines.sql.units import SqlDatabase
from hongyan.engines.sqlite.database import SqliteDatabase
from hongyan.engines.storage import SqlStorage
from hongyan.mailboxes.state import MailboxState
from hongyan.queue.items import new_message as queue_message
from hongyan.store.accounts import Service
from hongyan.store.audit import AuditEntry
from hongyan.store.changes import FlagsAdded
from hongyan.store.domains import DomainSettings
from hongyan.store.provisioning import NewAccount, NewMailbox
from hongyan.store.queue import NewRecipient
from hongyan.types import AccountId
from tests.support.mail import MailShop, new_message
from tests.support.postgres import PostgresCluster, start_cluster

DUMPS = Path(__file__).parent / "dumps"
_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_ACCOUNTS, _QUEUE = 2, 3  # the steps from which there are such


def folder_of(step: int) -> Path:
    """Return where the dump of a schema of so many steps lies."""
    return DUMPS / f"{step:03d}"


def main() -> None:
    """Make the dumps of the steps that are named, or of today's schema."""
    steps = [int(step) for step in sys.argv[1:]] or [MIGRATIONS[-1].number]
    with start_cluster() as cluster:
        for step in steps:
            asyncio.run(_make(step, cluster))


async def _make(step: int, cluster: PostgresCluster) -> None:
    folder = folder_of(step)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        path = Path(made)
        blobs = SegmentStore(path / "blobs")
        sqlite = SqliteDatabase(path / "mail.db", blobs)
        sqlite.open()
        await _fill(sqlite, SQLITE, blobs, step)
        sqlite.close()
        (folder / "sqlite.sql").write_text(_dump_sqlite(path / "mail.db"))
        blobs.close()
        shutil.copy(path / "blobs" / "00000001.segment", folder)
    with tempfile.TemporaryDirectory() as made:
        name = cluster.create_database()
        blobs = SegmentStore(Path(made) / "blobs")
        postgres = PostgresDatabase(cluster.dsn(name), blobs)
        await postgres.open()
        await _fill(postgres, POSTGRES, blobs, step)
        await postgres.close()
        blobs.close()
        (folder / "postgres.sql").write_text(_dump_postgres(cluster, name))


async def _fill(database: SqlDatabase, dialect: Dialect, blobs: SegmentStore, step: int) -> None:
    """Put in what the schema has room for. Both engines get the same, so that one segment serves both."""
    await migrate(database, dialect, [migration for migration in MIGRATIONS if migration.number <= step])
    shop = MailShop(SqlStorage(database, dialect, blobs), AccountId(1))
    if step < _ACCOUNTS:
        await shop.open_account()
        archive = await shop.mailboxes.create_mailbox(shop.account, "Archiv/雁", special_use="\\Archive")
    else:
        await _add_account(database)
        found = await shop.mailboxes.find_mailbox(shop.account, "Archiv/雁")
        assert found is not None
        archive = found
    for number in range(6):
        await shop.add(new_message(f"雁 {number}", "honk " * 20, flags=(b"\\Seen",) * (number % 2)))
    state = MailboxState(await shop.mailboxes.load_state(shop.account, shop.inbox))
    modseq, pack = state.snapshot()
    await shop.mailboxes.save_snapshot(shop.account, shop.inbox, modseq, pack())
    await shop.messages.change_flags(shop.account, shop.inbox, FlagsAdded(BitMap([1, 5]), (b"$Label",)))
    await shop.messages.copy(shop.account, shop.inbox, BitMap([2, 3]), {}, archive.mailbox_id, move=True)
    await shop.expunge(4)
    if step >= _QUEUE:
        recipient = NewRecipient(Address.parse("ann@example.org"))
        message = queue_message(None, [recipient], now=_NOW, expires=_NOW + timedelta(days=5), size=6, octets=b"queued")
        await SqlQueue(database).enqueue(message)


async def _add_account(database: SqlDatabase) -> None:
    audit = [AuditEntry(number, _NOW, "cli:test:done", None, "cli", "", {}) for number in (1, 2)]
    await SqlDomains(database).add_domain(DomainSettings(Domain.parse("geese.test"), _NOW), audit=audit[0])
    account = NewAccount(
        address=Address.parse("gans@geese.test"),
        services=frozenset({Service.IMAP}),
        created_at=_NOW,
        mailboxes=[NewMailbox("INBOX"), NewMailbox("Archiv/雁", "\\Archive")],
        uidvalidity_chance=5,
        scram_salt=b"salt",
        scram_iterations=4096,
    )
    await SqlProvisioning(database).create_account(account, audit=audit[1])


def _dump_sqlite(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        return "\n".join(connection.iterdump()) + "\n"
    finally:
        connection.close()


def _dump_postgres(cluster: PostgresCluster, name: str) -> str:
    command = [str(cluster.programs / "pg_dump"), "--inserts", "--no-owner", "--no-privileges", cluster.dsn(name)]
    done = subprocess.run(command, env=cluster.environment, capture_output=True, text=True, check=True)
    # psql's own commands, comments and settings, one of which makes the search path empty, are not for us.
    strange = ("--", "\\", "SET ", "SELECT pg_catalog.set_config")
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(strange)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
