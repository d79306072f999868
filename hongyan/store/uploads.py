"""Port: uploads that no message uses yet (RFC 8620 §6)."""

from __future__ import annotations

__all__ = ["Upload", "UploadRoom", "UploadStore"]

from dataclasses import dataclass
from typing import Protocol

from hongyan.types import AccountId, BlobRef


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as its row tells it. `uploaded_at` is in seconds since 1970."""

    upload_id: str
    blob: BlobRef
    size: int
    media_type: str
    uploaded_at: int


@dataclass(frozen=True, slots=True)
class UploadRoom:
    """What uploads of an account may take: octets, and how many; what came before `since` goes."""

    octets: int
    count: int
    since: int


class UploadStore(Protocol):
    """Keeps uploads. Each method is one unit of work of one account."""

    async def save(
        self, account: AccountId, upload_id: str, octets: bytes, media_type: str, at: int, room: UploadRoom
    ) -> None:
        """Keep an upload; the oldest leave when there is no room. Raises `NotFound` and `StorageFull`."""
        ...

    async def find(self, account: AccountId, upload_id: str) -> Upload | None:
        """Return an upload of the account."""
        ...

    async def forget_before(self, at: int, *, limit: int = 100) -> int:
        """Forget the old uploads of some accounts that have some, and return of how many."""
        ...
