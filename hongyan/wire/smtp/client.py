"""The client's end of an SMTP session (RFC 5321), for the next hop and for a smart host.

    connection = ClientConnection("mail.example.com")
    connection.receive_data(octets)
    while event := connection.next_event():     # Ready, HandshakeDue, ContentWanted, Sent … : see `client_events`
        ...                                     # start_tls(), log_in(…), send(envelope), content(…), quit()
    write(connection.data_to_send())

MAIL, RCPT and DATA go out in one group where PIPELINING is offered (RFC 2920), and content by BDAT
where CHUNKING is too (RFC 3030). Replies are matched to what they answer; one that answers nothing
ends the session, and so does anything that is no reply. What a server said before TLS is forgotten,
and so is what it sent along with the 220 (RFC 3207 §4.2).

Content is sent as it is: it must have CRLF for line ends and nothing else, because what a bare CR or
LF means is for each server to guess (SMTP smuggling). Content that has one is refused, and the
connection is dropped before the message could be taken as complete.

`timeout` says how long to wait for what comes next (RFC 5321 §4.5.3.2).
"""

from __future__ import annotations

__all__ = ["ClientConnection"]

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from hongyan.wire import sasl
from hongyan.wire.lines import CrlfCheck, DotStuffer, LineFault
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.capabilities import NO_CAPABILITIES, Capabilities, read_capabilities
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
    Stage,
    TlsRefused,
)
from hongyan.wire.smtp.envelope import Envelope, local_refusals, mail_line, rcpt_line
from hongyan.wire.smtp.replies import Reply
from hongyan.wire.smtp.reply_receiver import ReplyFault, ReplyReceiver

_Handler = Callable[[Reply], None]

# RFC 5321 §4.5.3.2: seconds. The content's is for each piece of it.
_TIMEOUTS: Final = {Stage.DATA: 120.0, Stage.END: 600.0, Stage.QUIT: 10.0}
_TIMEOUT: Final = 300.0
_CONTENT_TIMEOUT: Final = 180.0


class ClientConnection:
    """One SMTP session, across STARTTLS and any number of messages. See the module."""

    __slots__ = (
        "_answers",
        "_authenticated",
        "_capabilities",
        "_check",
        "_dirty",
        "_events",
        "_expected",
        "_failure",
        "_held",
        "_hostname",
        "_messages",
        "_out",
        "_replies",
        "_steps",
        "_stuffer",
        "_tls",
        "_uses_chunking",
        "closing",
        "starttls",
        "wants_content",
    )

    def __init__(self, hostname: str, *, tls: bool = False, uses_chunking: bool = True) -> None:
        self.closing = False  # Write what there is to send, then close.
        self.starttls = False  # Write what there is to send, do the handshake, then call `tls_started`.
        self.wants_content = False  # `content` is welcome.
        self._hostname = hostname
        self._tls = tls
        self._uses_chunking = uses_chunking
        self._authenticated = False
        self._capabilities: Capabilities | None = None
        self._replies = ReplyReceiver()
        self._out: list[bytes] = []
        self._events: deque[ClientEvent] = deque()
        # What was sent and awaits its reply, and what is to be sent once that has come.
        self._expected: deque[tuple[Stage, _Handler]] = deque([(Stage.GREETING, self._greeted)])
        self._steps: deque[tuple[Stage, bytes, _Handler]] = deque()
        # The transaction: an answer for each recipient that has one; None where none is open.
        self._answers: list[Answer | None] | None = None
        self._dirty = False  # The server may hold the rest of a transaction.
        self._messages = 0
        self._failure: Reply | None = None
        self._held: bytes | None = None  # The piece that may be the last, for BDAT.
        self._check = CrlfCheck()
        self._stuffer: DotStuffer | None = None

    # What the driver does.

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers now."""
        return self._capabilities or NO_CAPABILITIES

    @property
    def is_idle(self) -> bool:
        """Whether a login, a message or QUIT may follow now."""
        busy = self._expected or self._steps or self._answers is not None or self.starttls or self.closing
        return self._capabilities is not None and not busy

    @property
    def can_send_another(self) -> bool:
        """Whether the session may be kept for another message (MAILMAX of RFC 9422)."""
        limit = self.capabilities.max_messages
        return self.is_idle and (limit is None or self._messages < limit)

    @property
    def timeout(self) -> float:
        """Seconds that the server may take now."""
        if self.wants_content or not self._expected:
            return _CONTENT_TIMEOUT
        return _TIMEOUTS.get(self._expected[0][0], _TIMEOUT)

    def receive_data(self, octets: bytes) -> None:
        if not self.closing and not self.starttls:
            self._replies.receive_data(octets)

    def receive_eof(self) -> None:
        """Say that the server closed the connection, or that it broke."""
        if not self.closing:
            self._end(self._stage(), replies.NEXT_HOP_LOST)

    def timed_out(self) -> None:
        """Say that the server took longer than `timeout`."""
        if not self.closing:
            self._end(self._stage(), replies.NEXT_HOP_SILENT)

    def data_to_send(self) -> bytes:
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    def events(self) -> Iterator[ClientEvent]:
        """Iterate over `next_event` until it wants more octets."""
        while event := self.next_event():
            yield event

    def next_event(self) -> ClientEvent | None:
        """Return what happened next; None while more octets, or a word of the driver, are needed."""
        while not self._events:
            if self.closing or self.starttls:
                return None
            try:
                reply = self._replies.next_reply()
            except ReplyFault:
                self._end(self._stage(), replies.NEXT_HOP_BABBLES)
                continue
            if reply is None:
                return None
            self._take(reply)
        return self._events.popleft()

    # What the driver wants.

    def start_tls(self) -> None:
        """Ask for TLS (RFC 3207): HandshakeDue or TlsRefused follows."""
        self._require_idle()
        self._say(Stage.TLS, b"STARTTLS\r\n", self._tls_answered)

    def tls_started(self) -> None:
        """Say that the handshake is done. The server introduces itself anew: Ready follows."""
        self._tls, self.starttls = True, False
        self._capabilities = None
        self._say_hello()

    def log_in(self, username: str, password: str, *, without_tls: bool = False) -> None:
        """Log in by PLAIN (RFC 4616), for a smart host: Authenticated or AuthRefused follows."""
        self._require_idle()
        if not self._tls and not without_tls:
            raise RuntimeError("a password is not sent without TLS")
        message = sasl.encode_challenge(sasl.plain_message(username, password))
        self._say(Stage.LOGIN, b"AUTH PLAIN " + message + b"\r\n", partial(self._login_answered, message))

    def send(self, envelope: Envelope) -> None:
        """Begin a transaction: ContentWanted follows, or Sent if nobody can be reached."""
        self._require_idle()
        capabilities = self.capabilities
        refusals = local_refusals(envelope, capabilities)
        self._answers = [Answer(Stage.LOCAL, refusal) if refusal else None for refusal in refusals]
        if all(refusals):
            self._finish()
            return
        self._messages += 1
        if self._dirty:
            self._steps.append((Stage.MAIL, b"RSET\r\n", self._reset_answered))
        line = mail_line(envelope, capabilities, authenticated=self._authenticated)
        self._steps.append((Stage.MAIL, line, self._mail_answered))
        for number, recipient in enumerate(envelope.recipients):
            if not refusals[number]:
                handler = partial(self._recipient_answered, number)
                self._steps.append((Stage.RECIPIENT, rcpt_line(recipient, capabilities), handler))
        if not self._chunking:
            self._steps.append((Stage.DATA, b"DATA\r\n", self._data_answered))
        self._go_on()

    def content(self, octets: bytes) -> None:
        """Send a piece of the content. It is ignored once the server has lost interest."""
        if not self.wants_content or not octets:
            return
        try:
            self._check.feed(octets)
        except LineFault:
            self._drop_content()
            return
        if self._stuffer:
            self._out.append(self._stuffer.feed(octets))
            return
        if self._held is not None:
            self._send_chunk(self._held, b"")
        self._held = octets

    def end_content(self) -> None:
        """Say that the content is complete: Sent follows."""
        if not self.wants_content:
            return
        try:
            self._check.end()
        except LineFault:
            self._drop_content()
            return
        self.wants_content = False
        if self._stuffer:
            self._out.append(self._stuffer.end())
        else:
            self._send_chunk(self._held or b"", b" LAST")

    def quit(self) -> None:
        """Take leave: Ended follows."""
        self._require_idle()
        self._say(Stage.QUIT, b"QUIT\r\n", partial(self._end, Stage.QUIT))

    # Replies, and what they answer.

    def _take(self, reply: Reply) -> None:
        if not self._expected:
            # RFC 5321 §3.8: a server may say 421 at any time. Anything else was put in by somebody else.
            self._end(self._stage(), reply if reply.is_transient else replies.NEXT_HOP_BABBLES)
            return
        stage, handler = self._expected.popleft()
        if reply.code in (421, 521) and stage is not Stage.QUIT:
            self._end(stage, reply)
            return
        handler(reply)
        self._go_on()

    def _greeted(self, reply: Reply) -> None:
        if reply.code == 220:
            self._say_hello()
        else:
            self._out.append(b"QUIT\r\n")  # RFC 5321 §3.1
            self._end(Stage.GREETING, _negative(reply))

    def _say_hello(self) -> None:
        self._say(Stage.HELLO, f"EHLO {self._hostname}\r\n".encode("ascii"), self._hello_answered)

    def _hello_answered(self, reply: Reply) -> None:
        if reply.code == 250:
            self._ready(read_capabilities(reply))
        elif reply.is_permanent:  # RFC 5321 §3.2: an old server; ask it the old way.
            self._say(Stage.HELLO, f"HELO {self._hostname}\r\n".encode("ascii"), self._plain_hello_answered)
        else:
            self._end(Stage.HELLO, _negative(reply))

    def _plain_hello_answered(self, reply: Reply) -> None:
        if reply.code == 250:
            self._ready(NO_CAPABILITIES)
        else:
            self._end(Stage.HELLO, _negative(reply))

    def _ready(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._events.append(Ready(capabilities))

    def _tls_answered(self, reply: Reply) -> None:
        if reply.code == 220:
            self._replies.clear()
            self.starttls = True
            self._events.append(HandshakeDue())
        else:
            self._events.append(TlsRefused(_negative(reply)))

    def _login_answered(self, message: bytes, reply: Reply) -> None:
        if reply.code == 235:
            self._authenticated = True
            self._events.append(Authenticated())
        elif reply.code == 334 and message:  # It overlooked the initial response (RFC 4954 §4).
            self._say(Stage.LOGIN, message + b"\r\n", partial(self._login_answered, b""))
        else:
            self._events.append(AuthRefused(_negative(reply)))

    def _reset_answered(self, reply: Reply) -> None:
        self._dirty = False
        if not reply.is_positive:
            self._end(Stage.MAIL, reply)

    def _mail_answered(self, reply: Reply) -> None:
        if reply.code // 100 == 2:
            self._dirty = True
        else:
            self._answer_the_rest(Answer(Stage.MAIL, _negative(reply)))

    def _recipient_answered(self, number: int, reply: Reply) -> None:
        if self._answers and self._answers[number] is None and reply.code // 100 != 2:
            self._answers[number] = Answer(Stage.RECIPIENT, _negative(reply))

    def _data_answered(self, reply: Reply) -> None:
        if reply.code != 354:
            self._answer_the_rest(Answer(Stage.DATA, _negative(reply)))
        elif self._has_recipients:
            self._begin_content()
            self._stuffer = DotStuffer()
            self._expected.append((Stage.END, self._content_answered))
        else:
            # RFC 2920 §3.1: the 354 came for nobody, the message must end at once.
            self._say(Stage.END, b".\r\n", lambda _: None)

    def _content_answered(self, reply: Reply) -> None:
        if self.wants_content:  # An answer before the end: the rest would be taken for commands.
            self._end(Stage.DATA, reply)
            return
        self._dirty = False
        self._answer_the_rest(Answer(Stage.END, reply if reply.code // 100 == 2 else _negative(reply)))

    def _chunk_answered(self, is_last: bool, reply: Reply) -> None:
        if reply.code // 100 != 2:
            self._failure = self._failure or _negative(reply)
            self.wants_content = False
        if self._failure and not self._expected:
            self._answer_the_rest(Answer(Stage.END, self._failure))
        elif is_last:
            self._dirty = False
            self._answer_the_rest(Answer(Stage.END, reply))

    # The transaction.

    @property
    def _chunking(self) -> bool:
        return self._uses_chunking and self.capabilities.chunking and self.capabilities.pipelining

    @property
    def _has_recipients(self) -> bool:
        return self._answers is not None and None in self._answers

    def _go_on(self) -> None:
        """Send what may be sent now, and see whether the transaction has come to its end."""
        if self.closing or self._answers is None:
            return
        if not self._has_recipients:
            self._steps.clear()
        while self._steps and (self.capabilities.pipelining or not self._expected):
            self._say(*self._steps.popleft())
        if self._expected:
            return
        if not self._has_recipients:
            self._finish()
        elif not self.wants_content:
            self._begin_content()

    def _begin_content(self) -> None:
        self._check = CrlfCheck()
        self._stuffer = self._held = self._failure = None
        self.wants_content = True
        self._events.append(ContentWanted())

    def _send_chunk(self, octets: bytes, mark: bytes) -> None:
        self._say(Stage.END, b"BDAT %d%b\r\n" % (len(octets), mark), partial(self._chunk_answered, bool(mark)))
        self._out.append(octets)

    def _drop_content(self) -> None:
        self._out.clear()
        self._end(Stage.LOCAL, replies.CONTENT_NOT_CLEAN)

    def _answer_the_rest(self, answer: Answer) -> None:
        if self._answers is not None:
            self._answers = [given or answer for given in self._answers]

    def _finish(self) -> None:
        answers, self._answers = self._answers or [], None
        self.wants_content = False
        self._events.append(Sent(tuple(answer for answer in answers if answer)))

    # The session.

    def _say(self, stage: Stage, octets: bytes, handler: _Handler) -> None:
        self._out.append(octets)
        self._expected.append((stage, handler))

    def _stage(self) -> Stage:
        """What a loss of the connection now interrupts."""
        if self.wants_content:
            return Stage.DATA
        return self._expected[0][0] if self._expected else Stage.HELLO

    def _end(self, stage: Stage, reply: Reply) -> None:
        self.closing = True
        self._expected.clear()
        self._steps.clear()
        if self._answers is None:
            self._events.append(Ended(stage, reply))
        else:
            self._answer_the_rest(Answer(stage, _negative(reply)))
            self._finish()

    def _require_idle(self) -> None:
        if not self.is_idle:
            raise RuntimeError("the session is not at a point where this may be said")


def _negative(reply: Reply) -> Reply:
    """A reply that is not what was asked for. A yes to another question must not pass for a yes."""
    if not reply.is_positive:
        return reply
    return Reply(451, "4.5.0", (f"Unexpected reply: {reply}"[: replies.MAX_TEXT],))
