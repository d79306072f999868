"""What issuing certificates asks of a certification authority, and of what proves that a name is ours.

`clients.acme` is an authority, `domains.challenges` and `clients.dns_challenges` prove names; all of them are handed to
`domains.issuance`.
"""

from __future__ import annotations

__all__ = ["Authority", "AuthorityFault", "Challenge", "ChallengeKind", "NamesRefused", "RenewalWindow", "Solver"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from hongyan.errors import Unavailable

ChallengeKind = Literal["http-01", "dns-01"]


class AuthorityFault(Unavailable):
    """The authority does not issue. `after`: how long it asks to be left alone, if it does (RFC 8555 §6.6)."""

    def __init__(self, sentence: str, *, after: timedelta | None = None) -> None:
        super().__init__(sentence)
        self.after = after


class NamesRefused(AuthorityFault):
    """It is not convinced that these names are ours; `reasons` by name. The others may be ordered without them."""

    def __init__(self, reasons: Mapping[str, str], *, after: timedelta | None = None) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in reasons.items()), after=after)
        self.reasons = dict(reasons)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the authority wants to see, under which name (RFC 8555 §8).

    `answer` is the body at the token's path for http-01, and the text of the TXT record for dns-01.
    """

    name: str
    token: str
    answer: str


class Solver(Protocol):
    """Shows answers to challenges of one kind."""

    @property
    def kind(self) -> ChallengeKind: ...

    async def show(self, challenges: Sequence[Challenge]) -> Mapping[str, str]:
        """Show answers; return when the authority will see them. Returns why not, for each name that failed."""
        ...

    async def remove(self, challenges: Sequence[Challenge]) -> None:
        """Show them no longer."""
        ...


@dataclass(frozen=True, slots=True)
class RenewalWindow:
    """When the authority wants a certificate to be renewed, and when it wants to be asked again (RFC 9773 §4.2)."""

    start: datetime
    end: datetime
    again: datetime


class Authority(Protocol):
    """Issues certificates."""

    async def obtain(self, names: Sequence[str], key: bytes, solver: Solver, replaces: bytes | None) -> bytes:
        """Return a chain in PEM for names and a private key in PEM; `replaces` is the chain that it takes over from.

        Raises `NamesRefused` or `AuthorityFault`.
        """
        ...

    async def find_window(self, chain: bytes) -> RenewalWindow | None:
        """Return when a certificate shall be renewed; None if this authority does not say. Raises `AuthorityFault`."""
        ...
