"""Uploads: kept for a while, seen by their own account alone, and by the ids that it was given (RFC 8620 §6)."""

from __future__ import annotations

__all__ = ["FindBlob", "Uploads"]

import re
from collections.abc import Awaitable, Callable

from hongyan.clock import Clock, Random
from hongyan.store.blobs import BlobStore
from hongyan.store.uploads import UploadRoom, UploadStore
from hongyan.types import AccountId
from hongyan.web.jmap.options import JmapOptions

FindBlob = Callable[[AccountId, str], Awaitable[bytes | None]]
"""Returns the octets that a blobId of the account names, None if it names none."""

_ID = re.compile(r"U[0-9a-f]{32}", re.ASCII)
_ID_OCTETS = 16
_HOUR = 3600


class Uploads:
    """Keeps and finds them."""

    def __init__(
        self, store: UploadStore, blobs: BlobStore, options: JmapOptions, clock: Clock, random: Random
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._options = options
        self._clock = clock
        self._random = random

    async def save(self, account: AccountId, octets: bytes, media_type: str) -> str:
        """Keep octets and return their blobId. Raises `NotFound`, `StorageFull`."""
        upload_id, now = f"U{self._random.token(_ID_OCTETS).hex()}", int(self._clock.timestamp())
        room = UploadRoom(self._options.upload_room, self._options.uploads, self._oldest(now))
        await self._store.save(account, upload_id, octets, media_type, now, room)
        return upload_id

    async def find(self, account: AccountId, blob_id: str) -> bytes | None:
        """Return the octets of an upload of the account. Raises `Corrupt`."""
        upload = await self._store.find(account, blob_id) if _ID.fullmatch(blob_id) else None
        return None if upload is None else await self._blobs.read(upload.blob)

    async def forget_old(self) -> None:
        """Forget what was uploaded too long ago, of all accounts."""
        while await self._store.forget_before(self._oldest(int(self._clock.timestamp()))):
            pass

    def _oldest(self, now: int) -> int:
        return now - int(self._options.upload_hours * _HOUR)
