"""Mailboxes that accounts share with each other: shown, granted, taken back."""

from __future__ import annotations

__all__ = ["mailbox_operations"]

from collections.abc import Mapping

from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.errors import NotFound, Refused
from hongyan.mailboxes.reach import Viewer
from hongyan.mailboxes.rights import ALL_RIGHTS, Rights, parse_rights, write_rights
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.store.accounts import Account
from hongyan.store.mailboxes import INBOX, Mailbox
from hongyan.store.shares import Access

_NAMED: Mapping[str, Rights] = {
    "read": frozenset("lrs"),
    "write": frozenset("lrswite"),
    "all": ALL_RIGHTS,
}
"""Rights by words: to look and read; to change and file messages too; to do what the owner does."""


def mailbox_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on shared mailboxes, by name."""
    group = _Mailboxes(services)
    return {"mailbox.share": group.share, "mailbox.unshare": group.unshare, "mailbox.shares": group.list_shares}


class _Mailboxes:
    def __init__(self, services: Services) -> None:
        self._accounts = services.directory.accounts
        self._mailboxes = services.mail.mailboxes
        self._shared = services.shared

    async def share(
        self,
        caller: Caller,
        *,
        address: str,
        mailbox: str,
        identifier: str,
        rights: str = "read",
        dry_run: bool = False,
    ) -> Document:
        """Let somebody do this and nothing else with a mailbox; `-` before who it is denies it."""
        return await self._change(caller, address, mailbox, identifier, _read_rights(rights), dry_run=dry_run)

    async def unshare(
        self, caller: Caller, *, address: str, mailbox: str, identifier: str, dry_run: bool = False
    ) -> Document:
        """Take back what somebody may do with a mailbox; whoever looks at it is sent away."""
        return await self._change(caller, address, mailbox, identifier, frozenset(), dry_run=dry_run)

    async def _change(
        self, caller: Caller, address: str, mailbox: str, identifier: str, rights: Rights, *, dry_run: bool
    ) -> Document:
        account, box = await self._find(address, mailbox)
        sharing = self._shared.sharing
        grantee, is_negative = await sharing.read_identifier(account.account_id, identifier, box.mailbox_id)
        access = Access(grantee, is_negative, "=", "".join(sorted(rights)))
        sharing.require_allowed(account.account_id, access)
        if not dry_run:
            await sharing.change(account.account_id, box.mailbox_id, box.name, access, caller.actor)
        name = await sharing.write_identifier(access.as_grant()) or identifier
        document = {**_shown(box.name, name, rights), "address": str(account.address)}
        return {**document, "dry_run": True} if dry_run else document

    async def list_shares(self, caller: Caller, *, address: str) -> Document:  # noqa: ARG002
        """Return what an account shares with whom, and which mailboxes of others it reaches."""
        account = await self._accounts.get(Address.parse(address))
        names = {box.mailbox_id: box.name for box in await self._mailboxes.list_mailboxes(account.account_id)}
        shares = [
            _shown(names[mailbox], identifier, rights)
            for mailbox, identifier, rights in await self._shared.sharing.list_all(account.account_id)
            if mailbox in names
        ]
        viewer = Viewer(account.account_id, account.address)
        reached = [
            {"mailbox": place.name, "rights": write_rights(place.rights)}
            for place in await self._shared.reach.list_others(viewer)
        ]
        return {"address": str(account.address), "shares": sorted(shares, key=_order), "reached": reached}

    async def _find(self, address: str, name: str) -> tuple[Account, Mailbox]:
        account = await self._accounts.get(Address.parse(address))
        wanted = INBOX if name.upper() == INBOX else name
        mailbox = await self._mailboxes.find_mailbox(account.account_id, wanted)
        if mailbox is None:
            raise NotFound("There is no such mailbox.")
        return account, mailbox


def _read_rights(text: str) -> Rights:
    rights = _NAMED.get(text)
    if rights is None:
        try:
            rights = parse_rights(text)
        except ValueError:
            raise Refused("Rights are read, write or all, or letters of RFC 4314 such as lrs.") from None
    if not rights:
        raise Refused("Say which rights; mailbox unshare takes them back.")
    return rights


def _order(share: Mapping[str, str]) -> tuple[str, str]:
    return share["mailbox"], share["identifier"]


def _shown(mailbox: str, identifier: str, rights: Rights) -> dict[str, str]:
    return {"mailbox": mailbox, "identifier": identifier, "rights": write_rights(rights)}
