"""Which mailboxes somebody reaches, by which names, with which rights.

A viewer's own mailboxes have the names that they have. Those of others hang below `Other Users/<address>/`
(RFC 2342 §5): the address says whose account is asked, and the grants of that one mailbox say what may be done. What
a viewer may not look up is answered as what is not there (RFC 4314 §6).

A listing reads the viewer's own note of what it reaches, one key, and asks the owners that are in it.
"""

from __future__ import annotations

__all__ = ["Place", "Reach", "Viewer", "is_others_name", "others_name", "others_root", "own_place", "split_others_name"]

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hongyan.addresses import Address, AddressFault
from hongyan.errors import NotFound
from hongyan.mailboxes.rights import ALL_RIGHTS, NoPermission, Right, Rights, effective_rights
from hongyan.store.accounts import Account, AccountState, AccountStore
from hongyan.store.mailboxes import Mailbox, MailboxStore
from hongyan.store.shares import ANYONE, Grant, Reached, Shared, ShareStore
from hongyan.types import AccountId, MailboxId
from hongyan.wire.imap.mailbox_name import DELIMITER, OTHERS

MAX_REACHED = 1000
"""Mailboxes of others that a listing holds; what is beyond is still reached by its name."""

_PREFIX = OTHERS + DELIMITER


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks."""

    account: AccountId
    address: Address


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox as somebody reaches it: `account` is whose it is, `name` what the viewer calls it."""

    account: AccountId
    mailbox: Mailbox
    name: str
    rights: Rights
    is_own: bool
    grants: tuple[Grant, ...] = ()
    """What the rights come from, for a mailbox of somebody else."""
    is_neighbour: bool = True
    """Whether the viewer is among those whom `anyone` means: the accounts of the owner's domain."""

    def require(self, *rights: str) -> None:
        """Raise unless these rights are there: `NoPermission`, or `NotFound` to who may not know of the mailbox."""
        if self.rights.issuperset(rights):
            return
        if Right.LOOKUP not in self.rights:
            raise NotFound("There is no such mailbox.")
        raise NoPermission("You may not do that with this mailbox.")


def is_others_name(name: str) -> bool:
    """Whether a name is in the tree of other users' mailboxes, its root included."""
    return name == OTHERS or name.startswith(_PREFIX)


def split_others_name(name: str) -> tuple[Address, str] | None:
    """Return whose mailbox a name means, and what its owner calls it; None when it means none.

    A local part may hold the delimiter: the address ends with the first level that makes it one.
    """
    levels = name.removeprefix(_PREFIX).split(DELIMITER)
    for end in range(1, len(levels)):
        head = DELIMITER.join(levels[:end])
        if "@" in levels[end - 1]:
            try:
                return Address.parse(head), DELIMITER.join(levels[end:])
            except AddressFault:
                return None
    return None


def others_name(owner: Address, name: str) -> str:
    """Return what others call a mailbox."""
    return f"{_PREFIX}{owner.canonical}{DELIMITER}{name}"


def others_root(place: Place) -> str:
    """Return the name of the tree of the account that a mailbox of somebody else is in."""
    return place.name.removesuffix(DELIMITER + place.mailbox.name)


class Reach:
    """Finds mailboxes for those who ask for them."""

    def __init__(self, mailboxes: MailboxStore, shares: ShareStore, accounts: AccountStore) -> None:
        self._mailboxes = mailboxes
        self._shares = shares
        self._accounts = accounts

    async def find(self, viewer: Viewer, name: str) -> Place | None:
        """Return the mailbox of that name, or None: it is not there, or nothing of it is granted to the viewer."""
        if not is_others_name(name):
            mailbox = await self._mailboxes.find_mailbox(viewer.account, name)
            return None if mailbox is None else own_place(viewer, mailbox)
        owner, inner = await self._owner_of(name)
        if owner is None:
            return None
        if owner.account_id == viewer.account:
            mailbox = await self._mailboxes.find_mailbox(viewer.account, inner)
            return None if mailbox is None else Place(viewer.account, mailbox, name, ALL_RIGHTS, is_own=True)
        shared = await self._shares.find_shared(owner.account_id, inner, viewer.account)
        return None if shared is None else _reached(viewer, owner, shared)

    async def require(self, viewer: Viewer, name: str, *rights: str) -> Place:
        """Return the mailbox if the viewer has these rights. Raises `NotFound` or `NoPermission`."""
        place = await self.find(viewer, name)
        if place is None:
            raise NotFound("There is no such mailbox.")
        place.require(*rights)
        return place

    async def find_root(self, viewer: Viewer, name: str) -> tuple[AccountId, str] | None:
        """Return in whose account a mailbox of that name would be, and by which name there; None for nobody's."""
        if not is_others_name(name):
            return viewer.account, name
        owner, inner = await self._owner_of(name)
        return None if owner is None else (owner.account_id, inner)

    async def find_account_of_root(self, root: str) -> AccountId | None:
        """Return whose tree `Other Users/<address>` is."""
        owner, _inner = await self._owner_of(root + DELIMITER)
        return None if owner is None else owner.account_id

    async def list_some(self, viewer: Viewer, account: AccountId, mailboxes: Sequence[MailboxId]) -> Sequence[Place]:
        """Return these mailboxes of an account, whatever the viewer's rights to them are."""
        owner = await self._accounts.find_account(account)
        if owner is None or not _is_in_use(owner):
            return []
        return [
            _reached(viewer, owner, one) for one in await self._shares.list_shared(account, mailboxes, viewer.account)
        ]

    async def list_others(self, viewer: Viewer) -> Sequence[Place]:
        """Return the mailboxes of others that the viewer may look up, by name. Notes that lead nowhere are dropped."""
        noted = await self._shares.list_reached(viewer.account, limit=MAX_REACHED)
        opened = await self._shares.list_open(viewer.address.domain.text, limit=MAX_REACHED)
        places = await self._visit(viewer, noted, self._forget_noted)
        known = {(place.account, place.mailbox.mailbox_id) for place in places}
        fresh = [one for one in opened if (one.owner, one.mailbox) not in known and one.owner != viewer.account]
        places += await self._visit(viewer, fresh[: MAX_REACHED - len(noted)], self._forget_open)
        return sorted((place for place in places if Right.LOOKUP in place.rights), key=lambda place: place.name)

    async def _visit(
        self,
        viewer: Viewer,
        reached: Sequence[Reached],
        forget: Callable[[Viewer, Sequence[Reached]], Awaitable[None]],
    ) -> list[Place]:
        by_owner: dict[AccountId, list[Reached]] = defaultdict(list)
        for one in reached:
            by_owner[one.owner].append(one)
        places: list[Place] = []
        stale: list[Reached] = []
        for account, ones in by_owner.items():
            owner = await self._accounts.find_account(account)
            found: Sequence[Shared] = ()
            if owner is not None and not _is_in_use(owner):
                continue  # Nobody reaches its mailboxes until it is in use again.
            if owner is not None:
                numbers = [one.mailbox for one in ones]
                found = await self._shares.list_shared(account, numbers, viewer.account)
                places += [_reached(viewer, owner, shared) for shared in found]
            there = {shared.mailbox.mailbox_id for shared in found}
            stale += [one for one in ones if one.mailbox not in there]
        if stale:
            await forget(viewer, stale)
        return places

    async def _forget_noted(self, viewer: Viewer, reached: Sequence[Reached]) -> None:
        await self._shares.forget_reached(viewer.account, reached)

    async def _forget_open(self, viewer: Viewer, reached: Sequence[Reached]) -> None:
        await self._shares.forget_open(viewer.address.domain.text, reached)

    async def _owner_of(self, name: str) -> tuple[Account | None, str]:
        parts = split_others_name(name)
        if parts is None:
            return None, ""
        address, inner = parts
        owner = await self._accounts.find_account_by_address(address.canonical)
        return (owner if _is_in_use(owner) else None), inner


def own_place(viewer: Viewer, mailbox: Mailbox) -> Place:
    """Return a mailbox of the viewer's own."""
    return Place(viewer.account, mailbox, mailbox.name, ALL_RIGHTS, is_own=True)


def _is_in_use(owner: Account | None) -> bool:
    return owner is not None and owner.state is AccountState.ACTIVE


def _reached(viewer: Viewer, owner: Account, shared: Shared) -> Place:
    is_neighbour = viewer.address.domain == owner.address.domain
    grants = tuple(grant for grant in shared.grants if grant.grantee != ANYONE or is_neighbour)
    name = others_name(owner.address, shared.mailbox.name)
    return Place(owner.account_id, shared.mailbox, name, effective_rights(grants), False, grants, is_neighbour)
