"""Port: small records of an account that JMAP shows, each a document of its own: identities, submissions.

The records of a kind have one state, a number that grows with each change. A record knows the state in which it was
made and that in which it changed last; of one that is gone the id and the state are kept, so that whoever was away
learns of it (RFC 8620 §5.2), for as long as there are fewer such than a bound.
"""

from __future__ import annotations

__all__ = ["MAX_DEPARTED", "Record", "RecordChanges", "RecordKind", "RecordStore"]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from hongyan.types import AccountId

MAX_DEPARTED: Final = 1000
"""Records of a kind that are gone and still known of; of more the oldest are forgotten."""


class RecordKind(StrEnum):
    """What a record is, as JMAP names its type."""

    IDENTITY = "Identity"
    EMAIL_SUBMISSION = "EmailSubmission"


@dataclass(frozen=True, slots=True)
class Record:
    """A record: its id and its document, which the store does not look into."""

    record_id: str
    document: str
    made: int
    """The state that its making brought about."""
    changed: int


@dataclass(frozen=True, slots=True)
class RecordChanges:
    """What became of a kind's records since a state."""

    created: Sequence[str]
    updated: Sequence[str]
    destroyed: Sequence[str]
    state: int


class RecordStore(Protocol):
    """Keeps records. Each method is one unit of work."""

    async def list_records(self, account: AccountId, kind: RecordKind) -> tuple[Sequence[Record], int]:
        """Return all records of a kind, the oldest first, and their state."""
        ...

    async def change_records(
        self,
        account: AccountId,
        kind: RecordKind,
        *,
        put: Mapping[str, str] | None = None,
        remove: Collection[str] = (),
        most: int,
    ) -> int:
        """Store documents by their ids, remove records, and return the new state.

        Raises `OverLimit`, and changes nothing, where there would be more than `most`; `NotFound` without the account.
        """
        ...

    async def record_changes(self, account: AccountId, kind: RecordKind, since: int) -> RecordChanges | None:
        """Return what changed after a state; None where that is not known any more, or was never a state."""
        ...
