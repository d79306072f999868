"""The profile of whoever is logged in: name, language, services; and the password."""

from __future__ import annotations

__all__ = ["ProfileResource"]

from dataclasses import dataclass
from typing import Annotated, Final

from hongyan.accounts.accounts import Accounts
from hongyan.accounts.settings import Settings
from hongyan.auth.account_password import AccountPassword
from hongyan.auth.passwords import PasswordFault
from hongyan.auth.requirements import Requirement
from hongyan.auth.sessions import WebSessions
from hongyan.clock import Clock
from hongyan.errors import Refused
from hongyan.secret import Secret
from hongyan.store.accounts import Account, AccountChange, Locale, Role, Service
from hongyan.web.api.app_passwords import MailService
from hongyan.web.api.declared import ALWAYS, Access, Done, Route, Visit
from hongyan.web.api.values import Text
from hongyan.web.problems import FieldFault, Problem

_TAG: Final = "profile"


@dataclass(frozen=True, slots=True)
class Profile:
    """Who somebody is. `time_zone` is a name such as Asia/Shanghai; empty: that of the browser."""

    address: str
    name: str
    locale: Locale
    role: Role
    services: list[Service]
    time_zone: str


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What is to be different; what is left out stays."""

    name: Annotated[str, Text(0, 100)] | None = None
    locale: Locale | None = None
    time_zone: Annotated[str, Text(0, 64)] | None = None


@dataclass(frozen=True, slots=True)
class ServiceSwitches:
    """Which services of mail programs are on."""

    imap: bool
    pop3: bool
    smtp: bool


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A new password for the account."""

    password: Annotated[Secret, Text(1, 1024)]


class ProfileResource:
    """`/profile`, `/services` and `/password`."""

    def __init__(
        self, accounts: Accounts, settings: Settings, password: AccountPassword, sessions: WebSessions, clock: Clock
    ) -> None:
        self._accounts = accounts
        self._settings = settings
        self._password = password
        self._sessions = sessions
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return what it answers."""
        return [
            Route(method="GET", path="/profile", handler=self.show, scope="account:read", serves=ALWAYS, tag=_TAG),
            Route(method="PATCH", path="/profile", handler=self.change, scope="account:write", tag=_TAG),
            Route(method="GET", path="/services", handler=self.show_services, scope="account:read", tag=_TAG),
            Route(method="PUT", path="/services", handler=self.switch_services, access=Access.RECENT, tag=_TAG),
            Route(
                method="PUT",
                path="/password",
                handler=self.change_password,
                serves=frozenset({Requirement.NEW_PASSWORD}),
                access=Access.RECENT,
                status=204,
                tag=_TAG,
            ),
        ]

    async def show(self, visit: Visit) -> Profile:
        """Show who is logged in."""
        return await self._shown(visit.account)

    async def change(self, visit: Visit, body: ProfileChange) -> Profile:
        """Change name, language or time zone."""
        if body.name is not None and not body.name.isprintable():
            raise Problem(
                422,
                "invalid",
                "Some fields are not right.",
                faults=[FieldFault("There is a character that no text holds.", "/name")],
            )
        account = visit.account
        if body.time_zone is not None:
            try:
                await self._settings.set_time_zone(account.account_id, body.time_zone, visit.actor)
            except Refused as refused:
                faults = [FieldFault(refused.sentence, "/time_zone")]
                raise Problem(422, "invalid", "Some fields are not right.", faults=faults) from None
        if body.name is not None or body.locale is not None:
            change = AccountChange(name=body.name, locale=body.locale)
            account = await self._accounts.change(account.account_id, change, visit.actor)
        return await self._shown(account)

    async def show_services(self, visit: Visit) -> ServiceSwitches:
        """Show which services of mail programs are on."""
        return _switches(visit.account)

    async def switch_services(self, visit: Visit, body: ServiceSwitches) -> ServiceSwitches:
        """Switch services of mail programs on and off; off ends their connections."""
        wanted = {Service.IMAP: body.imap, Service.POP3: body.pop3, Service.SMTP: body.smtp}
        others = visit.account.services - wanted.keys()
        services = others | {service for service, on in wanted.items() if on}
        change = AccountChange(services=services)
        return _switches(await self._accounts.change(visit.account.account_id, change, visit.actor))

    async def change_password(self, visit: Visit, body: NewPassword) -> Done:
        """Change the password. Every session and app password ends; this browser gets a new session."""
        account = visit.account
        try:
            await self._password.change(account.account_id, body.password, visit.actor)
        except PasswordFault as fault:
            faults = [FieldFault(fault.sentence, "/password")]
            raise Problem(422, "invalid", "Some fields are not right.", faults=faults) from None
        remembered = visit.found.session.remembered
        opened = await self._sessions.open_session(account, visit.visitor, remembered=remembered)
        left = max(1, int((opened.session.ends_at - self._clock.now()).total_seconds()))
        visit.cookies.append(visit.jar.set_session(opened.token, remembered=remembered, seconds=left))
        return Done()

    async def _shown(self, account: Account) -> Profile:
        zone = (await self._settings.find(account.account_id)).time_zone
        return Profile(str(account.address), account.name, account.locale, account.role, sorted(account.services), zone)


def _switches(account: Account) -> ServiceSwitches:
    on = {service.value: Service(service.value) in account.services for service in MailService}
    return ServiceSwitches(on["imap"], on["pop3"], on["smtp"])
