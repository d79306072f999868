"""The server's end of a POP3 session (RFC 1939).

    AUTHORIZATION  USER PASS AUTH STLS CAPA NOOP QUIT
    TRANSACTION    STAT LIST UIDL RETR TOP DELE RSET NOOP CAPA QUIT
    UPDATE         after QUIT: the session behind deletes, and says whether it could

    connection = ServerConnection(offer)
    connection.greet()
    connection.receive_data(octets)
    while event := connection.next_event():     # see `events`: answer each Question
        ...
    write(connection.data_to_send())

The maildrop handed over by `open` answers STAT, LIST, UIDL, DELE and RSET; the session behind is
asked for secrets, messages and the deletion at the end. Messages are sent in whole chunks: line
ends made CRLF, then dots stuffed (§3). A client that is silent for too long is left without a word
and without a deletion (§3).

Extensions: CAPA, PIPELINING, RESP-CODES (RFC 2449), STLS (RFC 2595 §4), AUTH and SASL (RFC 5034),
AUTH-RESP-CODE (RFC 3206), EXPIRE, LOGIN-DELAY, IMPLEMENTATION (RFC 2449 §6), UTF8 and LANG (RFC 6856).
No secret is taken where it could be read on the way.
"""

from __future__ import annotations

__all__ = ["ServerConnection"]

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from hongyan.errors import PeerFault
from hongyan.wire import sasl
from hongyan.wire.lines import CrlfNormalizer, DotStuffer, LineFault, LineReceiver, LineTooLong
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
    Question,
    Retrieve,
    StartTls,
)
from hongyan.wire.pop3.languages import LANGUAGES, SPOKEN, find_language, reply_in_chinese
from hongyan.wire.pop3.maildrop import Maildrop, TopCutter
from hongyan.wire.pop3.offer import Offer

COMMAND_LIMIT: Final = 1024
"""Octets of a command. RFC 2449 §4 asks for 255; long names and passwords need more."""

AUTH_LIMIT: Final = 12288
"""Octets of a line while logging in (RFC 5034 §4)."""


class _CommandFault(PeerFault):
    """The command is refused; the sentence says why."""


class ServerConnection:
    """One POP3 session, across STLS. See the module."""

    __slots__ = (
        "_cutter",
        "_draining",
        "_eof",
        "_expire",
        "_faults",
        "_is_chinese",
        "_lines",
        "_maildrop",
        "_normalizer",
        "_offer",
        "_out",
        "_portions",
        "_question",
        "_read",
        "_stuffer",
        "_tls",
        "_username",
        "closing",
        "starttls",
    )

    def __init__(self, offer: Offer, *, tls: bool = False) -> None:
        self.closing = False  # Write what there is to send, then close.
        self.starttls = False  # Write what there is to send, do the handshake, then call `tls_started`.
        self._offer = offer
        self._tls = tls
        self._lines = LineReceiver(AUTH_LIMIT)
        self._out: list[bytes] = []
        self._question: Question | None = None
        self._read: Callable[[], Event | None] = self._read_command
        self._username: str | None = None
        self._expire = offer.expire
        self._maildrop: Maildrop | None = None
        self._portions: Iterator[bytes] | None = None  # of a listing that is being sent
        self._draining = self._eof = False
        self._faults = 0
        self._is_chinese = False  # what is said to people (RFC 6856 §3)
        self._normalizer = CrlfNormalizer()
        self._stuffer: DotStuffer | None = None
        self._cutter: TopCutter | None = None

    # What the driver does.

    @property
    def buffered(self) -> int:
        """Octets that wait to be read."""
        return self._lines.buffered

    @property
    def authenticated(self) -> bool:
        return self._maildrop is not None

    def greet(self, notice: str = "") -> None:
        """Greet; `notice` is a sentence for whoever reads it."""
        self._say(f"+OK POP3 ready {notice}".rstrip())

    def turn_away(self, text: str, code: str = "SYS/TEMP") -> None:
        """Say why there is no session, instead of the greeting."""
        self._say(_error(text, code))
        self.closing = True

    def receive_data(self, octets: bytes) -> None:
        if not self.closing and not self.starttls:
            self._lines.receive_data(octets)

    def receive_eof(self) -> None:
        """Say that the client sends no more: what it has sent is still answered."""
        self._eof = True

    def data_to_send(self) -> bytes:
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    def tls_started(self) -> None:
        """Say that the handshake is done. What was said before is forgotten (RFC 2595 §4)."""
        self._tls, self.starttls = True, False
        self._username = None

    def timed_out(self) -> None:
        """Say that the client was silent for too long. RFC 1939 §3: no deletion, and not a word."""
        self.closing = True

    def shut_down(self) -> None:
        """Close at the next command but QUIT, so that no deletion is lost that was asked for."""
        self._draining = True
        if not self.authenticated and self._question is None and not self._lines.buffered:
            self.closing = True

    def fail(self) -> None:
        """Say that an error of ours ends the session. In the midst of an answer nothing can be said."""
        if not self.closing and self._stuffer is None and self._portions is None:
            self._say(_error("Something failed here; try again later", "SYS/TEMP"))
        self._question = None
        self.closing = True

    def events(self) -> Iterator[Event]:
        """Iterate over `next_event` until it wants more octets, or an answer."""
        while event := self.next_event():
            yield event

    def next_event(self) -> Event | None:
        """Return what happened next; None while a question is open or more octets are needed."""
        if self._question or self.closing or self.starttls:
            return None
        try:
            event = self._read()
        except _CommandFault as fault:
            return self._fault(fault.sentence)
        except LineTooLong:
            return self._fault("The line is too long")
        except LineFault:  # RFC 1939 §3: CRLF ends a line. What a bare CR or LF ends, nobody knows.
            self._say(_error("Lines must end with CRLF and hold no NUL; closing the connection"))
            self.closing = True
            return Fault("Lines must end with CRLF and hold no NUL")
        if event is None and self._eof:
            self.closing = True
        return event

    # What the session behind answers.

    def open(self, maildrop: Maildrop, expire: str = "NEVER") -> None:
        """Let the client in: Login, AuthStart and AuthResponse. `expire`: for how many days its mail is kept."""
        self._expire = expire
        self._answer(Login, AuthStart, AuthResponse)
        self._maildrop = maildrop
        self._read = self._read_command
        self._say(f"+OK {maildrop.count} messages ({maildrop.octets} octets)")

    def challenge(self, octets: bytes) -> None:
        """Go on with the exchange: AuthStart and AuthResponse."""
        self._answer(AuthStart, AuthResponse)
        self._read = self._read_auth_response
        self._out.append(b"+ " + sasl.encode_challenge(octets) + b"\r\n")

    def refuse(self, text: str, code: str = "") -> None:
        """Answer any question by no; codes: AUTH, SYS/TEMP, SYS/PERM (RFC 3206), IN-USE, LOGIN-DELAY (RFC 2449)."""
        question = self._answer(Login, AuthStart, AuthResponse, Retrieve, Leave)
        self._read = self._read_command
        self._say(_error(text, code))
        if isinstance(question, Leave):
            self.closing = True  # RFC 1939 §6: the session ends all the same.
        elif not isinstance(question, Retrieve):
            self._faults += 1

    def accept(self, missing: int = 0) -> None:
        """Say that the messages of Leave are deleted, and how many of them others had removed before."""
        self._answer(Leave)
        self._say(f"+OK Bye; {missing} of them were removed by another program" if missing else "+OK Bye")
        self.closing = True

    def begin_message(self) -> None:
        """Begin the message of Retrieve; `message` and `end_message` follow."""
        question = self._question
        if not isinstance(question, Retrieve) or self._stuffer or self._maildrop is None:
            raise RuntimeError("no message is asked for")
        self._cutter = None if question.lines is None else TopCutter(question.lines)
        self._normalizer, self._stuffer = CrlfNormalizer(), DotStuffer()
        what = f"{self._maildrop.size(question.number)} octets" if question.lines is None else "top of message follows"
        self._say(f"+OK {what}")

    @property
    def wants_message(self) -> bool:
        """Whether more of the message is wanted; TOP often has enough."""
        return self._stuffer is not None and not (self._cutter and self._cutter.done) and not self.closing

    def message(self, octets: bytes) -> None:
        """Send a piece of the message as it is stored."""
        if self.wants_message:
            self._send_text(self._normalizer.feed(octets))

    def end_message(self) -> bool:
        """End the message; say whether the client has fetched it: all of it was asked for, and not its top alone."""
        if self._stuffer is None:
            raise RuntimeError("no message was begun")
        self._send_text(self._normalizer.end())
        self._out.append(self._stuffer.end())
        is_whole = self._cutter is None or self._cutter.is_whole
        self._stuffer = self._cutter = self._question = None
        return is_whole

    # Commands.

    def _read_command(self) -> Event | None:
        line = self._lines.next_line()
        if line is None:
            return None
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise _CommandFault("The command is not UTF-8") from None
        verb, _, argument = text.partition(" ")
        verb = verb.upper() if verb.isascii() else ""
        if len(line) > COMMAND_LIMIT - 2 and verb != "AUTH":
            raise _CommandFault("The line is too long")
        if verb != "PASS":
            argument = argument.rstrip(" ")
        if self._draining and verb != "QUIT":
            sentence, self.closing = "The service is restarting; try again in a minute", True
            self._say(_error(sentence, "SYS/TEMP"))
            return Fault(sentence)
        return self._authorization(verb, argument) if self._maildrop is None else self._transaction(verb, argument)

    def _authorization(self, verb: str, argument: str) -> Event:
        match verb:
            case "USER":
                return self._user(argument)
            case "PASS":
                return self._pass(argument)
            case "AUTH":
                return self._auth(argument)
            case "STLS":
                return self._stls(argument)
            case "CAPA":
                return self._capa(verb)
            case "UTF8" if not argument:  # RFC 6856 §2. Names and mail are in UTF-8 without it, too.
                return self._ok(verb, "Names and mail are in UTF-8")
            case "LANG":
                return self._lang(argument)
            case "NOOP":
                return self._ok(verb, "Nothing done")
            case "QUIT":
                self._say("+OK Bye")
                self.closing = True
                return Answered(verb)
            case "STAT" | "LIST" | "UIDL" | "RETR" | "TOP" | "DELE" | "RSET":
                raise _CommandFault("Log in first")
            case _:
                raise _CommandFault("Unknown command")

    def _transaction(self, verb: str, argument: str) -> Event:
        maildrop = self._require_maildrop()
        match verb:
            case "STAT":
                return self._ok(verb, f"{maildrop.count} {maildrop.octets}")
            case "LIST" if argument:
                return self._ok(verb, maildrop.scan_line(self._number(argument)))
            case "LIST":
                return self._begin_listing(verb, maildrop.scan_listing())
            case "UIDL" if argument:
                return self._ok(verb, maildrop.unique_id_line(self._number(argument)))
            case "UIDL":
                return self._begin_listing(verb, maildrop.unique_id_listing())
            case "RETR":
                return self._ask(Retrieve(self._number(argument)))
            case "TOP":
                number, _, lines = argument.partition(" ")
                return self._ask(Retrieve(self._number(number), _count(lines.strip(" "))))
            case "DELE":
                maildrop.delete(self._number(argument))
                return self._ok(verb, "Message will be deleted at QUIT")
            case "RSET":
                maildrop.reset()
                return self._ok(verb, f"{maildrop.count} messages")
            case "NOOP":
                return self._ok(verb, "Nothing done")
            case "CAPA":
                return self._capa(verb)
            case "QUIT":
                return self._ask(Leave(maildrop.deleted))
            case "LANG":
                return self._lang(argument)
            case "USER" | "PASS" | "AUTH" | "STLS" | "UTF8":
                raise _CommandFault("Already logged in")
            case _:
                raise _CommandFault("Unknown command")

    def _user(self, name: str) -> Event:
        self._require_login_offered()
        if not name:
            raise _CommandFault("The form is USER name")
        self._username = name
        return self._ok("USER", "Say PASS")  # For every name: it tells nobody which exist.

    def _pass(self, password: str) -> Event:
        self._require_login_offered()
        username, self._username = self._username, None
        if username is None:
            raise _CommandFault("Say USER first")
        return self._ask(Login(username, password))

    def _stls(self, argument: str) -> Event:
        if argument or self._tls or not self._offer.starttls:
            raise _CommandFault("TLS is already in use" if self._tls else "STLS is not offered or takes no argument")
        self._lines.clear()  # Whoever put commands here hopes that they run under TLS (CVE-2011-0411).
        self._say("+OK Begin TLS")
        self.starttls = True
        return StartTls()

    def _capa(self, verb: str) -> Event:
        capabilities = self._offer.capabilities(self._expire, tls=self._tls)
        return self._listing(verb, "".join(f"{capability}\r\n" for capability in capabilities).encode("ascii"))

    def _lang(self, argument: str) -> Event:
        """Say from now on what is said to people in another language, or tell which ones there are (RFC 6856 §3)."""
        if not argument:
            return self._listing("LANG", LANGUAGES)
        if (language := find_language(argument)) is None:
            raise _CommandFault("That language is not spoken here")
        self._is_chinese = language == "zh"
        return self._ok("LANG", SPOKEN[language])

    # Logging in by SASL.

    def _auth(self, argument: str) -> Event:
        mechanism, _, initial = argument.partition(" ")
        self._require_login_offered()
        if not argument:  # What came before CAPA; some clients ask still.
            return self._listing("AUTH", "".join(f"{name}\r\n" for name in self._offer.mechanisms).encode("ascii"))
        if mechanism.upper() not in self._offer.mechanisms:
            raise _CommandFault("This authentication mechanism is not offered")
        try:
            response = sasl.decode_initial_response(initial.encode()) if initial else None
        except sasl.SaslFault as fault:
            raise _CommandFault(fault.sentence) from None
        return self._ask(AuthStart(mechanism.upper(), response))

    def _read_auth_response(self) -> Event | None:
        try:
            line = self._lines.next_line()
            if line is None:
                return None
            return self._ask(AuthResponse(sasl.decode_response(line)))
        except (sasl.SaslFault, LineTooLong) as fault:
            self._read = self._read_command
            self._fault(fault.sentence)
            return AuthAborted()

    @property
    def _login_is_offered(self) -> bool:
        return self._offer.takes_logins(tls=self._tls)

    def _require_login_offered(self) -> None:
        if not self._login_is_offered:
            raise _CommandFault("[AUTH] Say STLS before logging in")

    # Answers.

    def _require_maildrop(self) -> Maildrop:
        if self._maildrop is None:
            raise RuntimeError("nobody is logged in")
        return self._maildrop

    def _number(self, text: str) -> int:
        number = _count(text)
        if not self._require_maildrop().holds(number):
            raise _CommandFault("There is no such message")
        return number

    def _ask(self, question: Question) -> Question:
        self._question = question
        return question

    def _answer(self, *kinds: type[Question]) -> Question:
        question = self._question
        if question is None or not isinstance(question, kinds) or self._stuffer:
            raise RuntimeError("there is no such question to answer")
        self._question = None
        return question

    def _ok(self, verb: str, text: str) -> Event:
        self._say(f"+OK {text}")
        return Answered(verb)

    def _listing(self, verb: str, lines: bytes) -> Event:
        self._out += (b"+OK\r\n", lines, b".\r\n")
        return Answered(verb)

    def _begin_listing(self, verb: str, portions: Iterator[bytes]) -> Event:
        self._out.append(b"+OK\r\n")
        self._portions, self._read = portions, partial(self._go_on_listing, verb)
        return self._go_on_listing(verb)

    def _go_on_listing(self, verb: str) -> Event:
        portion = next(self._portions, None) if self._portions else None
        if portion is not None:
            self._out.append(portion)
            return Listed()
        self._portions, self._read = None, self._read_command
        self._out.append(b".\r\n")
        return Answered(verb)

    def _fault(self, sentence: str) -> Event:
        self._faults += 1
        if self._faults > self._offer.max_faults:
            sentence, self.closing = "Too many errors on this connection; closing it", True
        self._say(_error(sentence))
        return Fault(sentence)

    def _send_text(self, octets: bytes) -> None:
        if self._cutter:
            octets = self._cutter.feed(octets)
        if self._stuffer:
            self._out.append(self._stuffer.feed(octets))

    def _say(self, line: str) -> None:
        if self._is_chinese:
            line = reply_in_chinese(line)
        self._out.append(f"{line}\r\n".encode())


def _error(text: str, code: str = "") -> str:
    return f"-ERR [{code}] {text}" if code else f"-ERR {text}"


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise _CommandFault("A number is needed")
    return int(text)
