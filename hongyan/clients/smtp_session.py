"""One SMTP session with a next hop: connects, secures, logs in, sends, and says how it went.

Drives `wire.smtp.client`, which knows the protocol and its time-outs; what it sends leaves in one
place, `_flush`. A session that cannot be opened is a `HopFault` with the outcome that everybody in
the message would have.
"""

from __future__ import annotations

__all__ = ["HopFault", "Opening", "SmtpSession", "open_session"]

import asyncio
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hongyan.clients.source_pools import Source
from hongyan.clients.stream import OctetStream
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.clock import Clock
from hongyan.errors import PeerFault
from hongyan.mailauth.dane import DaneFault, verify_chain
from hongyan.mailauth.resolver import IPAddress
from hongyan.queue.causes import Cause
from hongyan.queue.outcome import Outcome, Stage
from hongyan.queue.route import Credentials, Hop
from hongyan.queue.security import Demand, TlsLevel, TlsPolicy
from hongyan.queue.tls_results import ResultType
from hongyan.queue.transport import Content
from hongyan.wire.smtp.client import ClientConnection
from hongyan.wire.smtp.client_events import (
    Answer,
    Authenticated,
    AuthRefused,
    ClientEvent,
    ContentWanted,
    Ended,
    HandshakeDue,
    Ready,
    Sent,
    TlsRefused,
)
from hongyan.wire.smtp.envelope import Envelope

_CONNECT_TIMEOUT: Final = 30.0
_HANDSHAKE_TIMEOUT: Final = 60.0

_OPENING_LIMIT: Final = 600.0
"""Seconds from the connection to the first MAIL: a server that drips its greeting keeps nobody longer."""

_SENDING_LIMIT: Final = 1800.0
"""Seconds for one transaction, and one more for each `_SLOWEST` octets."""

_SLOWEST: Final = 16_384

_OPTIONAL: Final = frozenset({TlsPolicy.NEVER, TlsPolicy.OPPORTUNISTIC})
"""What a session without TLS meets."""

# Codes of OpenSSL's verification (X509_V_ERR_…).
_EXPIRED: Final = frozenset({9, 10})
_OTHER_NAME: Final = frozenset({62, 63, 64})


class HopFault(PeerFault):
    """No session with this host. The outcome is that of every recipient, unless another host does better."""

    def __init__(
        self, outcome: Outcome, *, tls_failure: ResultType | None = None, reason: str = "", source: str = ""
    ) -> None:
        """`tls_failure`: it is TLS that failed, and how; `reason` says it in a few words of ours.

        `source` is the address that the connection came from.
        """
        super().__init__(cause=outcome.text)
        self.outcome = outcome
        self.tls_failure = tls_failure
        self.reason = reason
        self.source = source


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a session is opened."""

    hostname: str
    """What EHLO says."""
    demand: Demand
    verifies: bool
    """The certificate is verified for the host's name, and no other is good enough."""
    tls: TlsContexts
    clock: Clock
    credentials: Credentials | None = None
    source: IPAddress | None = None
    uses_chunking: bool = True


class SmtpSession:
    """An open session. `send` may be called again while `is_reusable`."""

    def __init__(self, stream: OctetStream, connection: ClientConnection, hop: Hop, address: IPAddress) -> None:
        self._stream = stream
        self._connection = connection
        self._address = address
        # A certificate for an address literal names the address itself.
        self._tls_name = str(address) if hop.host.startswith("[") else hop.host
        self.host = hop.host
        self.remote = f"{hop.host}[{address}]"
        self.messages = 0
        self.left_by: Source | None = None
        self.level = TlsLevel.PLAIN

    @property
    def is_encrypted(self) -> bool:
        return self._stream.encrypted

    @property
    def source(self) -> str:
        """The address that the connection comes from."""
        return self._stream.local_address

    @property
    def offers_dsn(self) -> bool:
        return self._connection.capabilities.dsn

    @property
    def is_reusable(self) -> bool:
        return self._connection.can_send_another and self._stream.is_quiet

    async def send(self, envelope: Envelope, content: Content) -> Sequence[Answer]:
        """Send a message; return an answer for each recipient. Raises `HopFault`, and `ServerFault` for the content."""
        self.messages += 1
        try:
            async with asyncio.timeout(_SENDING_LIMIT + content.size / _SLOWEST):
                return await self._send(envelope, content)
        except TimeoutError:
            # Each wait has its own time-out; all of them together were too many.
            self._connection.timed_out()
            sent = [event for event in self._connection.events() if isinstance(event, Sent)]
            self._stream.abort()
            if not sent:
                raise self._fault(Cause.TIMED_OUT, Stage.DATA) from None
            return sent[-1].answers
        except BaseException:
            self._stream.abort()
            raise

    def leave(self) -> None:
        """Say goodbye, without waiting for the answer (RFC 5321 §3.8 lets the server close then)."""
        if self._connection.is_idle and self._stream.is_quiet:
            self._connection.quit()
            self._flush()
        self._stream.close()

    async def _send(self, envelope: Envelope, content: Content) -> Sequence[Answer]:
        self._connection.send(envelope)
        event: ClientEvent | None = None
        while not isinstance(event, Sent):
            event = await self._next_event()
            if isinstance(event, ContentWanted):
                event = await self._send_content(content)
        self._flush()
        if self._connection.closing:
            self._stream.close()
        return event.answers

    async def _send_content(self, content: Content) -> ClientEvent | None:
        """Send all of it, or as much as the server wants to hear: it may refuse before the end."""
        connection, stream = self._connection, self._stream
        async for octets in content.chunks():
            connection.content(octets)
            self._flush()
            try:
                await stream.drain(connection.timeout)
            except TimeoutError:
                connection.timed_out()
            connection.receive_data(stream.take())
            event = connection.next_event()
            if event is None and stream.has_ended:
                connection.receive_eof()
                event = connection.next_event()
            if event is not None or not connection.wants_content:
                return event
        connection.end_content()
        return None

    async def _next_event(self) -> ClientEvent:
        connection, stream = self._connection, self._stream
        while True:
            event = connection.next_event()
            self._flush()
            if event is not None:
                return event
            if connection.closing:
                raise self._fault(Cause.CONNECTION_LOST, Stage.HELLO)
            try:
                octets = await stream.receive(connection.timeout)
            except TimeoutError:
                connection.timed_out()
                continue
            if octets:
                connection.receive_data(octets)
            else:
                connection.receive_eof()

    def _flush(self) -> None:
        self._stream.write(self._connection.data_to_send())

    # Opening.

    async def open(self, opening: Opening) -> None:
        """Hear the greeting, introduce ourselves, and do what the demand asks for. Raises `HopFault`."""
        await self._expect_ready(Stage.GREETING)
        policy = opening.demand.policy
        if policy is not TlsPolicy.NEVER and self._connection.capabilities.starttls:
            await self._start_tls(opening)
        if not (policy in _OPTIONAL or self.is_encrypted):
            raise self._tls_fault(opening.demand, ResultType.STARTTLS_NOT_SUPPORTED, "STARTTLS is not offered")
        if opening.credentials is not None:
            await self._log_in(opening.credentials)

    async def _expect_ready(self, stage: Stage) -> None:
        match await self._next_event():
            case Ready():
                return
            case Ended(ended_at, reply):
                raise HopFault(Outcome.from_reply(reply, Stage(ended_at.value), self.remote))
            case _:
                raise self._fault(Cause.BAD_REPLY, stage)

    async def _start_tls(self, opening: Opening) -> None:
        self._connection.start_tls()
        match await self._next_event():
            case HandshakeDue():
                await self._shake_hands(opening)
            case TlsRefused(reply):
                if opening.demand.policy not in _OPTIONAL:
                    raise self._tls_fault(opening.demand, ResultType.STARTTLS_NOT_SUPPORTED, str(reply))
            case Ended(_, reply):
                raise HopFault(Outcome.from_reply(reply, Stage.TLS, self.remote))
            case _:
                raise self._fault(Cause.BAD_REPLY, Stage.TLS)

    async def _shake_hands(self, opening: Opening) -> None:
        demand = opening.demand
        is_dane = demand.policy is TlsPolicy.DANE
        context = opening.tls.find(verified=opening.verifies)
        # RFC 7672 §8.1: with DANE the server is asked for the certificate of the name that has the records.
        name = demand.names[0] if is_dane else self._tls_name
        try:
            await self._stream.start_tls(context, name, _HANDSHAKE_TIMEOUT)
            if is_dane:
                verify_chain(self._stream.peer_certificates(), demand.tlsa, demand.names, opening.clock.now())
        except (OSError, ValueError, DaneFault) as error:
            raise self._tls_fault(demand, _kind(error), _reason(error)) from error
        self.level = TlsLevel.VERIFIED if opening.verifies else TlsLevel.TLS
        self._connection.tls_started()
        await self._expect_ready(Stage.HELLO)

    async def _log_in(self, credentials: Credentials) -> None:
        is_here = self._address.is_loopback
        if not (self.is_encrypted or is_here):
            raise self._fault(Cause.TLS_FAILED, Stage.LOGIN, "no password is sent without TLS")
        if "PLAIN" not in self._connection.capabilities.auth:
            raise self._fault(Cause.LOGIN_REFUSED, Stage.LOGIN, "AUTH PLAIN is not offered")
        self._connection.log_in(credentials.user, credentials.password.reveal_text(), without_tls=is_here)
        match await self._next_event():
            case Authenticated():
                return
            case AuthRefused(reply) | Ended(_, reply):
                raise self._fault(Cause.LOGIN_REFUSED, Stage.LOGIN, str(reply))
            case _:
                raise self._fault(Cause.BAD_REPLY, Stage.LOGIN)

    def _fault(self, cause: Cause, stage: Stage, detail: str = "") -> HopFault:
        return HopFault(Outcome.from_cause(cause, stage, remote=self.remote, detail=detail))

    def _tls_fault(self, demand: Demand, failure: ResultType, reason: str) -> HopFault:
        outcome = Outcome.from_cause(demand.cause, Stage.TLS, remote=self.remote, detail=reason)
        return HopFault(outcome, tls_failure=failure, reason=reason, source=self.source)

    def abort(self) -> None:
        self._stream.abort()


async def open_session(hop: Hop, address: IPAddress, opening: Opening) -> SmtpSession:
    """Return a session that is ready for a message. Raises `HopFault`."""
    remote = f"{hop.host}[{address}]"
    try:
        stream = await OctetStream.open(address, hop.port, source=opening.source, timeout=_CONNECT_TIMEOUT)
    except TimeoutError as error:
        raise HopFault(
            Outcome.from_cause(Cause.NO_CONNECTION, Stage.CONNECT, remote=remote, detail="timed out")
        ) from error
    except OSError as error:
        outcome = Outcome.from_cause(Cause.NO_CONNECTION, Stage.CONNECT, remote=remote, detail=_reason(error))
        raise HopFault(outcome) from error
    connection = ClientConnection(opening.hostname, uses_chunking=opening.uses_chunking)
    session = SmtpSession(stream, connection, hop, address)
    try:
        async with asyncio.timeout(_OPENING_LIMIT):
            await session.open(opening)
    except TimeoutError as error:
        session.abort()
        raise HopFault(Outcome.from_cause(Cause.TIMED_OUT, Stage.GREETING, remote=remote)) from error
    except BaseException:
        session.abort()
        raise
    return session


def _kind(error: Exception) -> ResultType:
    """Return what a report calls it (RFC 8460 §4.3)."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _EXPIRED:
            return ResultType.CERTIFICATE_EXPIRED
        is_other = error.verify_code in _OTHER_NAME
        return ResultType.CERTIFICATE_HOST_MISMATCH if is_other else ResultType.CERTIFICATE_NOT_TRUSTED
    return ResultType.VALIDATION_FAILURE


def _reason(error: Exception) -> str:
    """Return a word or two for the operator, without what a peer wrote."""
    if isinstance(error, DaneFault):
        return error.cause
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS error"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
