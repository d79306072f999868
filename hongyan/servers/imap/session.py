"""One IMAP connection: commands in order, answers in order, and news when they may be told.

The session is driven by `servers.connection`: octets come in by `receive_data`, `advance` carries out what is
complete, `data_to_send` gives the answers of a whole read at once. A handler answers at once and returns None, or
returns a coroutine when it must wait; an idle session has neither task nor timer.

News (EXISTS, EXPUNGE, FETCH) stand before the tagged OK of a command, where the command allows them (RFC 9051 §7),
and come by themselves while the client idles.
"""

from __future__ import annotations

__all__ = ["ImapSession"]

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NoReturn

from pyroaring import BitMap

from hongyan import telemetry
from hongyan.auth.principal import Principal
from hongyan.auth.revocations import LiveSession
from hongyan.errors import (
    AlreadyExists,
    Conflict,
    Corrupt,
    HongyanError,
    NotFound,
    OverLimit,
    OverQuota,
    PeerFault,
    Refused,
    StorageFailed,
    StorageFull,
    Unavailable,
)
from hongyan.servers.connection import Connection
from hongyan.servers.imap.append_receiver import AppendReceived, AppendReceiver
from hongyan.servers.imap.capabilities import capabilities
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.services import ImapServices
from hongyan.servers.meter import CommandMeter
from hongyan.servers.session import PeerGone
from hongyan.servers.tls import TlsInfo
from hongyan.store.accounts import Service
from hongyan.telemetry import metrics
from hongyan.types import AccountId, ModSeq
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Command
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.parser import parse_command
from hongyan.wire.imap.receiver import (
    AppendEnd,
    CommandReceived,
    CommandRefused,
    ContinuationDue,
    Event,
    LineReceived,
    MessageChunk,
    MessageEnd,
    MessageOffered,
    Receiver,
    after_login,
)
from hongyan.wire.imap.sequence import SequenceSet
from hongyan.wire.imap.states import State, find_fault_of_state

Work = Coroutine[Any, Any, None]
Handler = Callable[["ImapSession", Any], Work | None]
LineTaker = Callable[[bytes], Work | None]

_METER = CommandMeter(metrics.imap_command_duration_seconds)
_LOGGED_IN = metrics.imap_connections.labels("authenticated")

_SAVING_SEARCH = re.compile(rb"\S+ (?:UID )?SEARCH RETURN \([^)]*\bSAVE\b", re.IGNORECASE)

MAX_FAULTS = 25
"""Commands that are no commands, before the connection is closed: it is no mail program that speaks."""


class ImapSession:
    """What the connection drives. See the module's text."""

    __slots__ = (
        "_appending",
        "_faults",
        "_handlers",
        "_live",
        "_out",
        "_receiver",
        "_result",
        "_served",
        "_stopping",
        "_take_line",
        "client_id",
        "closing",
        "condstore",
        "connection",
        "enabled",
        "idle_tag",
        "log",
        "principal",
        "selected",
        "services",
        "starttls",
        "utf8",
    )

    def __init__(self, services: ImapServices, connection: Connection, handlers: Mapping[type, Handler]) -> None:
        self.services = services
        self.connection = connection
        self.closing = False
        self.starttls = False
        self.principal: Principal | None = None
        self.selected: Selected | None = None
        self.enabled: set[str] = set()
        self.utf8 = False  # names and strings in UTF-8: IMAP4rev2 or UTF8=ACCEPT was enabled
        self.condstore = False  # MODSEQ is told with every change of flags (RFC 7162 §3.1)
        self.idle_tag: bytes | None = None
        self.client_id = ""
        self.log = telemetry.logger("imap").bind(cid=connection.cid)
        self._handlers = handlers
        self._receiver = Receiver()
        self._out: list[bytes] = []
        self._take_line: LineTaker | None = None
        self._appending: AppendReceiver | None = None
        self._live: LiveSession | None = None
        self._faults = 0
        self._result = "ok"
        self._served = 0
        self._stopping = False
        connection.expire_in(services.options.login_timeout)
        self.send(responses.ok("Hongyan ready.", code=codes.capability(capabilities(self))))

    # -- for the connection

    @property
    def buffered(self) -> int:
        return self._receiver.buffered

    def receive_data(self, octets: bytes) -> None:
        self._receiver.receive_data(octets)

    def receive_eof(self) -> None:
        """What came whole is carried out; the connection closes after that."""

    def advance(self) -> Work | None:
        """Carry out what is complete."""
        self._served = 0
        if self.idle_tag is not None:
            self.tell_news()
        while not (self.closing or self.starttls):
            if self._stopping and self._appending is None:
                self._say_goodbye()
                return None
            event = self._receiver.next_event()
            if event is None:
                return None
            work = self._take(event)
            if work is not None:
                return work
            self._served += 1
            if self._served > self.services.options.pipeline:
                self.connection.wake()
                return None
        return None

    def data_to_send(self) -> bytes:
        out = self._out
        if not out:
            return b""
        octets = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return octets

    def tls_started(self, tls: TlsInfo) -> None:  # noqa: ARG002 - the connection knows it
        """Begin anew: nothing that was said before TLS counts (RFC 9051 §6.2.1)."""
        self.starttls = False
        self._receiver = Receiver()

    def timeout(self) -> float:
        options = self.services.options
        return options.idle_timeout if self.principal is not None else options.login_timeout

    def timed_out(self) -> None:
        self.say_bye("Idle for too long.")

    def failed(self) -> None:
        self.say_bye("Something went wrong on our side; please connect again.", code=codes.SERVERBUG)

    def shutdown(self) -> None:
        self._stopping = True

    def connection_lost(self) -> None:
        self.unselect()
        self._drop_append()
        self.services.heart.stop(self)
        if self._live is not None:
            self._live.leave()
        if self.principal is not None:
            self.services.hub.leave(self.principal.account, self)
            _LOGGED_IN.dec()
            self.log.info("left", account=int(self.principal.account))

    # -- events of the receiver

    def _take(self, event: Event) -> Work | None:
        match event:
            case CommandReceived(octets):
                return self._take_command(octets)
            case LineReceived(octets):
                taker, self._take_line = self._take_line, None
                return taker(octets) if taker is not None else None
            case ContinuationDue():
                self.send(responses.continuation())
            case MessageOffered() | MessageChunk() | MessageEnd() | AppendEnd():
                return self._take_append(event)
            case CommandRefused(tag, status, code, sentence, closes):
                self._drop_append()
                self.send(responses.outcome(status, sentence, tag=tag, code=code))
                self._count_fault()
                if closes:
                    self.say_bye("The connection closes: where the next command begins is not known.")
        return None

    def _take_command(self, octets: bytes) -> Work | None:
        try:
            command = parse_command(octets, utf8=self.utf8)
        except CommandFault as fault:
            if self.selected is not None and fault.status == b"NO" and _SAVING_SEARCH.match(octets):
                self.selected.view.saved = BitMap()  # RFC 9051 §6.4.4.1
            self._refuse(fault)
            return None
        problem = find_fault_of_state(command, self.state)
        if problem is not None:
            self.bad(command.tag, problem)
            self._count_fault()
            return None
        return self.carry_out(command)

    def carry_out(self, command: Command | AppendReceived) -> Work | None:
        """Let the handler answer a command, and tell what went wrong if something did."""
        handler = self._handlers.get(type(command))
        if handler is None:
            self.bad(command.tag, "That command is not offered.")
            self._count_fault()
            return None
        started = _METER.start()
        try:
            work = handler(self, command)
        except HongyanError as error:
            self.tell_error(command.tag, error)
            work = None
        if work is not None:
            return self._guard(command, work, started)
        _METER.stop(started, type(command).__name__.lower(), self._result)
        return None

    async def _guard(self, command: Command | AppendReceived, work: Work, started: float) -> None:
        try:
            await work
        except PeerFault:
            raise
        except HongyanError as error:
            self.tell_error(command.tag, error)
        _METER.stop(started, type(command).__name__.lower(), self._result)

    def _take_append(self, event: Event) -> Work | None:
        if self._appending is None:
            services = self.services
            limit = services.options.append_limit
            self._appending = AppendReceiver(self._receiver, self.send, services.spool, limit=limit, utf8=self.utf8)
        try:
            received = self._appending.take(event)
        except CommandFault as fault:
            self._drop_append()
            self._refuse(fault)
            return None
        except (StorageFull, StorageFailed):
            # The rest of the message is on its way, and nowhere to put it.
            self._drop_append()
            self.say_bye("There is no room for the message just now.", code=codes.UNAVAILABLE)
            return None
        if received is None:
            return None
        self._appending = None
        return self.carry_out(received)

    def _drop_append(self) -> None:
        if self._appending is not None:
            self._appending.drop()
            self._appending = None

    def _refuse(self, fault: CommandFault) -> None:
        self.send(responses.outcome(fault.status, fault.sentence, tag=fault.tag, code=fault.code))
        self._count_fault()

    def _count_fault(self) -> None:
        self._faults += 1
        if self._faults >= MAX_FAULTS:
            self.say_bye("Too many commands that cannot be understood.", code=codes.CLIENTBUG)

    # -- for handlers: what is known

    @property
    def state(self) -> State:
        if self.principal is None:
            return State.NOT_AUTHENTICATED
        return State.SELECTED if self.selected is not None else State.AUTHENTICATED

    @property
    def account(self) -> AccountId:
        """Whose mail this is. Only after login."""
        if self.principal is None:
            raise ValueError("nobody is logged in")
        return self.principal.account

    def require_selected(self) -> Selected:
        """Return the selected mailbox. Only for commands of the selected state."""
        if self.selected is None:
            raise ValueError("no mailbox is selected")
        return self.selected

    @property
    def queued_octets(self) -> int:
        """How much waits to be written."""
        return sum(map(len, self._out))

    # -- for handlers: answers

    def send(self, octets: bytes) -> None:
        """Queue octets."""
        self._out.append(octets)

    def ok(self, tag: bytes, text: str, *, code: bytes = b"") -> None:
        """Answer OK."""
        self._result = "ok"
        self._out.append(responses.ok(text, tag=tag, code=code))

    def no(self, tag: bytes, text: str, *, code: bytes = b"") -> None:
        """Answer NO."""
        self._result = "no"
        self._out.append(responses.no(text, tag=tag, code=code))

    def bad(self, tag: bytes, text: str) -> None:
        """Answer BAD."""
        self._result = "bad"
        self._out.append(responses.bad(text, tag=tag))

    def done(self, tag: bytes, text: str, *, expunge: bool = True, code: bytes = b"") -> None:
        """Tell the news of the selected mailbox, then answer OK; without `expunge` what is gone is told later."""
        self.tell_news(expunge=expunge)
        self.ok(tag, text, code=code)

    def tell_news(self, *, expunge: bool = True) -> None:
        """Tell what became of the selected mailbox."""
        if self.selected is not None:
            self._out += self.selected.news(self, expunge=expunge)

    def tell_arrivals(self, messages: SequenceSet | None) -> None:
        """Tell of the messages that a UID command names before this session has told of them.

        Another connection of the client may have: APPENDUID, COPYUID. Only a UID that does not exist is passed over
        (RFC 9051 §6.4.9); else OK would be said to a STORE that has stored nothing.
        """
        if messages is not None and self.selected is not None and self.selected.has_arrivals(messages):
            self.tell_news(expunge=False)

    def say_bye(self, text: str, *, code: bytes = b"") -> None:
        """Say that the connection closes, and close it."""
        if not self.closing:
            self.send(responses.bye(text, code=code))
            self.closing = True

    def break_off(self) -> NoReturn:
        """Close without a word: what was begun cannot be ended, and the client must not take it for whole."""
        self._out.clear()
        self.connection.abort()
        raise PeerGone(cause="broken off")

    def _say_goodbye(self) -> None:
        self.say_bye("The server stops; please connect again in a moment.", code=codes.UNAVAILABLE)

    def tell_error(self, tag: bytes, error: HongyanError) -> None:
        """Answer NO with the code that says why (RFC 5530 §3)."""
        code, sentence = _CODES.get(type(error), (b"", ""))
        for kind in type(error).__mro__:
            if kind in _CODES:
                code, sentence = _CODES[kind]
                break
        if code == codes.SERVERBUG:
            self.log.error("command-failed", error=type(error).__name__, cause=error.cause)
        self.no(tag, error.sentence or sentence, code=code)

    def expect_line(self, taker: LineTaker, limit: int) -> None:
        """Hand the client's next line to `taker`."""
        self._take_line = taker
        self._receiver.expect_line(limit)

    # -- for handlers: changes of the session

    def logged_in(self, principal: Principal) -> bool:
        """From now on the session is this account's; false if what it logged in with was revoked meanwhile."""
        self._live = self.services.revocations.enter(principal, Service.IMAP, self.credential_revoked)
        if self._live is None:
            return False
        self.principal = principal
        _LOGGED_IN.inc()
        self._receiver.set_limits(after_login(self.services.options.append_limit))
        self.connection.authenticated()
        self.services.hub.join(principal.account, self)
        self.log = self.log.bind(account=int(principal.account))
        return True

    def select(self, selected: Selected | None) -> None:
        """Leave the selected mailbox and, maybe, enter another."""
        self.unselect()
        self.selected = selected

    def unselect(self) -> None:
        """Leave the selected mailbox."""
        if self.selected is not None:
            self.selected.leave(self.services.mail.live)
            self.selected = None

    def enable_condstore(self) -> None:
        """From now on MODSEQ goes with changed flags (RFC 7162 §3.1)."""
        if not self.condstore:
            self.condstore = True
            if self.selected is not None:
                self.selected.view.condstore = True
                self.send(
                    responses.ok("Highest MODSEQ.", code=codes.highestmodseq(max(self.selected.state.highestmodseq, 1)))
                )

    def begin_idle(self, tag: bytes) -> None:
        """Tell news as they come, until `end_idle`."""
        self.idle_tag = tag
        self.services.heart.start(self)

    def end_idle(self) -> None:
        """News wait for the next command again."""
        self.idle_tag = None
        self.services.heart.stop(self)

    def start_tls(self) -> None:
        """Begin TLS once the answer is written; what the client sent too early is dropped."""
        self._receiver.discard()
        self.starttls = True

    # -- for the hub

    def account_changed(self, modseq: ModSeq) -> None:  # noqa: ARG002 - a hint; the log is the truth
        """Something has changed: an idling client is told at once."""
        if self.idle_tag is not None and self.selected is not None:
            self._speak_up()

    def heartbeat(self) -> None:
        """Say that we are still here, so that no NAT forgets the connection; idling clients hear it."""
        if self.idle_tag is not None and not self.connection.stalled:
            self.send(responses.ok("Still here."))
            self._speak_up()

    def _speak_up(self) -> None:
        """Tell the news to a client that waits for them; if it does not read, when it does (`advance`)."""
        connection = self.connection
        if not (self.closing or connection.stalled):
            self.tell_news()
            finish = connection.close if self._has_said_bye() else connection.flush
            finish()

    def _has_said_bye(self) -> bool:
        return self.closing

    def credential_revoked(self) -> None:
        """The secret that this session logged in with is void, or IMAP was switched off for the account."""
        self.say_bye("You may not go on with this login; please log in again.", code=codes.EXPIRED)
        self.connection.close()


_CODES: dict[type[BaseException], tuple[bytes, str]] = {
    NotFound: (codes.NONEXISTENT, "There is no such mailbox."),
    AlreadyExists: (codes.ALREADYEXISTS, "A mailbox of that name exists already."),
    Refused: (codes.CANNOT, "That is not possible."),
    OverQuota: (codes.OVERQUOTA, "The mailbox is full; delete mail or ask for more room."),
    OverLimit: (codes.LIMIT, "That is more than is allowed."),
    StorageFull: (codes.OVERQUOTA, "The server has no room just now; nothing was stored. Try again later."),
    Corrupt: (codes.CORRUPTION, "What is stored cannot be read back; the administrator has been told."),
    Conflict: (codes.INUSE, "The mailbox changes too fast just now; try again."),
    Unavailable: (codes.UNAVAILABLE, "The server cannot reach its storage just now; try again later."),
    HongyanError: (codes.SERVERBUG, "Something went wrong on our side; nothing was changed. Try again later."),
}
