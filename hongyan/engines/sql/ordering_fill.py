"""Emails that came before there were keys to sort and thread by get theirs, some at a time.

Their header fields are in the row: no blob is read. Each step is one transaction, and finds by itself what is left.
"""

from __future__ import annotations

__all__ = ["SqlOrdering"]

from collections.abc import Sequence

from hongyan.engines.sql.email_rows import order_values
from hongyan.engines.sql.threads import THREAD_OF_EMAIL, find_threads
from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit, unit_of
from hongyan.message.order_keys import read_order_keys
from hongyan.types import AccountId, EmailId

_FILL = (
    f"UPDATE email_texts SET thread_link = $3, thread_id = {THREAD_OF_EMAIL}, subject_key = $5, is_reply = $6,"
    " from_key = $7, to_key = $8, cc_key = $9, from_name_key = $10, to_name_key = $11, links = $12"
    " WHERE account_id = $1 AND email_id = $2"
)


class SqlOrdering:
    """`store.ordering.OrderingStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def accounts_that_wait(self) -> Sequence[AccountId]:
        return await self._database.read(_accounts_that_wait())

    async def fill(self, account: AccountId, limit: int) -> int:
        return await self._database.write(unit_of(_fill, account, limit), durable=False)


def _accounts_that_wait() -> Unit[Sequence[AccountId]]:
    # One look into the index for each account: in most there is nothing, and emails may be millions.
    rows = yield Statement(
        "SELECT a.account_id FROM account_state a WHERE EXISTS (SELECT 1 FROM email_texts t"
        " WHERE t.account_id = a.account_id AND t.thread_id IS NULL) ORDER BY a.account_id"
    )
    return [AccountId(row[0]) for row in rows]


def _fill(account: AccountId, limit: int) -> Unit[int]:
    # The account first: nobody else gives out threads until the unit ends.
    yield Statement("UPDATE account_state SET next_email = next_email WHERE account_id = $1", (account,))
    rows = yield Statement(
        "SELECT t.email_id, e.fields FROM email_texts t LEFT JOIN emails e ON e.account_id = t.account_id"
        " AND e.email_id = t.email_id WHERE t.account_id = $1 AND t.thread_id IS NULL ORDER BY t.email_id LIMIT $2",
        (account, limit),
    )
    if not rows:
        return 0
    ids = [EmailId(row[0]) for row in rows]
    keys = [read_order_keys(bytes(row[1] or b"")) for row in rows]
    threads = yield from find_threads(account, ids, [of.thread_links for of in keys])
    yield Many(
        _FILL,
        [
            (account, email, of.thread_links[0] or None, thread, *order_values(of))
            for email, of, thread in zip(ids, keys, threads, strict=True)
        ],
    )
    return len(rows)
