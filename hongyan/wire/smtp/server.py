"""The server's end of an SMTP session (RFC 5321): which command may come when.

    connection = ServerConnection(offer)
    connection.greet()                          # or connection.reply(...) to turn the client away
    connection.receive_data(octets)
    while event := connection.next_event():     # one by one: see `events`
        ...                                     # answer each Question: accept(), reply(...), challenge(...)
    write(connection.data_to_send())

The next command is not read before the last was answered, and the replies to a whole group of
pipelined commands leave in one piece (RFC 2920). The connection answers by itself what needs no
policy: syntax, order, sizes, limits. It never closes but after 221, 421, 521, or where going on
is not safe: `closing` then says so.

What comes before it is due is an attack or a program that guesses: octets behind EHLO, DATA, AUTH
or ahead of the greeting get 554 and the connection closes; octets behind STARTTLS are thrown away
and the session starts anew (RFC 3207 §4.2).

Extensions: PIPELINING (RFC 2920), SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531),
CHUNKING (RFC 3030), ENHANCEDSTATUSCODES (RFC 2034), LIMITS (RFC 9422), and by offer STARTTLS
(RFC 3207), AUTH (RFC 4954), DSN (RFC 3461) and REQUIRETLS (RFC 8689).
"""

from __future__ import annotations

__all__ = ["ServerConnection"]

from collections.abc import Callable, Iterator
from typing import Final

from hongyan.wire import sasl
from hongyan.wire.lines import EndlessLine, LineFault, LineReceiver, LineTooLong, NulOctet
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import (
    Auth,
    Bdat,
    Command,
    Data,
    Expn,
    Hello,
    Help,
    MailFrom,
    Noop,
    Quit,
    RcptTo,
    Rset,
    StartTls,
    Vrfy,
    parse_command,
)
from hongyan.wire.smtp.events import (
    Answered,
    AuthAborted,
    AuthResponse,
    AuthStart,
    Event,
    Fault,
    MessageEnd,
    MessageRefused,
    MessageStart,
    Question,
    Reset,
)
from hongyan.wire.smtp.offer import Offer, greeting, hello_reply
from hongyan.wire.smtp.order import CommandOrder
from hongyan.wire.smtp.reader import MessageReader, Stage
from hongyan.wire.smtp.replies import CommandFault, Reply

COMMAND_LIMIT: Final = 4096
"""Octets of a command line. RFC 5321 §4.5.3.1.4 asks for 512 and each extension for more; SMTPUTF8 and DSN for most."""

AUTH_LIMIT: Final = 12288
"""Octets of a line while logging in (RFC 4954 §4)."""


class ServerConnection:
    """One SMTP session, from greeting to end, across STARTTLS. See the module."""

    __slots__ = (
        "_draining",
        "_eof",
        "_faults",
        "_greeted",
        "_idle_commands",
        "_lines",
        "_news",
        "_offer",
        "_order",
        "_out",
        "_question",
        "_read",
        "_reader",
        "closing",
        "starttls",
    )

    def __init__(self, offer: Offer, *, tls: bool = False) -> None:
        self.closing = False  # Write what there is to send, then close.
        self.starttls = False  # Write what there is to send, do the handshake, then call `tls_started`.
        self._offer = offer
        self._order = CommandOrder(offer, tls=tls)
        self._lines = LineReceiver(AUTH_LIMIT if offer.auth else COMMAND_LIMIT)
        self._out: list[bytes] = []
        self._question: Question | None = None
        self._news: Event | None = None  # What happened while a question was answered.
        self._read: Callable[[], Event | None] = self._read_command
        self._greeted = self._draining = self._eof = False
        self._faults = self._idle_commands = 0
        self._reader: MessageReader | None = None

    # What the driver does.

    @property
    def buffered(self) -> int:
        """Octets that wait to be read."""
        return self._lines.buffered

    @property
    def tls(self) -> bool:
        return self._order.tls

    @property
    def authenticated(self) -> bool:
        return self._order.authenticated

    @property
    def in_transaction(self) -> bool:
        """Whether MAIL was accepted and its end not yet reached."""
        return self._order.mail is not None

    def greet(self) -> None:
        """Send the greeting (RFC 5321 §3.1). Who spoke before it is turned away."""
        self._greeted = True
        if not self._client_is_ahead():
            self._send(greeting(self._offer))

    def receive_data(self, octets: bytes) -> None:
        if not self.closing and not self.starttls:
            self._lines.receive_data(octets)

    def receive_eof(self) -> None:
        """Say that the client sends no more: what it has sent is still answered."""
        self._eof = True

    def data_to_send(self) -> bytes:
        out = self._out
        if len(out) == 1:
            return out.pop()
        octets = b"".join(out)
        out.clear()
        return octets

    def tls_started(self) -> None:
        """Say that the handshake is done: the client has to say everything anew (RFC 3207 §4.2)."""
        self.starttls = False
        self._order.start_session(tls=True)

    def timed_out(self) -> None:
        """Say that the client was silent for too long (RFC 5321 §4.5.3.2.7 gives it five minutes)."""
        if not self.closing:
            self._part(replies.IDLE_TOO_LONG)

    def turn_out(self, reply: Reply) -> None:
        """End the session now with this reply, whatever was going on (RFC 5321 §3.8)."""
        if not self.closing:
            self._part(reply)

    def fail(self) -> None:
        """Say that an error of ours ends the session, whatever was going on (RFC 5321 §3.8)."""
        if not self.closing:
            self._part(replies.SERVER_FAILED)

    def shut_down(self) -> None:
        """Close at the next moment at which nothing is lost (RFC 5321 §3.8)."""
        self._draining = True
        busy = self._question or self.in_transaction or self._lines.buffered or self.starttls or self.closing
        if self._greeted and not busy and self._read == self._read_command:
            self._part(replies.SHUTTING_DOWN)

    def events(self) -> Iterator[Event]:
        """Iterate over `next_event` until it wants more octets, or an answer."""
        while event := self.next_event():
            yield event

    def next_event(self) -> Event | None:
        """Return what happened next; None while a question is open or more octets are needed."""
        if self._news:
            news, self._news = self._news, None
            return news
        if self._question or self.closing or self.starttls or not self._greeted:
            return None
        event = self._read()
        if event is None and self._eof and not self._question:
            self.closing = True
        return event

    # What the policy answers.

    def accept(self) -> None:
        """Answer the open question with the usual yes. Once the connection is closing, no answer is wanted."""
        if self.closing:
            return
        match self._question:
            case RcptTo():
                self.reply(replies.RECIPIENT_OK)
            case MailFrom():
                self.reply(replies.SENDER_OK)
            case MessageStart(chunked=chunked):
                self._question = None
                self._read = self._read_message
                if not chunked and not self._client_is_ahead():
                    self._send(replies.START_MAIL)
            case MessageEnd():
                self.reply(replies.MESSAGE_ACCEPTED)
            case Hello(extended=extended):
                self.reply(hello_reply(self._offer, tls=self._order.tls, extended=extended))
            case AuthStart() | AuthResponse():
                self.reply(replies.AUTHENTICATED)
            case None:
                raise RuntimeError("there is no question to answer")

    def reply(self, reply: Reply) -> None:
        """Answer the open question; instead of the greeting, turn the client away."""
        if self.closing:
            return
        question, self._question = self._question, None
        match question:
            case RcptTo():
                self._order.tried_recipient(accepted=reply.is_positive)
            case MailFrom():
                self._order.mail = question if reply.is_positive else None
            case MessageStart():
                self._refuse_start(question, reply)
                return
            case MessageEnd():
                self._start_transaction()
                if reply.is_positive:
                    self._order.messages += 1
                    self._idle_commands = 0
            case Hello():
                if self._client_is_ahead():
                    return
                if reply.is_positive:
                    self._order.hello = question
            case AuthStart() | AuthResponse():
                if self._client_is_ahead():
                    return
                self._end_auth(authenticated=reply.is_positive)
            case None:
                if self._greeted:
                    raise RuntimeError("there is no question to answer")
                self._part(reply)
                return
        self._send(reply)

    def challenge(self, octets: bytes) -> None:
        """Answer AUTH with a challenge (RFC 4954 §4)."""
        if self.closing:
            return
        if not isinstance(self._question, AuthStart | AuthResponse):
            raise RuntimeError("nobody is logging in")
        self._question = None
        if not self._client_is_ahead():
            self._read = self._read_auth_response
            self._out.append(b"334 " + sasl.encode_challenge(octets) + b"\r\n")

    def refuse_message(self, reply: Reply) -> None:
        """Refuse the message that is coming in: the rest of it is read and forgotten, then the reply goes out."""
        if self._reader is None:
            raise RuntimeError("no message is coming in")
        self._reader.refusal = self._reader.refusal or reply

    # Commands.

    def _read_command(self) -> Event | None:
        if self._draining and not self.in_transaction:
            return self._break_off(replies.SHUTTING_DOWN)
        try:
            line = self._lines.next_line()
            if line is None:
                return None
            if len(line) > COMMAND_LIMIT - 2 and line[:5].upper() != b"AUTH ":
                return self._fault(replies.LINE_TOO_LONG)
            return self._obey(parse_command(line, self._order.parameters), is_ascii=line.isascii())
        except CommandFault as fault:
            return self._break_off(fault.reply) if fault.fatal else self._fault(fault.reply)
        except LineFault as fault:
            return self._broken_line(fault)

    def _obey(self, command: Command, *, is_ascii: bool) -> Event | None:
        match command:
            case RcptTo():
                return self._rcpt(command, is_ascii=is_ascii)
            case MailFrom():
                self._order.check_mail(command)
                return self._ask(command)
            case Data():
                return self._begin_data()
            case Bdat():
                return self._begin_chunk(command)
            case Hello():
                self._require_silence()
                self._count_idle_command()
                self._start_transaction()
                return self._ask(command)
            case Quit():
                self._part(replies.BYE)
                return command
            case Rset():
                self._count_idle_command()
                self._start_transaction()
                self._send(replies.OK)
                return Reset()
            case StartTls():
                return self._start_tls()
            case Auth():
                return self._auth(command)
            case Noop():
                return self._answer(replies.OK)
            case Help():
                return self._answer(replies.HELP)
            case Vrfy():
                return self._answer(replies.CANNOT_VERIFY)  # RFC 5321 §3.5.3 and §7.3
            case Expn():
                return self._answer(replies.NOT_IMPLEMENTED)

    def _rcpt(self, command: RcptTo, *, is_ascii: bool) -> Event:
        self._order.check_rcpt(is_ascii=is_ascii)
        if self._order.recipients >= self._offer.max_recipients:
            self._send(replies.TOO_MANY_RECIPIENTS)  # RFC 5321 §4.5.3.1.10; no fault: the client sends on.
            return Answered(replies.TOO_MANY_RECIPIENTS)
        return self._ask(command)

    def _begin_data(self) -> Event:
        self._require_silence()
        self._order.check_data()
        self._reader = MessageReader(self._lines, self._offer.max_message)
        self._reader.begin_data()
        return self._ask(MessageStart(chunked=False))

    def _begin_chunk(self, command: Bdat) -> Event | None:
        reader, is_first = self._reader, self._reader is None
        if reader is None:
            reader = self._reader = MessageReader(self._lines, self._offer.max_message)
            reader.refusal = self._order.what_a_message_lacks()
            self._order.chunking = True
        if not command.size and not command.last:
            self._count_idle_command()
        reader.begin_chunk(command.size, is_last=command.last)
        self._read = self._read_message
        if not reader.can_be_eaten(command.size):
            return self._break_off(replies.MESSAGE_TOO_LARGE_CLOSING)
        if not reader.refusal and not reader.fits(command.size):
            reader.refusal = replies.MESSAGE_TOO_LARGE
            return MessageRefused(replies.MESSAGE_TOO_LARGE)
        if is_first and not reader.refusal:
            return self._ask(MessageStart(chunked=True))
        return self._read_message()

    def _start_tls(self) -> Event:
        self._order.check_start_tls()
        had_more = self._lines.buffered > 0
        self._lines.clear()  # Whoever put commands here hopes that they run under TLS (CVE-2011-0411).
        self._send(replies.READY_FOR_TLS)
        self.starttls = True
        return StartTls(had_more)

    # The message.

    def _refuse_start(self, start: MessageStart, reply: Reply) -> None:
        if reply.is_positive:
            raise RuntimeError("a message is begun by accept()")
        if start.chunked:  # The chunk is on its way (RFC 3030 §2): the reply waits for its end.
            self.refuse_message(reply)
            return
        self._start_transaction()
        self._send(reply)

    def _read_message(self) -> Event | None:
        reader = self._reader
        if reader is None:
            raise RuntimeError("no message is coming in")
        match reader.read():
            case Stage.BROKEN:
                refusal = reader.refusal or replies.SERVER_ERROR
                self._part(refusal)
                return MessageRefused(refusal)
            case Stage() as stage:
                self._read = self._read_command
                if reader.refusal:
                    self._start_transaction()
                    return self._fault(reader.refusal)
                if stage is Stage.CHUNK_END:
                    self._send(replies.OK)
                    return Answered(replies.OK)
                return self._ask(MessageEnd(reader.size))
            case event:
                return event

    def _start_transaction(self) -> None:
        self._order.start_transaction()
        self._reader = None

    # Logging in.

    def _auth(self, command: Auth) -> Event:
        self._require_silence()
        self._order.check_auth(command)
        initial_response = None
        if command.initial_response is not None:
            try:
                initial_response = sasl.decode_initial_response(command.initial_response)
            except sasl.SaslFault:
                raise CommandFault(replies.AUTHENTICATION_MALFORMED) from None
        return self._ask(AuthStart(command.mechanism, initial_response))

    def _read_auth_response(self) -> Event | None:
        try:
            line = self._lines.next_line()
            if line is None:
                return None
            return self._ask(AuthResponse(sasl.decode_response(line)))
        except sasl.Cancelled:
            refusal = replies.AUTHENTICATION_CANCELLED
        except (sasl.SaslFault, NulOctet):
            refusal = replies.AUTHENTICATION_MALFORMED
        except LineTooLong:
            refusal = replies.AUTH_LINE_TOO_LONG
        except LineFault as fault:
            return self._broken_line(fault)
        self._end_auth(authenticated=False)
        self._send(refusal)
        return AuthAborted(refusal)

    def _end_auth(self, *, authenticated: bool) -> None:
        self._order.authenticated = authenticated
        self._faults += not authenticated
        self._read = self._read_command

    # Answers, and their limits.

    def _ask(self, question: Question) -> Question:
        self._question = question
        return question

    def _answer(self, reply: Reply) -> Event:
        self._count_idle_command()
        self._send(reply)
        return Answered(reply)

    def _fault(self, reply: Reply) -> Event:
        self._faults += 1
        if self._faults > self._offer.max_faults:
            return self._break_off(replies.TOO_MANY_FAULTS)
        self._send(reply)
        return Fault(reply)

    def _broken_line(self, fault: LineFault) -> Event:
        match fault:
            case NulOctet():
                return self._break_off(replies.ODD_CHARACTERS)
            case LineTooLong():
                return self._fault(replies.LINE_TOO_LONG)
            case EndlessLine():
                return self._break_off(replies.LINE_TOO_LONG)
            case _:
                return self._break_off(replies.BARE_NEWLINE_IN_COMMAND)

    def _break_off(self, reply: Reply) -> Event:
        self._part(reply)
        return Fault(reply)

    def _count_idle_command(self) -> None:
        self._idle_commands += 1
        if self._idle_commands > self._offer.max_idle_commands:
            raise CommandFault(replies.TOO_MANY_IDLE_COMMANDS, fatal=True)

    def _require_silence(self) -> None:
        """Refuse octets behind a command that must be the last of its group (RFC 2920 §3.1)."""
        if self._lines.buffered:
            raise CommandFault(replies.OUT_OF_STEP, fatal=True)

    def _client_is_ahead(self) -> bool:
        """The same for octets that came while the answer was looked for."""
        if self._lines.buffered:
            self._news = self._break_off(replies.OUT_OF_STEP)
            return True
        return False

    def _part(self, reply: Reply) -> None:
        self._question = None
        self._send(reply)
        self.closing = True

    def _send(self, reply: Reply) -> None:
        self._out.append(reply.octets)
        if reply.ends_the_session:
            self.closing = True
