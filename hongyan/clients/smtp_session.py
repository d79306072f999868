"""One SMTP session with a next hop: connects, secures, logs in, sends, and says how it went.

Drives `wire.smtp.client`, which knows the protocol and its time-outs; what it sends leaves in one
place, `_flush`. A session that cannot be opened is a `HopFault` with the outcome that everybody in
the message would have.
"""

from __future__ import annotations

__all__ = ["HopFault", "SmtpSession", "TlsContexts", "open_session"]

import asyncio
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hongyan.clients.stream import OctetStream
from hongyan.errors import PeerFault
from hongyan.mailauth.resolver import IPAddress
from hongyan.queue.causes import Cause
from hongyan.queue.outcome import Outcome, Stage
from hongyan.queue.route import Credentials, Hop, TlsPolicy
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


class HopFault(PeerFault):
    """No session with this host. The outcome is that of every recipient, unless another host does better."""

    def __init__(self, outcome: Outcome, *, tls_failed: bool = False) -> None:
        super().__init__(cause=outcome.text)
        self.outcome = outcome
        self.tls_failed = tls_failed


@dataclass(frozen=True, slots=True)
class TlsContexts:
    """How TLS is done: with certificates unchecked, and with certificates for the host's name.

    `verified` None: what this machine trusts. That takes long to read (0.1 s), and is read when it is first needed.
    """

    opportunistic: ssl.SSLContext
    verified: ssl.SSLContext | None = None

    @staticmethod
    def system() -> TlsContexts:
        """Trust what this machine trusts."""
        opportunistic = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        opportunistic.check_hostname = False
        opportunistic.verify_mode = ssl.CERT_NONE
        opportunistic.minimum_version = ssl.TLSVersion.TLSv1_2
        return TlsContexts(opportunistic)

    def find(self, policy: TlsPolicy) -> ssl.SSLContext:
        return (self.verified or _trust_of_the_machine()) if policy is TlsPolicy.VERIFIED else self.opportunistic


@lru_cache(maxsize=1)
def _trust_of_the_machine() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class SmtpSession:
    """An open session. `send` may be called again while `is_reusable`."""

    def __init__(self, stream: OctetStream, connection: ClientConnection, hop: Hop, address: IPAddress) -> None:
        self._stream = stream
        self._connection = connection
        self._address = address
        # A certificate for an address literal names the address itself.
        self._tls_name = str(address) if hop.host.startswith("[") else hop.host
        self.remote = f"{hop.host}[{address}]"
        self.messages = 0

    @property
    def is_encrypted(self) -> bool:
        return self._stream.encrypted

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

    async def open(self, policy: TlsPolicy, tls: TlsContexts, credentials: Credentials | None) -> None:
        """Hear the greeting, introduce ourselves, and do what the policy asks for. Raises `HopFault`."""
        await self._expect_ready(Stage.GREETING)
        if policy is not TlsPolicy.NEVER and self._connection.capabilities.starttls:
            await self._start_tls(policy, tls)
        if policy in (TlsPolicy.REQUIRED, TlsPolicy.VERIFIED) and not self.is_encrypted:
            raise self._fault(Cause.TLS_FAILED, Stage.TLS, "STARTTLS is not offered")
        if credentials is not None:
            await self._log_in(credentials)

    async def _expect_ready(self, stage: Stage) -> None:
        match await self._next_event():
            case Ready():
                return
            case Ended(ended_at, reply):
                raise HopFault(Outcome.from_reply(reply, Stage(ended_at.value), self.remote))
            case _:
                raise self._fault(Cause.BAD_REPLY, stage)

    async def _start_tls(self, policy: TlsPolicy, tls: TlsContexts) -> None:
        self._connection.start_tls()
        match await self._next_event():
            case HandshakeDue():
                await self._shake_hands(policy, tls)
            case TlsRefused(reply):
                if policy is not TlsPolicy.OPPORTUNISTIC:
                    raise self._fault(Cause.TLS_FAILED, Stage.TLS, str(reply))
            case Ended(_, reply):
                raise HopFault(Outcome.from_reply(reply, Stage.TLS, self.remote))
            case _:
                raise self._fault(Cause.BAD_REPLY, Stage.TLS)

    async def _shake_hands(self, policy: TlsPolicy, tls: TlsContexts) -> None:
        try:
            await self._stream.start_tls(tls.find(policy), self._tls_name, _HANDSHAKE_TIMEOUT)
        except (OSError, ValueError) as error:
            fault = self._fault(Cause.TLS_FAILED, Stage.TLS, _reason(error))
            fault.tls_failed = True
            raise fault from error
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

    def abort(self) -> None:
        self._stream.abort()


async def open_session(
    hop: Hop,
    address: IPAddress,
    *,
    hostname: str,
    policy: TlsPolicy,
    tls: TlsContexts,
    credentials: Credentials | None,
    source: IPAddress | None,
    uses_chunking: bool = True,
) -> SmtpSession:
    """Return a session that is ready for a message. Raises `HopFault`."""
    remote = f"{hop.host}[{address}]"
    try:
        stream = await OctetStream.open(address, hop.port, source=source, timeout=_CONNECT_TIMEOUT)
    except TimeoutError as error:
        raise HopFault(
            Outcome.from_cause(Cause.NO_CONNECTION, Stage.CONNECT, remote=remote, detail="timed out")
        ) from error
    except OSError as error:
        outcome = Outcome.from_cause(Cause.NO_CONNECTION, Stage.CONNECT, remote=remote, detail=_reason(error))
        raise HopFault(outcome) from error
    session = SmtpSession(stream, ClientConnection(hostname, uses_chunking=uses_chunking), hop, address)
    try:
        async with asyncio.timeout(_OPENING_LIMIT):
            await session.open(policy, tls, credentials)
    except TimeoutError as error:
        session.abort()
        raise HopFault(Outcome.from_cause(Cause.TIMED_OUT, Stage.GREETING, remote=remote)) from error
    except BaseException:
        session.abort()
        raise
    return session


def _reason(error: Exception) -> str:
    """Return a word or two for the operator, without what a peer wrote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS error"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
