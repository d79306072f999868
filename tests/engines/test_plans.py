"""How SQLite looks things up: no statement about mail reads a whole table, or a mailbox where a few rows are meant.

A plan that is wrong shows only in a mailbox of 100,000 messages, as a pause of seconds for everybody. So all statements
that the stores say in a round of everything are gathered, and their plans are read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.engines.sqlite import connection
from hongyan.engines.storage import SqlStorage
from hongyan.engines.upkeep.sweep import Sweep, SweepOptions
from hongyan.engines.upkeep.verify import Verification
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.move import copy_messages
from hongyan.store.messages import Column, Receipt
from hongyan.types import AccountId, EmailId
from tests.support.mail import ACCOUNT, MailShop, new_message
from tests.support.storage import open_sqlite

_LARGE = ("messages", "emails", "email_texts", "changes", "snapshots", "receipts", "audit_log", "queue_recipients")
_SCAN = re.compile(rf"SCAN (?:{'|'.join(_LARGE)}|[a-z]\b)")
_THROUGH = re.compile(r"SEARCH (?:messages|m) USING .*\(account_id=\?\)")
_ONE_ACCOUNT_AND_MAILBOX = "(account_id=? AND mailbox_id=?"

_MEANT = {
    # The sweep and the verification read everything, by page.
    "SELECT email_id, blob_ref FROM emails",
    "SELECT queue_id, blob_ref FROM queue_messages",
    "SELECT account_id FROM account_state",
    "SELECT d.account_id, d.mailbox_id FROM deleted_mailboxes d",
    "SELECT DISTINCT account_id FROM dropped_emails",
    "SELECT DISTINCT account_id FROM receipts",
}


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    async with open_sqlite(tmp_path, segment_octets=20_000) as storage:
        yield storage


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Gather what is said to SQLite."""
    statements: set[str] = set()
    real = connection.to_sqlite

    def listen(sql: str) -> str:
        statements.add(real(sql))
        return real(sql)

    monkeypatch.setattr(connection, "to_sqlite", listen)
    return statements


async def everything(shop: MailShop) -> None:
    """Do everything that is done with mail, once."""
    await shop.open_account()
    await shop.open_account(AccountId(8))
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await shop.add_many(60)
    await shop.add(new_message(), receipt=Receipt(b"d", now=1, expires=2))
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    await mark(mail, ACCOUNT, state, BitMap([1, 3]), FlagAction.ADD, (b"$x",), unchanged_since=state.modseq)
    await copy_messages(mail, ACCOUNT, state, BitMap([1, 3, *range(10, 30)]), other.mailbox_id)
    await copy_messages(mail, ACCOUNT, state, BitMap([5, 7]), other.mailbox_id, move=True)
    await shop.messages.discard(ACCOUNT, shop.inbox, BitMap([6, 8, 10]), {}, other.mailbox_id)
    for ranges in ([(1, 1)], [(1, 50)], [(1, 1), (3, 3), (5, 30)]):
        for columns in ((Column.UID,), (Column.UID, Column.BLOB), tuple(Column)):
            await shop.messages.rows(ACCOUNT, shop.inbox, columns, ranges)
    await shop.messages.emails(ACCOUNT, (Column.EMAIL_ID, Column.SIZE, Column.SUBJECT_TEXT), EmailId(0), limit=50)
    await shop.messages.find_text(ACCOUNT, shop.inbox, Column.SUBJECT_TEXT, "n", 1, 50)
    await shop.messages.find_in_fields(ACCOUNT, shop.inbox, "n", 1, 50)
    for column in (Column.INTERNAL_DATE, Column.SENT_DATE, Column.SIZE):
        await shop.messages.find_dates(ACCOUNT, shop.inbox, column, 1, 2)
    await shop.expunge(2, 4, *range(30, 60))
    await shop.mailboxes.rename_mailboxes(ACCOUNT, [(other.mailbox_id, "Renamed")])
    await shop.mailboxes.list_mailboxes(ACCOUNT)
    await shop.mailboxes.find_mailbox(ACCOUNT, "Renamed")
    await shop.mailboxes.changes_since(ACCOUNT, state.modseq)
    await shop.mailboxes.delete_mailbox(ACCOUNT, other.mailbox_id)
    await shop.run("UPDATE account_state SET highestmodseq = highestmodseq + 5000")
    await Sweep(shop.storage, shop.clock, SweepOptions(keep_changes=1000, grace=0)).run()
    await Verification(shop.storage, shop.clock, repair=True).run()
    await mail.live.close()


async def test_every_statement_about_mail_finds_its_rows_by_their_key(storage: SqlStorage, said: set[str]) -> None:
    await everything(MailShop(storage))
    database = connection.connect(storage.database._path, cache_octets=1 << 20)  # type: ignore[attr-defined]
    scans = []
    for sql in sorted(said):
        if not sql.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) or sql.startswith(tuple(_MEANT)):
            continue
        count = max(map(int, re.findall(r"\?(\d+)", sql)), default=0)
        plan = [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + sql, (1,) * count)]
        scans += [f"{step}: {sql}" for step in plan if _SCAN.match(step) and "sqlite_" not in sql]
    database.close()
    assert scans == []
    assert len(said) > 60


async def test_no_statement_goes_through_all_messages_of_an_account_for_a_few(
    storage: SqlStorage, said: set[str]
) -> None:
    await everything(MailShop(storage))
    database = connection.connect(storage.database._path, cache_octets=1 << 20)  # type: ignore[attr-defined]
    through = []
    for sql in said:
        count = max(map(int, re.findall(r"\?(\d+)", sql)), default=0)
        plan = [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + sql, (1,) * count)]
        through += [f"{step}: {sql}" for step in plan if _THROUGH.fullmatch(step) and "email_id" in sql]
    database.close()
    assert through == []


async def test_a_few_messages_of_a_mailbox_are_found_by_uid(storage: SqlStorage, said: set[str]) -> None:
    await everything(MailShop(storage))
    database = connection.connect(storage.database._path, cache_octets=1 << 20)  # type: ignore[attr-defined]
    for sql in said:
        if " uid IN (" not in sql and "uid BETWEEN" not in sql:
            continue
        count = max(map(int, re.findall(r"\?(\d+)", sql)), default=0)
        plan = [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + sql, (1,) * count)]
        steps = [step for step in plan if step.startswith(("SEARCH messages", "SEARCH m "))]
        assert steps, sql
        assert all(f"{_ONE_ACCOUNT_AND_MAILBOX} AND uid" in step for step in steps), (sql, steps)
    database.close()
