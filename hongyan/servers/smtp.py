"""SMTP connections: the core of `wire.smtp` speaks, a transaction decides (RFC 5321, RFC 6409).

Port 25 and submission are the same session with another offer and another transaction; on port 25 a stranger is met by
a `Visit` of the gate besides. A decision that needs no waiting costs no task; the replies to a whole read leave in one
write. An answer that is to come late (a greeting, a refusal to who guesses) costs no task either: `Connection.hold`.
"""

from __future__ import annotations

__all__ = ["Answer", "SmtpOptions", "SmtpSession", "Transaction", "reply_to"]

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, cast

from hongyan import telemetry
from hongyan.auth.principal import LoginReason, LoginRefused, Principal
from hongyan.auth.revocations import LiveSession, Revocations
from hongyan.errors import HongyanError, OverQuota, StorageFailed, StorageFull
from hongyan.options import option
from hongyan.screening.gate import Visit
from hongyan.servers.connection import Connection
from hongyan.servers.meter import CommandMeter
from hongyan.servers.pace import Pace, PaceOptions
from hongyan.servers.sasl import Dialogue, Door
from hongyan.servers.tls import TlsInfo
from hongyan.store.accounts import Service
from hongyan.telemetry import metrics
from hongyan.wire import sasl
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.events import (
    Answered,
    AuthAborted,
    AuthResponse,
    AuthStart,
    Event,
    Fault,
    Hello,
    MailFrom,
    MessageChunk,
    MessageEnd,
    MessageRefused,
    MessageStart,
    RcptTo,
    Reset,
    StartTls,
)
from hongyan.wire.smtp.offer import Offer
from hongyan.wire.smtp.replies import Reply
from hongyan.wire.smtp.server import ServerConnection

_METERS = {kind: CommandMeter(metrics.smtpserver_command_duration_seconds, kind) for kind in ("inbound", "submission")}
_FREE_REFUSALS = 10  # recipients, as a letter to many may have them
_VERBS: dict[type, str] = {
    Hello: "ehlo",
    MailFrom: "mail",
    RcptTo: "rcpt",
    MessageStart: "data",
    MessageEnd: "message",
    AuthStart: "auth",
    AuthResponse: "auth",
}

Work = Coroutine[Any, Any, None]
Answer = Reply | Coroutine[Any, Any, Reply | None]
"""A reply, or what comes to one after some waiting; None: it has been answered otherwise."""


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """The section `[smtp]`."""

    max_message: int = option(50 << 20, "Largest message that is taken (SIZE, RFC 1870).", unit="octets")
    max_recipients: int = option(1000, "Recipients of one message (RFC 5321 §4.5.3.1.10 asks for 100 at least).")
    max_messages: int = option(1000, "Messages of one connection.")
    max_refused: int = option(50, "Recipients refused for good on one connection; beyond them it is closed.")
    refusal_delay: float = option(
        1.0, "How long a refusal waits when ten recipients were refused already: who guesses names is slowed.", unit="s"
    )
    timeout: float = option(300.0, "How long a client may take for its next command (RFC 5321 §4.5.3.2.7).", unit="s")
    pace: PaceOptions = option(PaceOptions(), "How slowly a client may go on.")
    login_timeout: float = option(60.0, "How long a mail program may take to log in.", unit="s")
    total_login_timeout: float = option(120.0, "How long a mail program may be connected without a login.", unit="s")

    def __post_init__(self) -> None:
        if self.max_recipients < 100:
            raise ValueError("max_recipients is at least 100 (RFC 5321 §4.5.3.1.8)")
        if self.max_refused < 1 or not 0 <= self.refusal_delay <= 30:
            raise ValueError("max_refused is at least 1, and refusal_delay between 0 and 30 seconds")
        if self.max_message < 64 << 10:
            raise ValueError("max_message is at least 64 KiB (RFC 5321 §4.5.3.1.7)")


class Transaction(Protocol):
    """What decides: one for a connection, used for one message after the other."""

    def hello(self, hello: Hello, *, tls: TlsInfo | None) -> Reply | None:
        """The client has said who it is; whatever was begun is void. A reply refuses it."""
        ...

    def mail(self, command: MailFrom) -> Answer:
        """Begin a message."""
        ...

    def recipient(self, command: RcptTo) -> Answer:
        """Add a recipient."""
        ...

    def start(self) -> Reply | None:
        """The message is about to come; a reply refuses it."""
        ...

    def chunk(self, octets: bytes) -> Reply | None:
        """Take octets; a reply refuses the message."""
        ...

    def end(self) -> Answer:
        """The message is complete. A positive reply takes over the duty to deliver it."""
        ...

    def reset(self) -> None:
        """Forget the message."""
        ...

    def logged_in(self, principal: Principal) -> None:
        """Somebody has logged in."""
        ...


class SmtpSession:
    """What the connection drives."""

    __slots__ = (
        "_connection",
        "_core",
        "_dialogue",
        "_door",
        "_kind",
        "_late",
        "_live",
        "_log",
        "_meter",
        "_options",
        "_pace",
        "_principal",
        "_refused",
        "_revocations",
        "_tls",
        "_transaction",
        "_visit",
        "_welcome",
    )

    def __init__(
        self,
        connection: Connection,
        offer: Offer,
        options: SmtpOptions,
        make_transaction: Callable[[Connection], Transaction],
        door: Door | None,
        revocations: Revocations | None,
        visit: Visit | None = None,
    ) -> None:
        """`visit` meets a stranger on port 25."""
        self._connection = connection
        self._options = options
        self._door = door
        self._revocations = revocations
        self._dialogue: Dialogue | None = None
        self._principal: Principal | None = None
        self._live: LiveSession | None = None
        self._refused = 0  # recipients, for good
        self._late: tuple[Event, Reply, float] | None = None  # an answer that waits until the peer is not held any more
        self._visit = visit
        self._welcome: Callable[[], Work | None] | None = None if visit is None else self._meet
        self._tls: TlsInfo | None = connection.tls
        self._log = telemetry.logger("smtp").bind(cid=connection.cid)
        self._core = ServerConnection(offer, tls=connection.tls is not None)
        self._transaction = make_transaction(connection)
        self._pace: Pace | None = None
        if offer.requires_auth:
            connection.expire_in(options.total_login_timeout)
        else:
            self._pace = Pace(options.pace, connection, options.timeout)
        self._kind = "submission" if offer.requires_auth else "inbound"
        self._meter = _METERS[self._kind]
        metrics.smtpserver_connections_total.labels(self._kind).inc()
        if visit is None:
            self._core.greet()

    # -- for the connection

    @property
    def closing(self) -> bool:
        return self._core.closing

    @property
    def starttls(self) -> bool:
        return self._core.starttls

    @property
    def buffered(self) -> int:
        return self._core.buffered

    def receive_data(self, octets: bytes) -> None:
        self._core.receive_data(octets)
        if self._pace is not None:
            self._pace.heard(len(octets))

    def receive_eof(self) -> None:
        self._core.receive_eof()

    def advance(self) -> Work | None:
        """Answer what can be answered."""
        if self._welcome is not None:
            return self._welcome()
        if self._late is not None:
            self._reply_late()
        core = self._core
        while (event := core.next_event()) is not None:
            started = self._meter.start()
            answer = self._decide(event)
            if answer is None:
                continue
            if not isinstance(answer, Reply):
                return self._wait_for(event, answer, started)
            self._answer(event, answer, started)
            if self._late is not None:
                return None
        return None

    def _answer(self, event: Event, reply: Reply, started: float) -> None:
        """Reply, at once or late: whoever tries one name after the other learns them slowly."""
        if reply.code >= 500 and isinstance(event, RcptTo):
            self._refused += 1
            delay = self._options.refusal_delay if self._refused > _FREE_REFUSALS else 0.0
            if self._visit is not None:
                penalty = self._visit.penalty()
                if penalty is None:
                    reply = replies.TOO_MANY_REFUSED
                delay = max(delay, penalty or 0.0)
            if delay and not reply.ends_the_session:
                self._late = event, reply, started
                self._connection.hold(delay)
                return
        self._reply(event, reply, started)

    def _reply_late(self) -> None:
        if self._late is not None:
            (event, reply, started), self._late = self._late, None
            self._reply(event, reply, started)

    def _reply(self, event: Event, reply: Reply, started: float) -> None:
        if self._refused > self._options.max_refused:
            self._log.info("guesses", refused=self._refused)
            reply = replies.TOO_MANY_REFUSED
        self._core.reply(reply)
        self._meter.stop(started, _VERBS.get(type(event), "other"), str(reply.code))
        if self._pace is not None:
            self._pace.answered()
        if not reply.is_positive:
            metrics.smtpserver_errors_total.labels(self._kind, reply.enhanced_code).inc()

    def data_to_send(self) -> bytes:
        return self._core.data_to_send()

    def tls_started(self, tls: TlsInfo) -> None:
        self._tls = tls
        self._transaction.reset()
        self._core.tls_started()

    def timeout(self) -> float:
        if self._pace is not None:
            return self._pace.timeout
        waits_for_login = self._door is not None and self._principal is None
        return self._options.login_timeout if waits_for_login else self._options.timeout

    def timed_out(self) -> None:
        if self._pace is not None and self._pace.is_trickling:
            self._core.turn_out(replies.TOO_SLOW)
        self._core.timed_out()

    def failed(self) -> None:
        self._core.fail()

    def shutdown(self) -> None:
        self._core.shut_down()

    def connection_lost(self) -> None:
        self._transaction.reset()
        if self._visit is not None:
            self._visit.leave(handshake_failed=self._core.starttls)
        if self._live is not None:
            self._live.leave()

    # -- events

    def _decide(self, event: Event) -> Answer | None:
        """Return the answer to a question; news are taken note of."""
        match event:
            case RcptTo():
                return self._transaction.recipient(event)
            case MailFrom():
                return self._transaction.mail(event)
            case MessageChunk(octets):
                refusal = self._transaction.chunk(octets)
                if refusal is not None:
                    self._core.refuse_message(refusal)
            case MessageStart():
                refusal = self._transaction.start()
                if refusal is not None:
                    return refusal
                self._core.accept()
                if self._pace is not None:
                    self._pace.message_begins()
            case MessageEnd():
                return self._transaction.end()
            case Fault():
                return self._fault()
            case Hello():
                refusal = self._transaction.hello(event, tls=self._tls)
                if refusal is not None:
                    return refusal
                self._core.accept()
                if self._pace is not None:
                    self._pace.answered()
            case AuthStart():
                return self._begin_login(event)
            case AuthResponse(octets):
                return self._go_on_with_login(octets)
            case AuthAborted():
                self._dialogue = None
            case Answered():
                if self._pace is not None:
                    self._pace.obeyed()
            case Reset() | MessageRefused() | StartTls():
                self._transaction.reset()
                if self._pace is not None:
                    self._pace.answered()
                if event == StartTls(had_more=True) and self._visit is not None:
                    return self._spoke_early(self._visit)
            case _:
                pass
        return None

    async def _wait_for(self, event: Event, answer: Coroutine[Any, Any, Reply | None], started: float) -> None:
        try:
            reply = await answer
        except HongyanError as error:
            self._log.error("failed", error=type(error).__name__, cause=error.cause)
            reply = reply_to(error)
        if reply is not None:
            self._answer(event, reply, started)

    # -- a stranger

    def _meet(self) -> Work:
        """Somebody has come: send them away, greet them, or let them wait for the greeting."""
        self._welcome = None
        return self._receive(cast(Visit, self._visit))

    async def _receive(self, visit: Visit) -> None:
        welcome = await visit.connect()
        if welcome.refusal is not None and welcome.refusal.reply is not None:
            self._core.reply(welcome.refusal.reply)
        elif welcome.delay:
            self._welcome = self._greet
            self._connection.hold(welcome.delay)
        else:
            self._core.greet()

    def _greet(self) -> Work | None:
        """The wait is over. Who has spoken in the meantime is turned away (RFC 5321 §4.3.1)."""
        self._welcome = None
        visit = self._visit
        spoke_early = self._core.buffered > 0
        self._core.greet()
        return visit.spoke_early() if spoke_early and visit is not None else None

    async def _spoke_early(self, visit: Visit) -> None:
        await visit.spoke_early("spoke between STARTTLS and the handshake")

    def _fault(self) -> Coroutine[Any, Any, None] | None:
        """What was sent is no SMTP, or not in its place; it was answered."""
        if self._pace is not None:
            self._pace.obeyed()
        return None if self._visit is None else self._punish(self._visit)

    async def _punish(self, visit: Visit) -> None:
        """Let the next command wait, or send the stranger away."""
        finding = await visit.refused_command()
        if self._core.closing:
            return
        delay = visit.penalty()
        if finding is not None and finding.reply is not None:
            self._core.turn_out(finding.reply)
        elif delay is None:
            self._core.turn_out(replies.TOO_MANY_FAULTS)
        elif delay:
            self._connection.hold(delay)

    # -- logging in

    def _begin_login(self, event: AuthStart) -> Coroutine[Any, Any, Reply | None] | Reply:
        if self._door is None:
            return replies.AUTH_NOT_OFFERED
        dialogue = self._door.begin(event.mechanism, Service.SMTP, self._connection)
        if dialogue is None:
            return replies.AUTH_MECHANISM_UNKNOWN
        self._dialogue = dialogue
        return self._step(dialogue.start(event.initial_response))

    def _go_on_with_login(self, octets: bytes) -> Coroutine[Any, Any, Reply | None] | Reply:
        if self._dialogue is None:
            return replies.AUTHENTICATION_MALFORMED
        return self._step(self._dialogue.respond(octets))

    async def _step(self, step: Coroutine[Any, Any, bytes | Principal]) -> Reply | None:
        try:
            result = await step
        except LoginRefused as refused:
            self._dialogue = None
            return _refusal(refused)
        except sasl.SaslFault:
            self._dialogue = None
            return replies.AUTHENTICATION_MALFORMED
        if isinstance(result, bytes):
            self._core.challenge(result)
            return None
        self._dialogue = None
        if self._revocations is not None:
            self._live = self._revocations.enter(result, Service.SMTP, self.credential_revoked)
            if self._live is None:
                return replies.AUTHENTICATION_FAILED
        self._principal = result
        self._pace = Pace(self._options.pace, self._connection, self._options.timeout)
        self._connection.authenticated(str(result.address), "")
        self._transaction.logged_in(result)
        return replies.AUTHENTICATED

    def credential_revoked(self) -> None:
        """The secret that this session logged in with is void."""
        self._core.turn_out(replies.LOGIN_REVOKED)
        self._connection.close()


def _refusal(refused: LoginRefused) -> Reply:
    """Say why a login is refused, as far as it may be said (RFC 4954 §6)."""
    if refused.told.is_temporary:
        return Reply(454, "4.7.0", (refused.sentence,))
    is_policy = refused.told in _POLICY
    return Reply(535, "5.7.13" if is_policy else "5.7.8", (refused.sentence,))


_POLICY = frozenset({LoginReason.SERVICE_OFF, LoginReason.SUSPENDED, LoginReason.CLASS, LoginReason.SCOPE})


def reply_to(error: HongyanError) -> Reply:
    """Say what an error of ours means for the client."""
    match error:
        case OverQuota():
            return replies.RECIPIENT_OVER_QUOTA
        case StorageFull():
            return replies.STORAGE_FULL
        case StorageFailed():
            return replies.STORAGE_FAILED
        case _:
            return replies.SERVER_ERROR
