"""How the protocols serve single accounts: shown, and set."""

from __future__ import annotations

__all__ = ["settings_operations"]

from collections.abc import Mapping

from hongyan.accounts.settings import AccountSettings, Deleted, Fetched
from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.errors import Refused
from hongyan.operations.calling import Caller, Document, Operation, find_member
from hongyan.servers.imap.capabilities import OPTIONAL
from hongyan.store.accounts import Account

_MAX_DAYS = 36_500


def settings_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on settings of accounts, by name."""
    group = _Settings(services)
    return {
        "account.settings": group.show,
        "account.pop3": group.set_pop3,
        "account.imap": group.set_imap,
        "account.capabilities": group.switch_capabilities,
    }


class _Settings:
    def __init__(self, services: Services) -> None:
        self._accounts = services.directory.accounts
        self._settings = services.directory.settings

    async def show(self, caller: Caller, *, address: str) -> Document:  # noqa: ARG002
        """Return how POP3 and IMAP serve an account."""
        account = await self._accounts.get(Address.parse(address))
        return _shown(account, await self._settings.find(account.account_id))

    async def set_pop3(
        self,
        caller: Caller,
        *,
        address: str,
        days: int | None = None,
        fetched: str | None = None,
        keep_days: int | None = None,
        deleted: str | None = None,
        reset: bool = False,
        dry_run: bool = False,
    ) -> Document:
        """Change how POP3 serves an account, from its next login; what is not named stays, or with `reset` goes."""
        account = await self._accounts.get(Address.parse(address))
        for number in (days, keep_days):
            if number is not None and not 0 <= number <= _MAX_DAYS:
                raise Refused(f"A number of days is between 0 and {_MAX_DAYS}.")
        way = None if fetched is None else find_member(Fetched, fetched)
        end = None if deleted is None else find_member(Deleted, deleted)
        if dry_run:
            return {**_shown(account, await self._settings.find(account.account_id)), "dry_run": True}
        done = await self._settings.set_pop3(
            account.account_id,
            days=days,
            fetched=way,
            keep_days=keep_days,
            deleted=end,
            reset=reset,
            actor=caller.actor,
        )
        return _shown(account, done)

    async def set_imap(
        self, caller: Caller, *, address: str, deleted: str | None = None, reset: bool = False, dry_run: bool = False
    ) -> Document:
        """Say what EXPUNGE does to an account's mail, from now on; with `reset` what it does for all."""
        account = await self._accounts.get(Address.parse(address))
        if (deleted is None) != reset:
            raise Refused("Say what EXPUNGE is to do, or that nothing of its own is to hold.")
        way = None if deleted is None else find_member(Deleted, deleted)
        if dry_run:
            return {**_shown(account, await self._settings.find(account.account_id)), "dry_run": True}
        return _shown(account, await self._settings.set_imap(account.account_id, way, caller.actor))

    async def switch_capabilities(
        self,
        caller: Caller,
        *,
        address: str,
        off: list[str] | None = None,
        on: list[str] | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Offer an account no more, or again, capabilities of IMAP; from its next login."""
        account = await self._accounts.get(Address.parse(address))
        settings = await self._settings.find(account.account_id)
        fewer, more = _names(off), _names(on)
        if dry_run:
            return {**_shown(account, settings), "dry_run": True}
        names = (settings.switched_off | fewer) - more
        return _shown(account, await self._settings.switch_off(account.account_id, names, caller.actor))


def _names(names: list[str] | None) -> frozenset[str]:
    wanted = frozenset(name.upper() for name in names or ())
    for name in sorted(wanted - OPTIONAL):
        raise Refused(f"{name} is no capability that can be switched off.")
    return wanted


def _shown(account: Account, settings: AccountSettings) -> Document:
    policy = settings.pop3
    return {
        "address": str(account.address),
        "pop3": {
            "days": policy.days,
            "fetched": policy.fetched.value,
            "keep_days": policy.keep_days,
            "deleted": policy.deleted.value,
        },
        "imap": {"deleted": settings.deleted.value},
        "switched_off": sorted(settings.switched_off),
    }
