"""From the engine's threads back to the loop: results, with one wake-up for all that came meanwhile."""

from __future__ import annotations

__all__ = ["Notices", "Waiter"]

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable
from typing import Any


class Waiter:
    """Work that somebody on the loop waits for; a thread leaves its result or its error here."""

    __slots__ = ("error", "future", "notices", "result")

    def __init__(self, notices: Notices) -> None:
        self.notices = notices
        self.future: asyncio.Future[Any] = notices.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Tell who waits; on the loop."""
        if self.future.done():  # cancelled meanwhile
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Notices:
    """What is done and not yet told on one loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._done: deque[Waiter] = deque()
        self._woken = False

    def tell(self, waiters: Iterable[Waiter]) -> None:
        """Have these settled, in this order; from any thread."""
        self._done.extend(waiters)
        if not self._woken:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
                self.loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        # First this: what comes from now on wakes the loop again, and at worst for nothing.
        self._woken = False
        while self._done:
            self._done.popleft().settle()
