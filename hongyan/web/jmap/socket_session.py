"""What is said over one WebSocket of JMAP, from its opening to its end (RFC 8887 §4)."""

from __future__ import annotations

__all__ = ["SocketSession"]

import asyncio
from collections import deque
from collections.abc import Mapping

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from hongyan.errors import HongyanError
from hongyan.notify.feeds import States
from hongyan.web.jmap.call import Visitor, account_id_of
from hongyan.web.jmap.core import Jmap
from hongyan.web.jmap.streams import Streams
from hongyan.web.life import Life
from hongyan.wire.jmap.faults import RequestProblem
from hongyan.wire.jmap.push import position_of, select_states
from hongyan.wire.jmap.socket import (
    PushDisable,
    PushEnable,
    SocketMessage,
    SocketRequest,
    change_message,
    error_message,
    read_message,
    response_message,
)

_IN_A_THREAD = 256 * 1024  # octets; a greater message is parsed beside the loop
_REQUEST_TIMEOUT = 30.0  # seconds that a request may take
_WRITE_TIMEOUT = 30.0  # seconds that a client may take to make room for a message
_PING_EVERY = 120.0  # seconds of silence after which the peer is asked whether it is there
_SILENCE = 300.0  # seconds of silence after which it is taken for gone
_FAREWELL = 5.0  # seconds that a peer has to say goodbye too


class SocketSession:
    """One socket. Frames are wsproto's; what they hold is read here."""

    def __init__(self, jmap: Jmap, streams: Streams, visitor: Visitor, life: Life) -> None:
        """Take a place among the streams. Raises `RequestProblem` and `Unidentified`."""
        self.slot = -1
        self._jmap = jmap
        self._streams = streams
        self._visitor = visitor
        self._account = visitor.principal.account
        self._account_id = account_id_of(self._account)
        self._life = life
        self._live = streams.enter(visitor.principal, self._revoked)
        self._frames = Connection(ConnectionType.SERVER)
        self._stirred = asyncio.Event()
        self._messages: deque[bytes] = deque()
        self._pieces: list[str] = []
        self._size = 0
        self._replies: deque[Event] = deque(maxlen=8)
        self._closing: CloseReason | None = None
        self._is_over = False
        self._is_busy = False
        self._enabled: PushEnable | None = None
        self._states: States = {}
        self._told: Mapping[str, str] | None = None
        self._heard_at = streams.clock.monotonic()

    async def run(self, opening: bytes) -> None:
        """Serve the peer until the end."""
        try:
            self._life.when_over(self._end)
            await self._life.write(opening)
            self._life.take(self._receive)
            self._streams.timers.add(self, _PING_EVERY)
            while not self._is_over and self._closing is None:
                await self._stirred.wait()
                self._stirred.clear()
                await self._step()
            await self._say_goodbye()
        except TimeoutError:
            self._life.abort()
        finally:
            self._is_over = True
            self._life.forget()
            self._streams.timers.remove(self)
            self._streams.feeds.leave(self._account, self)
            self._streams.leave(self._live)
            self._life.close()

    # -- what comes

    def _receive(self, octets: bytes) -> None:
        """Take in octets; what is complete waits for its turn, and nothing more is read meanwhile."""
        self._heard_at = self._streams.clock.monotonic()
        if self._is_over or self._frames.state is ConnectionState.CLOSED:
            return
        try:
            self._frames.receive_data(octets)
            for event in self._frames.events():
                self._take(event)
        except LocalProtocolError:
            self._end()
        if self._messages:
            self._life.listen(on=False)
        self._stirred.set()

    def _take(self, event: Event) -> None:
        match event:
            case TextMessage():
                self._add(event.data)
                if event.message_finished and self._closing is None:
                    self._messages.append("".join(self._pieces).encode())
                    self._pieces, self._size = [], 0
            case BytesMessage():
                self._close(CloseReason.UNSUPPORTED_DATA)  # RFC 8887 §4.1: text alone
            case Ping():
                self._replies.append(event.response())
            case CloseConnection():
                self._close(_reason_of(event.code))

    def _add(self, text: str) -> None:
        self._size += len(text.encode())
        if self._size > self._jmap.limits.size:
            self._close(CloseReason.MESSAGE_TOO_BIG)
        elif text:
            self._pieces.append(text)

    # -- what is answered

    async def _step(self) -> None:
        """Say what is to be said now."""
        while self._replies and self._closing is None:
            await self._send(self._replies.popleft())
        while self._messages and self._closing is None and not self._is_over:
            await self._answer(self._messages.popleft())
        await self._push()
        if not self._messages and not self._is_over:
            self._life.listen(on=True)

    async def _answer(self, octets: bytes) -> None:
        request_id = None
        try:
            message = await self._read(octets)
            match message:
                case SocketRequest():
                    request_id = message.id
                    await self._say(response_message(request_id, await self._carry_out(message)))
                case PushEnable():
                    await self._enable(message)
                case PushDisable():
                    self._disable()
        except RequestProblem as problem:
            await self._say(error_message(request_id, problem))
        except HongyanError:
            await self._say(error_message(request_id, RequestProblem("limit", "Try again later.", status=503)))

    async def _read(self, octets: bytes) -> SocketMessage:
        if len(octets) > _IN_A_THREAD:
            return await asyncio.to_thread(read_message, octets, self._jmap.limits)
        return read_message(octets, self._jmap.limits)

    async def _carry_out(self, request: SocketRequest) -> Mapping[str, object]:
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT):
                return await self._jmap.answer_object(self._visitor, request.value)
        except TimeoutError:
            raise RequestProblem("limit", "That took too long; try again later.", status=503) from None

    async def _enable(self, wanted: PushEnable) -> None:
        self._states = await self._streams.feeds.follow(self._account, self)
        self._enabled = wanted
        now = select_states(self._states, wanted.types)
        self._told = now if wanted.position in (None, position_of(now)) else {}

    def _disable(self) -> None:
        self._enabled = self._told = None
        self._streams.feeds.leave(self._account, self)

    async def _push(self) -> None:
        if self._enabled is None or self._told is None or self._closing is not None or self._is_over:
            return
        now = select_states(self._states, self._enabled.types)
        changed = {name: state for name, state in now.items() if self._told.get(name) != state}
        self._told = now
        if changed:
            await self._say(change_message(self._account_id, changed, position_of(now)))

    async def _say(self, octets: bytes) -> None:
        if self._closing is None and not self._is_over:
            await self._send(TextMessage(octets.decode()))

    async def _send(self, event: Event) -> None:
        self._is_busy = True
        async with asyncio.timeout(_WRITE_TIMEOUT):
            await self._life.write(self._frames.send(event))
        self._is_busy = False

    async def _say_goodbye(self) -> None:
        """Close as RFC 6455 §7.1 has it."""
        if self._life.is_over and self._closing is None:
            self._closing = CloseReason.GOING_AWAY
        if self._frames.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
            code = self._closing or CloseReason.NORMAL_CLOSURE
            async with asyncio.timeout(_FAREWELL):
                await self._life.write(self._frames.send(CloseConnection(code)))

    # -- what wakes it

    def states_changed(self, states: States) -> None:
        """`notify.feeds.Follower`."""
        self._states = states
        self._stirred.set()

    def due(self, now: float) -> float:
        """`streams.Timed`: ask a peer that is silent whether it is there."""
        silent = now - self._heard_at
        if silent >= _SILENCE:
            self._life.abort()
            return 0.0
        if silent >= _PING_EVERY:
            self._replies.append(Ping())
            self._stirred.set()
        return _PING_EVERY

    def _close(self, reason: CloseReason) -> None:
        self._closing = self._closing or reason
        self._messages.clear()
        self._stirred.set()

    def _end(self) -> None:
        self._is_over = True
        self._stirred.set()

    def _revoked(self) -> None:
        self._close(CloseReason.POLICY_VIOLATION)
        if self._is_busy:
            self._life.abort()


def _reason_of(code: int | None) -> CloseReason:
    """Return with what a close is answered."""
    try:
        return CloseReason(code or CloseReason.NORMAL_CLOSURE)
    except ValueError:
        return CloseReason.NORMAL_CLOSURE
