"""One IMAP connection: commands in order, answers in order, and news when they may be told.

The session is driven by `servers.connection`: octets come in by `receive_data`, `advance` carries out what is
complete, `data_to_send` gives the answers of a whole read at once. A handler answers at once and returns None, or
returns a coroutine when it must wait; an idle session has neither task nor timer.

News (EXISTS, EXPUNGE, FETCH) stand before the tagged OK of a command, where the command allows them (RFC 9051 §7),
and come by themselves while the client idles.
"""

from __future__ import annotations

__all__ = ["ImapSession", "Work"]

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from pyroaring import BitMap

from hongyan import telemetry
from hongyan.auth.principal import Principal
from hongyan.auth.revocations import LiveSession
from hongyan.errors import HongyanError, PeerFault
from hongyan.mailboxes.reach import Place, Viewer
from hongyan.servers.connection import Connection
from hongyan.servers.imap.append_receiver import AppendReceived
from hongyan.servers.imap.capabilities import capabilities
from hongyan.servers.imap.intake import Intake, LineTaker, Work
from hongyan.servers.imap.notice import Notices
from hongyan.servers.imap.progress import Working
from hongyan.servers.imap.refusals import find_refusal
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.services import ImapServices
from hongyan.servers.imap.switches import find_switched_off, is_switched_off
from hongyan.servers.meter import CommandMeter
from hongyan.servers.session import PeerGone
from hongyan.servers.tls import TlsInfo
from hongyan.store.accounts import Service
from hongyan.telemetry import metrics
from hongyan.types import AccountId, ModSeq
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Command, Expunge, Move
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.sequence import SequenceSet
from hongyan.wire.imap.states import State

Handler = Callable[["ImapSession", Any], Work | None]

_METER = CommandMeter(metrics.imap_command_duration_seconds)
_LOGGED_IN = metrics.imap_connections.labels("authenticated")

MAX_FAULTS = 25
"""Commands that are no commands, before the connection is closed: it is no mail program that speaks."""


class ImapSession:
    """What the connection drives. See the module's text."""

    __slots__ = (
        "_faults",
        "_handlers",
        "_intake",
        "_is_expunging",
        "_live",
        "_out",
        "_own_switches",
        "_result",
        "_served",
        "_stopping",
        "client_id",
        "closing",
        "condstore",
        "connection",
        "enabled",
        "idle_tag",
        "is_compressed",
        "log",
        "notified",
        "principal",
        "selected",
        "services",
        "starttls",
        "switched_off",
        "utf8",
        "working",
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
        self.notified: Notices | None = None
        self.is_compressed = False  # both ways, for as long as the connection lasts (RFC 4978)
        self.client_id = ""
        self.switched_off: frozenset[str] = frozenset()  # capabilities that are not offered here, in capitals
        self._own_switches: frozenset[str] = frozenset()
        self.log = telemetry.logger("imap").bind(cid=connection.cid)
        self.working = Working(self)
        self._handlers = handlers
        self._intake = Intake(self)
        self._out: list[bytes] = []
        self._live: LiveSession | None = None
        self._faults = 0
        self._is_expunging = False  # the command in progress removes messages, and its client is told which
        self._result = "ok"
        self._served = 0
        self._stopping = False
        connection.expire_in(services.options.login_timeout)
        self.send(responses.ok("Hongyan ready.", code=codes.capability(capabilities(self))))

    # -- for the connection

    @property
    def buffered(self) -> int:
        return self._intake.buffered

    def receive_data(self, octets: bytes) -> None:
        self._intake.receive_data(octets)

    def receive_eof(self) -> None:
        """What came whole is carried out; the connection closes after that."""

    def advance(self) -> Work | None:
        """Carry out what is complete."""
        self._served = 0
        if self.idle_tag is not None:
            self.tell_news()
        while not (self.closing or self.starttls):
            if self._stopping and not self._intake.is_appending:
                self._say_goodbye()
                return None
            event = self._intake.next_event()
            if event is None:
                return self._speak_unasked()
            work = self._intake.take(event)
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
        self.starttls = False
        self._intake.begin_anew()

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
        self.notify(None)
        self._intake.drop_append()
        self.services.heart.stop(self)
        self._leave_account()

    # -- for what comes in

    def carry_out(self, command: Command | AppendReceived) -> Work | None:
        """Let the handler answer a command, and tell what went wrong if something did."""
        handler = self._handlers.get(type(command))
        if handler is None or (self.switched_off and is_switched_off(command, self.switched_off)):
            self.bad(command.tag, "That command is not offered.")
            self.count_fault()
            return None
        if self.selected is not None and self.selected.is_closed:
            self.tell_news()  # It says BYE: what was shared is not any more.
            return None
        self._is_expunging = isinstance(command, Expunge | Move | AppendReceived)
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
        self.working.begin(command)
        try:
            await work
        except PeerFault:
            raise
        except HongyanError as error:
            self.tell_error(command.tag, error)
        finally:
            self.working.end()
        if self.notified is not None:
            await self.notified.carried_out(command)
        _METER.stop(started, type(command).__name__.lower(), self._result)

    def _speak_unasked(self) -> Work | None:
        """Tell what NOTIFY asked for, now that no command is in progress."""
        if self.notified is None or self._intake.is_appending:
            return None
        return self.notified.speak()

    def refuse(self, fault: CommandFault) -> None:
        """Answer what is no command, or not one that can be carried out."""
        self.send(responses.outcome(fault.status, fault.sentence, tag=fault.tag, code=fault.code))
        self.count_fault()

    def count_fault(self) -> None:
        """Note what was no command; a client that sends nothing else is none."""
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

    @property
    def viewer(self) -> Viewer:
        """Who asks for mailboxes, its own and those of others. Only after login."""
        if self.principal is None:
            raise ValueError("nobody is logged in")
        return Viewer(self.principal.account, self.principal.address)

    def require_selected(self) -> Selected:
        """Return the selected mailbox. Only for commands of the selected state."""
        if self.selected is None:
            raise ValueError("no mailbox is selected")
        return self.selected

    @property
    def qresync(self) -> bool:
        """Whether VANISHED is told in place of EXPUNGE (RFC 7162 §3.2.3)."""
        return "QRESYNC" in self.enabled

    @property
    def uidonly(self) -> bool:
        """Whether messages go by their UIDs and nothing else (RFC 9586)."""
        return "UIDONLY" in self.enabled

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

    def tell_news(self, *, expunge: bool = True, asked: bool = False) -> None:
        """Tell what became of the selected mailbox.

        A client that wants to hear nothing of it (RFC 5465 §3.1) is told only what it needs for what it `asked`.
        """
        selected, notified = self.selected, self.notified
        if selected is None:
            return
        if notified is None or asked:
            self._out += selected.news(self, expunge=expunge)
        elif notified.hears_selected or selected.is_gone or self._is_expunging:
            self._out += selected.news(self, expunge=expunge, flags=notified.hears_flags)
        else:
            self._out += selected.own_marks()

    def tell_arrivals(self, messages: SequenceSet | None) -> bool:
        """Tell of the messages that a UID command names before this session has told of them; say if there are any.

        Another connection of the client may have: APPENDUID, COPYUID. Only a UID that does not exist is passed over
        (RFC 9051 §6.4.9); else OK would be said to a STORE that has stored nothing.
        """
        if messages is None or self.selected is None or not self.selected.has_arrivals(messages):
            return False
        self.tell_news(expunge=False, asked=True)
        return True

    def made(self, target: Place, first_uid: int, count: int) -> None:
        """The client itself has put these messages there."""
        selected = self.selected
        if self.notified is None or selected is None:
            return
        if (selected.account, selected.state.mailbox_id) == (target.account, target.mailbox.mailbox_id):
            self.notified.made(BitMap(range(first_uid, first_uid + count)))

    def notify(self, notified: Notices | None) -> None:
        """Tell from now on what this NOTIFY asked for; None: as if there had never been one."""
        if self.notified is not None:
            self.notified.end()
        self.notified = notified

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
        code, sentence = find_refusal(error)
        if code == codes.SERVERBUG:
            self.log.error("command-failed", error=type(error).__name__, cause=error.cause)
        self.no(tag, sentence, code=code)

    def expect_line(self, taker: LineTaker, limit: int) -> None:
        """Hand the client's next line to `taker`."""
        self._intake.expect_line(taker, limit)

    # -- for handlers: changes of the session

    def logged_in(self, principal: Principal) -> bool:
        """From now on the session is this account's; false if what it logged in with was revoked meanwhile."""
        self._live = self.services.revocations.enter(principal, Service.IMAP, self.credential_revoked)
        if self._live is None:
            return False
        self.principal = principal
        _LOGGED_IN.inc()
        self._intake.log_in(self.services.options.append_limit)
        self.connection.authenticated(str(principal.address), self.client_id)
        self.services.hub.join(principal.account, self)
        self.log = self.log.bind(account=int(principal.account))
        return True

    def logged_out(self) -> None:
        """The session is nobody's again, and what was enabled is not (RFC 8437 §2)."""
        self.unselect()
        self.notify(None)
        self._leave_account()
        self.enabled.clear()
        self.switched_off = self._own_switches = frozenset()
        self.utf8 = self.condstore = False
        self._intake.log_out()
        self.log = telemetry.logger("imap").bind(cid=self.connection.cid)
        self.connection.expire_in(self.services.options.login_timeout)

    def _leave_account(self) -> None:
        if self._live is not None:
            self._live.leave()
            self._live = None
        if self.principal is not None:
            self.services.hub.leave(self.principal.account, self)
            _LOGGED_IN.dec()
            self.log.info("left", account=int(self.principal.account))
            self.principal = None

    def know_client(self, client: str) -> None:
        """Note what program this is; it may be one that does not get all."""
        self.client_id = client
        self._decide_switches()

    def switch_off(self, names: frozenset[str]) -> None:
        """Offer these capabilities no more: they are switched off for the account."""
        self._own_switches = names
        self._decide_switches()

    def _decide_switches(self) -> None:
        if self.principal is not None:
            options = self.services.options
            self.switched_off = find_switched_off(options.switched_off, self.client_id, self._own_switches)

    def select(self, selected: Selected | None) -> None:
        """Leave the selected mailbox and, maybe, enter another."""
        self.unselect()
        self.selected = selected
        if selected is not None and selected.account != self.account:
            self.services.hub.join(selected.account, self)
        if self.notified is not None:
            self.notified.selection_changed()

    def unselect(self) -> None:
        """Leave the selected mailbox."""
        if self.selected is not None:
            self.selected.leave(self.services.mail.live, self.services.shared.views)
            if self.selected.account != self.account:
                self.services.hub.leave(self.selected.account, self)
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
        self._intake.discard()
        self.starttls = True

    # -- for the hub

    def account_changed(self, modseq: ModSeq) -> None:  # noqa: ARG002 - a hint; the log is the truth
        """Something has changed: a client that idles, or has said NOTIFY, is told at once."""
        if self.notified is not None:
            if self.selected is not None and (self.notified.hears_selected or self.selected.is_gone):
                self.connection.wake()
        elif self.idle_tag is not None and self.selected is not None:
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
