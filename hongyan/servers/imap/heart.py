"""Heartbeats from the server's one wheel: for clients that idle, and for those that wait for a long command's end.

Routers forget connections on which nothing is said, and people lose patience. Whoever waits stands here; it has no
timer of its own.
"""

from __future__ import annotations

__all__ = ["Heart"]

from typing import Protocol

from hongyan.servers.wheel import Wheel


class _Waiting(Protocol):
    def heartbeat(self) -> None: ...


class Heart:
    """Beats for everything that waits, for each from when it began to."""

    def __init__(self, wheel: Wheel, seconds: float) -> None:
        self._wheel = wheel
        self._seconds = seconds
        self._next: dict[_Waiting, float] = {}
        wheel.every(1.0, self._beat)

    def __len__(self) -> int:
        return len(self._next)

    def start(self, session: _Waiting) -> None:
        """Let it hear from us in `seconds`, and again after each as many."""
        self._next[session] = self._wheel.now + self._seconds

    def stop(self, session: _Waiting) -> None:
        """Forget a session, if it is known."""
        self._next.pop(session, None)

    def _beat(self) -> None:
        # Sessions stand in the order of their next beat: whoever has beaten goes to the end.
        now = self._wheel.now
        while self._next:
            session = next(iter(self._next))
            if self._next[session] > now:
                return
            del self._next[session]
            self._next[session] = now + self._seconds
            session.heartbeat()
