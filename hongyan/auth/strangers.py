""" "This was not me": a login in the log was somebody else's, says the owner.

At once, in this order, so that a stranger who looks on is out before he can answer: what the login used is revoked,
all sessions but the one that says so end, bound browsers and keys with them, and nothing goes on before there is
another password. A new password ends every app password that is left.
"""

from __future__ import annotations

__all__ = ["Ended", "Strangers"]

from collections.abc import Sequence
from dataclasses import dataclass

from hongyan.accounts.settings import Settings
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.app_passwords import AppPasswords
from hongyan.auth.sessions import FoundSession, WebSessions
from hongyan.errors import NotFound
from hongyan.store.audit import AuditStore, LoginKind

_MOST = 500


@dataclass(frozen=True, slots=True)
class Ended:
    """What came to an end: so many sessions, bound browsers and keys, and app passwords by their labels."""

    sessions: int
    app_passwords: Sequence[str]


class Strangers:
    """Shuts out whoever was in."""

    def __init__(
        self, store: AuditStore, sessions: WebSessions, app_passwords: AppPasswords, settings: Settings, audit: AuditLog
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._app_passwords = app_passwords
        self._settings = settings
        self._audit = audit

    async def shut_out(self, found: FoundSession, address: str, service: str, label: str, actor: Actor) -> Ended:
        """Shut out who came from an address to a service, by an app password of that label or (empty) otherwise.

        Raises `NotFound` when the account's log knows of no such login.
        """
        account = found.account.account_id
        logins = await self._store.list_logins(account, limit=_MOST)
        if not any(_is_it(login.kind, address, service, label) for login in logins):
            raise NotFound("The log knows of no such login.")
        known = [
            each for each in await self._app_passwords.list_app_passwords(account) if label and each.label == label
        ]
        if known:
            await self._app_passwords.revoke(account, [each.credential for each in known], actor)
        others = [
            each.credential
            for each in await self._sessions.list_sessions(account)
            if each.credential != found.session.credential
        ]
        gone = await self._sessions.end(account, others, actor) if others else []
        await self._settings.require_new_password(account, actor)
        await self._audit.append(
            self._audit.entry(
                AuditEvent.STRANGER_REPORTED, actor, account=account, address=address, service=service, label=label
            )
        )
        return Ended(len(gone), [each.label for each in known])


def _is_it(kind: LoginKind, address: str, service: str, label: str) -> bool:
    return (kind.address, kind.service, kind.label) == (address, service, label)
