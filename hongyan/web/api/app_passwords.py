"""App passwords (授权码): made, shown once, listed, revoked. Making one asks for a step-up."""

from __future__ import annotations

__all__ = ["AppPasswordResource"]

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from hongyan.auth.app_passwords import AppPasswords
from hongyan.errors import NotFound
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from hongyan.store.credentials import AppPassword, first_credential
from hongyan.types import AccountId, CredentialId
from hongyan.web.api.declared import Access, Done, Route, Visit
from hongyan.web.api.values import Number, Text

_TAG: Final = "app passwords"
_PATH: Final = "/app-passwords"


class MailService(StrEnum):
    """What an app password may be for."""

    IMAP = "imap"
    POP3 = "pop3"
    SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class NewAppPasswordBody:
    """A label by which its owner knows it, and what it is for; nothing named: IMAP, POP3 and SMTP."""

    label: Annotated[str, Text(1, 64)]
    services: list[MailService] | None = None


@dataclass(frozen=True, slots=True)
class AppPasswordShown:
    """An app password without its secret, which nobody knows."""

    number: int
    label: str
    services: list[MailService]
    created_at: datetime
    last_used_at: datetime | None
    last_used_from: str


@dataclass(frozen=True, slots=True)
class IssuedAppPasswordShown:
    """A new app password with its secret, which is shown this once."""

    app_password: AppPasswordShown
    secret: Secret


@dataclass(frozen=True, slots=True)
class AppPasswordList:
    """The app passwords of an account, the oldest first."""

    app_passwords: list[AppPasswordShown]


class AppPasswordResource:
    """`/app-passwords`."""

    def __init__(self, app_passwords: AppPasswords) -> None:
        self._app_passwords = app_passwords

    def routes(self) -> list[Route]:
        """Return what it answers."""
        one = f"{_PATH}/{{number}}"
        return [
            Route(method="GET", path=_PATH, handler=self.list_all, scope="account:read", tag=_TAG),
            Route(method="POST", path=_PATH, handler=self.create, access=Access.RECENT, status=201, tag=_TAG),
            Route(method="DELETE", path=one, handler=self.revoke, scope="account:write", status=204, tag=_TAG),
            Route(method="DELETE", path=_PATH, handler=self.revoke_all, scope="account:write", status=204, tag=_TAG),
        ]

    async def list_all(self, visit: Visit) -> AppPasswordList:
        """List the account's app passwords."""
        known = await self._app_passwords.list_app_passwords(visit.account.account_id)
        return AppPasswordList([_shown(each) for each in known])

    async def create(self, visit: Visit, body: NewAppPasswordBody) -> IssuedAppPasswordShown:
        """Make an app password. Its secret is in the answer and nowhere else."""
        services = body.services or list(MailService)
        scopes = frozenset(Service(service.value) for service in services)
        issued = await self._app_passwords.create(visit.account.account_id, body.label, scopes, visit.actor)
        return IssuedAppPasswordShown(_shown(issued.app_password), issued.shown)

    async def revoke(self, visit: Visit, *, number: Annotated[int, Number(1)]) -> Done:
        """Revoke an app password; its connections end."""
        credential = _credential(visit.account.account_id, number)
        if not await self._app_passwords.revoke(visit.account.account_id, [credential], visit.actor):
            raise NotFound("The account has no app password of that number.")
        return Done()

    async def revoke_all(self, visit: Visit) -> Done:
        """Revoke all app passwords; their connections end."""
        await self._app_passwords.revoke(visit.account.account_id, None, visit.actor)
        return Done()


def _credential(account: AccountId, number: int) -> CredentialId:
    return CredentialId(first_credential(account) + number)


def _shown(known: AppPassword) -> AppPasswordShown:
    return AppPasswordShown(
        known.credential & 0xFFFFFFFF,
        known.label,
        [MailService(service.value) for service in sorted(known.scopes)],
        known.created_at,
        known.last_used_at,
        known.last_used_from,
    )
