"""Passkeys (WebAuthn Level 3): registered, shown as the second factor or alone, removed.

A challenge carries its own proof: until when it holds, for whom and what it was made, and a keyed hash over that; so
that nothing is stored for whoever asks for one. Each is taken once. A passkey opens the web at the host name for which
it was made, from our own pages there (§13.4.9); its counter never goes back where there is one (§6.1.1). Alone it
counts only when its keeper has recognised its owner (user verification), which is two factors in one.

No attestation is asked for, and none that names a maker is read: chains of certificates are much to parse, for nothing.
"""

from __future__ import annotations

__all__ = ["PasskeyOptions", "Passkeys", "Use"]

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from webauthn import generate_authentication_options, generate_registration_options, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.app_passwords import check_label
from hongyan.auth.passkey_answers import (
    NOT_ACCEPTED,
    PasskeyPage,
    check_claim,
    read_claim,
    read_registration,
)
from hongyan.auth.second_factor import SecondFactors
from hongyan.auth.server_key import derive_key
from hongyan.clock import Clock, Random
from hongyan.errors import NotFound, Refused
from hongyan.options import option
from hongyan.secret import Secret
from hongyan.store.accounts import Account
from hongyan.store.counters import Counters
from hongyan.store.passkeys import NewPasskey, Passkey, PasskeyStore
from hongyan.types import AccountId

_NONCE: Final = 16
_WHEN: Final = 8
_PROOF: Final = 32
_LIFE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PasskeyOptions:
    """The section `[web.passkeys]`."""

    alone: bool = option(True, "Whether a passkey that has recognised its owner opens the web without the password.")
    per_account: int = option(10, "Passkeys of an account.")

    def __post_init__(self) -> None:
        if self.per_account < 1:
            raise ValueError("an account may have one passkey at least")


class Use(StrEnum):
    """What a challenge was made for."""

    REGISTER = "register"
    LOG_IN = "log-in"
    """Without a password, by whoever it is."""
    PROVE = "prove"
    """By the owner of one account: the second factor, or a step-up."""


class Passkeys:
    """Makes challenges, registers passkeys, and believes them. `changed` is called after what logins are decided by."""

    def __init__(
        self,
        store: PasskeyStore,
        second_factors: SecondFactors,
        server_key: Secret,
        counters: Counters,
        audit: AuditLog,
        clock: Clock,
        random: Random,
        changed: Callable[[], Awaitable[None]],
        options: PasskeyOptions,
        issuer: str,
    ) -> None:
        """`issuer` is what a keeper of passkeys shows beside the address."""
        self._store = store
        self._second_factors = second_factors
        self._key = derive_key(server_key, "passkeys")
        self._counters = counters
        self._audit = audit
        self._clock = clock
        self._random = random
        self._changed = changed
        self._issuer = issuer
        self.options = options

    # -- registering

    async def begin(self, account: Account, page: PasskeyPage) -> str:
        """Return what `navigator.credentials.create` is asked, as JSON. Raises `Refused` where there are none."""
        _require_name(page)
        known = await self._store.list_passkeys(account.account_id)
        made = generate_registration_options(
            rp_id=page.host,
            rp_name=self._issuer,
            user_id=self._owner(account.account_id),
            user_name=str(account.address),
            user_display_name=account.name or str(account.address),
            challenge=self._challenge(Use.REGISTER, account.account_id),
            timeout=int(_LIFE.total_seconds() * 1000),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=each.handle) for each in known],
        )
        return options_to_json(made)

    async def register(
        self, account: Account, label: str, response: Mapping[str, object], page: PasskeyPage, actor: Actor
    ) -> tuple[Passkey, Sequence[str]]:
        """Store the passkey of a response; with the account's first second factor return its recovery codes.

        Raises `Refused` for a response that is not right or not of this page, `AlreadyExists`, `OverLimit`.
        """
        label = check_label(label)
        read = read_registration(response, page)
        await self._take(read.challenge, Use.REGISTER, account.account_id)
        codes, digests = self._second_factors.make_recovery_codes(account.account_id)
        new = NewPasskey(
            handle=read.handle,
            host=page.host,
            public_key=read.public_key,
            sign_count=read.sign_count,
            label=label,
            created_at=self._clock.now().replace(microsecond=0),
        )
        entry = self._audit.entry(AuditEvent.PASSKEY_ADDED, actor, account=account.account_id, label=label)
        passkey, is_first = await self._store.add_passkey(
            account.account_id, new, limit=self.options.per_account, recovery_codes=digests, audit=entry
        )
        await self._changed()
        return passkey, codes if is_first else ()

    # -- showing

    async def ask(self, account: AccountId | None, page: PasskeyPage) -> str:
        """Return what `navigator.credentials.get` is asked, as JSON: for one account, or (None) for any passkey."""
        _require_name(page)
        use = Use.LOG_IN if account is None else Use.PROVE
        known = [] if account is None else await self._store.list_passkeys(account)
        levels = UserVerificationRequirement
        asked = generate_authentication_options(
            rp_id=page.host,
            challenge=self._challenge(use, account),
            timeout=int(_LIFE.total_seconds() * 1000),
            allow_credentials=[
                PublicKeyCredentialDescriptor(id=each.handle) for each in known if each.host == page.host
            ],
            user_verification=levels.REQUIRED if account is None else levels.PREFERRED,
        )
        return options_to_json(asked)

    async def check(self, account: AccountId | None, response: Mapping[str, object], page: PasskeyPage) -> Passkey:
        """Return the passkey that a response proves: of this account, or (None) of whoever it names.

        Raises `Refused` for one that is not right, not of this page, of another account, or shown before.
        """
        claim = read_claim(response)
        passkey = await self._store.find_passkey(claim.handle)
        if passkey is None or passkey.host != page.host or (account is not None and passkey.account != account):
            raise Refused(NOT_ACCEPTED)
        if claim.owner is not None and not hmac.compare_digest(claim.owner, self._owner(passkey.account)):
            raise Refused(NOT_ACCEPTED)
        count = check_claim(claim, page, passkey.public_key, passkey.sign_count, recognised=account is None)
        await self._take(claim.challenge, Use.LOG_IN if account is None else Use.PROVE, account)
        if not await self._store.use_passkey(passkey, count, self._clock.now()):
            raise Refused(NOT_ACCEPTED)
        return passkey

    # -- listing and removing

    async def list_passkeys(self, account: AccountId) -> Sequence[Passkey]:
        """Return the passkeys of an account, the oldest first."""
        return await self._store.list_passkeys(account)

    async def remove(self, account: AccountId, number: int, actor: Actor) -> None:
        """Remove a passkey. With the last second factor, recovery codes and bound browsers go. Raises `NotFound`."""
        entry = self._audit.entry(AuditEvent.PASSKEY_REMOVED, actor, account=account, number=str(number))
        if not await self._store.remove_passkey(account, number, audit=entry):
            raise NotFound("The account has nothing of that number.")
        await self._changed()

    # -- within

    def _owner(self, account: AccountId) -> bytes:
        """Return by what a keeper of passkeys knows the account: no name, and the same for each of its passkeys."""
        return hmac.digest(self._key, b"owner:%d" % account, "sha256")

    def _challenge(self, use: Use, account: AccountId | None) -> bytes:
        ends = int((self._clock.now() + _LIFE).timestamp())
        head = ends.to_bytes(_WHEN, "big") + self._random.token(_NONCE)
        return head + self._proof(use, account, head)

    def _proof(self, use: Use, account: AccountId | None, head: bytes) -> bytes:
        return hmac.digest(self._key, f"{use.value}:{account or 0}:".encode() + head, "sha256")

    async def _take(self, challenge: bytes, use: Use, account: AccountId | None) -> None:
        """Refuse a challenge that is not ours, not for this, too old, or was taken before."""
        head, proof = challenge[: _WHEN + _NONCE], challenge[_WHEN + _NONCE :]
        if len(proof) != _PROOF or not hmac.compare_digest(proof, self._proof(use, account, head)):
            raise Refused(NOT_ACCEPTED)
        if self._clock.now().timestamp() > int.from_bytes(head[:_WHEN], "big"):
            raise Refused("That took too long. Try again.")
        if await self._counters.take(f"passkey-challenge {head.hex()}", 1, 2 * _LIFE.total_seconds()):
            raise Refused(NOT_ACCEPTED)


def _require_name(page: PasskeyPage) -> None:
    """Refuse an address in the place of a host name, for which browsers keep no passkeys (WebAuthn §5.1.3)."""
    if page.host.replace(".", "").isdigit() or ":" in page.host:
        raise Refused("Passkeys need a host name: open this page by its name, and not by an address.")
