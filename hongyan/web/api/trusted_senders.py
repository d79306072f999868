"""Senders whose remote pictures are shown without asking, if the origin of their message is proven."""

from __future__ import annotations

__all__ = ["TrustedSenderResource"]

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from hongyan.addresses import Address, AddressFault
from hongyan.clock import Clock
from hongyan.errors import NotFound
from hongyan.store.trusted_senders import TrustedSenderStore
from hongyan.web.api.declared import Done, Route, Visit
from hongyan.web.api.values import Text
from hongyan.web.problems import FieldFault, Problem

_TAG: Final = "messages"
_PATH: Final = "/trusted-senders"


@dataclass(frozen=True, slots=True)
class TrustedSenderBody:
    """The address of a sender."""

    address: Annotated[str, Text(3, 320)]


@dataclass(frozen=True, slots=True)
class TrustedSenderShown:
    """A sender, and since when it is trusted."""

    address: str
    since: datetime


@dataclass(frozen=True, slots=True)
class TrustedSenderList:
    """Whom the account trusts, by address."""

    trusted_senders: list[TrustedSenderShown]


class TrustedSenderResource:
    """`/trusted-senders`."""

    def __init__(self, trusted: TrustedSenderStore, clock: Clock) -> None:
        self._trusted = trusted
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return what it answers."""
        return [
            Route(method="GET", path=_PATH, handler=self.list_trusted, scope="account:read", tag=_TAG),
            Route(method="POST", path=_PATH, handler=self.trust, scope="account:write", status=204, tag=_TAG),
            Route(method="DELETE", path=_PATH, handler=self.untrust, scope="account:write", status=204, tag=_TAG),
        ]

    async def list_trusted(self, visit: Visit) -> TrustedSenderList:
        """List the senders whose pictures are shown without asking."""
        known = await self._trusted.list_trusted(visit.account.account_id)
        return TrustedSenderList([TrustedSenderShown(str(one.address), one.since) for one in known])

    async def trust(self, visit: Visit, body: TrustedSenderBody) -> Done:
        """Show the pictures of a sender without asking, wherever it is proven that the message is from there."""
        try:
            address = Address.parse(body.address)
        except AddressFault:
            fault = FieldFault("This is no address.", "/address")
            raise Problem(422, "invalid", "Some fields are not right.", faults=[fault]) from None
        await self._trusted.trust(visit.account.account_id, address, self._clock.now())
        return Done()

    async def untrust(self, visit: Visit, *, address: Annotated[str, Text(3, 320)]) -> Done:
        """Ask again before the pictures of a sender are shown."""
        try:
            known = await self._trusted.untrust(visit.account.account_id, Address.parse(address))
        except AddressFault:
            known = False
        if not known:
            raise NotFound("That sender is not trusted.")
        return Done()
