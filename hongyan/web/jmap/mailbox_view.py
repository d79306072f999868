"""Mailboxes as JMAP sees them: a tree of ids where IMAP has names with `/` (RFC 8621 §2).

Where a name hangs below a mailbox that is not there, the nearest one above it that is there is the parent, and the
rest of the path is the name.
"""

from __future__ import annotations

__all__ = ["COUNTS", "PROPERTIES", "ROLES", "MailboxTree", "mailbox_id_of", "read_mailbox_id", "rights_of", "role_of"]

import re
from collections.abc import Mapping, Sequence

from hongyan.mailboxes.object_ids import mailbox_object_id
from hongyan.mailboxes.rights import ALL_RIGHTS, Right, Rights
from hongyan.store.mailboxes import INBOX, INBOX_ID, Mailbox
from hongyan.types import MailboxId
from hongyan.wire.imap.mailbox_name import DELIMITER

COUNTS = ("totalEmails", "unreadEmails", "totalThreads", "unreadThreads")
"""What changes with the mail in a mailbox."""

PROPERTIES = ("id", "name", "parentId", "role", "sortOrder", *COUNTS, "myRights", "isSubscribed")
"""The properties of a Mailbox."""

ROLES: Mapping[str, str] = {
    "archive": "\\Archive",
    "drafts": "\\Drafts",
    "junk": "\\Junk",
    "sent": "\\Sent",
    "trash": "\\Trash",
}
"""The roles that may be given, with the special use that each is (RFC 6154 §2). `inbox` is INBOX's own."""

_ROLE_OF = {use: role for role, use in ROLES.items()}
_INBOX_NAME = "Inbox"
_ID = re.compile(r"F([1-9][0-9]{0,17})", re.ASCII)


def mailbox_id_of(mailbox: MailboxId) -> str:
    """Return the id: that which IMAP tells as MAILBOXID."""
    return mailbox_object_id(mailbox).decode("ascii")


def read_mailbox_id(mailbox_id: str) -> MailboxId | None:
    """Return the mailbox that an id names, None if it can be none's."""
    match = _ID.fullmatch(mailbox_id)
    return MailboxId(int(match[1])) if match else None


class MailboxTree:
    """The mailboxes of an account at one moment."""

    def __init__(self, mailboxes: Sequence[Mailbox]) -> None:
        self.by_id: dict[str, Mailbox] = {mailbox_id_of(box.mailbox_id): box for box in mailboxes}
        self._by_name = {box.name: box for box in mailboxes}
        self._parents: dict[MailboxId, Mailbox | None] = {}

    def find(self, mailbox_id: str) -> Mailbox | None:
        """Return the mailbox of that id."""
        return self.by_id.get(mailbox_id)

    def at(self, path: str) -> Mailbox | None:
        """Return the mailbox of that path."""
        return self._by_name.get(path)

    def parent_of(self, mailbox: Mailbox) -> Mailbox | None:
        """Return the nearest mailbox above, if there is one."""
        if mailbox.mailbox_id not in self._parents:
            self._parents[mailbox.mailbox_id] = self._find_parent(mailbox.name)
        return self._parents[mailbox.mailbox_id]

    def _find_parent(self, path: str) -> Mailbox | None:
        while DELIMITER in path:
            path = path.rpartition(DELIMITER)[0]
            if path in self._by_name:
                return self._by_name[path]
        return None

    def name_of(self, mailbox: Mailbox) -> str:
        """Return the name below the parent."""
        if mailbox.name == INBOX:
            return _INBOX_NAME
        parent = self.parent_of(mailbox)
        return mailbox.name if parent is None else mailbox.name[len(parent.name) + 1 :]

    def children_of(self, mailbox: Mailbox) -> list[Mailbox]:
        """Return the mailboxes right below."""
        below = mailbox.name + DELIMITER
        return [box for box in self._by_name.values() if box.name.startswith(below) and self.parent_of(box) is mailbox]

    def path_of(self, name: str, parent: Mailbox | None) -> str:
        """Return the path of a mailbox of that name below a parent."""
        return name if parent is None else parent.name + DELIMITER + name

    def describe(self, mailbox: Mailbox) -> dict[str, object]:
        """Return what is known of a mailbox without its mail: all properties but the counts."""
        parent = self.parent_of(mailbox)
        return {
            "id": mailbox_id_of(mailbox.mailbox_id),
            "name": self.name_of(mailbox),
            "parentId": None if parent is None else mailbox_id_of(parent.mailbox_id),
            "role": role_of(mailbox),
            "sortOrder": mailbox.sort_order,
            "myRights": rights_of(ALL_RIGHTS, is_inbox=mailbox.mailbox_id == INBOX_ID),
            "isSubscribed": mailbox.subscribed,
        }


def role_of(mailbox: Mailbox) -> str | None:
    """Return the role."""
    return "inbox" if mailbox.name == INBOX else _ROLE_OF.get(mailbox.special_use)


def rights_of(rights: Rights, *, is_inbox: bool = False) -> dict[str, bool]:
    """Return MailboxRights (RFC 8621 §2). INBOX is neither renamed nor deleted, whatever the rights are."""

    def have(*letters: str) -> bool:
        return rights.issuperset(letters)

    return {
        "mayReadItems": have(Right.LOOKUP, Right.READ),
        "mayAddItems": have(Right.INSERT),
        "mayRemoveItems": have(Right.DELETE_MESSAGES, Right.EXPUNGE),
        "maySetSeen": have(Right.SEEN),
        "maySetKeywords": have(Right.WRITE),
        "mayCreateChild": have(Right.CREATE),
        "mayRename": have(Right.DELETE_MAILBOX) and not is_inbox,
        "mayDelete": have(Right.DELETE_MAILBOX) and not is_inbox,
        "maySubmit": have(Right.POST),
    }
