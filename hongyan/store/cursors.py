"""How far the consumers of the change logs have come: a position in each account's log for each consumer."""

from __future__ import annotations

__all__ = ["CursorStore"]

from collections.abc import Sequence
from typing import Protocol

from hongyan.types import AccountId, ModSeq


class CursorStore(Protocol):
    """Keeps cursors. A cursor that is not there stands at 0, before the first entry."""

    async def find_cursor(self, account: AccountId, consumer: str) -> ModSeq:
        """Return how far a consumer has read an account's log."""
        ...

    async def advance_cursor(self, account: AccountId, consumer: str, modseq: ModSeq) -> None:
        """Move a cursor ahead; it never goes back. After a power loss the last second may have to be read again."""
        ...

    async def drop_cursors(self, consumer: str) -> None:
        """Let a consumer begin anew with every account."""
        ...

    async def list_behind(self, consumer: str, after: AccountId, limit: int) -> Sequence[AccountId]:
        """Return accounts whose log goes on after the consumer's cursor, by id, those after `after`."""
        ...
