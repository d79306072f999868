"""What a mailbox has besides its name and its messages: use, order, subscription."""

from __future__ import annotations

__all__ = ["change_properties"]

from hongyan.engines.sql.units import Statement, Unit
from hongyan.errors import AlreadyExists, NotFound
from hongyan.store.changes import LoggedChange, MailboxChanged
from hongyan.store.mailboxes import MailboxProperties
from hongyan.types import AccountId, MailboxId, ModSeq


def change_properties(
    account: AccountId, mailbox: MailboxId, wanted: MailboxProperties, modseq: ModSeq
) -> Unit[LoggedChange]:
    """Set what is wanted of a mailbox, at a position of the log that was just taken; the caller logs the change."""
    if wanted.special_use:
        taken = yield Statement(
            "SELECT 1 FROM mailboxes WHERE account_id = $1 AND special_use = $2 AND mailbox_id <> $3",
            (account, wanted.special_use, mailbox),
        )
        if taken:
            raise AlreadyExists("Another mailbox has that use.")
    rows = yield Statement(
        "UPDATE mailboxes SET highestmodseq = $1, special_use = COALESCE($2, special_use),"
        " sort_order = COALESCE($3, sort_order) WHERE account_id = $4 AND mailbox_id = $5 RETURNING name",
        (modseq, wanted.special_use, wanted.sort_order, account, mailbox),
    )
    if not rows:
        raise NotFound("There is no such mailbox.")
    name = rows[0][0]
    if wanted.subscribed is True:
        yield Statement(
            "INSERT INTO subscriptions (account_id, name) VALUES ($1, $2) ON CONFLICT (account_id, name) DO NOTHING",
            (account, name),
        )
    elif wanted.subscribed is False:
        yield Statement("DELETE FROM subscriptions WHERE account_id = $1 AND name = $2", (account, name))
    return LoggedChange(modseq, mailbox, MailboxChanged("changed", name))
