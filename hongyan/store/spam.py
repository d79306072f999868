"""What the statistical filter has learnt, for each account and for the server, and what users said of messages."""

from __future__ import annotations

__all__ = ["SERVER_MODEL", "Ballot", "SpamStore", "StoredModel", "TrainedAccount"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hongyan.types import AccountId

SERVER_MODEL: Final = AccountId(0)
"""Whose model the server's own is: no account has this number."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What an account's owner says of a message, known by its fingerprint. The last word counts."""

    fingerprint: bytes
    is_spam: bool


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A trained model. `version` goes up with every save; `table` is for the filter alone to read."""

    version: int
    ham: int
    spam: int
    table: bytes


@dataclass(frozen=True, slots=True)
class TrainedAccount:
    """An account that has taught its filter something."""

    account: AccountId
    ham: int
    spam: int


class SpamStore(Protocol):
    """Keeps models and ballots. Each method is one unit of work of one account, or of the server."""

    async def find_model(self, account: AccountId) -> StoredModel | None:
        """Return a model; that of the server by `SERVER_MODEL`."""
        ...

    async def find_ballots(self, account: AccountId, fingerprints: Sequence[bytes]) -> Mapping[bytes, bool]:
        """Return what the account's owner has said of these messages: whether they are spam."""
        ...

    async def save_model(
        self, account: AccountId, model: StoredModel, ballots: Sequence[Ballot] = (), *, at: int = 0, keep: int = 0
    ) -> None:
        """Save a model together with the ballots that it was taught by.

        Raises `Conflict` unless the version is the stored one's plus 1 (the first is 1). `at` are the ballots' seconds
        since 1970; of all ballots of the account about the last `keep` stay.
        """
        ...

    async def forget(self, account: AccountId) -> None:
        """Remove an account's model and its ballots."""
        ...

    async def list_trained(self, *, limit: int = 1000) -> Sequence[TrainedAccount]:
        """Return the accounts that have a model, those that taught most first."""
        ...
