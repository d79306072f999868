"""POP3 connections: the core of `wire.pop3` speaks, INBOX is its maildrop (RFC 1939).

A session sees INBOX as it was at login. It does not lock it: IMAP, other POP3 sessions and deliveries go on, and
several sessions of one account are no fault. What DELE marks is removed at QUIT, in one go, as far as it is still
there; a session that ends otherwise removes nothing (§6). RETR does not set `\\Seen`: POP3 knows no flags, and a
program that copies mail has not read it. An account may wish otherwise (`accounts.settings`), and then that, too, is
done at QUIT.

A message that is small and at hand is answered without a task. All others are streamed, in pieces, as fast as the
peer reads.
"""

from __future__ import annotations

__all__ = ["Pop3Options", "Pop3Services", "Pop3Session"]

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

from hongyan import telemetry
from hongyan.accounts.settings import Deleted, Fetched, Pop3Policy, Settings
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.principal import LoginReason, LoginRefused, Principal
from hongyan.auth.revocations import LiveSession, Revocations
from hongyan.errors import Corrupt, HongyanError, ServerFault
from hongyan.mailboxes.mail import Mail
from hongyan.options import option
from hongyan.secret import Secret
from hongyan.servers.connection import Connection
from hongyan.servers.login_delays import LoginDelays
from hongyan.servers.meter import CommandMeter
from hongyan.servers.pop3_inbox import Inbox, Place, open_inbox
from hongyan.servers.sasl import Dialogue, Door
from hongyan.servers.tls import TlsInfo
from hongyan.store.accounts import Service
from hongyan.telemetry import metrics
from hongyan.types import BlobRef
from hongyan.wire import sasl
from hongyan.wire.pop3.events import (
    Answered,
    AuthAborted,
    AuthResponse,
    AuthStart,
    Event,
    Fault,
    Leave,
    Listed,
    Login,
    Retrieve,
    StartTls,
)
from hongyan.wire.pop3.offer import Offer
from hongyan.wire.pop3.server import ServerConnection

Work = Coroutine[Any, Any, None]

_METER = CommandMeter(metrics.pop3_command_duration_seconds)
_LOGGED_IN = metrics.pop3_connections.labels("authenticated")
_VERBS: dict[type, str] = {
    Login: "pass",
    AuthStart: "auth",
    AuthResponse: "auth",
    AuthAborted: "auth",
    Leave: "quit",
    StartTls: "stls",
}

_PIECE: Final = 64 << 10
"""Octets of a message that are sent in one go; messages up to this size need no task."""

_WHOLE_BELOW: Final = 1 << 20
"""Octets up to which a blob is read in one go: smaller ones may be compressed, and a part costs as much as all."""

_LISTED: Final = _PIECE // 2
"""What a portion of a listing counts for: it is short, but took its time."""

_TURN: Final = 64
"""Commands answered in one go before other connections have their turn."""


@dataclass(frozen=True, slots=True)
class Pop3Options:
    """The section `[pop3]`."""

    login_timeout: float = option(60.0, "How long a client may take to log in.", unit="s")
    days: int = option(0, "Messages that came within so many days are shown; 0: all. An account may have its own.")
    fetched: str = option("keep", "What becomes of what was fetched: `keep`, `seen` (it counts as read), `delete`.")
    keep_days: int = option(0, "With `delete`: how long what was fetched stays, counted from its arrival.", unit="days")
    deleted: str = option("expunge", "What DELE does: `expunge`; `trash`: the message moves there; `keep`: nothing.")
    login_delay: int = option(0, "How long an account waits from one login to the next (RFC 2449 §6.5).", unit="s")
    idle_timeout: float = option(600.0, "How long a client may be silent; not under 600 (RFC 1939 §3).", unit="s")

    def __post_init__(self) -> None:
        if self.login_timeout < 1:
            raise ValueError("login_timeout is at least one second")
        if self.idle_timeout < 600:
            raise ValueError("idle_timeout is at least 600 seconds (RFC 1939 §3)")
        if not 0 <= self.login_delay <= 86_400:
            raise ValueError("login_delay is between 0 seconds and a day")
        _ = self.policy

    @property
    def policy(self) -> Pop3Policy:
        """How accounts are served that have nothing of their own."""
        return Pop3Policy(self.days, Fetched(self.fetched), self.keep_days, Deleted(self.deleted))


@dataclass(frozen=True, slots=True)
class Pop3Services:
    """Everything a session needs, made once for a server."""

    mail: Mail
    door: Door
    settings: Settings
    revocations: Revocations
    options: Pop3Options
    delays: LoginDelays
    audit: AuditLog


class Pop3Session:
    """What the connection drives."""

    __slots__ = (
        "_connection",
        "_core",
        "_deleted",
        "_dialogue",
        "_fetched",
        "_inbox",
        "_live",
        "_log",
        "_policy",
        "_queued",
        "_result",
        "_retrieved",
        "_services",
        "_started",
    )

    def __init__(self, services: Pop3Services, connection: Connection) -> None:
        self._services = services
        self._connection = connection
        self._log = telemetry.logger("pop3").bind(cid=connection.cid)
        self._dialogue: Dialogue | None = None
        self._live: LiveSession | None = None
        self._inbox: Inbox | None = None
        self._policy = Pop3Policy()
        self._fetched: set[int] = set()  # numbers that RETR has brought whole
        self._queued = self._retrieved = self._deleted = 0
        self._result = "ok"  # of the command under way; empty: it goes on
        self._started: float | None = None  # when the listing under way began
        offer = Offer(
            starttls=connection.tls_offered,
            mechanisms=services.door.mechanisms_for(connection),
            login_delay=services.options.login_delay,
            expire=_expiry(services.options.policy) + " USER",
            login_without_tls=services.door.is_open(connection),
        )
        self._core = ServerConnection(offer, tls=connection.tls is not None)
        connection.expire_in(services.options.login_timeout)
        self._core.greet(self._connection.arrival.notice)

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

    def receive_eof(self) -> None:
        self._core.receive_eof()

    def advance(self) -> Work | None:
        """Answer what can be answered, and give way to others after a while."""
        core = self._core
        for _ in range(_TURN):
            started = self._started or _METER.start()
            event = core.next_event()
            if event is None:
                return None
            self._started = started if isinstance(event, Listed) else None
            self._result = "ok"
            work = self._take(event)
            if work is not None:
                return self._measure(event, work, started)
            self._note(event, started)
            if self._queued >= _PIECE:
                break
        self._connection.wake()
        return None

    async def _measure(self, event: Event, work: Work, started: float) -> None:
        await work
        self._note(event, started)

    def _note(self, event: Event, started: float) -> None:
        """Note a command that has its answer."""
        if self._result and not isinstance(event, Listed):
            _METER.stop(started, _verb(event), self._result)

    def data_to_send(self) -> bytes:
        self._queued = 0
        return self._core.data_to_send()

    def tls_started(self, tls: TlsInfo) -> None:  # noqa: ARG002 - the connection knows it
        self._core.tls_started()

    def timeout(self) -> float:
        options = self._services.options
        return options.login_timeout if self._inbox is None else options.idle_timeout

    def timed_out(self) -> None:
        self._core.timed_out()

    def failed(self) -> None:
        self._core.fail()

    def shutdown(self) -> None:
        self._core.shut_down()

    def connection_lost(self) -> None:
        if self._inbox is not None:
            _LOGGED_IN.dec()
        if self._live is not None:
            self._live.leave()
            account = int(self._live.principal.account)
            self._log.info("left", account=account, retrieved=self._retrieved, deleted=self._deleted)

    def credential_revoked(self) -> None:
        """The secret that this session logged in with is void: it ends, and deletes nothing."""
        self._core.shut_down()
        self._connection.close()

    # -- events

    def _take(self, event: Event) -> Work | None:
        match event:
            case Retrieve(number):
                return self._retrieve(number)
            case Listed():
                self._queued += _LISTED
            case Fault():
                self._result = "err"
            case Leave(deleted):
                return self._leave(deleted)
            case Login(username, password):
                door, connection = self._services.door, self._connection
                secret = Secret(password)
                return self._log_in(door.check(username, secret, Service.POP3, connection, mechanism="USER"))
            case AuthStart(mechanism, initial_response):
                return self._begin_login(mechanism, initial_response)
            case AuthResponse(octets):
                return self._go_on_with_login(octets)
            case AuthAborted():
                self._dialogue, self._result = None, "err"
            case _:
                pass
        return None

    # -- logging in

    def _begin_login(self, mechanism: str, initial_response: bytes | None) -> Work | None:
        self._dialogue = self._services.door.begin(mechanism, Service.POP3, self._connection)
        if self._dialogue is None:
            self._say_no("This authentication mechanism is not offered")
            return None
        return self._log_in(self._dialogue.start(initial_response))

    def _go_on_with_login(self, octets: bytes) -> Work | None:
        if self._dialogue is None:
            self._say_no("Say AUTH first")
            return None
        return self._log_in(self._dialogue.respond(octets))

    async def _log_in(self, step: Coroutine[Any, Any, bytes | Principal]) -> None:
        try:
            result = await step
        except LoginRefused as refused:
            self._refuse_login(refused)
        except sasl.SaslFault:
            self._say_no("The exchange failed", "AUTH")
        except ServerFault as fault:
            self._refuse(fault, "Logins cannot be checked now, try again later")
        else:
            if isinstance(result, bytes):
                self._core.challenge(result)
                self._result = ""
                return
            await self._enter(result)
        self._dialogue = None

    def _refuse_login(self, refused: LoginRefused) -> None:
        """Say why a login is refused, as far as it may be said (RFC 3206 §4)."""
        code = "SYS/TEMP" if refused.told.is_temporary else "SYS/PERM" if refused.told in _POLICY else "AUTH"
        self._say_no(refused.sentence, code)
        if refused.reason is LoginReason.TOO_MANY_FAILURES:
            self._core.closing = True

    async def _enter(self, principal: Principal) -> None:
        self._live = self._services.revocations.enter(principal, Service.POP3, self.credential_revoked)
        if self._live is None:
            self._say_no("That credential was revoked just now", "AUTH")
            return
        if not self._services.delays.admit(principal.account):
            self._live.leave()
            self._live = None
            self._say_no("This account has logged in a moment ago; try again later", "LOGIN-DELAY")
            return
        try:
            self._policy = (await self._services.settings.find(principal.account)).pop3
            self._inbox = await open_inbox(self._services.mail, principal.account, days=self._policy.days)
        except HongyanError as error:
            self._live.leave()
            self._live = None
            self._refuse(error, "Your mail cannot be opened just now, try again later")
            return
        self._connection.authenticated(str(principal.address), "")
        _LOGGED_IN.inc()
        self._core.open(self._inbox.maildrop(), _expiry(self._policy))

    # -- messages

    def _retrieve(self, number: int) -> Work | None:
        """Answer RETR or TOP, at once if the message is small and at hand."""
        inbox = self._require_inbox()
        place = inbox.find_place(number)
        if place is None or inbox.size(number) > _PIECE:
            return self._retrieve_later(number)
        try:
            octets = self._services.mail.blobs.read_now(place[1], place[2])
        except HongyanError:
            octets = None
        if octets is None:
            return self._retrieve_later(number)
        self._send_message(number, place[0], octets)
        return None

    def _send_message(self, number: int, prefix: bytes, octets: bytes) -> None:
        core = self._core
        core.begin_message()
        core.message(prefix + octets)
        self._queued += len(octets)
        self._end_message(number)

    def _end_message(self, number: int) -> None:
        self._retrieved += 1
        if self._core.end_message():
            self._fetched.add(number)

    async def _retrieve_later(self, number: int) -> None:
        """Answer RETR or TOP when something has to be waited for."""
        try:
            opened = await self._open(number)
        except HongyanError as error:
            self._refuse(error, "This message cannot be read just now")
            return
        if opened is None:
            self._say_no("This message was removed by another program; log in again to see what is left")
            return
        (prefix, ref, skipped), octets = opened
        size = self._require_inbox().size(number) - len(prefix)
        if len(octets) <= _PIECE and len(octets) >= size:
            self._send_message(number, prefix, octets)
            return
        self._core.begin_message()
        self._core.message(prefix)
        try:
            await self._stream(ref, skipped, size, octets)
        except ServerFault as fault:
            # What has been sent cannot be taken back; a client takes a message without its end for none.
            self._log.error("message-cut", error=type(fault).__name__, cause=fault.cause)
            self._core.fail()
            self._result = "err"
            return
        self._end_message(number)

    async def _open(self, number: int) -> tuple[Place, bytes] | None:
        """Return where a message lies and its first octets, or None if somebody has removed it."""
        inbox = self._require_inbox()
        place = inbox.find_place(number)
        if place is not None:
            try:
                return place, await self._read_first(number, place)
            except Corrupt:
                inbox.forget_places()  # A blob may lie elsewhere since its place was read ahead.
        place = await inbox.read_place(number)
        return None if place is None else (place, await self._read_first(number, place))

    async def _read_first(self, number: int, place: Place) -> bytes:
        prefix, ref, skipped = place
        size = self._require_inbox().size(number) - len(prefix)
        return await self._read(ref, skipped, None if size < _WHOLE_BELOW else skipped + _PIECE)

    async def _stream(self, ref: BlobRef, skipped: int, size: int, octets: bytes) -> None:
        """Send what is served of a blob, whose first octets are given, as far as wanted, as fast as the peer reads."""
        core, connection = self._core, self._connection
        for start in range(0, len(octets), _PIECE):
            core.message(octets[start : start + _PIECE])
            await connection.drain()
            if not core.wants_message:
                return
        at = len(octets)
        while at < size and core.wants_message:
            octets = await self._read(ref, skipped + at, skipped + min(at + _PIECE, size))
            if not octets:
                raise Corrupt(cause=f"a blob ends at {at} of {size}")
            core.message(octets)
            at += len(octets)
            await connection.drain()

    async def _read(self, ref: BlobRef, start: int, stop: int | None) -> bytes:
        octets = self._services.mail.blobs.read_now(ref, start, stop)
        return await self._services.mail.blobs.read(ref, start, stop) if octets is None else octets

    # -- the end

    def _leave(self, deleted: tuple[int, ...]) -> Work | None:
        if deleted or (self._fetched and self._policy.fetched is not Fetched.KEEP):
            return self._update(deleted)
        self._core.accept()
        return None

    async def _update(self, deleted: tuple[int, ...]) -> None:
        """RFC 1939 §6: +OK when all that is marked is gone, whoever removed it; that others did is told."""
        fetched = self._fetched.difference(deleted)
        try:
            self._deleted = await self._require_inbox().leave(deleted, fetched, self._policy)
        except HongyanError as error:
            self._refuse(error, "Some of the deleted messages are not removed, try again later")
        else:
            missing = len(deleted) - self._deleted
            if missing:
                await self._report(len(deleted), missing)
            self._core.accept(missing)

    async def _report(self, marked: int, missing: int) -> None:
        """Two programs delete from one INBOX: whoever wonders where mail has gone finds it in the trail."""
        self._log.info("deleted-elsewhere", marked=marked, missing=missing)
        if self._live is None:
            return
        principal, audit = self._live.principal, self._services.audit
        actor = Actor(str(principal.address), str(self._connection.arrival.peer.host))
        detail = {"marked": str(marked), "missing": str(missing)}
        await audit.append(audit.entry(AuditEvent.DELETED_ELSEWHERE, actor, account=principal.account, **detail))

    def _refuse(self, error: HongyanError, sentence: str) -> None:
        self._log.error("command-failed", error=type(error).__name__, cause=error.cause)
        self._say_no(sentence, "SYS/PERM" if isinstance(error, Corrupt) else "SYS/TEMP")

    def _say_no(self, sentence: str, code: str = "") -> None:
        self._result = "err"
        self._core.refuse(sentence, code)

    def _require_inbox(self) -> Inbox:
        if self._inbox is None:
            raise RuntimeError("nobody is logged in")
        return self._inbox


def _expiry(policy: Pop3Policy) -> str:
    """Say for how many days mail stays here, as EXPIRE does (RFC 2449 §6.7)."""
    return str(policy.keep_days) if policy.fetched is Fetched.DELETE else "NEVER"


def _verb(event: Event) -> str:
    """Return the verb of a command as metrics name it; one that is none of ours is `other`."""
    match event:
        case Answered(verb):
            return verb.lower()
        case Retrieve(_, lines):
            return "retr" if lines is None else "top"
        case _:
            return _VERBS.get(type(event), "other")


_POLICY = frozenset({LoginReason.SERVICE_OFF, LoginReason.SUSPENDED, LoginReason.CLASS, LoginReason.DEVICE_LIMIT})
"""Refusals that another secret would not change."""
