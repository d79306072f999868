"""Web sessions: opened at login, found by their token, ended by time, by their owner, or by a new password.

A token is the number of the session and 256 bits of chance; what is stored is a digest, so that the database opens
nothing. A login is always a new session with a new token (ASVS 5 V7.2). A session ends when it was idle for too long,
and when it is too old, whatever is done with it (V7.3). The token of a session that its owner wants remembered is
exchanged each day; a token that was exchanged, and is shown again later, was stolen on one side or the other: the
session ends.

A step-up is the moment at which the owner last showed a password or a second factor: what is risky asks for one that is
minutes old.
"""

from __future__ import annotations

__all__ = ["FoundSession", "OpenedSession", "SessionOptions", "Visitor", "WebSessions"]

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from hongyan import telemetry
from hongyan.audit.events import SERVER, Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.app_passwords import check_label
from hongyan.auth.browsers import name_browser
from hongyan.auth.requirements import Requirement
from hongyan.clock import Clock, Random
from hongyan.errors import NotFound, OverLimit, Refused
from hongyan.options import option
from hongyan.secret import Secret
from hongyan.store.accounts import Account
from hongyan.store.credentials import owner_of
from hongyan.store.web_sessions import NewWebSession, SessionKind, WebSession, WebSessionStore
from hongyan.types import AccountId, CredentialId

log = telemetry.logger("auth")

_SECRET: Final = 32  # octets
_NUMBER: Final = 8
_LONGEST: Final = 80  # characters of a token; ours have 58
_PREFIXES: Final = {SessionKind.KEY: "hyk_"}  # so that a program which looks for lost secrets knows one
_OTHERS: Final = "hys_"
_TOUCH: Final = timedelta(minutes=1)
"""A session that is in use is written down this often, not at each request."""

_ROTATE: Final = timedelta(days=1)
_GRACE: Final = timedelta(minutes=1)
"""Requests that were under way when the token was exchanged are still answered."""

_PENDING: Final = timedelta(minutes=5)
_MAX_KEY: Final = 366  # days


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """The section `[web.sessions]`."""

    idle: int = option(60, "A session ends when nothing was done in it for so long.", unit="minutes")
    lifetime: int = option(12, "A session ends when it is so old, whatever is done in it.", unit="hours")
    remembered_idle: int = option(14, "The same for a session that its owner wants remembered.", unit="days")
    remembered_lifetime: int = option(30, "The longest life of a session that its owner wants remembered.", unit="days")
    step_up: int = option(5, "How long a password or code that was shown counts for risky changes.", unit="minutes")
    binding: int = option(24, "How long a browser that showed a second factor may log in without it.", unit="hours")
    per_account: int = option(50, "Sessions of an account; one more ends the longest unused.")
    keys_per_account: int = option(20, "API keys of an account.")

    def __post_init__(self) -> None:
        numbers = (self.idle, self.lifetime, self.remembered_idle, self.remembered_lifetime, self.step_up, self.binding)
        if min(*numbers, self.per_account, self.keys_per_account) < 1:
            raise ValueError("sessions live for a minute at least, and an account may have one of each kind")


@dataclass(frozen=True, slots=True)
class Visitor:
    """From where somebody comes, and what their browser calls itself."""

    address: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session, and the token that opens it: nobody sees it again."""

    session: WebSession
    token: Secret


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session whose token was shown, and whose it is."""

    session: WebSession
    account: Account
    requirement: Requirement | None = None
    """What its owner has to do before anything else."""


class WebSessions:
    """Opens, finds and ends sessions. `changed` is called after what has to be known everywhere at once."""

    def __init__(
        self,
        store: WebSessionStore,
        locate: Callable[[str], str | None],
        audit: AuditLog,
        clock: Clock,
        random: Random,
        changed: Callable[[], Awaitable[None]],
        require: Callable[[Account], Awaitable[Requirement | None]],
        options: SessionOptions,
    ) -> None:
        """`locate` says in which country or network an address is, `require` what an owner has to do first."""
        self._require = require
        self._store = store
        self._locate = locate
        self._audit = audit
        self._clock = clock
        self._random = random
        self._changed = changed
        self.options = options

    # -- opening

    async def open_session(
        self,
        account: Account,
        visitor: Visitor,
        *,
        remembered: bool = False,
        is_proven: bool = True,
        replaces: CredentialId | None = None,
    ) -> OpenedSession:
        """Log a browser in; with `is_proven` the login counts as a step-up.

        Raises `NotFound` when `replaces`, a pending login, is not there any more.
        """
        options = self.options
        life = timedelta(days=options.remembered_lifetime) if remembered else timedelta(hours=options.lifetime)
        now = self._now()
        return await self._open(
            account,
            self._new(
                SessionKind.SESSION, visitor, now, life, proven_at=now if is_proven else None, remembered=remembered
            ),
            options.per_account,
            AuditEvent.WEB_SESSION_OPENED,
            replaces=replaces,
        )

    async def open_pending(self, account: Account, visitor: Visitor, *, remembered: bool) -> OpenedSession:
        """Note that a password was right, and that the second factor is to come within minutes."""
        new = self._new(SessionKind.PENDING, visitor, self._now(), _PENDING, remembered=remembered)
        return await self._open(account, new, self.options.per_account, None)

    async def bind(self, account: Account, visitor: Visitor) -> OpenedSession:
        """Let this browser log in without the second factor, within the hours that are set."""
        return await self._bind(account, visitor, timedelta(hours=self.options.binding), None)

    async def use_binding(self, token: Secret, account: Account, visitor: Visitor) -> OpenedSession | None:
        """Use a binding of this account by this browser, once; return the one in its place, which ends as it would."""
        found = await self.find(token, frozenset({SessionKind.BINDING}), visitor)
        if found is None or found.account.account_id != account.account_id:
            return None
        life = found.session.ends_at - self._now()
        try:
            return await self._bind(account, visitor, life, found.session.credential)
        except NotFound:  # it was used at the same time
            return None

    async def create_key(
        self, account: Account, label: str, scopes: frozenset[str], days: int, visitor: Visitor
    ) -> OpenedSession:
        """Make a key for a program. Raises `OverLimit`, or `Refused` for what cannot be a label or a time."""
        label = check_label(label)
        if not 1 <= days <= _MAX_KEY:
            raise Refused(f"A key lives for 1 to {_MAX_KEY} days.")
        present = await self._store.list_web_sessions(account.account_id)
        if sum(known.kind is SessionKind.KEY for known in present) >= self.options.keys_per_account:
            raise OverLimit("The account has as many keys as it may have.")
        new = self._new(SessionKind.KEY, Visitor(visitor.address), self._now(), timedelta(days=days), label, scopes)
        return await self._open(account, new, self.options.keys_per_account + 1, AuditEvent.API_KEY_CREATED)

    async def _bind(
        self, account: Account, visitor: Visitor, life: timedelta, replaces: CredentialId | None
    ) -> OpenedSession:
        new = self._new(SessionKind.BINDING, visitor, self._now(), life)
        return await self._open(account, new, self.options.per_account, None, replaces=replaces)

    # -- finding

    async def find_by_number(self, credential: CredentialId) -> FoundSession | None:
        """Return a session that has not ended, by its number."""
        found = await self._store.find_web_session(credential)
        if found is None or self._has_ended(found[0], self._clock.now()):
            return None
        return FoundSession(*found, await self._require(found[1]))

    async def find(self, token: Secret, kinds: frozenset[SessionKind], visitor: Visitor) -> FoundSession | None:
        """Return the session that a token opens, if it is of these kinds and has not ended; note that it is used."""
        parts = _read_token(token)
        if parts is None:
            return None
        credential, digest = parts
        found = await self._store.find_web_session(credential)
        if found is None or found[0].kind not in kinds:
            return None
        session, account = found
        now = self._clock.now()
        if not hmac.compare_digest(session.digest, digest):
            await self._judge_previous(session, digest, now)
            if not self._is_in_grace(session, digest, now):
                return None
        if self._has_ended(session, now) or not _is_agent(session, visitor):
            return None
        if now - session.seen_at >= _TOUCH or session.address != visitor.address:
            await self._store.touch_web_session(credential, now, visitor.address, self._place(visitor.address))
        return FoundSession(session, account, await self._require(account))

    async def rotate(self, found: FoundSession) -> Secret | None:
        """Return another token for a remembered session when its own is a day old; None: it keeps its own."""
        session, now = found.session, self._now()
        if not session.remembered or now - session.rotated_at < _ROTATE:
            return None
        secret = self._random.token(_SECRET)
        if not await self._store.rotate_web_session(session.credential, session.digest, _digest(secret), now):
            return None
        return _token(session.kind, session.credential, secret)

    async def requirement(self, account: Account) -> Requirement | None:
        """Return what the owner of an account has to do before anything else."""
        return await self._require(account)

    def is_stepped_up(self, session: WebSession) -> bool:
        """Whether the owner has shown a secret within the last minutes."""
        window = timedelta(minutes=self.options.step_up)
        return session.proven_at is not None and self._clock.now() - session.proven_at <= window

    async def step_up(self, session: WebSession, visitor: Visitor) -> None:
        """Note that the owner has just shown a secret again."""
        place = self._place(visitor.address)
        await self._store.touch_web_session(session.credential, self._clock.now(), visitor.address, place, proven=True)

    # -- listing and ending

    async def list_sessions(self, account: AccountId) -> Sequence[WebSession]:
        """Return what has not ended, the oldest first."""
        now = self._clock.now()
        return [known for known in await self._store.list_web_sessions(account) if not self._has_ended(known, now)]

    async def end(
        self, account: AccountId, credentials: Sequence[CredentialId] | None, actor: Actor
    ) -> Sequence[CredentialId]:
        """End these sessions of the account, or all (None), at once and everywhere; return those that were there."""
        which = "all" if credentials is None else " ".join(map(str, credentials))
        entry = self._audit.entry(AuditEvent.WEB_SESSIONS_REVOKED, actor, account=account, sessions=which)
        gone = await self._store.revoke_web_sessions(account, credentials, audit=entry)
        if gone:
            await self._changed()
        return gone

    async def expire(self) -> int:
        """Drop what has ended."""
        return await self._store.expire_web_sessions(self._clock.now())

    # -- within

    def _now(self) -> datetime:
        return self._clock.now().replace(microsecond=0)

    def _place(self, address: str) -> str:
        return self._locate(address) or ""

    def _new(
        self,
        kind: SessionKind,
        visitor: Visitor,
        now: datetime,
        life: timedelta,
        label: str = "",
        scopes: frozenset[str] = frozenset(),
        *,
        proven_at: datetime | None = None,
        remembered: bool = False,
    ) -> NewWebSession:
        return NewWebSession(
            kind=kind,
            digest=b"",
            label=label or name_browser(visitor.agent),
            agent=_digest(visitor.agent.encode("utf-8", "replace")) if visitor.agent else b"",
            address=visitor.address,
            place=self._place(visitor.address),
            scopes=scopes,
            created_at=now,
            ends_at=now + life,
            proven_at=proven_at,
            remembered=remembered,
        )

    async def _open(
        self,
        account: Account,
        new: NewWebSession,
        limit: int,
        event: AuditEvent | None,
        *,
        replaces: CredentialId | None = None,
    ) -> OpenedSession:
        secret = self._random.token(_SECRET)
        new = replace(new, digest=_digest(secret))
        entry = None
        if event is not None:
            actor = Actor(str(account.address), new.address)
            entry = self._audit.entry(event, actor, account=account.account_id, label=new.label, place=new.place)
        stored = await self._store.add_web_session(account.account_id, new, limit=limit, replaces=replaces, audit=entry)
        if stored is None:
            raise NotFound("The login was not finished in time. Begin it again.")
        return OpenedSession(stored, _token(stored.kind, stored.credential, secret))

    def _has_ended(self, session: WebSession, now: datetime) -> bool:
        if now > session.ends_at:
            return True
        if session.kind is not SessionKind.SESSION:
            return False
        options = self.options
        idle = timedelta(days=options.remembered_idle) if session.remembered else timedelta(minutes=options.idle)
        return now - session.seen_at > idle

    def _is_in_grace(self, session: WebSession, digest: bytes, now: datetime) -> bool:
        return _is_previous(session, digest) and now - session.rotated_at <= _GRACE

    async def _judge_previous(self, session: WebSession, digest: bytes, now: datetime) -> None:
        """End a session whose exchanged token is shown again: two have it."""
        if _is_previous(session, digest) and not self._is_in_grace(session, digest, now):
            log.warning("session-token-replayed", session=session.credential)
            await self.end(owner_of(session.credential), [session.credential], SERVER)


def _is_previous(session: WebSession, digest: bytes) -> bool:
    return bool(session.previous) and hmac.compare_digest(session.previous, digest)


def _is_agent(session: WebSession, visitor: Visitor) -> bool:
    """Whether a bound browser calls itself what it did. Others may: updates change it in the midst of a session."""
    if session.kind is not SessionKind.BINDING:
        return True
    return hmac.compare_digest(session.agent, _digest(visitor.agent.encode("utf-8", "replace")))


def _digest(octets: bytes) -> bytes:
    return sha256(octets).digest()


def _token(kind: SessionKind, credential: CredentialId, secret: bytes) -> Secret:
    octets = urlsafe_b64encode(credential.to_bytes(_NUMBER, "big") + secret).rstrip(b"=")
    return Secret(_PREFIXES.get(kind, _OTHERS).encode() + octets)


def _read_token(token: Secret) -> tuple[CredentialId, bytes] | None:
    """Return which session a token claims to open, and the digest of its secret."""
    text = token.reveal()
    if len(text) > _LONGEST or not text.startswith((_OTHERS.encode(), *(p.encode() for p in _PREFIXES.values()))):
        return None
    try:
        octets = urlsafe_b64decode(text[len(_OTHERS) :] + b"==")
    except ValueError:
        return None
    if len(octets) != _NUMBER + _SECRET:
        return None
    number = int.from_bytes(octets[:_NUMBER], "big")
    return (CredentialId(number), _digest(octets[_NUMBER:])) if number < 1 << 63 else None
