"""The second factor of an account: an authenticator and ten recovery codes, each of which is taken once.

The secret of the authenticator is encrypted under the server's key and bound to its account: neither the database nor
another account's row is of use without it. Recovery codes are kept as keyed hashes. Five codes may be tried within five
minutes, and fifty within a day, whoever tries: six digits do not bear more.
"""

from __future__ import annotations

__all__ = ["RECOVERY_CODES", "Enrolment", "SecondFactors"]

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.server_key import derive_key
from hongyan.auth.totp import (
    format_recovery_code,
    make_recovery_code,
    make_totp_secret,
    match_code,
    normalize_recovery_code,
    provisioning_uri,
)
from hongyan.clock import Clock, Random
from hongyan.errors import AlreadyExists, Corrupt, NotFound, OverLimit, Refused
from hongyan.secret import Secret
from hongyan.store.accounts import Account
from hongyan.store.counters import Counters
from hongyan.store.second_factors import SecondFactorStanding, SecondFactorStore
from hongyan.types import AccountId

RECOVERY_CODES: Final = 10
_NONCE: Final = 12
_TRIES: Final = ((5, 300.0, "5m"), (50, 86_400.0, "1d"))


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An authenticator that is being set up: its secret, and the URI for a QR code."""

    secret: Secret
    uri: str = field(repr=False)


class SecondFactors:
    """Sets up, checks and removes second factors. `changed` is called after what logins are decided by."""

    def __init__(
        self,
        store: SecondFactorStore,
        server_key: Secret,
        counters: Counters,
        audit: AuditLog,
        clock: Clock,
        random: Random,
        changed: Callable[[], Awaitable[None]],
        issuer: str,
    ) -> None:
        """`issuer` is what an authenticator shows beside the address."""
        self._store = store
        self._cipher = AESGCM(derive_key(server_key, "second-factors"))
        self._recovery_key = derive_key(server_key, "recovery-codes")
        self._counters = counters
        self._audit = audit
        self._clock = clock
        self._random = random
        self._changed = changed
        self._issuer = issuer

    async def state(self, account: AccountId) -> SecondFactorStanding:
        """Return how it stands."""
        return await self._store.second_factor_standing(account)

    async def begin(self, account: Account) -> Enrolment:
        """Make a secret; it is in force once a code of it was shown. Raises `AlreadyExists` if another one is."""
        secret = make_totp_secret(self._random)
        if not await self._store.put_second_factor(account.account_id, self._seal(account.account_id, secret)):
            raise AlreadyExists("A second factor is in force already.")
        return Enrolment(Secret(secret), provisioning_uri(secret, str(account.address), self._issuer))

    async def confirm(self, account: Account, code: str, actor: Actor) -> Sequence[str]:
        """Put the secret in force and return the recovery codes, this once.

        Raises `Refused` for a wrong code, `NotFound` when nothing waits to be confirmed, `OverLimit`.
        """
        account_id = account.account_id
        known = await self._store.find_second_factor(account_id)
        if known is None or known.confirmed_at is not None:
            raise NotFound("No second factor waits to be confirmed.")
        await self._take_try(account_id)
        step = match_code(self._unseal(account_id, known.sealed), code, self._clock.now(), known.last_step)
        if step is None:
            raise Refused("This code is wrong or too old.")
        codes, digests = self.make_recovery_codes(account_id)
        entry = self._audit.entry(AuditEvent.SECOND_FACTOR_ENABLED, actor, account=account_id)
        confirmed = await self._store.confirm_second_factor(
            account_id, step, digests, at=self._clock.now(), audit=entry
        )
        if not confirmed:
            raise NotFound("No second factor waits to be confirmed.")
        await self._give_back(account_id)
        await self._changed()
        return codes

    async def check(self, account: AccountId, code: str, actor: Actor) -> bool:
        """Whether a code of the authenticator, or a recovery code, is right; each is right once.

        Raises `OverLimit` after too many tries.
        """
        await self._take_try(account)
        known = await self._store.find_second_factor(account)
        step = None
        if known is not None and known.confirmed_at is not None:
            step = match_code(self._unseal(account, known.sealed), code, self._clock.now(), known.last_step)
        if step is not None:
            is_right = await self._store.use_step(account, step)
        else:
            is_right = await self._use_recovery_code(account, code, actor)
        if is_right:
            await self._give_back(account)
        return is_right

    async def renew_recovery_codes(self, account: AccountId, actor: Actor) -> Sequence[str]:
        """Make ten others in the place of all, and return them, this once. Raises `NotFound`."""
        codes, digests = self.make_recovery_codes(account)
        entry = self._audit.entry(AuditEvent.RECOVERY_CODES_MADE, actor, account=account)
        if not await self._store.put_recovery_codes(account, digests, audit=entry):
            raise NotFound("No second factor is in force.")
        return codes

    def make_recovery_codes(self, account: AccountId) -> tuple[Sequence[str], Sequence[bytes]]:
        """Return ten codes as their owner is shown them, this once, and the hashes to be stored."""
        codes = [make_recovery_code(self._random) for _ in range(RECOVERY_CODES)]
        return [format_recovery_code(each) for each in codes], [self._digest(account, each) for each in codes]

    async def disable(self, account: AccountId, actor: Actor) -> None:
        """Take the authenticator away; without a passkey, the password alone opens the web again. Raises `NotFound`."""
        entry = self._audit.entry(AuditEvent.SECOND_FACTOR_DISABLED, actor, account=account)
        if not await self._store.remove_second_factor(account, audit=entry):
            raise NotFound("No second factor is in force.")
        await self._changed()

    # -- within

    async def _use_recovery_code(self, account: AccountId, shown: str, actor: Actor) -> bool:
        code = normalize_recovery_code(shown)
        if code is None:
            return False
        entry = self._audit.entry(AuditEvent.RECOVERY_CODE_USED, actor, account=account)
        return await self._store.use_recovery_code(account, self._digest(account, code), audit=entry)

    async def _take_try(self, account: AccountId) -> None:
        for limit, period, name in _TRIES:
            if await self._counters.take(f"second-factor {name} {account}", limit, period):
                raise OverLimit("Too many codes were tried. Wait some minutes.")

    async def _give_back(self, account: AccountId) -> None:
        for _, _, name in _TRIES:
            await self._counters.give_back(f"second-factor {name} {account}")

    def _digest(self, account: AccountId, code: str) -> bytes:
        return hmac.digest(self._recovery_key, b"%d:%b" % (account, code.encode()), "sha256")

    def _seal(self, account: AccountId, secret: bytes) -> bytes:
        nonce = self._random.token(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, b"%d" % account)

    def _unseal(self, account: AccountId, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], b"%d" % account)
        except (InvalidTag, ValueError) as error:
            raise Corrupt(cause="a second factor cannot be decrypted: is it another server.key?") from error
