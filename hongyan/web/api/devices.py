"""Where an account is logged in: browsers and bound browsers, keys of programs, and the log of logins."""

from __future__ import annotations

__all__ = ["DeviceResource"]

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from hongyan.auth.sessions import WebSessions
from hongyan.auth.strangers import Strangers
from hongyan.errors import NotFound
from hongyan.secret import Secret
from hongyan.store.accounts import Role
from hongyan.store.audit import AuditStore
from hongyan.store.credentials import first_credential
from hongyan.store.web_sessions import SessionKind, WebSession
from hongyan.types import AccountId, CredentialId
from hongyan.web.api.declared import API_SCOPES, Access, Done, Route, Visit
from hongyan.web.api.values import Number, Text
from hongyan.web.problems import FieldFault, Problem

_TAG: Final = "devices"
_KEYS: Final = "keys"


class DeviceKind(StrEnum):
    """What is logged in."""

    SESSION = "session"
    BINDING = "binding"


class ApiScope(StrEnum):
    """What a key may be for."""

    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    MAIL = "mail"
    LOG_READ = "log:read"
    ADMIN_READ = "admin:read"
    ADMIN_WRITE = "admin:write"


@dataclass(frozen=True, slots=True)
class DeviceShown:
    """A browser that is logged in, or that may log in without the second factor."""

    number: int
    kind: DeviceKind
    label: str
    address: str
    place: str
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The browsers of an account, the oldest first."""

    devices: list[DeviceShown]


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key for a program: by what its owner knows it, what it is for, and for how many days."""

    label: Annotated[str, Text(1, 64)]
    scopes: list[ApiScope]
    days: Annotated[int, Number(1, 366)] = 90


@dataclass(frozen=True, slots=True)
class KeyShown:
    """A key without its secret, which nobody knows."""

    number: int
    label: str
    scopes: list[str]
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    address: str


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its secret, which is shown this once."""

    key: KeyShown
    secret: Secret


@dataclass(frozen=True, slots=True)
class KeyList:
    """The keys of an account, the oldest first."""

    keys: list[KeyShown]


@dataclass(frozen=True, slots=True)
class LoginShown:
    """Login attempts that have all but the time in common: how often, first and last."""

    address: str
    place: str
    service: str
    mechanism: str
    result: str
    label: str
    client: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class LoginLogShown:
    """Login attempts, the last seen first."""

    logins: list[LoginShown]


@dataclass(frozen=True, slots=True)
class Stranger:
    """A login of the log that was somebody else's, as the log shows it."""

    address: Annotated[str, Text(0, 64)]
    service: Annotated[str, Text(1, 16)]
    label: Annotated[str, Text(0, 64)] = ""


class Step(StrEnum):
    """What the owner does next, in this order."""

    NEW_PASSWORD = "new-password"  # noqa: S105 - the name of a step
    SECOND_FACTOR = "second-factor"
    PASSKEYS = "passkeys"
    APP_PASSWORDS = "app-passwords"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class ShutOut:
    """What has ended, and what the owner does next; until the first step is done, nothing else is open."""

    sessions: int
    app_passwords: list[str]
    steps: list[Step]


class DeviceResource:
    """`/devices`, `/keys` and `/logins`."""

    def __init__(
        self, sessions: WebSessions, strangers: Strangers, audit: AuditStore, locate: Callable[[str], str | None]
    ) -> None:
        self._sessions = sessions
        self._strangers = strangers
        self._audit = audit
        self._locate = locate

    def routes(self) -> list[Route]:
        """Return what it answers."""
        read, write = "account:read", "account:write"
        return [
            Route(method="GET", path="/devices", handler=self.list_devices, scope=read, tag=_TAG),
            Route(method="DELETE", path="/devices", handler=self.end_others, scope=write, status=204, tag=_TAG),
            Route(method="DELETE", path="/devices/{number}", handler=self.end, scope=write, status=204, tag=_TAG),
            Route(method="GET", path="/logins", handler=self.list_logins, scope=read, tag=_TAG),
            Route(method="POST", path="/logins/not-me", handler=self.shut_out, tag=_TAG),
            Route(method="GET", path="/keys", handler=self.list_keys, tag=_KEYS),
            Route(method="POST", path="/keys", handler=self.create_key, access=Access.RECENT, status=201, tag=_KEYS),
            Route(method="DELETE", path="/keys/{number}", handler=self.revoke_key, status=204, tag=_KEYS),
        ]

    async def list_devices(self, visit: Visit) -> DeviceList:
        """List the browsers that are logged in, or bound."""
        this = visit.found.session.credential
        known = await self._sessions.list_sessions(visit.account.account_id)
        kinds = {SessionKind.SESSION: DeviceKind.SESSION, SessionKind.BINDING: DeviceKind.BINDING}
        return DeviceList([_device(each, kinds[each.kind], this) for each in known if each.kind in kinds])

    async def end(self, visit: Visit, *, number: Annotated[int, Number(1)]) -> Done:
        """End a session or a binding, at once."""
        return await self._end(visit, number, frozenset({SessionKind.SESSION, SessionKind.BINDING}))

    async def end_others(self, visit: Visit) -> Done:
        """End all sessions and bindings but this one."""
        this = visit.found.session.credential
        known = await self._sessions.list_sessions(visit.account.account_id)
        others = [each.credential for each in known if each.kind is not SessionKind.KEY and each.credential != this]
        if others:
            await self._sessions.end(visit.account.account_id, others, visit.actor)
        return Done()

    async def list_logins(self, visit: Visit, *, limit: Annotated[int, Number(1, 500)] = 100) -> LoginLogShown:
        """List login attempts of the last months, those that failed as well."""
        folds = await self._audit.list_logins(visit.account.account_id, limit=limit)
        return LoginLogShown(
            [
                LoginShown(
                    fold.kind.address,
                    self._locate(fold.kind.address) or "",
                    fold.kind.service,
                    fold.kind.mechanism,
                    fold.kind.result,
                    fold.kind.label,
                    fold.kind.client,
                    fold.count,
                    fold.first_at,
                    fold.last_at,
                )
                for fold in folds
            ]
        )

    async def shut_out(self, visit: Visit, body: Stranger) -> ShutOut:
        """This was not me: end what that login used and all other sessions, and ask for a new password."""
        ended = await self._strangers.shut_out(visit.found, body.address, body.service, body.label, visit.actor)
        return ShutOut(ended.sessions, list(ended.app_passwords), list(Step))

    async def list_keys(self, visit: Visit) -> KeyList:
        """List the account's keys."""
        known = await self._sessions.list_sessions(visit.account.account_id)
        return KeyList([_key(each) for each in known if each.kind is SessionKind.KEY])

    async def create_key(self, visit: Visit, body: NewKey) -> IssuedKey:
        """Make a key for a program. Its secret is in the answer and nowhere else."""
        scopes = frozenset(scope.value for scope in body.scopes) & API_SCOPES.keys()
        if not scopes:
            raise _wrong_scopes("Name one scope at least.")
        if visit.account.role is not Role.ADMIN and any(scope.startswith("admin") for scope in scopes):
            raise _wrong_scopes("This is for admins.")
        opened = await self._sessions.create_key(visit.account, body.label, scopes, body.days, visit.visitor)
        return IssuedKey(_key(opened.session), opened.token)

    async def revoke_key(self, visit: Visit, *, number: Annotated[int, Number(1)]) -> Done:
        """Revoke a key, at once."""
        return await self._end(visit, number, frozenset({SessionKind.KEY}))

    async def _end(self, visit: Visit, number: int, kinds: frozenset[SessionKind]) -> Done:
        account = visit.account.account_id
        wanted = _credential(account, number)
        known = await self._sessions.list_sessions(account)
        if not any(each.credential == wanted and each.kind in kinds for each in known):
            raise NotFound("The account has nothing of that number.")
        await self._sessions.end(account, [wanted], visit.actor)
        return Done()


def _wrong_scopes(sentence: str) -> Problem:
    return Problem(422, "invalid", "Some fields are not right.", faults=[FieldFault(sentence, "/scopes")])


def _credential(account: AccountId, number: int) -> CredentialId:
    return CredentialId(first_credential(account) + number)


def _device(known: WebSession, kind: DeviceKind, this: CredentialId) -> DeviceShown:
    return DeviceShown(
        known.credential & 0xFFFFFFFF,
        kind,
        known.label,
        known.address,
        known.place,
        known.created_at,
        known.seen_at,
        known.ends_at,
        known.credential == this,
    )


def _key(known: WebSession) -> KeyShown:
    return KeyShown(
        known.credential & 0xFFFFFFFF,
        known.label,
        sorted(known.scopes),
        known.created_at,
        known.seen_at,
        known.ends_at,
        known.address,
    )
