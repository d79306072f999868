"""Emails in SQL, whichever mailboxes they are in: for those who go through all that an account has."""

from __future__ import annotations

__all__ = ["count_emails", "emails", "find_emails", "newest_email"]

from collections.abc import Sequence

from hongyan.engines.sql.units import Statement, Unit, conditions
from hongyan.errors import NotFound
from hongyan.store.messages import Column, Row
from hongyan.types import AccountId, EmailId, MailboxId

_EMAIL_BITS = 32
_OF_EMAIL = {
    Column.EMAIL_ID: "e.email_id",
    Column.PREFIX: "e.prefix",
    Column.BLOB: "e.blob_ref",
    Column.SKIPPED: "e.skipped",
    Column.OUTLINE: "e.outline",
    Column.FROM_TEXT: "t.from_text",
    Column.TO_TEXT: "t.to_text",
    Column.CC_TEXT: "t.cc_text",
    Column.BCC_TEXT: "t.bcc_text",
    Column.SUBJECT_TEXT: "t.subject_text",
    # All messages of an email have its size. Asked for `=`, SQLite goes through all that the account has.
    Column.SIZE: "(SELECT max(m.size) FROM messages m WHERE m.account_id = e.account_id"
    " AND m.email_id BETWEEN e.email_id AND e.email_id)",
}


def newest_email(account: AccountId) -> Unit[EmailId]:
    """Return the id that was given out last."""
    rows = yield Statement("SELECT next_email FROM account_state WHERE account_id = $1", (account,))
    if not rows:
        raise NotFound("There is no such account.")
    return EmailId(account << _EMAIL_BITS | rows[0][0] - 1)


def emails(account: AccountId, columns: Sequence[Column], after: EmailId, limit: int) -> Unit[Sequence[Row]]:
    """Return emails with higher ids, in order."""
    names = ", ".join(_OF_EMAIL[column] for column in columns)
    rows = yield Statement(
        # The sign has each row found by its email id, not all of the account's gone through and sorted.
        f"SELECT {names} FROM emails e JOIN email_texts t ON +t.account_id = e.account_id AND t.email_id = e.email_id"
        " WHERE e.account_id = $1 AND e.email_id > $2 AND e.email_id < $3 ORDER BY e.email_id LIMIT $4",
        (account, after, account + 1 << _EMAIL_BITS, limit),
    )
    return rows


def count_emails(account: AccountId, after: EmailId) -> Unit[int]:
    """Return how many emails there are with higher ids."""
    rows = yield Statement(
        "SELECT count(*) FROM emails WHERE account_id = $1 AND email_id > $2 AND email_id < $3",
        (account, after, account + 1 << _EMAIL_BITS),
    )
    return int(rows[0][0])


def find_emails(
    account: AccountId, mailbox: MailboxId, ranges: Sequence[tuple[int, int]]
) -> Unit[Sequence[tuple[int, int]]]:
    """Return UID and email id of messages by their email ids."""
    found: list[tuple[int, int]] = []
    for chosen, numbers in conditions("email_id", ranges, 3):
        # The sign keeps the planner from going through the whole mailbox.
        rows = yield Statement(
            f"SELECT uid, email_id FROM messages WHERE account_id = $1 AND +mailbox_id = $2 AND {chosen}",
            (account, mailbox, *numbers),
        )
        found += [(uid, email) for uid, email in rows]
    return found
