"""Sessions of browsers and keys of programs: what the web knows a visitor by.

Of each token a digest is kept, never the token. Like an app password, a session is a credential of an account: it is
listed, it can be revoked, and a new password revokes it.
"""

from __future__ import annotations

__all__ = ["NewWebSession", "SessionKind", "WebSession", "WebSessionStore"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hongyan.store.accounts import Account
from hongyan.store.audit import AuditEntry
from hongyan.types import AccountId, CredentialId


class SessionKind(StrEnum):
    """What a token opens."""

    SESSION = "session"
    """A browser is logged in."""
    PENDING = "pending"
    """The password was right, and the second factor is still to come: it opens nothing else."""
    BINDING = "binding"
    """A browser that has shown the second factor: for a day, its next login needs the password alone."""
    KEY = "key"
    """A program uses the open API, within its scopes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebSession:
    """A session to be stored. `digest` is the SHA-256 of its secret; times are whole seconds."""

    kind: SessionKind
    digest: bytes = field(repr=False)
    label: str
    agent: bytes = field(repr=False)
    """Digest of what the browser calls itself; empty: it may be any."""
    address: str
    place: str
    scopes: frozenset[str] = frozenset()
    created_at: datetime
    ends_at: datetime
    proven_at: datetime | None = None
    remembered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """A session as stored. `proven_at` is when its owner last showed a password or a second factor in it."""

    credential: CredentialId
    kind: SessionKind
    digest: bytes = field(repr=False)
    label: str
    agent: bytes = field(repr=False)
    address: str
    place: str
    scopes: frozenset[str]
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    proven_at: datetime | None
    remembered: bool
    previous: bytes = field(repr=False)
    """Digest of the secret before this one; empty: there was none."""
    rotated_at: datetime


class WebSessionStore(Protocol):
    """Keeps sessions. What revokes one writes to the directory's log in the same unit, and the audit entry."""

    async def add_web_session(
        self,
        account: AccountId,
        new: NewWebSession,
        *,
        limit: int,
        replaces: CredentialId | None = None,
        audit: AuditEntry | None = None,
    ) -> WebSession | None:
        """Store a session in the place of another, and forget those that have ended.

        When there are `limit` others of its kind, the longest unseen goes. None: the one to be replaced is not there
        any more, and nothing was stored. Raises `NotFound`.
        """
        ...

    async def find_web_session(self, credential: CredentialId) -> tuple[WebSession, Account] | None:
        """Return a session and whose it is, unless the account is removed."""
        ...

    async def list_web_sessions(self, account: AccountId) -> Sequence[WebSession]:
        """Return all sessions of an account, the oldest first."""
        ...

    async def touch_web_session(
        self, credential: CredentialId, at: datetime, address: str, place: str, *, proven: bool = False
    ) -> None:
        """Note that a session is in use, from where, and whether its owner has just shown a secret again."""
        ...

    async def rotate_web_session(self, credential: CredentialId, old: bytes, new: bytes, at: datetime) -> bool:
        """Put another digest in the place of this one; False: it is another already."""
        ...

    async def revoke_web_sessions(
        self, account: AccountId, credentials: Sequence[CredentialId] | None = None, *, audit: AuditEntry
    ) -> Sequence[CredentialId]:
        """Revoke these, or all; return those that were there."""
        ...

    async def expire_web_sessions(self, now: datetime) -> int:
        """Drop what has ended; return how many."""
        ...
