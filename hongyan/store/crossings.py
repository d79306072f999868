"""Messages that go from one account to another: read in the one's unit of work, put into the other's.

What is taken is rows and references to blobs, no octets: the same blob is referred to by both. A reference that was
read stays good for the sweep's time of grace, and a row that refers to a blob keeps it.
"""

from __future__ import annotations

__all__ = ["CrossingStore", "Taken"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pyroaring import BitMap

from hongyan.store.changes import Flag
from hongyan.store.messages import CopyResult
from hongyan.types import AccountId, MailboxId


@dataclass(frozen=True, slots=True)
class Taken:
    """Messages as they were read. The rows are the engine's own business."""

    uids: Sequence[int]
    octets: int
    rows: Sequence[tuple[Any, ...]]


class CrossingStore(Protocol):
    """Carries messages across. Each method is one unit of work of one account."""

    async def take(self, account: AccountId, mailbox: MailboxId, uids: BitMap) -> Taken:
        """Read the messages. Raises `Conflict` when one of them is gone, `NotFound` (no such mailbox)."""
        ...

    async def bring(
        self, account: AccountId, mailbox: MailboxId, taken: Taken, flags: Mapping[Flag, BitMap], saved_at: int
    ) -> CopyResult:
        """Put them into a mailbox of another account, all or none. `flags` are by UIDs of the source.

        Raises `NotFound` (no such mailbox), `OverQuota`, `StorageFull`.
        """
        ...
