"""The server's end of POP3, told as dialogues.

`C:` lines that follow one another are sent in one piece; `S:` lines are all that the server says next; one that ends
in … may go on. `S: (closes)` wants the connection closed. `T: tls` does the handshake.
"""

from __future__ import annotations

from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.wire import sasl
from hongyan.wire.pop3.events import (
    Answered,
    AuthAborted,
    AuthResponse,
    AuthStart,
    Event,
    Leave,
    Listed,
    Login,
    Retrieve,
    StartTls,
)
from hongyan.wire.pop3.maildrop import Maildrop, TopCutter
from hongyan.wire.pop3.offer import Offer
from hongyan.wire.pop3.server import ServerConnection

OFFER = Offer(starttls=True, mechanisms=("SCRAM-SHA-256", "PLAIN"), max_faults=3)
MESSAGES = [
    b"Subject: one\r\n\r\nfirst\r\n.dot\r\nthird\r\n",
    b"Subject: two\n\nbare\n",
    b"\r\nno header\r\n",
]
READY = "S: +OK POP3 ready\n"
IN = READY + "C: USER ann\nC: PASS secret\nS: +OK Say PASS\nS: +OK 3 messages (68 octets)\n"


class Session:
    """Lets ann in, and hands out three messages in pieces of five octets."""

    def __init__(self, connection: ServerConnection, piece: int = 5) -> None:
        self.connection = connection
        self.piece = piece
        self.events: list[Event] = []
        self.exchange: sasl.Exchange | None = None
        self.deleted: tuple[int, ...] | None = None

    def run(self) -> None:
        for event in self.connection.events():
            self.events.append(event)
            self.answer(event)

    def answer(self, event: Event) -> None:
        connection = self.connection
        match event:
            case Login("ann", "secret"):
                connection.open(Maildrop([len(message) for message in MESSAGES], ["1.1", "1.2", "1.7"]))
            case Login():
                connection.refuse("Name or password is wrong", "AUTH")
            case AuthStart(mechanism, initial):
                self.exchange = sasl.begin(mechanism, b"nonce")
                assert self.exchange
                self.log_in(self.exchange.start(initial))
            case AuthResponse(octets):
                assert self.exchange
                self.log_in(self.exchange.respond(octets))
            case Retrieve(number):
                connection.begin_message()
                message = MESSAGES[number - 1]
                for start in range(0, len(message), self.piece):
                    connection.message(message[start : start + self.piece])
                connection.end_message()
            case Leave(deleted):
                self.deleted = deleted
                connection.accept()
            case _:
                pass

    def log_in(self, step: sasl.Step) -> None:
        match step:
            case sasl.Challenge(octets):
                self.connection.challenge(octets)
            case sasl.PasswordOffered(username, _, password):
                self.answer(Login(username, password))


def take(lines: list[str], speaker: str) -> list[str]:
    taken = [line[3:] for line in takewhile(lambda line: line.startswith(speaker), lines)]
    del lines[: len(taken)]
    return taken


def play(dialogue: str, offer: Offer = OFFER, *, tls: bool = True, piece: int = 5) -> Session:
    connection = ServerConnection(offer, tls=tls)
    session = Session(connection, piece)
    connection.greet()
    lines = [line.strip() for line in dialogue.splitlines() if line.strip()]
    while lines:
        before = len(lines)
        sent = "".join(line + "\r\n" for line in take(lines, "C:")).encode().decode("unicode_escape")
        connection.receive_data(sent.encode("latin-1"))
        session.run()
        wanted = take(lines, "S:")
        closes = bool(wanted) and wanted[-1] == "(closes)"
        said = connection.data_to_send().decode().split("\r\n")
        assert said.pop() == ""
        for line, want in zip(said, wanted, strict=False):
            assert line.startswith(want[:-1]) if want.endswith("…") else line == want, dialogue
        assert len(said) == len(wanted) - closes, (said, wanted)
        assert connection.closing is closes
        if take(lines, "T:"):
            assert connection.starttls
            connection.tls_started()
        assert len(lines) < before, lines[0]
    return session


def test_messages_are_read_and_deleted_at_quit() -> None:
    session = play(
        IN
        + """
        C: STAT
        C: LIST
        C: LIST 2
        C: UIDL
        C: UIDL 3
        S: +OK 3 68
        S: +OK
        S: 1 36
        S: 2 19
        S: 3 13
        S: .
        S: +OK 2 19
        S: +OK
        S: 1 1.1
        S: 2 1.2
        S: 3 1.7
        S: .
        S: +OK 3 1.7
        C: RETR 1
        S: +OK 36 octets
        S: Subject: one
        S:
        S: first
        S: ..dot
        S: third
        S: .
        C: DELE 1
        C: DELE 1
        C: RETR 1
        C: STAT
        C: LIST
        S: +OK Message will be deleted at QUIT
        S: -ERR There is no such message
        S: -ERR There is no such message
        S: +OK 2 32
        S: +OK
        S: 2 19
        S: 3 13
        S: .
        C: QUIT
        S: +OK Bye
        S: (closes)
        """
    )
    assert session.deleted == (1,)


def test_rset_takes_deletions_back() -> None:
    session = play(
        IN
        + """
        C: DELE 1
        C: DELE 3
        C: RSET
        C: DELE 2
        C: QUIT
        S: +OK …
        S: +OK …
        S: +OK 3 messages
        S: +OK …
        S: +OK Bye
        S: (closes)
        """
    )
    assert session.deleted == (2,)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 100])
def test_bare_line_ends_become_crlf_before_dots_are_stuffed(piece: int) -> None:
    play(IN + "C: RETR 2\nS: +OK 19 octets\nS: Subject: two\nS: \nS: bare\nS: .", piece=piece)


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 100])
def test_top_sends_the_header_and_so_many_lines(piece: int) -> None:
    play(
        IN
        + """
        C: TOP 1 0
        S: +OK top of message follows
        S: Subject: one
        S:
        S: .
        C: TOP 1 2
        S: +OK top of message follows
        S: Subject: one
        S:
        S: first
        S: ..dot
        S: .
        C: TOP 1 9999999999
        S: +OK top of message follows
        S: Subject: one
        S:
        S: first
        S: ..dot
        S: third
        S: .
        C: TOP 3 0
        S: +OK top of message follows
        S:
        S: .
        """,
        piece=piece,
    )


@pytest.mark.parametrize("lines", [0, 1, 2, 3])
def test_top_wants_no_more_once_it_has_enough(lines: int) -> None:
    connection = ServerConnection(OFFER, tls=True)
    connection.receive_data(b"USER ann\r\nPASS secret\r\n")
    session = Session(connection)
    session.run()
    connection.receive_data(f"TOP 1 {lines}\r\n".encode())
    assert connection.next_event() == Retrieve(1, lines)
    connection.begin_message()
    connection.message(b"a: b\r\n\r\n1\r\n2\r\n3")
    assert connection.wants_message is (lines > 2)
    connection.message(b"4\r\n5\r\n")
    connection.end_message()
    assert connection.data_to_send().endswith(b"\r\n.\r\n")


PARTS = st.lists(st.sampled_from([b"\r\n", b"a: b", b"\r\n\r\n", b"."]), max_size=12)


@given(PARTS, st.integers(0, 4), st.integers(1, 9))
def test_any_chunking_cuts_the_same_top(parts: list[bytes], lines: int, size: int) -> None:
    text = b"".join(parts)
    header, empty, body = (b"\r\n" + text).partition(b"\r\n\r\n")
    whole_lines = [line + b"\r\n" for line in body.split(b"\r\n")[:-1]]
    expected = (header + empty)[2:] + b"".join(whole_lines[:lines]) if empty else text
    if empty and len(whole_lines) < lines:
        expected += body.split(b"\r\n")[-1]
    cutter = TopCutter(lines)
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    for number, piece in enumerate(pieces):  # No CRLF is cut in two: the normalizer sees to that.
        if piece.endswith(b"\r") and number + 1 < len(pieces):
            pieces[number], pieces[number + 1] = piece[:-1], b"\r" + pieces[number + 1]
    assert b"".join(map(cutter.feed, pieces)) == expected


def test_a_message_that_cannot_be_read_is_refused() -> None:
    session = play(IN)
    session.connection.receive_data(b"RETR 1\r\n")
    assert session.connection.next_event() == Retrieve(1)
    session.connection.refuse("The message cannot be read just now", "SYS/TEMP")
    assert session.connection.data_to_send() == b"-ERR [SYS/TEMP] The message cannot be read just now\r\n"
    session.connection.receive_data(b"NOOP\r\n")
    session.run()
    assert session.connection.data_to_send() == b"+OK Nothing done\r\n"


def test_a_failure_within_a_message_closes_without_a_word() -> None:
    session = play(IN)
    session.connection.receive_data(b"RETR 1\r\n")
    assert session.connection.next_event()
    session.connection.begin_message()
    session.connection.message(b"Subject: x\r\n")
    session.connection.data_to_send()
    session.connection.fail()
    assert session.connection.closing
    assert session.connection.data_to_send() == b""
    other = play(IN)
    other.connection.fail()
    assert other.connection.data_to_send() == b"-ERR [SYS/TEMP] Something failed here; try again later\r\n"


def test_a_deletion_that_failed_is_told() -> None:
    session = play(IN)
    session.connection.receive_data(b"DELE 1\r\nQUIT\r\n")
    assert list(session.connection.events())[-1] == Leave((1,))
    session.connection.data_to_send()
    session.connection.refuse("The messages were not deleted", "SYS/TEMP")
    assert session.connection.data_to_send() == b"-ERR [SYS/TEMP] The messages were not deleted\r\n"
    assert session.connection.closing


class TestLogin:
    """USER, PASS and AUTH."""

    def test_a_wrong_password_can_be_said_again(self) -> None:
        play(
            READY
            + """
            C: USER nobody
            C: PASS x
            S: +OK Say PASS
            S: -ERR [AUTH] Name or password is wrong
            C: PASS secret
            S: -ERR Say USER first
            C: USER ann
            C: PASS secret
            S: +OK Say PASS
            S: +OK 3 messages…
            C: USER ann
            S: -ERR Already logged in
            """
        )

    def test_a_password_keeps_its_spaces(self) -> None:
        session = play(READY + "C: USER ann\nC: PASS  a b\\x20\nS: +OK Say PASS\nS: -ERR [AUTH] …")
        assert Login("ann", " a b ") in session.events

    def test_plain_and_initial_responses(self) -> None:
        play(READY + "C: AUTH PLAIN AGFubgBzZWNyZXQ=\nS: +OK 3 messages…")
        play(READY + "C: auth plain\nS: + …\nC: AGFubgBzZWNyZXQ=\nS: +OK 3 messages…")
        play(READY + "C: AUTH PLAIN\nS: + …\nC: AGFubgB4\nS: -ERR [AUTH] …\nC: NOOP\nS: +OK …")

    def test_what_goes_wrong_is_said(self) -> None:
        session = play(
            READY
            + """
            C: AUTH PLAIN
            S: + …
            C: *
            S: -ERR The authentication was cancelled
            C: AUTH PLAIN !
            S: -ERR The response is not valid base64
            C: AUTH LOGIN
            S: -ERR This authentication mechanism is not offered
            C: AUTH
            S: +OK
            S: SCRAM-SHA-256
            S: PLAIN
            S: .
            C: WHAT
            S: -ERR Too many errors on this connection; closing it
            S: (closes)
            """
        )
        assert AuthAborted() in session.events

    def test_no_secret_is_taken_without_tls(self) -> None:
        play(
            READY
            + """
            C: USER ann
            C: PASS secret
            C: AUTH PLAIN AGFubgBzZWNyZXQ=
            S: -ERR [AUTH] Say STLS before logging in
            S: -ERR [AUTH] Say STLS before logging in
            S: -ERR [AUTH] Say STLS before logging in
            C: CAPA
            S: +OK
            S: TOP
            S: UIDL
            S: RESP-CODES
            S: AUTH-RESP-CODE
            S: PIPELINING
            S: EXPIRE NEVER
            S: UTF8 USER
            S: LANG
            S: IMPLEMENTATION Hongyan
            S: STLS
            S: .
            """,
            tls=False,
        )
        play(IN, Offer(login_without_tls=True), tls=False)

    def test_failures_have_a_limit(self) -> None:
        wrong = "C: USER ann\nC: PASS wrong\nS: +OK Say PASS\nS: -ERR [AUTH] …\n"
        play(READY + wrong * 3 + "C: WHAT\nS: -ERR Too many errors…\nS: (closes)")

    def test_long_responses_are_taken_and_longer_ones_refused(self) -> None:
        play(READY + f"C: AUTH PLAIN\nS: + …\nC: {'A' * 13000}\nS: -ERR The line is too long\nC: NOOP\nS: +OK …")
        play(READY + f"C: NOOP {'A' * 2000}\nS: -ERR The line is too long\nC: NOOP\nS: +OK …")


class TestTls:
    """STLS."""

    def test_everything_is_said_anew_under_tls(self) -> None:
        session = play(
            READY
            + """
            C: STLS
            C: USER evil
            S: +OK Begin TLS
            T: tls
            C: PASS x
            S: -ERR Say USER first
            C: STLS
            S: -ERR TLS is already in use
            C: CAPA
            S: +OK
            S: TOP
            S: UIDL
            S: RESP-CODES
            S: AUTH-RESP-CODE
            S: PIPELINING
            S: EXPIRE NEVER
            S: UTF8 USER
            S: LANG
            S: IMPLEMENTATION Hongyan
            S: USER
            S: SASL SCRAM-SHA-256 PLAIN
            S: .
            """,
            tls=False,
        )
        assert StartTls() in session.events

    def test_octets_between_the_answer_and_the_handshake_are_thrown_away(self) -> None:
        session = play(READY + "C: STLS\nS: +OK Begin TLS", tls=False)
        session.connection.receive_data(b"NOOP\r\n")
        session.connection.tls_started()
        session.run()
        assert session.connection.data_to_send() == b""

    def test_it_is_refused_where_it_is_not_offered(self) -> None:
        play(READY + "C: STLS\nS: -ERR STLS is not offered…", Offer(), tls=False)


class TestHostile:
    """Lines and numbers that are none."""

    @pytest.mark.parametrize("line", [r"NOOP\nNOOP", r"NO\rOP", r"NO\0OP", r"\n"])
    def test_a_line_that_ends_otherwise_closes(self, line: str) -> None:
        play(READY + f"C: {line}\nC: NOOP\nS: -ERR Lines must end with CRLF…\nS: (closes)")

    @pytest.mark.parametrize(
        "command",
        [
            "RETR",
            "RETR 0",
            "RETR 4",
            "RETR -1",
            "RETR 1 2",
            "RETR x",
            "RETR 99999999999",
            r"RETR \xc2\xb2",
            "LIST 4",
            "UIDL 0",
            "DELE",
            "TOP 1",
            "TOP 1 x",
        ],
    )
    def test_a_number_that_is_none_is_refused(self, command: str) -> None:
        play(IN + f"C: {command}\nS: -ERR …\nC: STAT\nS: +OK 3 68")

    def test_commands_out_of_place(self) -> None:
        play(READY + "C: STAT\nC: APOP ann 0\nS: -ERR Log in first\nS: -ERR Unknown command")
        play(IN + "C: LAST\nC: \nS: -ERR Unknown command\nS: -ERR Unknown command")
        play(IN + "C: \\xff\nS: -ERR The command is not UTF-8")


def test_silence_closes_without_a_word_and_without_a_deletion() -> None:
    session = play(IN + "C: DELE 1\nS: +OK …")
    session.connection.timed_out()
    assert session.connection.closing
    assert session.connection.data_to_send() == b""
    assert session.deleted is None


def test_shutting_down_lets_the_client_quit() -> None:
    session = play(IN + "C: DELE 1\nS: +OK …")
    session.connection.shut_down()
    assert not session.connection.closing
    session.connection.receive_data(b"QUIT\r\n")
    session.run()
    assert session.deleted == (1,)
    session = play(IN)
    session.connection.shut_down()
    session.connection.receive_data(b"STAT\r\n")
    session.run()
    assert session.connection.data_to_send().startswith(b"-ERR [SYS/TEMP] The service is restarting")
    assert session.connection.closing
    session = play(READY)
    session.connection.shut_down()
    assert session.connection.closing


def test_what_came_before_the_end_of_input_is_answered() -> None:
    session = play(IN)
    session.connection.receive_data(b"DELE 2\r\nQUIT\r\n")
    session.connection.receive_eof()
    session.run()
    assert session.deleted == (2,)
    session = play(IN)
    session.connection.receive_eof()
    session.run()
    assert session.connection.closing


def test_a_client_can_be_turned_away() -> None:
    connection = ServerConnection(OFFER)
    connection.turn_away("Too many connections from your address")
    assert connection.data_to_send() == b"-ERR [SYS/TEMP] Too many connections from your address\r\n"
    assert connection.closing


def test_a_long_listing_comes_in_portions_and_commands_wait_for_its_end() -> None:
    connection = ServerConnection(OFFER, tls=True)
    connection.receive_data(b"USER ann\r\nPASS secret\r\nDELE 2500\r\nUIDL\r\nNOOP\r\n")
    assert isinstance([*connection.events()][-1], Login)
    connection.open(Maildrop([1] * 5000, [f"9.{uid}" for uid in range(1, 5001)]))
    assert connection.next_event() == Answered("DELE")
    connection.data_to_send()
    sent = []
    while connection.next_event() == Listed():
        sent.append(connection.data_to_send())
    sent.append(connection.data_to_send())
    assert len(sent) > 2
    assert max(map(len, sent)) < 40_000
    *lines, end = b"".join(sent).split(b"\r\n")[:-1]
    assert lines == [b"+OK", *(b"%d 9.%d" % (n, n) for n in range(1, 5001) if n != 2500)]
    assert end == b"."
    assert connection.next_event() == Answered("NOOP")
    assert connection.data_to_send() == b"+OK Nothing done\r\n"


def test_a_failure_in_the_midst_of_a_listing_says_nothing() -> None:
    session = play(IN)
    session.connection.receive_data(b"LIST\r\n")
    assert session.connection.next_event() == Listed()
    session.connection.data_to_send()
    session.connection.fail()
    assert session.connection.closing
    assert session.connection.data_to_send() == b""


def test_octets_that_are_marked_are_not_counted() -> None:
    session = play(IN)
    session.connection.receive_data(b"DELE 1\r\nSTAT\r\nRSET\r\nSTAT\r\n")
    session.run()
    answers = session.connection.data_to_send().split(b"\r\n")
    assert answers[1] == b"+OK 2 %d" % sum(map(len, MESSAGES[1:]))
    assert answers[3] == b"+OK 3 %d" % sum(map(len, MESSAGES))


def test_answers_without_a_question_are_our_fault() -> None:
    connection = ServerConnection(OFFER, tls=True)
    for answer in (connection.accept, connection.begin_message, connection.end_message):
        with pytest.raises(RuntimeError):
            answer()
    with pytest.raises(RuntimeError):
        connection.refuse("no")
    with pytest.raises(ValueError, match="unique-id"):
        Maildrop([1], [])


COMMANDS = st.lists(
    st.sampled_from(
        [
            b"STAT\r\n",
            b"LIST\r\n",
            b"RETR 1\r\n",
            b"TOP 1 1\r\n",
            b"DELE 2\r\n",
            b"RSET\r\n",
            b"UIDL 3\r\n",
            b"x\r\n",
            b"x" * 2000 + b"\r\n",
            b"lf\n",
            b"nul\0\r\n",
            b"QUIT\r\n",
        ]
    ),
    max_size=8,
)


@given(COMMANDS, st.lists(st.integers(0, 9999), max_size=5))
def test_any_chunking_of_pipelined_commands_gives_the_same(commands: list[bytes], cuts: list[int]) -> None:
    octets = b"USER ann\r\nPASS secret\r\n" + b"".join(commands)

    def said(pieces: list[bytes]) -> tuple[bytes, list[Event], bool]:
        connection = ServerConnection(OFFER, tls=True)
        session = Session(connection)
        output = b""
        for piece in pieces:
            connection.receive_data(piece)
            session.run()
            output += connection.data_to_send()
        return output, session.events, connection.closing

    places = [0, *sorted(cut % len(octets) for cut in cuts), len(octets)]
    assert said([octets[a:b] for a, b in pairwise(places)]) == said([octets])
