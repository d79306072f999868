"""Searches of messages' rows in SQL: texts of headers, dates, sizes."""

from __future__ import annotations

__all__ = ["OF_TEXTS", "find_dates", "find_in_fields", "find_text", "find_thread"]

from collections.abc import Sequence

from hongyan.engines.sql.units import Statement, Unit
from hongyan.store.messages import Column
from hongyan.types import AccountId, MailboxId

_TEXT_COLUMNS = frozenset(
    (Column.FROM_TEXT, Column.TO_TEXT, Column.CC_TEXT, Column.BCC_TEXT, Column.SUBJECT_TEXT, Column.MESSAGE_ID)
)
OF_TEXTS = _TEXT_COLUMNS | {
    Column.SENT_DATE,
    Column.THREAD_ID,
    Column.SUBJECT_KEY,
    Column.IS_REPLY,
    Column.FROM_KEY,
    Column.TO_KEY,
    Column.CC_KEY,
    Column.FROM_NAME_KEY,
    Column.TO_NAME_KEY,
    Column.LINKS,
}
"""Columns of `email_texts`."""


def find_text(
    account: AccountId, mailbox: MailboxId, column: Column, needle: str, low: int, high: int
) -> Unit[Sequence[int]]:
    if column not in _TEXT_COLUMNS:
        raise ValueError(column)
    # LIKE folds ASCII case in SQLite and its wildcards would need escaping; the position of a substring needs neither.
    rows = yield Statement(
        "SELECT m.uid FROM messages m JOIN email_texts t ON t.account_id = m.account_id AND t.email_id = m.email_id"
        " WHERE m.account_id = $1 AND m.mailbox_id = $2 AND m.uid BETWEEN $3 AND $4"
        f" AND {{position}}(t.{column.value}, $5) > 0 ORDER BY m.uid",
        (account, mailbox, low, high, needle),
    )
    return [row[0] for row in rows]


def find_in_fields(account: AccountId, mailbox: MailboxId, needle: str, low: int, high: int) -> Unit[Sequence[int]]:
    rows = yield Statement(
        "SELECT m.uid FROM messages m JOIN emails e ON e.account_id = m.account_id AND e.email_id = m.email_id"
        " WHERE m.account_id = $1 AND m.mailbox_id = $2 AND m.uid BETWEEN $3 AND $4"
        " AND {position}({lower_fields}, $5) > 0 ORDER BY m.uid",
        (account, mailbox, low, high, needle),
    )
    return [row[0] for row in rows]


def find_thread(account: AccountId, mailbox: MailboxId, thread: int) -> Unit[Sequence[int]]:
    rows = yield Statement(
        "SELECT m.uid FROM email_texts t JOIN messages m ON m.account_id = t.account_id AND m.email_id = t.email_id"
        " WHERE t.account_id = $1 AND t.thread_id = $2 AND m.mailbox_id = $3 ORDER BY m.uid",
        (account, thread, mailbox),
    )
    return [row[0] for row in rows]


def find_dates(
    account: AccountId, mailbox: MailboxId, column: Column, start: int | None, stop: int | None
) -> Unit[Sequence[int]]:
    table = "t" if column in OF_TEXTS else "m"
    join = " JOIN email_texts t ON t.account_id = m.account_id AND t.email_id = m.email_id" if table == "t" else ""
    bounds = ""
    parameters: list[int | str | bytes | float | None] = [account, mailbox]
    for operator, bound in ((">=", start), ("<", stop)):
        if bound is not None:
            parameters.append(bound)
            bounds += f" AND {table}.{column.value} {operator} ${len(parameters)}"
    rows = yield Statement(
        f"SELECT m.uid FROM messages m{join} WHERE m.account_id = $1 AND m.mailbox_id = $2{bounds} ORDER BY m.uid",
        parameters,
    )
    return [row[0] for row in rows]
