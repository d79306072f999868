"""Ends what a revoked credential opened: each live session is known here by its account.

When the directory's log says that a credential was revoked, an account suspended, or a service switched off,
the sessions concerned are told to end: at once on this node, and on others when they have read the log, within
seconds. A certificate that ends takes its sessions with it, within half a minute. What changed between a login and
its registration here is remembered for a while, so that no session slips through.
"""

from __future__ import annotations

__all__ = ["LiveSession", "Revocations"]

from collections.abc import Callable, Sequence

from hongyan import telemetry
from hongyan.auth.principal import Principal
from hongyan.auth.services import ServiceOptions, check_service
from hongyan.clock import Clock
from hongyan.errors import NotFound
from hongyan.store.accounts import Account, Service
from hongyan.store.credentials import CredentialStore
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.types import AccountId, CredentialId

log = telemetry.logger("auth")

_REMEMBERED = 600.0  # seconds; no login takes as long from its check to its registration


class LiveSession:
    """One login as it lives. `end` is called by `Revocations` alone, `leave` by the session."""

    __slots__ = ("_owner", "end", "principal", "service")

    def __init__(self, owner: Revocations, principal: Principal, service: Service, end: Callable[[], None]) -> None:
        self._owner = owner
        self.principal = principal
        self.service = service
        self.end = end

    def leave(self) -> None:
        """The session is over. It may be said twice."""
        self._owner.leave(self)


class Revocations:
    """Knows the live sessions of this process, and what was revoked lately."""

    def __init__(self, store: CredentialStore, clock: Clock, services: ServiceOptions) -> None:
        self._store = store
        self._clock = clock
        self._services = services
        self._live: dict[AccountId, list[LiveSession]] = {}
        self._revoked: dict[CredentialId, float] = {}
        self._changed: dict[AccountId, tuple[Account | None, float]] = {}

    @property
    def live(self) -> int:
        """How many sessions are known."""
        return sum(map(len, self._live.values()))

    def enter(self, principal: Principal, service: Service, end: Callable[[], None]) -> LiveSession | None:
        """Register a session; `end` is called, once, when it has to end. None: it may not even begin."""
        if principal.credential in self._revoked:
            return None
        changed = self._changed.get(principal.account)
        if changed is not None and self._is_barred(changed[0], service):
            return None
        session = LiveSession(self, principal, service, end)
        self._live.setdefault(principal.account, []).append(session)
        return session

    def leave(self, session: LiveSession) -> None:
        """Forget a session."""
        sessions = self._live.get(session.principal.account)
        if sessions is not None and session in sessions:
            sessions.remove(session)
            if not sessions:
                del self._live[session.principal.account]

    def is_revoked(self, credential: CredentialId) -> bool:
        """Whether the credential was revoked lately."""
        return credential in self._revoked

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        now = self._clock.monotonic()
        self._forget_old(now - _REMEMBERED)
        if changes is None:
            for account in list(self._live):
                await self._check_account(account, now)
            return
        for change in changes:
            if change.credential is not None:
                self._revoked[change.credential] = now
        for account, topic in {(change.account, change.topic) for change in changes if change.account is not None}:
            if topic is DirectoryTopic.ACCOUNT:
                await self._check_account(account, now)
            for session in list(self._live.get(account, ())):
                if session.principal.credential in self._revoked:
                    self._end(session)

    def end_expired(self) -> None:
        """End the sessions whose certificates have ended. To be called now and then."""
        now = self._clock.now()
        for sessions in list(self._live.values()):
            for session in list(sessions):
                if session.principal.ends_at is not None and session.principal.ends_at <= now:
                    self._end(session)

    async def _check_account(self, account: AccountId, now: float) -> None:
        """Read an account anew and end the sessions that it does not allow any more."""
        valid: set[CredentialId] = set()
        current: Account | None = None
        try:
            login = await self._store.get_login(account)
        except NotFound:
            pass
        else:
            current = login.account
            valid.update(device.credential for device in login.devices)
            if login.password and not login.has_second_factor:  # else it opens nothing alone (ASVS 5 V7.4.3)
                valid.add(login.password.credential)
        self._changed[account] = (current, now)
        for session in list(self._live.get(account, ())):
            if session.principal.credential not in valid or self._is_barred(current, session.service):
                self._end(session)

    def _is_barred(self, account: Account | None, service: Service) -> bool:
        return account is None or check_service(account, service, self._services) is not None

    def _end(self, session: LiveSession) -> None:
        self.leave(session)
        log.info("session-ended", account=session.principal.account, service=session.service.value)
        session.end()

    def _forget_old(self, before: float) -> None:
        self._revoked = {key: since for key, since in self._revoked.items() if since > before}
        self._changed = {key: kept for key, kept in self._changed.items() if kept[1] > before}
