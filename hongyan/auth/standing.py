"""Whether a login would still be let in: for what goes on in its name when nobody is connected.

What lives with a connection is ended by `auth.revocations`; what outlives connections asks here, each time.
"""

from __future__ import annotations

__all__ = ["LoginStanding"]

from hongyan.auth.services import ServiceOptions, check_service
from hongyan.auth.sessions import WebSessions
from hongyan.errors import NotFound
from hongyan.store.accounts import Service
from hongyan.store.credentials import CredentialStore, owner_of
from hongyan.store.web_sessions import SessionKind
from hongyan.types import CredentialId

_KINDS = frozenset({SessionKind.SESSION, SessionKind.KEY})


class LoginStanding:
    """Looks a credential up: a session of the web, a key, a password, what a mail program logs in by."""

    def __init__(self, sessions: WebSessions, credentials: CredentialStore, services: ServiceOptions) -> None:
        self._sessions = sessions
        self._credentials = credentials
        self._services = services

    async def holds(self, credential: CredentialId, service: Service) -> bool:
        """Whether the credential is there, has not ended, and still opens the service that it opened."""
        found = await self._sessions.find_by_number(credential)
        if found is not None:
            is_open = check_service(found.account, Service.WEB, self._services) is None
            return is_open and found.session.kind in _KINDS and found.requirement is None
        try:
            login = await self._credentials.get_login(owner_of(credential))
        except NotFound:
            return False
        if check_service(login.account, service, self._services) is not None:
            return False
        if login.password is not None and login.password.credential == credential:
            return not login.has_second_factor  # else it opens nothing alone (ASVS 5 V7.4.3)
        return any(device.credential == credential for device in login.devices)
