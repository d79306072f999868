"""The client's end of SMTP, told as dialogues with a server.

`S:` lines that follow one another come from the server in one piece; `C:` lines are all that the client says next;
`D:` is what the driver does.
"""

from __future__ import annotations

from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.addresses import Address
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.capabilities import Capabilities, read_capabilities
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
    Stage,
    TlsRefused,
)
from hongyan.wire.smtp.commands import POSTMASTER, MailFrom, RcptTo
from hongyan.wire.smtp.envelope import Envelope
from hongyan.wire.smtp.parameters import Body, MailParameters, Notify, OriginalRecipient, Ret
from hongyan.wire.smtp.replies import Reply

ANN, BEN, CLEO = (RcptTo(Address.parse(f"{name}@b.example")) for name in ("ann", "ben", "cleo"))
SENDER = Address.parse("s@a.example")


def envelope(*recipients: RcptTo, **parameters: object) -> Envelope:
    return Envelope(MailFrom(SENDER, MailParameters(**parameters)), recipients or (ANN,))  # type: ignore[arg-type]


class Driver:
    """Does what the dialogue says, and keeps the events."""

    def __init__(self, connection: ClientConnection, *envelopes: Envelope) -> None:
        self.connection = connection
        self.envelopes = list(envelopes)
        self.events: list[ClientEvent] = []

    def do(self, words: str) -> None:
        verb, _, rest = words.partition(" ")
        connection = self.connection
        match verb:
            case "starttls":
                connection.start_tls()
            case "handshake":
                assert connection.starttls
                connection.tls_started()
            case "login":
                connection.log_in(*rest.split())
            case "send":
                connection.send(self.envelopes.pop(0))
            case "content":
                connection.content(rest.encode().decode("unicode_escape").encode("latin-1"))
            case "end":
                connection.end_content()
            case "quit":
                connection.quit()
            case "eof":
                connection.receive_eof()
            case "timeout":
                connection.timed_out()
            case _:
                raise AssertionError(words)
        self.events += connection.events()

    def hear(self, octets: bytes) -> None:
        self.connection.receive_data(octets)
        self.events += self.connection.events()


def take(lines: list[str], speaker: str) -> list[str]:
    taken = [line[3:] for line in takewhile(lambda line: line.startswith(speaker), lines)]
    del lines[: len(taken)]
    return taken


def play(dialogue: str, *envelopes: Envelope, tls: bool = False, chunking: bool = True) -> Driver:
    driver = Driver(ClientConnection("me.example", tls=tls, uses_chunking=chunking), *envelopes)
    lines = [line.strip() for line in dialogue.splitlines() if line.strip()]
    while lines:
        before = len(lines)
        heard = take(lines, "S:")
        if heard:
            driver.hear("".join(line + "\r\n" for line in heard).encode())
        for words in take(lines, "D:"):
            driver.do(words)
        said = driver.connection.data_to_send().decode()
        assert said.split("\r\n")[:-1] == take(lines, "C:")
        assert len(lines) < before, lines[0]
    return driver


HELLO = """
    S: 220 b.example ESMTP
    C: EHLO me.example
    S: 250-b.example
    S: 250-PIPELINING
    S: 250-SIZE 1000
    S: 250-8BITMIME
    S: 250 SMTPUTF8
"""
PLAIN_HELLO = """
    S: 220 b.example
    C: EHLO me.example
    S: 250 b.example
"""
CHUNKING_HELLO = HELLO.replace("250 SMTPUTF8", "250-DSN\n    S: 250 CHUNKING")


def delivered(reply: Reply) -> Answer:
    return Answer(Stage.END, reply)


def test_a_message_goes_out_in_one_group() -> None:
    driver = play(
        HELLO
        + r"""
        D: send
        C: MAIL FROM:<s@a.example> SIZE=20 BODY=8BITMIME
        C: RCPT TO:<ann@b.example>
        C: RCPT TO:<ben@b.example>
        C: DATA
        S: 250 2.1.0 OK
        S: 250 2.1.5 OK
        S: 550-5.1.1 No such user
        S: 550 5.1.1 Ask your friend
        S: 354 Go ahead
        D: content Subject: x\r\n\r\n.one
        D: content \r\n.\r\n
        D: end
        C: Subject: x
        C:
        C: ..one
        C: ..
        C: .
        S: 250 2.0.0 Queued as 12
        D: quit
        C: QUIT
        S: 221 2.0.0 Bye
        """,
        envelope(ANN, BEN, size=20, body=Body.EIGHT_BIT),
    )
    assert driver.events == [
        Ready(Capabilities(size=1000, pipelining=True, eight_bit=True, smtputf8=True)),
        ContentWanted(),
        Sent(
            (
                Answer(Stage.END, Reply(250, "2.0.0", ("Queued as 12",))),
                Answer(Stage.RECIPIENT, Reply(550, "5.1.1", ("No such user", "Ask your friend"))),
            )
        ),
        Ended(Stage.QUIT, Reply(221, "2.0.0", ("Bye",))),
    ]
    assert driver.connection.closing


def test_without_pipelining_each_reply_is_awaited() -> None:
    driver = play(
        PLAIN_HELLO
        + """
        D: send
        C: MAIL FROM:<s@a.example>
        S: 250 OK
        C: RCPT TO:<ann@b.example>
        S: 450 later
        C: RCPT TO:<ben@b.example>
        S: 250 OK
        C: DATA
        S: 354 go
        D: content hello
        D: end
        C: hello
        C: .
        S: 250 OK
        """,
        envelope(ANN, BEN),
    )
    assert [answer.stage for answer in driver.events[-1].answers] == [Stage.RECIPIENT, Stage.END]


def test_without_pipelining_nothing_is_said_in_vain() -> None:
    driver = play(PLAIN_HELLO + "D: send\nC: MAIL FROM:<s@a.example>\nS: 550 no", envelope(ANN, BEN))
    assert driver.events[-1] == Sent((Answer(Stage.MAIL, Reply(550, "", ("no",))),) * 2)
    to_ann = "S: 250 OK\nC: RCPT TO:<ann@b.example>\nS: 550 no"
    driver = play(PLAIN_HELLO + "D: send\nC: MAIL FROM:<s@a.example>\n" + to_ann, envelope(ANN))
    assert driver.events[-1] == Sent((Answer(Stage.RECIPIENT, Reply(550, "", ("no",))),))


def test_a_refused_sender_is_every_recipients_answer() -> None:
    driver = play(
        HELLO
        + """
        D: send
        C: MAIL FROM:<s@a.example>
        C: RCPT TO:<ann@b.example>
        C: DATA
        S: 550 5.7.1 Not you
        S: 503 5.5.1 MAIL first
        S: 503 5.5.1 MAIL first
        """,
        envelope(ANN),
    )
    assert driver.events[-1] == Sent((Answer(Stage.MAIL, Reply(550, "5.7.1", ("Not you",))),))
    assert driver.connection.can_send_another


def test_354_for_nobody_is_ended_with_a_dot_and_delivers_nothing() -> None:
    driver = play(
        HELLO
        + """
        D: send
        C: MAIL FROM:<s@a.example>
        C: RCPT TO:<ann@b.example>
        C: DATA
        S: 250 OK
        S: 550 5.1.1 No
        S: 354 go
        C: .
        S: 250 OK thank you
        """,
        envelope(ANN),
    )
    assert driver.events[-1] == Sent((Answer(Stage.RECIPIENT, Reply(550, "5.1.1", ("No",))),))


def test_the_next_message_starts_clean() -> None:
    driver = play(
        HELLO
        + """
        D: send
        C: MAIL FROM:<s@a.example>
        C: RCPT TO:<ann@b.example>
        C: DATA
        S: 250 OK
        S: 550 5.1.1 No
        S: 554 5.5.1 No valid recipients
        D: send
        C: RSET
        C: MAIL FROM:<s@a.example>
        C: RCPT TO:<ben@b.example>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 250 OK
        S: 354 go
        D: end
        C: .
        S: 250 OK
        D: send
        C: MAIL FROM:<s@a.example>
        C: RCPT TO:<cleo@b.example>
        C: DATA
        """,
        envelope(ANN),
        envelope(BEN),
        envelope(CLEO),
    )
    assert [type(event) for event in driver.events] == [Ready, Sent, ContentWanted, Sent]


def test_chunks_go_out_where_they_are_offered() -> None:
    driver = play(
        CHUNKING_HELLO
        + r"""
        D: send
        C: MAIL FROM:<s@a.example> RET=HDRS ENVID=q+2B1
        C: RCPT TO:<ann@b.example> NOTIFY=NEVER ORCPT=rfc822;Ann@b.example
        C: RCPT TO:<ben@b.example>
        S: 250 OK
        S: 250 OK
        S: 250 OK
        D: content .one\r\n
        D: content .\r\n
        D: end
        C: BDAT 6
        C: .one
        C: BDAT 3 LAST
        C: .
        S: 250 OK
        S: 250 2.0.0 done
        """,
        envelope(RcptTo(ANN.forward_path, Notify.NEVER, OriginalRecipient("rfc822", "Ann@b.example")), BEN,
                 ret=Ret.HDRS, envid="q+1"),
    )  # fmt: skip
    assert driver.events[-1] == Sent((delivered(Reply(250, "2.0.0", ("done",))),) * 2)
    assert not driver.connection._dirty


def test_an_empty_message_is_one_empty_chunk() -> None:
    driver = play(
        CHUNKING_HELLO
        + """
        D: send
        C: MAIL FROM:<s@a.example>
        C: RCPT TO:<ann@b.example>
        S: 250 OK
        S: 250 OK
        D: end
        C: BDAT 0 LAST
        S: 250 OK
        """,
        envelope(ANN),
    )
    assert driver.events[-1].answers[0].delivered


def test_a_refused_chunk_ends_the_content_and_the_next_message_starts_clean() -> None:
    driver = play(
        CHUNKING_HELLO
        + r"""
        D: send
        C: MAIL FROM:<s@a.example>
        C: RCPT TO:<ann@b.example>
        S: 250 OK
        S: 250 OK
        D: content a\r\n
        D: content b\r\n
        D: content c\r\n
        C: BDAT 3
        C: a
        C: BDAT 3
        C: b
        S: 552 5.3.4 Too large
        S: 503 5.5.1 RSET first
        D: content d\r\n
        D: end
        D: send
        C: RSET
        C: MAIL FROM:<s@a.example>
        C: RCPT TO:<ben@b.example>
        """,
        envelope(ANN),
        envelope(BEN),
    )
    assert Sent((Answer(Stage.END, Reply(552, "5.3.4", ("Too large",))),)) in driver.events


def test_chunking_can_be_left_out() -> None:
    play(
        CHUNKING_HELLO + "D: send\nC: MAIL FROM:<s@a.example>\nC: RCPT TO:<ann@b.example>\nC: DATA",
        envelope(ANN),
        chunking=False,
    )


class TestTls:
    """STARTTLS, and what is forgotten with it."""

    OFFER = "S: 220 b\nC: EHLO me.example\nS: 250-b\nS: 250-AUTH LOGIN\nS: 250 STARTTLS\n"

    def test_capabilities_are_asked_for_again(self) -> None:
        driver = play(
            self.OFFER
            + """
            D: starttls
            C: STARTTLS
            S: 220 go
            D: handshake
            C: EHLO me.example
            S: 250-b
            S: 250 PIPELINING
            """
        )
        assert driver.events == [
            Ready(Capabilities(starttls=True, auth=frozenset({"LOGIN"}))),
            HandshakeDue(),
            Ready(Capabilities(pipelining=True)),
        ]

    def test_replies_injected_before_tls_are_thrown_away(self) -> None:
        driver = play(
            self.OFFER
            + """
            D: starttls
            C: STARTTLS
            S: 220 go
            S: 250-evil
            S: 250 AUTH PLAIN
            D: handshake
            C: EHLO me.example
            """
        )
        assert driver.connection.capabilities == Capabilities()
        driver.connection.receive_data(b"250 b\r\n")
        assert list(driver.connection.events()) == [Ready(Capabilities())]

    def test_octets_between_220_and_the_handshake_are_thrown_away(self) -> None:
        driver = play(self.OFFER + "D: starttls\nC: STARTTLS\nS: 220 go")
        driver.hear(b"250 evil\r\n")
        driver.do("handshake")
        assert driver.events[-1] == HandshakeDue()

    def test_a_refusal_leaves_the_session(self) -> None:
        driver = play(self.OFFER + "D: starttls\nC: STARTTLS\nS: 454 4.7.0 Not now")
        assert driver.events[-1] == TlsRefused(Reply(454, "4.7.0", ("Not now",)))
        assert driver.connection.is_idle


class TestLogin:
    """AUTH PLAIN at a smart host."""

    def test_it_logs_in(self) -> None:
        driver = play(HELLO + "D: login ann secret\nC: AUTH PLAIN AGFubgBzZWNyZXQ=\nS: 235 2.7.0 OK", tls=True)
        assert driver.events[-1] == Authenticated()

    def test_a_server_that_overlooks_the_initial_response_gets_it_again(self) -> None:
        again = "S: 334 \nC: AGFubgBzZWNyZXQ=\nS: 235 OK"
        driver = play(HELLO + "D: login ann secret\nC: AUTH PLAIN AGFubgBzZWNyZXQ=\n" + again, tls=True)
        assert driver.events[-1] == Authenticated()

    def test_a_refusal_is_told(self) -> None:
        driver = play(HELLO + "D: login ann wrong\nC: AUTH PLAIN AGFubgB3cm9uZw==\nS: 535 5.7.8 No", tls=True)
        assert driver.events[-1] == AuthRefused(Reply(535, "5.7.8", ("No",)))

    def test_no_password_without_tls(self) -> None:
        driver = play(HELLO)
        with pytest.raises(RuntimeError, match="TLS"):
            driver.do("login ann secret")


class TestWhatAServerCannotTake:
    """It is refused here, for whom it concerns."""

    def send(self, hello: str, sent: Envelope) -> list[Answer]:
        driver = play(hello, sent)
        driver.do("send")
        driver.connection.data_to_send()
        event = driver.events[-1]
        return list(event.answers) if isinstance(event, Sent) else list(driver.connection._answers)

    def test_too_large(self) -> None:
        answer = Answer(Stage.LOCAL, replies.NEXT_HOP_TAKES_LESS)
        assert self.send(HELLO, envelope(ANN, BEN, size=1001)) == [answer, answer]
        assert self.send(HELLO, envelope(ANN, BEN, size=1000)) == [None, None]
        assert self.send(HELLO.replace("1000", "0"), envelope(ANN, size=1 << 40)) == [None]
        assert self.send(PLAIN_HELLO, envelope(ANN, size=1 << 40)) == [None]

    def test_eight_bit(self) -> None:
        assert self.send(PLAIN_HELLO, envelope(ANN, body=Body.EIGHT_BIT)) == [
            Answer(Stage.LOCAL, replies.NEXT_HOP_LACKS_8BITMIME)
        ]
        assert self.send(PLAIN_HELLO, envelope(ANN, body=Body.SEVEN_BIT)) == [None]

    def test_non_ascii_addresses_and_headers(self) -> None:
        answer = Answer(Stage.LOCAL, replies.NEXT_HOP_LACKS_SMTPUTF8)
        chinese = RcptTo(Address.parse("用户@b.example"))
        assert self.send(PLAIN_HELLO, envelope(ANN, chinese)) == [None, answer]
        assert self.send(PLAIN_HELLO, envelope(ANN, smtputf8=True)) == [answer]
        assert self.send(PLAIN_HELLO, Envelope(MailFrom(Address.parse("用户@a.example")), (ANN,))) == [answer]
        assert self.send(PLAIN_HELLO, envelope(RcptTo(Address.parse("ann@例子.中国")))) == [None]

    def test_requiretls(self) -> None:
        assert self.send(HELLO, envelope(ANN, requiretls=True)) == [
            Answer(Stage.LOCAL, replies.NEXT_HOP_LACKS_REQUIRETLS)
        ]

    def test_a_notification_is_not_lost_for_lack_of_requiretls(self) -> None:
        parameters = MailParameters(requiretls=True)
        assert self.send(HELLO, Envelope(MailFrom(None, parameters), (ANN,))) == [None]

    def test_more_recipients_than_it_wants(self) -> None:
        hello = HELLO.replace("250-8BITMIME", "250-LIMITS RCPTMAX=2 MAILMAX=1")
        late = Answer(Stage.LOCAL, replies.TOO_MANY_RECIPIENTS)
        assert self.send(hello, envelope(ANN, BEN, CLEO)) == [None, None, late]


def test_what_the_server_knows_is_said() -> None:
    hello = CHUNKING_HELLO.replace("250-DSN", "250-REQUIRETLS\n    S: 250-SMTPUTF8")
    play(
        hello
        + """
        D: send
        C: MAIL FROM:<> SMTPUTF8 REQUIRETLS
        C: RCPT TO:<postmaster>
        C: RCPT TO:<用户@xn--fsqu00a.xn--fiqs8s>
        C: RCPT TO:<"a b"@b.example>
        """,
        Envelope(
            MailFrom(None, MailParameters(requiretls=True, ret=Ret.FULL, envid="x", auth="<>", size=0)),
            (
                RcptTo(POSTMASTER),
                RcptTo(Address.parse("用户@例子.中国"), Notify.DELAY),
                RcptTo(Address.parse('"a b"@b.example')),
            ),
        ),
    )


def test_the_sender_of_another_login_is_told_to_a_smart_host() -> None:
    play(
        HELLO
        + """
        D: login ann secret
        C: AUTH PLAIN AGFubgBzZWNyZXQ=
        S: 235 OK
        D: send
        C: MAIL FROM:<s@a.example> AUTH=s+2B1@a.example
        C: RCPT TO:<ann@b.example>
        C: DATA
        """,
        envelope(ANN, auth="s+1@a.example"),
        tls=True,
    )


class TestSession:
    """Greetings, farewells and losses."""

    def test_an_old_server_is_greeted_with_helo(self) -> None:
        driver = play("S: 220 b\nC: EHLO me.example\nS: 502 what?\nC: HELO me.example\nS: 250 b")
        assert driver.events == [Ready(Capabilities())]

    @pytest.mark.parametrize("reply", ["554 5.7.1 Go away", "421 4.3.2 Later", "521 No mail here", "450 busy"])
    def test_a_server_that_does_not_want_us(self, reply: str) -> None:
        said = "" if reply[:3] in ("421", "521") else "\nC: QUIT"
        driver = play(f"S: {reply}{said}")
        assert isinstance(driver.events[0], Ended)
        assert driver.events[0].stage is Stage.GREETING
        assert driver.connection.closing

    def test_hello_refused_for_now(self) -> None:
        driver = play("S: 220 b\nC: EHLO me.example\nS: 450 4.7.1 Slow down")
        assert driver.events == [Ended(Stage.HELLO, Reply(450, "4.7.1", ("Slow down",)))]
        driver = play("S: 220 b\nC: EHLO me.example\nS: 550 no\nC: HELO me.example\nS: 550 no")
        assert driver.events == [Ended(Stage.HELLO, Reply(550, "", ("no",)))]

    def test_421_in_the_middle_is_the_answer_for_the_rest(self) -> None:
        driver = play(
            HELLO
            + """
            D: send
            C: MAIL FROM:<s@a.example>
            C: RCPT TO:<ann@b.example>
            C: RCPT TO:<ben@b.example>
            C: DATA
            S: 250 OK
            S: 550 5.1.1 No
            S: 421 4.3.2 Shutting down
            """,
            envelope(ANN, BEN),
        )
        assert driver.events[-1] == Sent(
            (
                Answer(Stage.RECIPIENT, Reply(550, "5.1.1", ("No",))),
                Answer(Stage.RECIPIENT, Reply(421, "4.3.2", ("Shutting down",))),
            )
        )
        assert driver.connection.closing

    def test_421_while_idle_ends_the_session(self) -> None:
        driver = play(HELLO + "S: 421 4.4.2 Idle too long")
        assert driver.events[-1] == Ended(Stage.HELLO, Reply(421, "4.4.2", ("Idle too long",)))

    BEGIN = HELLO + "D: send\nC: MAIL FROM:<s@a.example>\nC: RCPT TO:<ann@b.example>\nC: DATA\n"
    SENDING = BEGIN + "S: 250 OK\nS: 250 OK\nS: 354 go\n"

    @pytest.mark.parametrize(("deed", "reply"), [("eof", replies.NEXT_HOP_LOST), ("timeout", replies.NEXT_HOP_SILENT)])
    def test_a_lost_connection_defers(self, deed: str, reply: Reply) -> None:
        driver = play(self.SENDING + f"D: {deed}", envelope(ANN))
        assert driver.events[-1] == Sent((Answer(Stage.DATA, reply),))
        driver = play(self.SENDING + f"D: end\nC: .\nD: {deed}", envelope(ANN))
        assert driver.events[-1] == Sent((Answer(Stage.END, reply),))
        driver = play(f"D: {deed}")
        assert driver.events == [Ended(Stage.GREETING, reply)]
        driver = play(HELLO + f"D: {deed}\nD: eof\nD: timeout")
        assert driver.events[-1] == Ended(Stage.HELLO, reply)

    def test_an_answer_before_the_end_closes(self) -> None:
        driver = play(self.SENDING + "S: 250 OK already", envelope(ANN))
        assert not driver.events[-1].answers[0].delivered
        assert driver.connection.closing
        driver = play(self.SENDING + "S: 552 5.3.4 Too large", envelope(ANN))
        assert driver.events[-1] == Sent((Answer(Stage.DATA, Reply(552, "5.3.4", ("Too large",))),))
        assert driver.connection.data_to_send() == b""

    @pytest.mark.parametrize("content", [r"a\nb", r"a\rb", r"\n.\n", r"a\0b", r"\r\n.\r"])
    @pytest.mark.parametrize("chunking", [False, True])
    def test_content_that_could_be_smuggled_is_dropped(self, content: str, chunking: bool) -> None:
        """What one server takes for the end of the message is no server's to see."""
        data = "" if chunking else "C: DATA\n"
        go = "" if chunking else "S: 354 go\n"
        driver = play(
            CHUNKING_HELLO
            + f"D: send\nC: MAIL FROM:<s@a.example>\nC: RCPT TO:<ann@b.example>\n{data}S: 250 OK\nS: 250 OK\n{go}"
            + f"D: content {content}\nD: end",
            envelope(ANN),
            chunking=chunking,
        )
        assert driver.events[-1] == Sent((Answer(Stage.LOCAL, replies.CONTENT_NOT_CLEAN),))
        assert driver.connection.closing
        assert driver.connection.data_to_send() == b""

    def test_a_missing_line_end_is_mended(self) -> None:
        play(self.SENDING + "D: content hello\nD: end\nC: hello\nC: .", envelope(ANN))

    @pytest.mark.parametrize("wrong", ["250 OK", "354 go", "235 fine", "334 dGVsbCBtZQ=="])
    def test_a_yes_to_another_question_is_no_greeting(self, wrong: str) -> None:
        driver = play(f"S: {wrong}\nC: QUIT")
        assert driver.events[0].reply.is_transient

    @pytest.mark.parametrize("wrong", ["354 go", "334 dGVsbCBtZQ=="])
    def test_a_yes_to_another_question_is_no_yes_to_mail(self, wrong: str) -> None:
        driver = play(self.BEGIN + f"S: {wrong}\nS: 250 OK\nS: 503 no", envelope(ANN))
        assert driver.events[-1].answers[0].reply.is_transient

    @pytest.mark.parametrize("wrong", ["250 OK", "220 hello", "235 fine", "334 dGVsbCBtZQ=="])
    def test_a_yes_to_another_question_is_no_yes_to_data(self, wrong: str) -> None:
        driver = play(self.BEGIN + f"S: 250 OK\nS: 250 OK\nS: {wrong}", envelope(ANN))
        assert driver.events[-1].answers[0].reply.is_transient

    def test_a_yes_to_another_question_delivers_nothing(self) -> None:
        driver = play(self.SENDING + "D: end\nC: .\nS: 354 go", envelope(ANN))
        assert not driver.events[-1].answers[0].delivered

    def test_a_reply_to_nothing_ends_the_session(self) -> None:
        driver = play(HELLO + "S: 250 by the way")
        assert driver.events[-1] == Ended(Stage.HELLO, replies.NEXT_HOP_BABBLES)

    @pytest.mark.parametrize(
        "octets",
        [
            b"hello\r\n",
            b"220\n",
            b"22 x\r\n",
            b"220-a\r\n221 b\r\n",
            b"600 x\r\n",
            b"220+x\r\n",
            b"\r\n",
            b"220 a\0b\r\n",
            b"220-x\r\n" * 101,
            b"220 " + b"x" * 3000 + b"\r\n",
            b"220 " + b"x" * 99_999,
            b"\x16\x03\x01\r\n",
        ],
        ids=lambda octets: repr(octets[:12]),
    )
    def test_what_is_no_reply_ends_the_session(self, octets: bytes) -> None:
        driver = Driver(ClientConnection("me.example"))
        driver.hear(octets)
        assert driver.events == [Ended(Stage.GREETING, replies.NEXT_HOP_BABBLES)]

    def test_a_reply_cannot_break_a_log_or_a_header(self) -> None:
        driver = Driver(ClientConnection("me.example"))
        driver.hear("554 5.7.1 caf\u00e9\x1b[2J\x85\u2028\t".encode() + b"\xff" + b"x" * 600 + b"\r\n")
        reply = driver.events[0].reply
        assert reply.text.isascii()
        assert reply.text.isprintable()
        assert reply.text.startswith("caf??[2J???")

    def test_words_out_of_turn_are_our_fault(self) -> None:
        driver = Driver(ClientConnection("me.example"), envelope(ANN))
        for deed in ("starttls", "quit", "send", "login a b"):
            with pytest.raises(RuntimeError):
                driver.do(deed)
        driver.do("content x")
        driver.do("end")
        assert driver.connection.data_to_send() == b""

    def test_time_outs_are_those_of_the_standard(self) -> None:
        connection = ClientConnection("me.example")
        assert connection.timeout == 300
        driver = play(self.SENDING, envelope(ANN))
        assert driver.connection.timeout == 180
        driver.do("end")
        assert driver.connection.timeout == 600


def test_capabilities_are_read_with_patience() -> None:
    lines = (
        "b.example at your service",
        "size",
        "AUTH=LOGIN",
        "auth plain login",
        "LIMITS RCPTMAX=20 MAILMAX=x RCPTDOMAINMAX FOO=1",
        "X-WHAT-EVER 1 2",
        "",
        "starttls",
    )
    assert read_capabilities(Reply(250, "", lines)) == Capabilities(
        size=0, starttls=True, auth=frozenset({"PLAIN", "LOGIN"}), max_recipients=20
    )
    assert read_capabilities(Reply(250, "", ("b", "SIZE " + "9" * 19, "LIMITS RCPTMAX=0"))) == Capabilities(size=0)


@given(st.binary(max_size=80), st.lists(st.integers(0, 999), max_size=4))
def test_any_chunking_of_replies_gives_the_same(octets: bytes, cuts: list[int]) -> None:
    octets = octets.replace(b"x", b"250 ").replace(b"y", b"250-").replace(b"z", b"\r\n") + b"\r\n"

    def told(pieces: list[bytes]) -> list[ClientEvent]:
        driver = play(HELLO + "D: send\nC: MAIL FROM:<s@a.example>\nC: RCPT TO:<ann@b.example>\nC: DATA", envelope(ANN))
        for piece in pieces:
            driver.hear(piece)
        return driver.events

    places = [0, *sorted(cut % len(octets) for cut in cuts), len(octets)]
    assert told([octets[a:b] for a, b in pairwise(places)]) == told([octets])
