"""What somebody shows to be believed: the password at the one door, a code, a passkey. What is wrong is noted."""

from __future__ import annotations

__all__ = ["Proofs", "page_of", "wrong"]

from collections.abc import Mapping
from typing import Final

from hongyan.accounts.accounts import Accounts
from hongyan.audit.events import Actor
from hongyan.audit.logins import LoginLog
from hongyan.auth.browsers import name_browser
from hongyan.auth.login import LoginDoor
from hongyan.auth.passkey_answers import PasskeyPage
from hongyan.auth.passkeys import Passkeys
from hongyan.auth.principal import LoginAttempt, LoginReason
from hongyan.auth.second_factor import SecondFactors
from hongyan.clock import Clock
from hongyan.errors import OverLimit, Refused
from hongyan.secret import Secret
from hongyan.store.accounts import Account, AccountState, Service
from hongyan.store.audit import LoginKind
from hongyan.types import AccountId
from hongyan.web.api.declared import Visit
from hongyan.web.problems import FieldFault, Problem

_PASSWORD: Final = "PASSWORD"  # noqa: S105 - the name of a mechanism
_TOTP: Final = "TOTP"
_PASSKEY: Final = "PASSKEY"
_WRONG_CODE: Final = "The code is wrong, too old, or was used already."


class Proofs:
    """Believes, or refuses with a `Problem`."""

    def __init__(
        self,
        door: LoginDoor,
        accounts: Accounts,
        second_factors: SecondFactors,
        passkeys: Passkeys,
        logins: LoginLog,
        clock: Clock,
    ) -> None:
        self._door = door
        self._accounts = accounts
        self.second_factors = second_factors
        self.passkeys = passkeys
        self._logins = logins
        self._clock = clock

    async def prove_password(self, visit: Visit, name: str, password: Secret) -> Account:
        """Check a password. Raises `LoginRefused`."""
        principal = await self._door.authenticate(
            LoginAttempt(
                service=Service.WEB,
                name=name,
                peer=visit.visitor.address,
                tls=visit.arrived.tls,
                mechanism=_PASSWORD,
                secret=password,
                client=name_browser(visit.visitor.agent),
                asks_second_factor=True,
            )
        )
        account = await self._accounts.find_by_id(principal.account)
        if account is None:
            raise Problem(401, LoginReason.WRONG_SECRET.value, "The name or the password is wrong.")
        return account

    async def require_factor(
        self, visit: Visit, account: Account, code: Secret | None, passkey: Mapping[str, object] | None
    ) -> None:
        """Take a code or a passkey as the second factor of an account. Raises `Problem`."""
        if passkey is not None:
            await self._require_passkey(visit, account.account_id, passkey)
        elif code is not None:
            await self._require_code(visit, account, code)
        else:
            raise wrong("This field is needed.", "/code")

    async def prove_passkey(self, visit: Visit, response: Mapping[str, object]) -> Account:
        """Return whom a passkey lets in without a password. Raises `Problem`."""
        if not self.passkeys.options.alone:
            raise Problem(403, "passkey-alone", "Here a passkey counts together with the password only.")
        owner = await self._require_passkey(visit, None, response)
        account = await self._accounts.find_by_id(owner)
        if account is None or account.state is not AccountState.ACTIVE or Service.WEB not in account.services:
            self._note(visit, owner, _PASSKEY, LoginReason.SUSPENDED.value)
            raise wrong("This passkey was not accepted.", "/passkey")
        self._note(visit, owner, _PASSKEY, "ok")
        return account

    async def _require_passkey(self, visit: Visit, account: AccountId | None, shown: Mapping[str, object]) -> AccountId:
        try:
            return (await self.passkeys.check(account, shown, page_of(visit))).account
        except Refused as refused:
            self._note(visit, account, _PASSKEY, LoginReason.SECOND_FACTOR_WRONG.value)
            raise wrong(refused.sentence, "/passkey") from None

    async def _require_code(self, visit: Visit, account: Account, code: Secret) -> None:
        actor = Actor(str(account.address), visit.visitor.address)
        try:
            is_right = await self.second_factors.check(account.account_id, code.reveal_text(), actor)
        except OverLimit as over:
            raise Problem(429, "too-many-codes", over.sentence, headers={"retry-after": "300"}) from None
        if not is_right:
            self._note(visit, account.account_id, _TOTP, LoginReason.SECOND_FACTOR_WRONG.value)
            raise wrong(_WRONG_CODE, "/code")

    def _note(self, visit: Visit, account: AccountId | None, mechanism: str, result: str) -> None:
        kind = LoginKind(
            account,
            visit.visitor.address,
            Service.WEB.value,
            mechanism,
            visit.arrived.tls or "none",
            result,
            "",
            name_browser(visit.visitor.agent),
        )
        self._logins.record(kind, self._clock.now())


def page_of(visit: Visit) -> PasskeyPage:
    """Return the page that asks: the guard has let its host name in."""
    url = visit.request.url
    return PasskeyPage(url.hostname or "", f"{url.scheme}://{visit.request.headers.get('host', '')}")


def wrong(sentence: str, pointer: str) -> Problem:
    """Return the problem with one field."""
    return Problem(422, "invalid", "Some fields are not right.", faults=[FieldFault(sentence, pointer)])
