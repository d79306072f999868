"""Puts letters whose reports were read out of the way: marked as read, from INBOX into a mailbox of their own.

Whoever gets postmaster's mail gets dozens of reports a day, and finds the letters of people among them no more. Only
what lies in INBOX is moved, for what is elsewhere somebody has filed already. The keyword says that no user has moved
it: the spam filter does not learn from it, or whoever sends reports would teach it.
"""

from __future__ import annotations

__all__ = ["Filing"]

from typing import Final

from pyroaring import BitMap

from hongyan import telemetry
from hongyan.errors import AlreadyExists, Conflict, UserFault
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.hierarchy import create_mailbox
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.move import copy_messages
from hongyan.store.changes import FILED_BY_SERVER
from hongyan.store.mailboxes import INBOX_ID
from hongyan.types import AccountId, MailboxId

_FLAGS: Final = (b"\\Seen", FILED_BY_SERVER)

log = telemetry.logger("reports")


class Filing:
    """Files letters of accounts."""

    def __init__(self, mail: Mail, folder: str) -> None:
        """`folder` is the name of the mailbox; empty: letters stay where they are."""
        self._mail = mail
        self._folder = folder

    async def file(self, account: AccountId, mailbox: MailboxId, uids: BitMap) -> None:
        """File letters that lie in a mailbox. What cannot be filed stays: nothing depends on it."""
        if not self._folder or mailbox != INBOX_ID:
            return
        try:
            target = await self._find_target(account)
            state = await self._mail.live.open(account, mailbox)
            await mark(self._mail, account, state, uids, FlagAction.ADD, _FLAGS)
            await copy_messages(self._mail, account, state, uids, target, move=True)
        except (UserFault, Conflict) as fault:
            log.info("report-not-filed", account=int(account), error=type(fault).__name__)

    async def _find_target(self, account: AccountId) -> MailboxId:
        """Return the mailbox, which is made for the first letter."""
        found = await self._mail.mailboxes.find_mailbox(account, self._folder)
        if found is not None:
            return found.mailbox_id
        try:
            made = (await create_mailbox(self._mail, account, self._folder)).mailbox_id
        except AlreadyExists:
            found = await self._mail.mailboxes.find_mailbox(account, self._folder)
            if found is None:
                raise
            return found.mailbox_id
        await self._mail.mailboxes.subscribe(account, self._folder, subscribed=True)
        return made
