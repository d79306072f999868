"""A new password for an account: the old one and all app passwords are dead with it."""

from __future__ import annotations

__all__ = ["AccountPassword"]

from collections.abc import Awaitable, Callable

from hongyan.accounts.settings import Settings
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.passwords import Passwords
from hongyan.secret import Secret
from hongyan.store.credentials import CredentialStore
from hongyan.types import AccountId


class AccountPassword:
    """Changes passwords. `changed` is called after each change: live connections of the old secrets end."""

    def __init__(
        self,
        store: CredentialStore,
        passwords: Passwords,
        settings: Settings,
        audit: AuditLog,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._settings = settings
        self._audit = audit
        self._changed = changed

    async def change(self, account: AccountId, new: Secret, actor: Actor) -> None:
        """Give the account a new password. Raises `NotFound`, or `PasswordFault` for what cannot be one."""
        password_hash = await self._passwords.hash(new)
        entry = self._audit.entry(AuditEvent.PASSWORD_CHANGED, actor, account=account)
        await self._store.set_password(account, password_hash, audit=entry)
        await self._settings.note_new_password(account, actor)
        await self._changed()
