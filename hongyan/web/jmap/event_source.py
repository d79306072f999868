"""The event source: changes as they come, over an answer that does not end (RFC 8620 §7.3).

A stream is one coroutine that sleeps. What it has still to say is the last states, never a queue: a client that reads
slowly is told less often, and one that reads nothing is dropped.
"""

from __future__ import annotations

__all__ = ["EVENT_SOURCE", "event_source_route"]

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hongyan.auth.principal import Principal
from hongyan.errors import NotFound
from hongyan.notify.feeds import States
from hongyan.web.identity import Identities
from hongyan.web.jmap.call import account_id_of
from hongyan.web.jmap.routes import guarded, problem
from hongyan.web.jmap.streams import Streams
from hongyan.web.life import Life, life_of
from hongyan.wire.jmap.push import (
    EventWishes,
    comment,
    ping_event,
    position_of,
    read_wishes,
    select_states,
    state_event,
)

EVENT_SOURCE = "/jmap/eventsource"

_HEADERS: Mapping[str, str] = {"content-type": "text/event-stream", "x-accel-buffering": "no"}
_WRITE_TIMEOUT = 30.0  # seconds that a client may take to make room for an event
_SILENCE = 300.0  # seconds after which something is said even to who wants no pings: is somebody there?


def event_source_route(identities: Identities, streams: Streams) -> Route:
    """Return the route."""

    async def event_source(request: Request, principal: Principal) -> Response:
        try:
            wishes = read_wishes(request.query_params)
        except ValueError as fault:
            return problem(400, str(fault))
        if request.method == "HEAD":
            return Response(headers=_HEADERS)
        stream = _Stream(streams, principal, wishes, life_of(request.scope))
        try:
            await stream.open(request.headers.get("last-event-id"))
        except NotFound:
            return problem(404, "There is no such account any more.")
        return stream

    return Route(EVENT_SOURCE, guarded(identities, event_source))


class _Stream(Response):
    """One stream, from when it is allowed until it is over."""

    def __init__(self, streams: Streams, principal: Principal, wishes: EventWishes, life: Life) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self.slot = -1
        self._streams = streams
        self._account = principal.account
        self._account_id = account_id_of(principal.account)
        self._wishes = wishes
        self._life = life
        self._live = streams.enter(principal, self._revoked)
        self._stirred = asyncio.Event()
        self._told: Mapping[str, str] = {}
        self._now: Mapping[str, str] = {}
        self._is_over = False
        self._is_pinged = False
        self._is_writing = False
        self._ends_at = streams.clock.monotonic() + streams.options.push_lifetime
        self._speaks_at = 0.0

    async def open(self, last_event: str | None) -> None:
        """Begin to follow the account. What changed since the event of that id is told first. Raises `NotFound`."""
        try:
            states = await self._streams.feeds.follow(self._account, self)
        except BaseException:
            self._leave()
            raise
        self._now = self._now or select_states(states, self._wishes.types)
        if last_event is None or last_event == position_of(self._now):
            self._told = self._now
        else:
            self._stirred.set()
        self._spoke()
        self._streams.timers.add(self, 1.0)
        self._life.when_over(self._end)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - what ASGI gives
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            while not self._is_over:
                await self._stirred.wait()
                self._stirred.clear()
                octets = self._take()
                if octets:
                    await self._write(send, octets)
            await send({"type": "http.response.body", "body": b""})
        except TimeoutError:
            self._life.abort()
        finally:
            self._leave()

    def _take(self) -> bytes:
        """Return what is to be said now."""
        if self._is_over:
            return b""
        if self._now != self._told:
            changed = {name: state for name, state in self._now.items() if self._told.get(name) != state}
            self._told = self._now
            self._is_over = self._wishes.closes
            return state_event(self._account_id, changed, position_of(self._now))
        if self._is_pinged:
            return ping_event(self._wishes.ping) if self._wishes.ping else comment()
        return b""

    async def _write(self, send: Send, octets: bytes) -> None:
        self._is_pinged = False
        self._is_writing = True
        async with asyncio.timeout(_WRITE_TIMEOUT):
            await send({"type": "http.response.body", "body": octets, "more_body": True})
        self._is_writing = False
        self._spoke()

    def _spoke(self) -> None:
        self._speaks_at = self._streams.clock.monotonic() + (self._wishes.ping or _SILENCE)

    def _leave(self) -> None:
        self._life.forget()
        self._streams.timers.remove(self)
        self._streams.feeds.leave(self._account, self)
        self._streams.leave(self._live)

    # -- what wakes it

    def states_changed(self, states: States) -> None:
        """`notify.feeds.Follower`."""
        self._now = select_states(states, self._wishes.types)
        if self._now != self._told:
            self._stirred.set()

    def due(self, now: float) -> float:
        """`streams.Timed`: a ping when nothing was said for so long, and the end when it is time."""
        if now >= self._ends_at:
            self._end()
            return 0.0
        if now >= self._speaks_at:
            self._is_pinged = True
            self._speaks_at = now + (self._wishes.ping or _SILENCE)
            self._stirred.set()
        return min(self._speaks_at, self._ends_at) - now

    def _end(self) -> None:
        self._is_over = True
        self._stirred.set()

    def _revoked(self) -> None:
        self._end()
        if self._is_writing:
            self._life.abort()
