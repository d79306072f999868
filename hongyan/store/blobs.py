"""Blobs: octets that never change, found by a reference that only their store can read.

The row that holds a reference keeps the blob alive. A reference is never handed to a client.
"""

from __future__ import annotations

__all__ = ["BlobSource", "BlobStore", "StoredBlob"]

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from hongyan.types import BlobRef

BlobSource = bytes | bytearray | memoryview
"""What a blob is made from: anything that lies in memory or is mapped into it."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """What a store holds, as `verify` and the sweep see it."""

    ref: BlobRef
    size: int
    intact: bool


class BlobStore(Protocol):
    """Keeps blobs. Writing goes through the database's units of work, so that blob and row arrive together."""

    def read_now(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return the octets if that needs no waiting for a disk or a network, else None."""
        ...

    async def read(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        """Return the octets of [start, stop). Raises `Corrupt` when they are not what was stored."""
        ...

    def scan(self) -> Iterator[StoredBlob]:
        """Yield every blob that is held, blocking; `intact` says whether its octets can be read back."""
        ...
