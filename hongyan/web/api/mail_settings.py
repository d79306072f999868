"""How mail is served to the account: what POP3 shows and does, what deleting does, addresses, and storage."""

from __future__ import annotations

__all__ = ["MailSettingsResource"]

from dataclasses import dataclass
from typing import Annotated, Final

from hongyan.accounts.identities import Identities
from hongyan.accounts.quotas import Quotas
from hongyan.accounts.settings import AccountSettings, Deleted, Fetched, Settings
from hongyan.web.api.declared import Route, Visit
from hongyan.web.api.values import Number

_TAG: Final = "mail settings"
_MAX_DAYS: Final = 36_500


@dataclass(frozen=True, slots=True)
class Pop3Settings:
    """What POP3 serves: mail of so many days (0: all), what becomes of what was fetched, and of what is deleted."""

    days: int
    fetched: Fetched
    keep_days: int
    deleted: Deleted


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """What becomes of mail that a program deletes for good."""

    deleted: Deleted


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How mail programs are served."""

    pop3: Pop3Settings
    imap: ImapSettings


@dataclass(frozen=True, slots=True)
class Pop3Change:
    """What is to be different of POP3; what is left out stays. It holds from the next login on."""

    days: Annotated[int, Number(0, _MAX_DAYS)] | None = None
    fetched: Fetched | None = None
    keep_days: Annotated[int, Number(0, _MAX_DAYS)] | None = None
    deleted: Deleted | None = None


@dataclass(frozen=True, slots=True)
class ImapChange:
    """What is to be different of IMAP; what is left out stays."""

    deleted: Deleted | None = None


@dataclass(frozen=True, slots=True)
class MailSettingsChange:
    """What is to be different; what is left out stays. `reset`: all else is as the server has it for everybody."""

    pop3: Pop3Change | None = None
    imap: ImapChange | None = None
    reset: bool = False


@dataclass(frozen=True, slots=True)
class AddressShown:
    """An address from which the account may write; `is_own`: that of the account, and not one that it was given."""

    address: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class AddressList:
    """The account's addresses, its own first. Aliases are given by admins."""

    addresses: list[AddressShown]


@dataclass(frozen=True, slots=True)
class Storage:
    """What is stored, and what may be; a limit of 0: as much as there is room for."""

    used_octets: int
    used_messages: int
    limit_octets: int
    limit_messages: int


class MailSettingsResource:
    """`/mail-settings`, `/addresses` and `/storage`."""

    def __init__(self, settings: Settings, identities: Identities, quotas: Quotas) -> None:
        self._settings = settings
        self._identities = identities
        self._quotas = quotas

    def routes(self) -> list[Route]:
        """Return what it answers."""
        read, write = "account:read", "account:write"
        return [
            Route(method="GET", path="/mail-settings", handler=self.show, scope=read, tag=_TAG),
            Route(method="PATCH", path="/mail-settings", handler=self.change, scope=write, tag=_TAG),
            Route(method="GET", path="/addresses", handler=self.list_addresses, scope=read, tag=_TAG),
            Route(method="GET", path="/storage", handler=self.show_storage, scope=read, tag=_TAG),
        ]

    async def show(self, visit: Visit) -> MailSettings:
        """Show how mail programs are served."""
        return _shown(await self._settings.find(visit.account.account_id))

    async def change(self, visit: Visit, body: MailSettingsChange) -> MailSettings:
        """Change how mail programs are served."""
        account, actor = visit.account.account_id, visit.actor
        pop3 = body.pop3 or Pop3Change()
        if body.pop3 is not None or body.reset:
            await self._settings.set_pop3(
                account,
                days=pop3.days,
                fetched=pop3.fetched,
                keep_days=pop3.keep_days,
                deleted=pop3.deleted,
                reset=body.reset,
                actor=actor,
            )
        deleted = None if body.imap is None else body.imap.deleted
        if deleted is not None or body.reset:
            await self._settings.set_imap(account, deleted, actor)
        return _shown(await self._settings.find(account))

    async def list_addresses(self, visit: Visit) -> AddressList:
        """List the addresses from which the account may write."""
        own = visit.account.address.canonical
        known = await self._identities.list_identities(visit.account.account_id)
        return AddressList([AddressShown(str(each), each.canonical == own) for each in known])

    async def show_storage(self, visit: Visit) -> Storage:
        """Show what is stored, and what may be."""
        quota = await self._quotas.quota(visit.account.account_id)
        return Storage(quota.used_octets, quota.used_messages, quota.limit_octets, quota.limit_messages)


def _shown(settings: AccountSettings) -> MailSettings:
    policy = settings.pop3
    pop3 = Pop3Settings(policy.days, policy.fetched, policy.keep_days, policy.deleted)
    return MailSettings(pop3, ImapSettings(settings.deleted))
