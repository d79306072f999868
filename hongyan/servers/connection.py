"""The one driver of all protocols: octets into a session, its replies out.

A session is a protocol's own state machine over one TCP stream (`Session`). It never touches a socket: the driver
hands it what came, asks it to advance, and writes what it queued, all replies to one read in one write. A command
that can be answered at once costs no task; one that must wait is a coroutine, and runs alone in the one task that
a connection may have. An idle connection has neither task nor timer.

Back-pressure. A peer that does not read stops being served: its commands wait, then its octets stay unread in the
kernel. A peer that sends ahead of a command at work is read up to a limit. A peer that takes nothing for
`write_timeout` is dropped.

A session may hold its peer (`Connection.hold`): for so long nothing is answered, and it costs a place in the wheel.

STARTTLS drops what came in plain text behind it (RFC 3207 §4.2, RFC 9051 §6.2.1, RFC 2595 §4): the driver hands
nothing more to the session until TLS stands, and holds the session to having forgotten what it had.

The end. What is queued is flushed, within `close_timeout`. On a plain stream the driver then says FIN and waits for
the peer's, so that octets still on their way do not turn our last reply into a reset. A command at work when the
peer goes is not cut off: it may be writing mail. It gets `abandon_timeout` to end.
"""

from __future__ import annotations

__all__ = ["Connection"]

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import cast

from hongyan.eager import begin
from hongyan.servers.arrival import Arrival, Endpoint
from hongyan.servers.driver import Driver
from hongyan.servers.session import PeerGone, Session
from hongyan.servers.tls import HandshakeFailed, Secured, TlsInfo
from hongyan.servers.transports import close_once, end_writing, limit_buffers
from hongyan.telemetry import metrics

_IN_A_ROW = 32  # commands that may wait, and did not, before other connections have their turn
_LOOK = 5.0  # seconds after which a connection is looked at even if nothing is due: a deadline may have moved closer
_TURN = 256 * 1024  # octets that one command sends before other connections have their turn
_LINGER_OCTETS = 4 * 1024 * 1024  # octets thrown away from a peer that goes on sending after our farewell

_OPEN, _SECURING, _CLOSING, _LOST, _ENDED = range(5)  # the states of a connection, in their order


class Connection(asyncio.BufferedProtocol):
    """One TCP stream and its session."""

    __slots__ = (
        "_deadline",
        "_discarded",
        "_drained",
        "_driver",
        "_eof",
        "_heard",
        "_held",
        "_make_session",
        "_paused",
        "_since",
        "_stalled",
        "_state",
        "_task",
        "_transport",
        "_unshared",
        "_waking",
        "arrival",
        "session",
        "slot",
    )

    session: Session
    _transport: asyncio.Transport

    def __init__(self, driver: Driver, arrival: Arrival, make_session: Callable[[Connection], Session]) -> None:
        self.arrival = arrival
        self.slot = -1
        self._driver = driver
        self._make_session = make_session
        self._state = _OPEN
        self._task: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None  # what a command that waits for the peer to read waits for
        self._stalled = False  # the peer does not read
        self._paused = False  # we do not read
        self._waking = False
        self._eof = False
        self._discarded = 0
        self._unshared = 0  # octets sent since other connections had their turn
        self._heard = self._since = driver.wheel.now
        self._held = 0.0  # until when the session answers nothing; 0: it is not held
        self._deadline = math.inf

    # For sessions.

    @property
    def cid(self) -> str:
        """What names this connection in the log."""
        return self.arrival.cid

    @property
    def peer(self) -> Endpoint:
        """The client."""
        return self.arrival.peer

    @property
    def local(self) -> Endpoint:
        """Our end."""
        return self.arrival.local

    @property
    def tls(self) -> TlsInfo | None:
        """What TLS agreed on, or None for plain text."""
        return self.arrival.tls

    @property
    def tls_offered(self) -> bool:
        """Whether STARTTLS may be said now."""
        return self.arrival.tls is None and self.arrival.house.find_context is not None

    @property
    def stalled(self) -> bool:
        """Whether the peer does not read: news had better wait for the next `advance`, which comes when it does."""
        return self._stalled

    @property
    def now(self) -> float:
        """The monotonic time, a second more or less."""
        return self._driver.wheel.now

    def hold(self, seconds: float) -> None:
        """Answer the peer nothing for so long, to the second: `Session.advance` is called when the time is over.

        What it sends in the meantime is read up to `read_ahead`.
        """
        wheel = self._driver.wheel
        self._held = wheel.now + seconds
        wheel.remove(self)
        wheel.add(self, seconds)

    def wake(self) -> None:
        """Have `Session.advance` called soon: something else than octets has come up."""
        if not self._waking and self._state == _OPEN:
            self._waking = True
            if self._task is None:
                self._driver.loop.call_soon(self._woken)

    def write(self, octets: bytes) -> None:
        """Write octets past the session's queue, which must be empty (`flush`)."""
        if self._state == _OPEN:
            self._transport.write(octets)

    def interpose(self, stand_before: Callable[[Session], Session]) -> None:
        """Write what is queued; from now on drive what stands before the session, such as compression, in its place.

        For a command that is answered at once, and the last that has come.
        """
        self._send()
        self.session = stand_before(self.session)

    def flush(self) -> None:
        """Write what the session has queued."""
        self._send()

    async def drain(self) -> None:
        """Flush, and wait until the peer has read enough. Raises `PeerGone`.

        For commands that send much, after each piece: other connections have their turn in between.
        """
        self._unshared += self._send()
        if self._stalled or self._state != _OPEN:
            await self._room()
        elif self._unshared < _TURN:
            return
        else:
            await asyncio.sleep(0)
        self._unshared = 0

    def expire_in(self, seconds: float | None) -> None:
        """End the session (`timed_out`) after so many seconds, whatever the peer sends until then; None: never."""
        self._deadline = math.inf if seconds is None else self._driver.wheel.now + seconds

    def authenticated(self, account: str, client: str) -> None:
        """The peer has logged in: lift the deadline, and count it among those we know."""
        self._deadline = math.inf
        self.arrival.know(account, client)

    def close(self) -> None:
        """Flush, and close."""
        self._send()
        self._finish()

    # For the listener.

    def shutdown(self) -> None:
        """Have the session say farewell at the next moment at which it may."""
        if self._state <= _SECURING:
            self._held = 0.0
            self._guard(self.session.shutdown)
            self.wake()

    def abort(self) -> None:
        """End now; a command at work is cancelled."""
        if self._state < _LOST:
            self._transport.abort()
        if self._task is not None:
            # Not at once: a task that has not begun must begin, or its coroutine complains that nobody awaited it.
            self._driver.loop.call_soon(self._task.cancel)

    # For asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._limit_buffers()
        try:
            self.session = self._make_session(self)
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._state = _ENDED
            self._panic(error)
            self._transport.abort()
            self.arrival.end()
            return
        self._driver.wheel.add(self, 1)
        self._advance()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - one size fits all
        return self._driver.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(self._driver.buffer[:nbytes].tobytes())

    def data_received(self, data: bytes) -> None:
        driver = self._driver
        if self._state != _OPEN:
            self._discard(len(data))
            return
        self._heard = driver.wheel.now
        try:
            self.session.receive_data(data)
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._fail(error)
            return
        if self._task is None and not self._stalled and not self._held:
            self._advance()
        elif not self._paused and self.session.buffered > driver.options.read_ahead:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Return whether we may still write: under TLS the end is the end of both ways."""
        self._eof = True
        if self._state == _OPEN:
            self._guard(self.session.receive_eof)
            if self._task is None and not self._stalled and not self._held:
                self._advance()
        elif self._state == _CLOSING:
            close_once(self._transport)
        return self.arrival.tls is None

    def pause_writing(self) -> None:
        self._stalled = True
        self._since = self._driver.wheel.now

    def resume_writing(self) -> None:
        self._stalled = False
        if self._drained is not None:
            if not self._drained.done():
                self._drained.set_result(None)
        else:
            self.wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever the reason, it is gone
        if self._state >= _LOST:
            return
        self._state = _LOST
        self._since = self._driver.wheel.now
        if self._drained is not None and not self._drained.done():
            self._drained.set_exception(PeerGone(cause="the connection was lost"))
        if self._task is None:
            self._end()

    # For the wheel.

    def due(self, now: float) -> float:
        """Do what time demands; return when to be asked again."""
        options = self._driver.options
        if self._state == _OPEN:
            if self._stalled and now - self._since > options.write_timeout:
                self._note("stalled")
                self.abort()
            elif self._held:
                if now < self._held:
                    return min(self._held - now, _LOOK)
                self._held = 0.0
                self._heard = now  # it had to wait for us
                self.wake()
            elif self._task is None and not self._stalled:
                # One second more: `_heard` is the time of a turn, up to a second before the octets came.
                left = min(self._heard + self.session.timeout(), self._deadline) - now + 1
                if left > 0:
                    return min(left, _LOOK)
                self._note("timed-out")
                self._guard(self.session.timed_out)
                self._send()
                self._finish()
        elif self._state == _CLOSING:
            if (left := self._since + options.close_timeout - now) > 0:
                return left
            self._transport.abort()
        elif self._state == _LOST and self._task is not None and now - self._since > options.abandon_timeout:
            self._note("abandoned")
            self._task.cancel()
        return _LOOK if self._state != _ENDED else 0

    # The story of a read: advance, and when a command must wait, a task that works off this and the next ones.

    def _advance(self) -> None:
        try:
            waiting = self._serve_at_once()
            self._send()
        except PeerGone:
            waiting = None
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._fail(error)
            return
        if waiting is None:
            self._settle()
        else:
            self._task = self._driver.loop.create_task(self._work(waiting))

    def _serve_at_once(self) -> Coroutine[object, object, None] | None:
        """Carry out commands until one has to wait, or others should have their turn; return what is left to do."""
        session = self.session
        for _ in range(_IN_A_ROW):
            waiting = session.advance()
            if waiting is None or (rest := begin(waiting)) is not None:
                return None if waiting is None else rest
            if session.closing or session.starttls or self._stalled or self._held or not self._goes_on():
                return None
        self.wake()
        return None

    async def _work(self, waiting: Coroutine[object, object, None] | None) -> None:
        session = self.session
        try:
            while waiting is not None:
                await waiting
                self._send()
                if session.closing or session.starttls or self._held or not self._goes_on():
                    break
                if self._stalled:
                    await self._room()
                waiting = session.advance()
                self._send()
        except PeerGone:
            pass
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._fail(error)
        finally:
            self._task = None
            self._heard = self._driver.wheel.now
            if self._state == _LOST:
                self._end()
            elif self._waking:
                self._driver.loop.call_soon(self._woken)
        self._settle()

    def _settle(self) -> None:
        """Nothing can be done before the peer says more, or it is time to stop listening."""
        if self._state != _OPEN:
            return
        if self.session.starttls:
            self._state = _SECURING
            self._task = self._driver.loop.create_task(self._secure())
        elif self.session.closing or (self._eof and not self._waking and not self._held):
            self._finish()
        elif self._paused and not self._stalled and not self._held:
            self._paused = False
            self._transport.resume_reading()

    def _goes_on(self) -> bool:
        """What came before an orderly end is carried out, even if the answer reaches nobody."""
        return self._state == _OPEN or (self._state == _LOST and self._eof)

    def _send(self) -> int:
        """Write what is queued; return how much."""
        if self._state == _ENDED:
            return 0
        octets = self.session.data_to_send()
        if octets and self._state == _OPEN:
            self._transport.write(octets)
        return len(octets)

    def _woken(self) -> None:
        self._waking = False
        if self._state == _OPEN and self._task is None and not self._stalled and not self._held:
            self._advance()

    async def _room(self) -> None:
        """Wait until the peer has read enough."""
        if self._state != _OPEN:
            raise PeerGone(cause="the connection was lost")
        self._drained = self._driver.loop.create_future()
        try:
            await self._drained
        finally:
            self._drained = None

    async def _secure(self) -> None:
        """STARTTLS: what the peer sent in plain text behind the command is not handed to the session any more."""
        house = self.arrival.house
        try:
            if house.find_context is None:
                raise HandshakeFailed(cause="not offered")
            secured = await self._driver.handshakes.start(self._transport, house.find_context, house.name)
            self._task = None
            self._take_over(secured)
            return
        except HandshakeFailed as failure:
            self._note("handshake-failed", error=failure.cause)
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._panic(error)
        finally:
            if self._state == _SECURING:
                self._task = None
                self._transport.abort()
                self.connection_lost(None)

    def _take_over(self, secured: Secured) -> None:
        self._transport = secured.transport
        self.arrival.tls = secured.info
        self._limit_buffers()
        self.session.tls_started(secured.info)
        if self.session.buffered or self.session.starttls:
            raise RuntimeError("the session kept what was said in plain text")
        self._state = _OPEN
        self._paused = self._stalled = False
        self._heard = self._driver.wheel.now
        self._advance()
        secured.hand_over(self)

    def _limit_buffers(self) -> None:
        options, is_plain = self._driver.options, self.arrival.tls is None
        read_ahead = None if is_plain else options.read_ahead
        limit_buffers(self._transport, write_ahead=options.write_ahead, read_ahead=read_ahead)

    # The end.

    def _finish(self) -> None:
        if self._state != _OPEN:
            return
        self._state = _CLOSING
        self._since = self._driver.wheel.now
        if self.arrival.tls is not None or self._eof:
            close_once(self._transport)
        else:
            end_writing(self._transport)

    def _discard(self, octets: int) -> None:
        """After our farewell the peer may send what was on its way, but not for ever."""
        self._discarded += octets
        if self._discarded > _LINGER_OCTETS:
            self._transport.abort()

    def _end(self) -> None:
        self._state = _ENDED
        self._driver.wheel.remove(self)
        try:
            self.session.connection_lost()
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._panic(error)
        self.arrival.end()
        del self.session, self._transport  # they know us: no circle is left for the collector

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """An error that nobody expected: say so once, let the session say farewell, and close."""
        self._panic(error)
        try:
            self.session.failed()
            self._send()
        except Exception as second:  # noqa: BLE001 - the top of a connection
            self._panic(second)
        self._finish()

    def _panic(self, error: Exception) -> None:
        area = self.arrival.house.name
        metrics.panic_total.labels(area).inc()
        self._driver.log.error("panic", error=error, cid=self.cid, listener=area, peer=str(self.peer))

    def _note(self, event: str, **fields: object) -> None:
        self._driver.log.debug(event, cid=self.cid, listener=self.arrival.house.name, peer=self.peer, **fields)
