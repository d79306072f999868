"""A message as the checks see it, and the ports by which they are asked."""

from __future__ import annotations

__all__ = ["Examined", "MessageCheck", "ScreeningOptions"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hongyan.addresses import Address
from hongyan.mailauth.authentication import NOT_CHECKED, Authentication
from hongyan.message.anatomy import Anatomy
from hongyan.options import option
from hongyan.screening.verdict import Finding
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True)
class ScreeningOptions:
    """The section `[screening]`."""

    seconds: float = option(
        30.0,
        "How long checks of whole messages may take; what a late one counts for is its own setting.",
        unit="s",
    )

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= 300:
            raise ValueError("seconds is between 1 and 300: a client waits ten minutes at most (RFC 5321 §4.5.3.2.6)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A message that has come in completely and was not answered yet."""

    mid: str
    peer: str
    """The client's IP address."""
    helo: str
    reverse_path: Address | None
    accounts: Mapping[AccountId, Address]
    """Our recipients, each with the address that led to it."""
    octets: bytes
    """As received."""
    body: int
    """Where the body begins in the octets."""
    authentication: Authentication = NOT_CHECKED
    encrypted: bool = False
    """Whether it came by TLS."""
    anatomy: Anatomy | None = None
    """The fields and parts of the octets, for those who want them to share the reading."""


class MessageCheck(Protocol):
    """A check that is asked with the whole message. All are asked at once, under one deadline.

    It never raises for what a stranger wrote. What fails by itself (a scanner that is down) is a finding too, or
    none, as the check's own setting says; a check that is not done when the deadline comes counts by `overdue`.
    """

    @property
    def name(self) -> str:
        """The word that `Finding.check` has."""
        ...

    async def judge(self, message: Examined) -> Sequence[Finding]:
        """Return what was found, which may be nothing."""
        ...

    def overdue(self) -> Sequence[Finding]:
        """Return what is thought of a message that could not be judged in time."""
        ...
