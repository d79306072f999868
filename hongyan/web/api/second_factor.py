"""The second factor: set up with an authenticator, recovery codes, taken away again. Each change asks for a step-up."""

from __future__ import annotations

__all__ = ["SecondFactorResource"]

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from hongyan.auth.requirements import Requirement
from hongyan.auth.second_factor import SecondFactors
from hongyan.errors import OverLimit, Refused
from hongyan.secret import Secret
from hongyan.web.api.declared import ALWAYS, Access, Done, Route, Visit
from hongyan.web.api.drawn import draw_code
from hongyan.web.api.values import Text
from hongyan.web.problems import FieldFault, Problem

_TAG: Final = "second factor"
_PATH: Final = "/second-factor"


@dataclass(frozen=True, slots=True)
class SecondFactorState:
    """Whether a second factor is in force, since when, which, and how many recovery codes are left."""

    is_on: bool
    since: datetime | None
    recovery_codes: int
    has_authenticator: bool
    passkeys: int


@dataclass(frozen=True, slots=True)
class EnrolmentShown:
    """What goes into an authenticator: the secret to type in, its otpauth: URI, and the URI's QR code as an SVG."""

    secret: Secret
    uri: Secret
    qr_code: str


@dataclass(frozen=True, slots=True)
class CodeShown:
    """A code of the authenticator."""

    code: Annotated[Secret, Text(6, 40)]


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Codes that each open once what an authenticator would. They are shown this once."""

    recovery_codes: list[str]


class SecondFactorResource:
    """`/second-factor`."""

    def __init__(self, second_factors: SecondFactors) -> None:
        self._second_factors = second_factors

    def routes(self) -> list[Route]:
        """Return what it answers."""
        recent, first = Access.RECENT, frozenset({Requirement.SECOND_FACTOR})
        return [
            Route(method="GET", path=_PATH, handler=self.show, scope="account:read", serves=ALWAYS, tag=_TAG),
            Route(method="POST", path=_PATH, handler=self.begin, access=recent, serves=first, status=201, tag=_TAG),
            Route(method="POST", path=f"{_PATH}/confirm", handler=self.confirm, access=recent, serves=first, tag=_TAG),
            Route(method="DELETE", path=_PATH, handler=self.disable, access=recent, status=204, tag=_TAG),
            Route(method="POST", path=f"{_PATH}/recovery-codes", handler=self.renew_codes, access=recent, tag=_TAG),
        ]

    async def show(self, visit: Visit) -> SecondFactorState:
        """Say whether a second factor is in force."""
        state = await self._second_factors.state(visit.account.account_id)
        return SecondFactorState(
            state.since is not None, state.since, state.recovery_codes, state.has_authenticator, state.passkeys
        )

    async def begin(self, visit: Visit) -> EnrolmentShown:
        """Begin to set one up. It is in force when a code of it was shown."""
        enrolment = await self._second_factors.begin(visit.account)
        secret = b32encode(enrolment.secret.reveal()).decode().rstrip("=")
        return EnrolmentShown(Secret(secret), Secret(enrolment.uri), draw_code(enrolment.uri))

    async def confirm(self, visit: Visit, body: CodeShown) -> RecoveryCodes:
        """Put it in force by a code of the authenticator. From then on the password opens nothing but the web."""
        try:
            codes = await self._second_factors.confirm(visit.account, body.code.reveal_text(), visit.actor)
        except OverLimit as over:
            raise Problem(429, "too-many-codes", over.sentence, headers={"retry-after": "300"}) from None
        except Refused as refused:
            fault = FieldFault(refused.sentence, "/code")
            raise Problem(422, "invalid", "Some fields are not right.", faults=[fault]) from None
        return RecoveryCodes(list(codes))

    async def disable(self, visit: Visit) -> Done:
        """Take the authenticator away; if there is no passkey, with the recovery codes."""
        await self._second_factors.disable(visit.account.account_id, visit.actor)
        return Done()

    async def renew_codes(self, visit: Visit) -> RecoveryCodes:
        """Make ten recovery codes in the place of those that there were."""
        return RecoveryCodes(
            list(await self._second_factors.renew_recovery_codes(visit.account.account_id, visit.actor))
        )
