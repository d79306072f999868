"""Open sessions: how many a route may have, and those that wait for another message to the same destination.

A session is kept for half a minute; a server that closes it, or says anything, ends that. It costs
a timer of the event loop and no task.
"""

from __future__ import annotations

__all__ = ["PoolKey", "RouteSlots", "SessionPool"]

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from hongyan.clients.smtp_session import SmtpSession
from hongyan.queue.causes import Cause
from hongyan.queue.security import Demand

_IDLE: Final = 30.0
"""Seconds that a session is kept (RFC 5321 §4.5.3.2.7 has servers wait for five minutes)."""

_MOST_MESSAGES: Final = 100
"""Messages of one session: servers that share their load want to see us at another door at times."""

_MOST_IDLE: Final = 200
"""Sessions that are kept in all."""


@dataclass(frozen=True, slots=True)
class PoolKey:
    """Sessions of one key may serve for each other: same route, same demands on each host."""

    route: str
    demands: frozenset[tuple[str, Demand, Cause | None]]
    pool: str = ""


class SessionPool:
    """Idle sessions by destination."""

    def __init__(self) -> None:
        self._idle: dict[PoolKey, list[tuple[SmtpSession, asyncio.TimerHandle]]] = {}
        self._count = 0

    def take(self, key: PoolKey) -> SmtpSession | None:
        """Return a session that can send at once, the one used last."""
        kept = self._idle.get(key, [])
        while kept:
            session, timer = kept.pop()
            timer.cancel()
            self._count -= 1
            if not kept:
                del self._idle[key]
            if session.is_reusable:
                return session
            session.leave()
        return None

    def give(self, key: PoolKey, session: SmtpSession) -> None:
        """Keep a session, or end it if it is not to be used again."""
        if not session.is_reusable or session.messages >= _MOST_MESSAGES or self._count >= _MOST_IDLE:
            session.leave()
            return
        timer = asyncio.get_running_loop().call_later(_IDLE, self._expire, key, session)
        self._idle.setdefault(key, []).append((session, timer))
        self._count += 1

    def close(self) -> None:
        """End all idle sessions."""
        for kept in self._idle.values():
            for session, timer in kept:
                timer.cancel()
                session.leave()
        self._idle.clear()
        self._count = 0

    def _expire(self, key: PoolKey, session: SmtpSession) -> None:
        kept = self._idle[key]
        kept[:] = [(other, timer) for other, timer in kept if other is not session]
        if not kept:
            del self._idle[key]
        self._count -= 1
        session.leave()


class RouteSlots:
    """How many deliveries of one route run at the same time: a smart host is the route of all destinations."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._slots: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def hold(self, route: str) -> AsyncIterator[None]:
        """Wait for a free place and keep it."""
        slots, users = self._slots.get(route) or (asyncio.Semaphore(self._limit), 0)
        self._slots[route] = (slots, users + 1)
        try:
            async with slots:
                yield
        finally:
            _, users = self._slots[route]
            if users == 1:
                del self._slots[route]
            else:
                self._slots[route] = (slots, users - 1)
