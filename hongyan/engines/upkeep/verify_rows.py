"""What the verification asks of an account's rows: each question is one statement, its answer of one moment."""

from __future__ import annotations

__all__ = [
    "accounts",
    "count_messages",
    "emails_without_message",
    "messages_of",
    "messages_without_email",
    "missing_mailboxes",
    "uids",
    "wrong_account_counts",
    "wrong_mailbox_counts",
]

from array import array

from hongyan.engines.sql.units import Statement, Unit
from hongyan.types import AccountId, EmailId, MailboxId

_UIDS = 10_000
_EMAILS = 10_000
_EMAIL_BITS = 32
_COUNTS = "{1} messages of {2} octets, and rows of {4} of {5}; next UID {3}, and the greatest {6}"


def accounts() -> Unit[list[AccountId]]:
    """Return all accounts that have mail."""
    rows = yield Statement("SELECT account_id FROM account_state ORDER BY account_id")
    return [AccountId(row[0]) for row in rows]


def count_messages() -> Unit[int]:
    """Return how many messages there are, if the counts are right."""
    rows = yield Statement("SELECT SUM(used_messages) FROM account_state")
    return int(rows[0][0] or 0)


def uids(account: AccountId, mailbox: MailboxId) -> Unit[array[int]]:
    """Return the UIDs of a mailbox's rows."""
    found = array("I")
    last = 0
    while True:
        rows = yield Statement(
            "SELECT uid FROM messages WHERE account_id = $1 AND mailbox_id = $2 AND uid > $3 ORDER BY uid LIMIT $4",
            (account, mailbox, last, _UIDS),
        )
        found.extend(row[0] for row in rows)
        if len(rows) < _UIDS:
            return found
        last = found[-1]


def missing_mailboxes(account: AccountId) -> Unit[list[MailboxId]]:
    """Return numbers of mailboxes that have messages, and neither a row nor an end in the log."""
    rows = yield Statement(
        "SELECT DISTINCT r.mailbox_id FROM messages r WHERE r.account_id = $1 AND NOT EXISTS (SELECT 1 FROM mailboxes m"
        " WHERE m.account_id = r.account_id AND m.mailbox_id = r.mailbox_id) AND NOT EXISTS (SELECT 1"
        " FROM deleted_mailboxes d WHERE d.account_id = r.account_id AND d.mailbox_id = r.mailbox_id)",
        (account,),
    )
    return [MailboxId(row[0]) for row in rows]


def messages_without_email(account: AccountId) -> Unit[list[tuple[MailboxId, int]]]:
    """Return messages whose wide columns or texts are gone."""
    rows = yield Statement(
        "SELECT r.mailbox_id, r.uid FROM messages r JOIN mailboxes m ON m.account_id = r.account_id"
        " AND m.mailbox_id = r.mailbox_id LEFT JOIN emails e ON e.account_id = r.account_id AND e.email_id = r.email_id"
        " LEFT JOIN email_texts t ON t.account_id = r.account_id AND t.email_id = r.email_id"
        " WHERE r.account_id = $1 AND (e.email_id IS NULL OR t.email_id IS NULL) ORDER BY r.mailbox_id, r.uid",
        (account,),
    )
    return [(MailboxId(row[0]), row[1]) for row in rows]


def messages_of(account: AccountId, email: EmailId) -> Unit[list[tuple[MailboxId, int]]]:
    """Return the messages, in mailboxes that are there, which share this email."""
    rows = yield Statement(
        "SELECT r.mailbox_id, r.uid FROM messages r JOIN mailboxes m ON m.account_id = r.account_id"
        " AND m.mailbox_id = r.mailbox_id WHERE r.account_id = $1 AND r.email_id = $2 ORDER BY r.mailbox_id, r.uid",
        (account, email),
    )
    return [(MailboxId(row[0]), row[1]) for row in rows]


def emails_without_message(account: AccountId) -> Unit[list[EmailId]]:
    """Return emails that no message has, and that nobody has noted down for the sweep or set aside."""
    rows = yield Statement(
        "SELECT e.email_id FROM emails e WHERE e.account_id = $1 AND e.email_id >= $2 AND e.email_id < $3"
        " AND NOT EXISTS (SELECT 1 FROM messages r WHERE r.account_id = e.account_id AND r.email_id = e.email_id)"
        " AND NOT EXISTS (SELECT 1 FROM dropped_emails d WHERE d.account_id = e.account_id AND d.email_id = e.email_id)"
        " AND NOT EXISTS (SELECT 1 FROM damaged_messages x WHERE x.account_id = e.account_id"
        " AND x.email_id = e.email_id) ORDER BY e.email_id LIMIT $4",
        (account, account << _EMAIL_BITS, (account + 1) << _EMAIL_BITS, _EMAILS),
    )
    return [EmailId(row[0]) for row in rows]


def wrong_mailbox_counts(account: AccountId) -> Unit[list[tuple[MailboxId, str]]]:
    """Return mailboxes whose counts or next UID disagree with their rows, and how."""
    rows = yield Statement(
        "SELECT * FROM (SELECT m.mailbox_id, m.messages, m.octets, m.uidnext, (SELECT COUNT(*) FROM messages r"
        " WHERE r.account_id = m.account_id AND r.mailbox_id = m.mailbox_id) AS counted,"
        " (SELECT COALESCE(SUM(r.size), 0) FROM messages r WHERE r.account_id = m.account_id"
        " AND r.mailbox_id = m.mailbox_id) AS summed, (SELECT COALESCE(MAX(r.uid), 0) FROM messages r"
        " WHERE r.account_id = m.account_id AND r.mailbox_id = m.mailbox_id) AS greatest FROM mailboxes m"
        " WHERE m.account_id = $1) c WHERE messages <> counted OR octets <> summed OR uidnext <= greatest",
        (account,),
    )
    return [
        (
            MailboxId(row[0]),
            f"{row[1]} messages of {row[2]} octets, and rows of {row[4]} of {row[5]}; next UID {row[3]}",
        )
        for row in rows
    ]


def wrong_account_counts(account: AccountId) -> Unit[str | None]:
    """Return how what the account uses disagrees with its mailboxes, if it does."""
    rows = yield Statement(
        "SELECT a.used_messages, a.used_octets, (SELECT COALESCE(SUM(m.messages), 0) FROM mailboxes m"
        " WHERE m.account_id = a.account_id), (SELECT COALESCE(SUM(m.octets), 0) FROM mailboxes m"
        " WHERE m.account_id = a.account_id) FROM account_state a WHERE a.account_id = $1",
        (account,),
    )
    used_messages, used_octets, messages, octets = map(int, rows[0])
    if (used_messages, used_octets) == (messages, octets):
        return None
    return f"{used_messages} messages of {used_octets} octets, and mailboxes of {messages} of {octets}"
