"""App passwords (授权码): a long random secret for one program, for some services, shown once.

Sixteen lower-case letters, 75 bits of chance: nobody guesses one, so that checking it may be cheap. It is shown
in four groups and taken with or without the spaces. Stored is a hash under the server's key, for mechanisms
that send the secret, and SCRAM verifiers of both spellings, for SCRAM-SHA-256. Neither can be turned back.
"""

from __future__ import annotations

__all__ = [
    "APP_PASSWORD_SCOPES",
    "AppPasswordOptions",
    "AppPasswords",
    "IssuedAppPassword",
    "SecretHasher",
    "fake_verifiers",
    "group_letters",
    "make_app_password",
    "match_secret",
]

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.server_key import derive_key
from hongyan.clock import Clock, Random
from hongyan.errors import Refused
from hongyan.options import option
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from hongyan.store.credentials import AppPassword, CredentialStore, NewAppPassword, StoredLogin
from hongyan.types import AccountId, CredentialId
from hongyan.wire.sasl import SCRAM_ITERATIONS, SaslFault, ScramKeys, ScramVerifiers, saslprep, scram_keys

APP_PASSWORD_SCOPES: Final = frozenset({Service.IMAP, Service.POP3, Service.SMTP})
"""What an app password may be for. The web asks for the account's password."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LENGTH = 16
_GROUP = 4
_MAX_LABEL = 64
_SALT_OCTETS = 16
_SPELLINGS = 2


@dataclass(frozen=True, slots=True)
class AppPasswordOptions:
    """How many app passwords there may be."""

    per_account: int = option(50, "App passwords that an account may have at once.")

    def __post_init__(self) -> None:
        if not 1 <= self.per_account <= 500:
            raise ValueError("per_account is between 1 and 500: each login tries all of them")


@dataclass(frozen=True, slots=True)
class IssuedAppPassword:
    """A new app password, and its secret as it is shown to its owner, this once."""

    app_password: AppPassword
    shown: Secret


class SecretHasher:
    """Makes what is stored of secrets, under the server's key."""

    def __init__(self, server_key: Secret) -> None:
        self._key = derive_key(server_key, "app-passwords")

    def keyed_hash(self, secret: bytes, salt: bytes) -> bytes:
        """Return the hash that is stored of a secret; spaces in it mean nothing."""
        return hmac.digest(self._key, salt + _compact(secret), "sha256")

    async def prepare(
        self,
        shown: Secret,
        salt: bytes,
        *,
        label: str,
        scopes: frozenset[Service],
        created_at: datetime,
        iterations: int = SCRAM_ITERATIONS,
    ) -> NewAppPassword:
        """Return what is stored of a secret. Raises `Refused` for one that no program can send."""
        try:
            spelling = saslprep(shown.reveal_text())
        except (UnicodeDecodeError, SaslFault):
            raise Refused("The secret holds a character that no program can send.") from None
        compact = _compact(spelling.encode()).decode()
        if not compact:
            raise Refused("The secret is empty.")
        spellings = (compact,) if compact == spelling else (compact, spelling)
        keys = await asyncio.to_thread(_verifiers, spellings, salt, iterations)
        return NewAppPassword(label, scopes, self.keyed_hash(compact.encode(), salt), keys, created_at)


class AppPasswords:
    """Makes, lists and revokes app passwords. `changed` is called after each change."""

    def __init__(
        self,
        store: CredentialStore,
        hasher: SecretHasher,
        audit: AuditLog,
        clock: Clock,
        random: Random,
        changed: Callable[[], Awaitable[None]],
        options: AppPasswordOptions,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._audit = audit
        self._clock = clock
        self._random = random
        self._changed = changed
        self._options = options

    async def create(
        self, account: AccountId, label: str, scopes: frozenset[Service], actor: Actor, *, secret: Secret | None = None
    ) -> IssuedAppPassword:
        """Make an app password. A given secret is for demonstrations and tests.

        Raises `NotFound`, `OverLimit`, or `Refused` for a label or scopes that cannot be.
        """
        label = check_label(label)
        require_scopes(scopes)
        login = await self._store.get_login(account)
        shown = Secret(group_letters(make_app_password(self._random))) if secret is None else secret
        new = await self._hasher.prepare(
            shown,
            login.scram_salt,
            label=label,
            scopes=scopes,
            created_at=self._clock.now().replace(microsecond=0),
            iterations=login.scram_iterations,
        )
        entry = self._audit.entry(
            AuditEvent.APP_PASSWORD_CREATED, actor, account=account, label=label, scopes=" ".join(sorted(scopes))
        )
        stored = await self._store.add_app_password(account, new, limit=self._options.per_account, audit=entry)
        await self._changed()
        return IssuedAppPassword(stored, shown)

    async def list_app_passwords(self, account: AccountId) -> Sequence[AppPassword]:
        """Return the app passwords of an account, the oldest first. Raises `NotFound`."""
        return (await self._store.get_login(account)).app_passwords

    async def revoke(
        self, account: AccountId, credentials: Sequence[CredentialId] | None, actor: Actor
    ) -> Sequence[CredentialId]:
        """Revoke these app passwords of the account, or all (None); live connections of theirs end.

        Returns those that were there.
        """
        which = "all" if credentials is None else " ".join(map(str, credentials))
        entry = self._audit.entry(AuditEvent.APP_PASSWORDS_REVOKED, actor, account=account, credentials=which)
        revoked = await self._store.revoke_app_passwords(account, credentials, audit=entry)
        await self._changed()
        return revoked


def make_app_password(random: Random) -> str:
    """Return sixteen letters that nobody can guess."""
    return "".join(_LETTERS[random.below(len(_LETTERS))] for _ in range(_LENGTH))


def group_letters(letters: str) -> str:
    """Return letters in groups of four, as people read them.

    >>> group_letters("abcdefghijklmnop")
    'abcd efgh ijkl mnop'
    """
    return " ".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def match_secret(keyed_hash: bytes, login: StoredLogin) -> AppPassword | None:
    """Return the app password that has this hash."""
    found = None
    for candidate in login.app_passwords:
        if hmac.compare_digest(candidate.keyed_hash, keyed_hash):
            found = candidate
    return found


def fake_verifiers(server_key: Secret, name: str) -> ScramVerifiers:
    """Return what a name that nobody has is given: stable, and like what an account with one app password gets."""
    seed = hmac.digest(derive_key(server_key, "scram-nobody"), name.encode("utf-8", "replace"), "sha256")
    keys = ScramKeys(seed, hmac.digest(seed, b"server", "sha256"))
    return ScramVerifiers(seed[:_SALT_OCTETS], SCRAM_ITERATIONS, (keys,) * _SPELLINGS)


def check_label(label: str) -> str:
    """Return a label without the spaces around it. Raises `Refused`."""
    label = label.strip()
    if not label or len(label) > _MAX_LABEL or not label.isprintable():
        raise Refused(f"A label has between 1 and {_MAX_LABEL} characters, and none that cannot be seen.")
    return label


def require_scopes(scopes: frozenset[Service]) -> None:
    """Refuse scopes that an app password cannot have."""
    if not scopes or not scopes <= APP_PASSWORD_SCOPES:
        raise Refused("An app password is for IMAP, POP3, SMTP or several of them.")


def _compact(secret: bytes) -> bytes:
    """Return a secret without spaces; U+00A0 is what a copy from a page may hold."""
    return secret.replace(b" ", b"").replace(b"\xc2\xa0", b"")


def _verifiers(spellings: tuple[str, ...], salt: bytes, iterations: int) -> tuple[ScramKeys, ...]:
    return tuple(scram_keys(spelling, salt, iterations) for spelling in spellings)
