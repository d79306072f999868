"""Logging in and out, the second factor, and showing a secret again for what is risky.

A wrong password meets the same brakes as at IMAP: it goes through the same door.
"""

from __future__ import annotations

__all__ = ["LoginState", "SessionResource", "SessionShown"]

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from hongyan.auth.principal import LoginReason, LoginRefused
from hongyan.auth.requirements import Requirement
from hongyan.auth.sessions import OpenedSession, WebSessions
from hongyan.clock import Clock
from hongyan.secret import Secret
from hongyan.store.accounts import Account, Locale, Role
from hongyan.store.web_sessions import SessionKind, WebSession
from hongyan.web.api.declared import ALWAYS, Access, Done, Route, Visit
from hongyan.web.api.proofs import Proofs, page_of, wrong
from hongyan.web.api.values import Text
from hongyan.web.problems import Problem

_TAG: Final = "session"


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password; `remember`: the session outlives the browser's window."""

    name: Annotated[str, Text(1, 254, "The address of the account.")]
    password: Annotated[Secret, Text(1, 1024)]
    remember: bool = False


@dataclass(frozen=True, slots=True)
class SecondFactorShown:
    """A code of the authenticator, a recovery code, or what a passkey answered as the browser's `toJSON()` has it.

    `bind`: this browser may log in without one for a day.
    """

    code: Annotated[Secret, Text(6, 40)] | None = None
    passkey: Mapping[str, object] | None = None
    bind: bool = False


@dataclass(frozen=True, slots=True)
class PasskeyLogin:
    """What a passkey answered, as the browser's `toJSON()` has it; `remember`: the session outlives the window."""

    passkey: Mapping[str, object]
    remember: bool = False


@dataclass(frozen=True, slots=True)
class StepUp:
    """The password; of an account with a second factor, a code or what a passkey answered."""

    password: Annotated[Secret, Text(1, 1024)] | None = None
    code: Annotated[Secret, Text(6, 40)] | None = None
    passkey: Mapping[str, object] | None = None


class FactorWay(StrEnum):
    """What may be shown as the second factor."""

    CODE = "code"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery-code"


class State(StrEnum):
    """How far a login has come."""

    OPEN = "open"
    SECOND_FACTOR = "second-factor"


@dataclass(frozen=True, slots=True)
class SessionShown:
    """Who is logged in, and until when at most."""

    address: str
    name: str
    locale: Locale
    role: Role
    opened_at: datetime
    ends_at: datetime
    is_remembered: bool
    is_stepped_up: bool
    has_second_factor: bool
    requirement: Requirement | None
    """What is to be done before anything else."""


@dataclass(frozen=True, slots=True)
class LoginState:
    """How far the login has come; with `second-factor` a code is to be shown within five minutes."""

    state: State
    session: SessionShown | None = None
    ways: list[FactorWay] = field(default_factory=list)


class SessionResource:
    """`/session`."""

    def __init__(
        self,
        proofs: Proofs,
        sessions: WebSessions,
        clock: Clock,
    ) -> None:
        self._proofs = proofs
        self._sessions = sessions
        self._second_factors = proofs.second_factors
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return what it answers."""
        path = "/session"
        return [
            Route(method="POST", path=path, handler=self.log_in, access=Access.ANYBODY, status=201, tag=_TAG),
            Route(method="GET", path=path, handler=self.show, scope="account:read", serves=ALWAYS, tag=_TAG),
            Route(method="DELETE", path=path, handler=self.log_out, access=Access.ANYBODY, status=204, tag=_TAG),
            Route(
                method="POST",
                path="/session/second-factor",
                handler=self.show_second_factor,
                access=Access.PENDING,
                status=201,
                tag=_TAG,
            ),
            Route(
                method="POST",
                path="/session/passkey",
                handler=self.log_in_by_passkey,
                access=Access.ANYBODY,
                status=201,
                tag=_TAG,
            ),
            Route(
                method="POST",
                path="/session/passkey/options",
                handler=self.ask_passkey,
                access=Access.ANYBODY,
                tag=_TAG,
            ),
            Route(method="POST", path="/session/step-up", handler=self.step_up, serves=ALWAYS, tag=_TAG),
        ]

    async def log_in(self, visit: Visit, body: Login) -> LoginState:
        """Log in. The answer sets the session's cookie; when a second factor is to be shown it opens nothing else."""
        account = await self._proofs.prove_password(visit, body.name, body.password)
        await self._end_present(visit)
        standing = await self._second_factors.state(account.account_id)
        if standing.since is None:
            opened = await self._sessions.open_session(account, visit.visitor, remembered=body.remember)
            return await self._opened(visit, account, opened)
        if await self._use_binding(visit, account):
            opened = await self._sessions.open_session(
                account, visit.visitor, remembered=body.remember, is_proven=False
            )
            return await self._opened(visit, account, opened)
        pending = await self._sessions.open_pending(account, visit.visitor, remembered=body.remember)
        visit.cookies.append(visit.jar.set_session(pending.token, remembered=False, seconds=0))
        ways = [FactorWay.CODE] if standing.has_authenticator else []
        ways += [FactorWay.PASSKEY] if standing.passkeys else []
        ways += [FactorWay.RECOVERY_CODE] if standing.recovery_codes else []
        return LoginState(State.SECOND_FACTOR, None, ways)

    async def ask_passkey(self, visit: Visit) -> Mapping[str, object]:
        """Return what the browser's `navigator.credentials.get` is asked: of whoever is logged in, or half so, or any.

        Give the whole to `PublicKeyCredential.parseRequestOptionsFromJSON`.
        """
        found = None if visit.arrived.is_program else visit.arrived.found
        asked = await self._proofs.passkeys.ask(None if found is None else found.account.account_id, page_of(visit))
        return _document(asked)

    async def log_in_by_passkey(self, visit: Visit, body: PasskeyLogin) -> LoginState:
        """Log in by a passkey alone. It has recognised its owner, and so is two factors in one."""
        account = await self._proofs.prove_passkey(visit, body.passkey)
        await self._end_present(visit)
        opened = await self._sessions.open_session(account, visit.visitor, remembered=body.remember)
        return await self._opened(visit, account, opened)

    async def show_second_factor(self, visit: Visit, body: SecondFactorShown) -> LoginState:
        """Show the second factor of a login that waits for it. The session gets a new id."""
        found = visit.found
        await self._proofs.require_factor(visit, found.account, body.code, body.passkey)
        opened = await self._sessions.open_session(
            found.account,
            visit.visitor,
            remembered=found.session.remembered,
            replaces=found.session.credential,
        )
        if body.bind:
            bound = await self._sessions.bind(found.account, visit.visitor)
            visit.cookies.append(visit.jar.set_browser(bound, self._clock.now()))
        return await self._opened(visit, found.account, opened)

    async def show(self, visit: Visit) -> SessionShown:
        """Say who is logged in. A browser asks this first; now and then the answer exchanges the cookie."""
        found = visit.found
        if not visit.arrived.is_program:
            token = await self._sessions.rotate(found)
            if token is not None:
                self._set_cookie(visit, found.session, token)
        return await self._shown(found.account, found.session)

    async def log_out(self, visit: Visit) -> Done:
        """Log out: the session ends at once, here and everywhere."""
        if visit.arrived.is_program:
            raise Problem(403, "scope", "This key is not for that.")
        await self._end_present(visit)
        visit.cookies.append(visit.jar.forget_session())
        return Done()

    async def step_up(self, visit: Visit, body: StepUp) -> SessionShown:
        """Show the password again, or a code where there is a second factor: risky changes ask for it."""
        found = visit.found
        account = found.account
        if (await self._second_factors.state(account.account_id)).since is not None:
            await self._proofs.require_factor(visit, account, body.code, body.passkey)
        elif body.password is None:
            raise wrong("This field is needed.", "/password")
        else:
            try:
                await self._proofs.prove_password(visit, str(account.address), body.password)
            except LoginRefused as refused:
                if refused.told is not LoginReason.WRONG_SECRET:
                    raise
                raise wrong("The password is wrong.", "/password") from None
        await self._sessions.step_up(found.session, visit.visitor)
        again = await self._sessions.find_by_number(found.session.credential)
        if again is None:
            raise Problem(401, "login-needed", "Nobody is logged in, or the session has ended.")
        return await self._shown(account, again.session)

    # -- within

    async def _use_binding(self, visit: Visit, account: Account) -> bool:
        """Whether this browser is bound. A binding is used once; the next one ends when it would have."""
        token = visit.jar.browser
        if token is None:
            return False
        used = await self._sessions.use_binding(token, account, visit.visitor)
        if used is None:
            visit.cookies.append(visit.jar.forget_browser())
            return False
        visit.cookies.append(visit.jar.set_browser(used, self._clock.now()))
        return True

    async def _end_present(self, visit: Visit) -> None:
        """End the session with which a login or log-out came: what a stranger may have planted lives no longer."""
        found = visit.arrived.found
        if found is not None and not visit.arrived.is_program:
            await self._sessions.end(found.account.account_id, [found.session.credential], visit.actor)

    async def _opened(self, visit: Visit, account: Account, opened: OpenedSession) -> LoginState:
        self._set_cookie(visit, opened.session, opened.token)
        return LoginState(State.OPEN, await self._shown(account, opened.session))

    def _set_cookie(self, visit: Visit, session: WebSession, token: Secret) -> None:
        left = int((session.ends_at - self._clock.now()).total_seconds())
        visit.cookies.append(visit.jar.set_session(token, remembered=session.remembered, seconds=max(left, 1)))

    async def _shown(self, account: Account, session: WebSession) -> SessionShown:
        state = await self._second_factors.state(account.account_id)
        return SessionShown(
            str(account.address),
            account.name,
            account.locale,
            account.role,
            session.created_at,
            session.ends_at,
            session.remembered,
            session.kind is SessionKind.SESSION and self._sessions.is_stepped_up(session),
            state.since is not None,
            await self._sessions.requirement(account),
        )


def _document(text: str) -> Mapping[str, object]:
    document: Mapping[str, object] = json.loads(text)
    return document
