"""Who may reach a mailbox besides its owner: granted, denied, taken back.

The viewer's note is made before the grant and goes after it: whatever breaks off between the two units of work, a
grant always has its note, and a note alone opens nothing. The change is an entry of the owner's log, so that sessions
that look at the mailbox feel it at once.
"""

from __future__ import annotations

__all__ = ["Sharing", "SharingOptions", "UnknownIdentifier"]

from collections.abc import Sequence
from dataclasses import dataclass

from hongyan.addresses import Address, AddressFault
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.errors import NotFound, Refused
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.rights import Rights, write_rights
from hongyan.options import option
from hongyan.store.accounts import Account, AccountStore
from hongyan.store.changes import LoggedChange
from hongyan.store.shares import ANYONE, Access, Grant, Reached, ShareStore
from hongyan.types import AccountId, MailboxId

_ANYONE = "anyone"
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class SharingOptions:
    """The section `[sharing]`."""

    enabled: bool = option(True, "Whether users may share mailboxes with each other.")
    anyone: bool = option(
        False, "Whether users may share a mailbox with `anyone`: all accounts of their own domain are shown it."
    )
    between_domains: bool = option(
        False, "Whether users may share mailboxes with accounts of other domains that are served here."
    )


class UnknownIdentifier(NotFound):
    """Nobody is called that, or nobody to whom this owner may grant something."""


class Sharing:
    """Changes grants."""

    def __init__(
        self, mail: Mail, shares: ShareStore, accounts: AccountStore, audit: AuditLog, options: SharingOptions
    ) -> None:
        self._mail = mail
        self._shares = shares
        self._accounts = accounts
        self._audit = audit
        self._options = options

    async def read_identifier(self, owner: AccountId, text: str, mailbox: MailboxId) -> tuple[AccountId, bool]:
        """Return whom an identifier means, and whether it denies (RFC 4314 §2): an address, or `anyone`.

        A name without a domain is one of the owner's domain. Who already has a grant of `mailbox` is found whatever
        may be granted now, so that it can be taken back. Raises `UnknownIdentifier`.
        """
        is_negative = text.startswith("-")
        name = text.removeprefix("-")
        if name.lower() == _ANYONE:
            return ANYONE, is_negative
        host = await self._require_account(owner)
        try:
            address = Address.parse(name if "@" in name else f"{name}@{host.address.domain}")
        except AddressFault:
            raise UnknownIdentifier("An identifier is the address of an account here, or anyone.") from None
        found = await self._accounts.find_account_by_address(address.canonical)
        if found is None or not (self._may_meet(host, found) or await self._has_met(host, mailbox, found)):
            raise UnknownIdentifier("There is no such account that mailboxes can be shared with.")
        return found.account_id, is_negative

    def _may_meet(self, owner: Account, other: Account) -> bool:
        return self._options.between_domains or owner.address.domain == other.address.domain

    async def _has_met(self, owner: Account, mailbox: MailboxId, other: Account) -> bool:
        grants = await self._shares.list_grants(owner.account_id, mailbox)
        return any(grant.grantee == other.account_id for grant in grants)

    async def write_identifier(self, grant: Grant) -> str | None:
        """Return the identifier of a grant as a client is told it; None for an account that is no more."""
        sign = "-" if grant.is_negative else ""
        if grant.grantee == ANYONE:
            return sign + _ANYONE
        account = await self._accounts.find_account(grant.grantee)
        return None if account is None else sign + account.address.canonical

    async def name_of(self, account: AccountId) -> str:
        """Return the identifier of an account."""
        return (await self._require_account(account)).address.canonical

    async def list_grants(self, owner: AccountId, mailbox: MailboxId) -> Sequence[tuple[str, Rights]]:
        """Return identifiers and rights, but for the owner's (RFC 4314 §3.6)."""
        told = []
        for grant in await self._shares.list_grants(owner, mailbox):
            name = await self.write_identifier(grant)
            if name is not None:
                told.append((name, frozenset(grant.rights)))
        return told

    async def list_all(self, owner: AccountId) -> Sequence[tuple[MailboxId, str, Rights]]:
        """Return identifiers and rights of all mailboxes of an account, but for the owner's."""
        told = []
        for mailbox, grant in await self._shares.list_all_grants(owner):
            name = await self.write_identifier(grant)
            if name is not None:
                told.append((mailbox, name, frozenset(grant.rights)))
        return told

    async def change(self, owner: AccountId, mailbox: MailboxId, name: str, access: Access, actor: Actor) -> None:
        """Change what somebody may do with a mailbox; `name` is the owner's, for the trail.

        Raises `NotFound`, `OverLimit`, and `Refused` where this is not to be shared.
        """
        self.require_allowed(owner, access)
        gives = _gives(access)
        if gives:
            await self._note(owner, mailbox, access.grantee)
        event = AuditEvent.MAILBOX_SHARED if gives else AuditEvent.MAILBOX_UNSHARED
        who = await self.write_identifier(access.as_grant()) or str(access.grantee)
        detail = {"mailbox": name, "identifier": who, "rights": access.mode + write_rights(access.rights)}
        entry = self._audit.entry(event, actor, account=owner, **detail)
        done = await self._shares.change_access(owner, mailbox, access, audit=entry)
        await self._mail.live.follow(owner, (LoggedChange(done.modseq, mailbox, done.change),))
        if not done.change.rights and not access.is_negative:
            await self._forget(owner, mailbox, access.grantee)
        if access.grantee != ANYONE:
            self._mail.live.touched(access.grantee)

    def require_allowed(self, owner: AccountId, access: Access) -> None:
        """Raise `Refused` where this is not to be shared."""
        if access.grantee == owner:
            raise Refused("The owner of a mailbox has all rights, always.")
        if not _gives(access):
            return
        if not self._options.enabled:
            raise Refused("Mailboxes cannot be shared here.")
        if access.grantee == ANYONE and not self._options.anyone:
            raise Refused("Mailboxes cannot be shared with everybody here.")

    async def _note(self, owner: AccountId, mailbox: MailboxId, grantee: AccountId) -> None:
        reached = Reached(owner, mailbox)
        if grantee == ANYONE:
            await self._shares.note_open((await self._require_account(owner)).address.domain.text, reached)
        else:
            await self._shares.note_reached(grantee, reached)

    async def _forget(self, owner: AccountId, mailbox: MailboxId, grantee: AccountId) -> None:
        reached = Reached(owner, mailbox)
        if grantee == ANYONE:
            await self._shares.forget_open((await self._require_account(owner)).address.domain.text, [reached])
        else:
            await self._shares.forget_reached(grantee, [reached])

    async def inherit(self, owner: AccountId, parent: MailboxId, child: MailboxId) -> None:
        """Give a new mailbox the grants of the one above it (RFC 4314 §4 leaves that to us)."""
        for grant in await self._shares.list_grants(owner, parent):
            if not grant.is_negative:
                await self._note(owner, child, grant.grantee)
            access = Access(grant.grantee, grant.is_negative, "=", grant.rights)
            done = await self._shares.change_access(owner, child, access)
            await self._mail.live.follow(owner, (LoggedChange(done.modseq, child, done.change),))

    async def leave_all(self, account: AccountId) -> None:
        """Take back all that was granted to an account that goes. What is interrupted is begun again."""
        while reached := await self._shares.list_reached(account, limit=_AT_ONCE):
            for one in reached:
                for is_negative in (False, True):
                    access = Access(account, is_negative, "=", "")
                    try:
                        done = await self._shares.change_access(one.owner, one.mailbox, access)
                    except NotFound:
                        break  # The mailbox went before.
                    await self._mail.live.follow(one.owner, (LoggedChange(done.modseq, one.mailbox, done.change),))
            await self._shares.forget_reached(account, reached)

    async def _require_account(self, account: AccountId) -> Account:
        found = await self._accounts.find_account(account)
        if found is None:
            raise NotFound("There is no such account.")
        return found


def _gives(access: Access) -> bool:
    return bool(access.rights) and access.mode != "-" and not access.is_negative
