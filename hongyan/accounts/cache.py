"""What was read from the database lately, bounded.

Whoever reads and then keeps says which generation of the cache the reading began in: what was read
before a `clear` or a `drop` is not kept after it, so that no stale value outlives its invalidation.
"""

from __future__ import annotations

__all__ = ["Cache"]

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class Cache(Generic[Key, Kept]):
    """The entries kept last; when it is full, a tenth goes at once, the oldest."""

    __slots__ = ("_entries", "_size", "generation")

    def __init__(self, size: int) -> None:
        self._entries: dict[Key, Kept] = {}
        self._size = size
        self.generation = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: Key) -> Kept | None:
        """Return what is kept for a key."""
        return self._entries.get(key)

    def keep(self, key: Key, value: Kept, generation: int) -> None:
        """Keep a value whose reading began in that generation."""
        if generation != self.generation:
            return
        if len(self._entries) >= self._size and key not in self._entries:
            for old in list(self._entries)[: max(self._size // 10, 1)]:
                del self._entries[old]
        self._entries[key] = value

    def drop(self, key: Key) -> None:
        """Forget one entry."""
        self.generation += 1
        self._entries.pop(key, None)

    def drop_where(self, is_stale: Callable[[Kept], bool]) -> None:
        """Forget the entries of which that is true."""
        self.generation += 1
        for key in [key for key, value in self._entries.items() if is_stale(value)]:
            del self._entries[key]

    def clear(self) -> None:
        """Forget all."""
        self.generation += 1
        self._entries.clear()
