"""What mailboxes are for: Sent, Drafts, Junk … (RFC 6154 §2)."""

from __future__ import annotations

__all__ = ["DEFAULT_MAILBOXES", "SPECIAL_USES", "find_special"]

from hongyan.mailboxes.mail import Mail
from hongyan.store.mailboxes import INBOX, Mailbox
from hongyan.types import AccountId

SPECIAL_USES = ("\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash")
"""What a client may give to a mailbox. `\\All` and `\\Flagged` would be views, which we do not have."""

DEFAULT_MAILBOXES = (
    (INBOX, ""),
    ("Archive", "\\Archive"),
    ("Drafts", "\\Drafts"),
    ("Junk", "\\Junk"),
    ("Sent", "\\Sent"),
    ("Trash", "\\Trash"),
)
"""The mailboxes of a new account, with their uses."""


async def find_special(mail: Mail, account: AccountId, use: str) -> Mailbox | None:
    """Return the mailbox that has this use, or None."""
    mailboxes = await mail.mailboxes.list_mailboxes(account)
    return next((mailbox for mailbox in mailboxes if mailbox.special_use == use), None)
