"""The server's end of SMTP, told as dialogues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hongyan.addresses import Address
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import POSTMASTER
from hongyan.wire.smtp.events import (
    Answered,
    AuthAborted,
    Fault,
    Hello,
    MailFrom,
    MessageChunk,
    MessageEnd,
    MessageRefused,
    MessageStart,
    Quit,
    RcptTo,
    Reset,
    StartTls,
)
from hongyan.wire.smtp.offer import Offer
from hongyan.wire.smtp.parameters import Notify
from hongyan.wire.smtp.server import ServerConnection

Play = Callable[..., Any]
Say = Callable[..., ServerConnection]

OPEN = """
    C: MAIL FROM:<a@other.example>
    C: RCPT TO:<ann@hongyan.test>
    S: 250 2.1.0 Sender OK
    S: 250 2.1.5 Recipient OK
"""


START = (b"EHLO a.example", b"MAIL FROM:<>", b"RCPT TO:<ann@hongyan.test>", b"DATA")


def test_a_message_comes_in(play: Play) -> None:
    policy = play("""
        S: 220 mx.hongyan.test ESMTP
        C: EHLO client.example
        S: 250-mx.hongyan.test
        S: 250-PIPELINING
        S: 250-SIZE 1000
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-CHUNKING
        S: 250-ENHANCEDSTATUSCODES
        S: 250-LIMITS MAILMAX=1000 RCPTMAX=3
        S: 250 STARTTLS
        C: MAIL FROM:<a@other.example>
        S: 250 2.1.0 Sender OK
        C: RCPT TO:<ann@hongyan.test>
        S: 250 2.1.5 Recipient OK
        C: DATA
        S: 354 Send the message; end it with CRLF.CRLF
        C: Subject: hi
        C:
        C: ..one dot
        C: .
        S: 250 2.0.0 Message accepted
        C: QUIT
        S: 221 2.0.0 Bye
        S: (closes)
    """)
    assert policy.messages == [b"Subject: hi\r\n\r\n.one dot\r\n"]


def test_a_group_of_pipelined_commands_is_answered_in_one_piece(play: Play) -> None:
    policy = play(
        """
        C: MAIL FROM:<>
        C: RCPT TO:<ann@hongyan.test>
        C: RCPT TO:<unknown@hongyan.test>
        C: RCPT TO:<ben@elsewhere.example>
        C: DATA
        S: 250 2.1.0 Sender OK
        S: 250 2.1.5 Recipient OK
        S: 550 5.1.1 There is no such recipient here
        S: 550 5.7.1 No mail for this domain…
        S: 354 …
        C: hello
        C: .
        C: MAIL FROM:<b@other.example>
        C: RCPT TO:<Postmaster>
        C: DATA
        S: 250 2.0.0 Message accepted
        S: 250 2.1.0 Sender OK
        S: 250 2.1.5 Recipient OK
        S: 354 …
        C: again
        C: .
        C: QUIT
        S: 250 2.0.0 Message accepted
        S: 221 2.0.0 Bye
        S: (closes)
        """,
        hello=True,
    )
    assert policy.messages == [b"hello\r\n", b"again\r\n"]
    assert [event.forward_path for event in policy.events if isinstance(event, RcptTo)][-1] is POSTMASTER


def test_policy_sees_every_event_in_order(play: Play) -> None:
    policy = play(
        OPEN
        + """
        C: NOOP
        S: 250 2.0.0 OK
        C: DATA
        S: 354 …
        C: x
        C: .
        C: BOGUS
        C: RSET
        C: QUIT
        S: 250 2.0.0 Message accepted
        S: 500 5.5.2 …
        S: 250 2.0.0 OK
        S: 221 …
        S: (closes)
        """,
        hello=True,
    )
    assert [type(event) for event in policy.events] == [
        Hello, MailFrom, RcptTo, Answered, MessageStart, MessageChunk, MessageEnd, Fault, Reset, Quit,
    ]  # fmt: skip


def test_helo_offers_nothing(play: Play) -> None:
    policy = play("""
        S: 220 …
        C: HELO client.example
        S: 250 mx.hongyan.test
    """)
    assert policy.events == [Hello("client.example", policy.events[0].domain, extended=False)]


@pytest.mark.parametrize(
    ("dialogue"),
    [
        "C: MAIL FROM:<a@b.c>\nS: 503 5.5.1 Say EHLO first",
        "C: RCPT TO:<ann@hongyan.test>\nS: 503 5.5.1 Say EHLO first",
        "C: DATA\nS: 503 5.5.1 Say EHLO first",
        "C: BDAT 0 LAST\nS: 503 5.5.1 Say EHLO first",
    ],
)
def test_mail_needs_a_hello(play: Play, dialogue: str) -> None:
    play("S: 220 …\n" + dialogue)


def test_commands_out_of_order_say_what_is_missing(play: Play, inbound: Offer) -> None:
    play(
        """
        C: RCPT TO:<ann@hongyan.test>
        C: MAIL FROM:<a@other.example>
        C: MAIL FROM:<b@other.example>
        C: DATA
        S: 503 5.5.1 Say MAIL first
        S: 250 2.1.0 Sender OK
        S: 503 5.5.1 A mail transaction is already open…
        S: 503 5.5.1 Say RCPT first
        C: RCPT TO:<unknown@hongyan.test>
        C: DATA
        S: 550 5.1.1 …
        S: 554 5.5.1 No valid recipients
        C: RSET
        C: DATA
        S: 250 2.0.0 OK
        S: 503 5.5.1 Say MAIL first
        """,
        replace(inbound, max_faults=20),
        hello=True,
    )


def test_a_second_hello_voids_the_transaction(play: Play) -> None:
    play(OPEN + "C: EHLO again.example\nS: 250-…\n" + "S: 250-…\n" * 7 + "S: 250 …\nC: DATA\nS: 503 …", hello=True)


def test_a_refused_sender_opens_no_transaction(play: Play) -> None:
    play(
        """
        C: MAIL FROM:<spammer@other.example>
        C: RCPT TO:<ann@hongyan.test>
        S: 550 5.7.1 …
        S: 503 5.5.1 Say MAIL first
        """,
        hello=True,
    )


def test_recipients_have_a_limit(play: Play) -> None:
    play(
        OPEN
        + """
        C: RCPT TO:<unknown@hongyan.test>
        C: RCPT TO:<ben@hongyan.test>
        C: RCPT TO:<cleo@hongyan.test>
        C: RCPT TO:<dora@hongyan.test>
        C: DATA
        S: 550 …
        S: 250 …
        S: 250 …
        S: 452 4.5.3 Too many recipients…
        S: 354 …
        """,
        hello=True,
    )


def test_messages_have_a_limit(play: Play, inbound: Offer) -> None:
    one = OPEN + "C: DATA\nS: 354 …\nC: .\nS: 250 …\n"
    play(
        one * 2 + "C: MAIL FROM:<>\nS: 421 4.7.0 Enough messages…\nS: (closes)",
        replace(inbound, max_messages=2),
        hello=True,
    )


def test_faults_have_a_limit(play: Play) -> None:
    play("S: 220 …\n" + "C: WHAT\nS: 500 …\n" * 3 + "C: WHAT\nS: 421 4.7.0 Too many errors…\nS: (closes)")


def test_commands_without_mail_have_a_limit(play: Play) -> None:
    play("S: 220 …\n" + "C: NOOP\nS: 250 …\n" * 10 + "C: NOOP\nS: 421 4.7.0 Too many commands…\nS: (closes)")
    play(OPEN + "C: BDAT 0\nS: 250 …\n" * 9 + "C: BDAT 0\nS: 421 …\nS: (closes)", hello=True)


def test_a_message_gives_new_patience_for_commands_without_mail(play: Play) -> None:
    play(("C: NOOP\nS: 250 …\n" * 9 + OPEN + "C: DATA\nS: 354 …\nC: .\nS: 250 …\n") * 3, hello=True)


def test_what_needs_no_policy_is_answered(play: Play) -> None:
    play("""
        S: 220 …
        C: HELP
        S: 214 2.0.0 …
        C: VRFY ann
        S: 252 2.5.0 …
        C: NOOP whatever that is
        S: 250 2.0.0 OK
        C: EXPN staff
        S: 502 5.5.1 Command not implemented
        C: VRFY
        S: 501 5.5.4 …
        C: TURN
        S: 502 5.5.1 …
        C: rset
        S: 250 2.0.0 OK
    """)


def test_a_declared_size_beyond_the_limit_is_refused_at_once(play: Play) -> None:
    play(
        """
        C: MAIL FROM:<a@b.c> SIZE=1001
        C: MAIL FROM:<a@b.c> SIZE=1000
        S: 552 5.3.4 The message is larger…
        S: 250 2.1.0 Sender OK
        """,
        hello=True,
    )


def test_parameters_that_were_not_offered_are_refused(play: Play, submission: Offer) -> None:
    play(
        """
        C: MAIL FROM:<a@b.c> RET=HDRS
        C: MAIL FROM:<a@b.c> AUTH=<>
        C: MAIL FROM:<a@b.c> REQUIRETLS
        S: 555 5.5.4 …
        S: 555 5.5.4 …
        S: 555 5.5.4 …
        """,
        hello=True,
    )
    policy = play(
        """
        C: AUTH PLAIN AGFubgBzZWNyZXQ=
        S: 235 2.7.0 Authentication succeeded
        C: MAIL FROM:<a@b.c> RET=HDRS ENVID=QQ314159 AUTH=<> REQUIRETLS
        C: RCPT TO:<ann@hongyan.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;ann+40hongyan.test
        S: 250 …
        S: 250 …
        """,
        submission,
        tls=True,
        hello=True,
    )
    _, _, mail, rcpt = policy.events
    assert mail.parameters.envid == "QQ314159"
    assert mail.parameters.requiretls
    assert rcpt.notify == Notify.SUCCESS | Notify.DELAY
    assert rcpt.orcpt.address == "ann@hongyan.test"


def test_non_ascii_addresses_need_smtputf8(play: Play, inbound: Offer) -> None:
    policy = play(
        r"""
        C: MAIL FROM:<\xe7\x94\xa8@other.example>
        C: MAIL FROM:<a@other.example>
        C: RCPT TO:<\xe7\x94\xa8@hongyan.test>
        C: RSET
        C: MAIL FROM:<\xe7\x94\xa8@other.example> SMTPUTF8
        C: RCPT TO:<\xe7\x94\xa8@hongyan.test>
        C: RCPT TO:<\xff@hongyan.test>
        S: 553 5.6.7 A non-ASCII sender…
        S: 250 2.1.0 …
        S: 553 5.6.7 A non-ASCII recipient…
        S: 250 2.0.0 OK
        S: 250 2.1.0 …
        S: 250 2.1.5 …
        S: 500 5.5.2 Control characters and invalid UTF-8…
        """,
        hello=True,
    )
    assert policy.events[-2].forward_path == Address.parse("用@hongyan.test")


def test_silence_ends_the_session(say: Say, inbound: Offer) -> None:
    connection = say(inbound)
    connection.timed_out()
    assert connection.data_to_send() == replies.IDLE_TOO_LONG.octets
    assert connection.closing
    connection.timed_out()
    assert connection.data_to_send() == b""


def test_a_failure_of_ours_ends_the_session_whatever_is_going_on(say: Say, inbound: Offer) -> None:
    connection = say(inbound, b"EHLO a.example")
    connection.receive_data(b"MAIL FROM:<>\r\nNOOP\r\n")
    assert connection.next_event()
    connection.fail()
    connection.fail()
    connection.accept()
    assert connection.data_to_send() == replies.SERVER_FAILED.octets
    assert connection.closing


def test_policy_can_turn_a_client_away_instead_of_greeting(inbound: Offer) -> None:
    connection = ServerConnection(inbound)
    connection.reply(replies.TOO_MANY_CONNECTIONS)
    assert connection.data_to_send() == replies.TOO_MANY_CONNECTIONS.octets
    assert connection.closing


def test_policy_can_end_the_session_with_421(say: Say, inbound: Offer) -> None:
    connection = say(inbound)
    connection.receive_data(b"EHLO a.example\r\n")
    assert connection.next_event()
    connection.reply(replies.BANNED)
    assert connection.closing
    assert connection.next_event() is None
    connection.accept()
    connection.reply(replies.OK)
    connection.challenge(b"")
    assert connection.data_to_send() == replies.BANNED.octets


def test_a_question_waits_for_its_answer(say: Say, inbound: Offer) -> None:
    connection = say(inbound)
    connection.receive_data(b"EHLO a.example\r\n")
    assert connection.next_event()
    assert connection.next_event() is None
    connection.accept()
    with pytest.raises(RuntimeError):
        connection.accept()
    with pytest.raises(RuntimeError):
        connection.reply(replies.OK)
    with pytest.raises(RuntimeError):
        connection.challenge(b"")
    with pytest.raises(RuntimeError):
        connection.refuse_message(replies.STORAGE_FULL)


def test_a_refused_hello_changes_nothing(say: Say, inbound: Offer) -> None:
    connection = say(inbound, b"EHLO a.example")
    connection.receive_data(b"EHLO b.example\r\n")
    assert connection.next_event()
    connection.reply(replies.MESSAGE_REFUSED)
    connection.receive_data(b"MAIL FROM:<>\r\n")
    assert isinstance(connection.next_event(), MailFrom)


def test_shutting_down_waits_for_the_end_of_the_transaction(say: Say, inbound: Offer) -> None:
    connection = say(inbound, b"EHLO a.example", b"MAIL FROM:<>")
    connection.shut_down()
    connection.receive_data(b"RCPT TO:<a@hongyan.test>\r\nDATA\r\n")
    for _ in connection.events():
        connection.accept()
    assert not connection.closing
    connection.data_to_send()
    connection.receive_data(b"x\r\n.\r\n")
    for event in connection.events():
        if isinstance(event, MessageEnd):
            connection.accept()
    assert connection.data_to_send() == replies.MESSAGE_ACCEPTED.octets + replies.SHUTTING_DOWN.octets
    assert connection.closing


def test_shutting_down_an_idle_session_is_said_at_once(say: Say, inbound: Offer) -> None:
    connection = say(inbound, b"EHLO a.example")
    connection.shut_down()
    assert connection.data_to_send() == replies.SHUTTING_DOWN.octets
    assert connection.closing


def test_what_came_before_the_end_of_input_is_answered(say: Say, inbound: Offer) -> None:
    connection = say(inbound)
    connection.receive_data(b"NOOP\r\nNOOP\r\nNO")
    connection.receive_eof()
    assert len(list(connection.events())) == 2
    assert connection.data_to_send() == replies.OK.octets * 2
    assert connection.closing


class TestChunking:
    """BDAT (RFC 3030)."""

    def test_a_message_in_chunks(self, play: Play) -> None:
        policy = play(
            OPEN
            + r"""
            C: BDAT 7
            C: .line\r\n\
            C: BDAT 6 LAST
            C: .\r\n.\r\n\
            S: 250 2.0.0 OK
            S: 250 2.0.0 Message accepted
            C: NOOP
            S: 250 2.0.0 OK
            """,
            hello=True,
        )
        assert policy.messages == [b".line\r\n.\r\n.\r\n"]

    def test_everything_in_one_group(self, play: Play) -> None:
        policy = play(
            r"""
            C: MAIL FROM:<>
            C: RCPT TO:<ann@hongyan.test>
            C: BDAT 3
            C: x\r\n\
            C: BDAT 0 LAST
            C: QUIT
            S: 250 2.1.0 …
            S: 250 2.1.5 …
            S: 250 2.0.0 OK
            S: 250 2.0.0 Message accepted
            S: 221 …
            S: (closes)
            """,
            hello=True,
        )
        assert policy.messages == [b"x\r\n"]

    def test_data_after_bdat_is_refused_and_bdat_goes_on(self, play: Play) -> None:
        policy = play(
            OPEN
            + r"""
            C: BDAT 3
            C: x\r\n\
            S: 250 2.0.0 OK
            C: DATA
            S: 503 5.5.1 BDAT has begun…
            C: MAIL FROM:<>
            S: 503 5.5.1 …
            C: RCPT TO:<ben@hongyan.test>
            S: 503 5.5.1 BDAT has begun…
            C: BDAT 3 LAST
            C: y\r\n\
            S: 250 2.0.0 Message accepted
            """,
            hello=True,
        )
        assert policy.messages == [b"x\r\ny\r\n"]

    def test_rset_ends_the_chunks(self, play: Play) -> None:
        chunk = "C: BDAT 3\nC: x\\r\\n\\\nS: 250 …\n"
        policy = play(OPEN + chunk + "C: RSET\nS: 250 …\n" + OPEN + "C: BDAT 0 LAST\nS: 250 …", hello=True)
        assert policy.messages == [b""]

    def test_a_refused_chunk_is_eaten(self, play: Play) -> None:
        policy = play(
            r"""
            C: BDAT 12 LAST
            C: MAIL FROM:<>\
            C: NOOP
            S: 503 5.5.1 Say MAIL first
            S: 250 2.0.0 OK
            C: MAIL FROM:<>
            C: BDAT 6
            C: RSET\r\n\
            C: BDAT 6 LAST
            C: QUIT\r\n\
            S: 250 2.1.0 …
            S: 503 5.5.1 Say RCPT first
            S: 503 5.5.1 Say MAIL first
            """,
            hello=True,
        )
        assert policy.messages == []

    def test_a_chunk_that_is_too_large_is_eaten(self, play: Play) -> None:
        policy = play(
            OPEN
            + f"""
            C: BDAT 999
            C: {"x" * 999}\\
            S: 250 2.0.0 OK
            C: BDAT 2 LAST
            C: xx\\
            C: NOOP
            S: 552 5.3.4 …
            S: 250 2.0.0 OK
            """,
            hello=True,
        )
        assert MessageRefused(replies.MESSAGE_TOO_LARGE) in policy.events
        assert policy.messages == []

    def test_a_chunk_that_is_far_too_large_closes(self, play: Play) -> None:
        play(OPEN + "C: BDAT 99999999999 LAST\nS: 552 5.3.4 …\nS: (closes)", hello=True)

    @pytest.mark.parametrize("argument", ["", "-1", "x", "1 FIRST", "1 LAST x", "+1", "0x10", "9" * 19, r"1 LA\xc5"])
    def test_a_size_that_is_none_closes(self, play: Play, argument: str) -> None:
        """What follows could be a chunk or a command."""
        play(OPEN + f"C: BDAT {argument}\nC: NOOP\nS: 50…\nS: (closes)", hello=True)

    @pytest.mark.parametrize("content", ["a\\nb", "a\\rb", "\\n", "abc\\r", "\\r\\r\\n"])
    def test_a_bare_newline_in_a_chunk_is_refused_without_closing(self, play: Play, content: str) -> None:
        size = len(content.encode().decode("unicode_escape"))
        policy = play(OPEN + f"C: BDAT {size} LAST\nC: {content}\\\nC: NOOP\nS: 554 5.6.0 …\nS: 250 …", hello=True)
        assert policy.messages == []

    def test_a_newline_may_be_cut_in_two(self, play: Play) -> None:
        policy = play(OPEN + "C: BDAT 2\nC: a\\r\\\nC: BDAT 2 LAST\nC: \\nb\\\nS: 250 …\nS: 250 …", hello=True)
        assert policy.messages == [b"a\r\nb"]

    def test_policy_refuses_the_first_chunk_and_it_is_eaten(self, say: Say, inbound: Offer) -> None:
        connection = say(inbound, b"EHLO a.example", b"MAIL FROM:<>", b"RCPT TO:<a@hongyan.test>")
        connection.receive_data(b"BDAT 6\r\nQUIT\r\nNOOP\r\n")
        assert connection.next_event() == MessageStart(chunked=True)
        connection.reply(replies.STORAGE_FULL)
        assert list(connection.events()) == [Fault(replies.STORAGE_FULL), Answered(replies.OK)]
        assert connection.data_to_send() == replies.STORAGE_FULL.octets + replies.OK.octets


class TestMessage:
    """DATA, its end and its limits."""

    def test_a_message_beyond_the_size_is_eaten_and_refused(self, play: Play) -> None:
        policy = play(
            OPEN + "C: DATA\nS: 354 …\nC: " + "x" * 1100 + "\nC: .\nS: 552 5.3.4 …\nC: NOOP\nS: 250 …",
            hello=True,
        )
        assert policy.messages == []
        assert policy.events[4:6] == [MessageRefused(replies.MESSAGE_TOO_LARGE), Fault(replies.MESSAGE_TOO_LARGE)]

    def test_a_message_of_just_the_size_is_taken(self, play: Play) -> None:
        policy = play(OPEN + "C: DATA\nS: 354 …\nC: " + "x" * 998 + "\nC: .\nS: 250 …", hello=True)
        assert len(policy.messages[0]) == 1000

    def test_a_message_without_end_is_cut_off(self, say: Say, inbound: Offer) -> None:
        connection = say(inbound, *START)
        for _ in range(12):
            connection.receive_data(b"x" * (1 << 20))
            list(connection.events())
        assert connection.data_to_send() == replies.MESSAGE_TOO_LARGE_CLOSING.octets
        assert connection.closing

    def test_a_nul_is_refused_at_the_end(self, play: Play) -> None:
        policy = play(OPEN + "C: DATA\nS: 354 …\nC: a\\0b\nC: .\nC: NOOP\nS: 554 5.6.0 …\nS: 250 …", hello=True)
        assert MessageRefused(replies.NUL_IN_MESSAGE) in policy.events
        assert policy.messages == []

    def test_long_lines_are_taken(self, play: Play, inbound: Offer) -> None:
        policy = play(
            OPEN + "C: DATA\nS: 354 …\nC: " + "x" * 5000 + "\nC: .\nS: 250 …",
            replace(inbound, max_message=9000),
            hello=True,
        )
        assert policy.messages == [b"x" * 5000 + b"\r\n"]

    def test_policy_refuses_data_before_it_comes(self, say: Say, inbound: Offer) -> None:
        connection = say(inbound, *START[:-1])
        connection.receive_data(b"DATA\r\n")
        assert connection.next_event() == MessageStart(chunked=False)
        connection.reply(replies.STORAGE_FULL)
        assert not connection.in_transaction
        connection.receive_data(b"NOOP\r\n")
        assert connection.next_event() == Answered(replies.OK)
        assert connection.data_to_send() == replies.STORAGE_FULL.octets + replies.OK.octets

    def test_policy_does_not_begin_a_message_with_a_reply(self, say: Say, inbound: Offer) -> None:
        connection = say(inbound, *START[:-1])
        connection.receive_data(b"DATA\r\n")
        assert connection.next_event()
        with pytest.raises(RuntimeError):
            connection.reply(replies.OK)

    def test_policy_refuses_a_message_on_its_way(self, say: Say, inbound: Offer) -> None:
        connection = say(inbound, *START)
        connection.receive_data(b"one")
        assert connection.next_event() == MessageChunk(b"one")
        connection.refuse_message(replies.STORAGE_FULL)
        connection.receive_data(b"two\r\n.\r\n")
        assert list(connection.events()) == [Fault(replies.STORAGE_FULL)]
        assert connection.data_to_send() == replies.STORAGE_FULL.octets


class TestTls:
    """STARTTLS (RFC 3207)."""

    def test_everything_is_said_anew_under_tls(self, play: Play) -> None:
        policy = play(
            OPEN
            + """
            C: STARTTLS
            S: 220 2.0.0 Go ahead with TLS
            T: tls
            C: MAIL FROM:<>
            S: 503 5.5.1 Say EHLO first
            C: STARTTLS
            S: 503 5.5.1 TLS is already in use
            """,
            hello=True,
        )
        assert StartTls() in policy.events

    def test_commands_injected_before_tls_are_thrown_away(self, play: Play) -> None:
        """CVE-2011-0411: what a stranger put behind STARTTLS does not run under TLS."""
        policy = play(
            """
            C: STARTTLS
            C: EHLO evil.example
            C: MAIL FROM:<evil@evil.example>
            S: 220 2.0.0 Go ahead with TLS
            T: tls
            C: NOOP
            S: 250 2.0.0 OK
            """,
            hello=True,
        )
        assert not any(isinstance(event, MailFrom) for event in policy.events)
        assert StartTls(had_more=True) in policy.events

    def test_octets_between_220_and_the_handshake_are_thrown_away(self, say: Say, inbound: Offer) -> None:
        connection = say(inbound, b"STARTTLS")
        connection.receive_data(b"NOOP\r\n")
        assert connection.next_event() is None
        connection.tls_started()
        assert connection.next_event() is None
        assert connection.buffered == 0

    def test_tls_is_offered_only_where_it_is(self, play: Play, inbound: Offer) -> None:
        offer = replace(inbound, starttls=False)
        play("C: STARTTLS\nS: 502 5.5.1 …\nC: STARTTLS now\nS: 501 5.5.4 …", offer, hello=True)


class TestLogin:
    """AUTH (RFC 4954)."""

    def test_plain_with_initial_response(self, play: Play, submission: Offer) -> None:
        policy = play("C: AUTH PLAIN AGFubgBzZWNyZXQ=\nS: 235 2.7.0 …", submission, tls=True, hello=True)
        assert policy.connection.authenticated

    def test_login_asks_twice(self, play: Play, submission: Offer) -> None:
        play(
            """
            C: auth login
            S: 334 VXNlcm5hbWU6
            C: YW5u
            S: 334 UGFzc3dvcmQ6
            C: c2VjcmV0
            S: 235 2.7.0 Authentication succeeded
            C: AUTH LOGIN
            S: 503 5.5.1 Already logged in
            """,
            submission,
            tls=True,
            hello=True,
        )

    def test_only_under_tls(self, play: Play, submission: Offer) -> None:
        play(
            """
            S: 220 …
            C: EHLO client.example
            S: 250-mx.hongyan.test
            S: 250-PIPELINING
            S: 250-SIZE 1000
            S: 250-8BITMIME
            S: 250-SMTPUTF8
            S: 250-CHUNKING
            S: 250-ENHANCEDSTATUSCODES
            S: 250-LIMITS MAILMAX=1000 RCPTMAX=3
            S: 250-STARTTLS
            S: 250 DSN
            C: AUTH PLAIN AGFubgBzZWNyZXQ=
            S: 538 5.7.11 Say STARTTLS before logging in
            C: MAIL FROM:<ann@hongyan.test>
            S: 530 5.7.0 Say STARTTLS first
            C: STARTTLS
            S: 220 …
            T: tls
            C: EHLO client.example
            S: 250-mx.hongyan.test
            S: 250-PIPELINING
            S: 250-SIZE 1000
            S: 250-8BITMIME
            S: 250-SMTPUTF8
            S: 250-CHUNKING
            S: 250-ENHANCEDSTATUSCODES
            S: 250-LIMITS MAILMAX=1000 RCPTMAX=3
            S: 250-AUTH SCRAM-SHA-256 PLAIN LOGIN
            S: 250-DSN
            S: 250 REQUIRETLS
            C: MAIL FROM:<ann@hongyan.test>
            S: 530 5.7.0 Log in first
            """,
            submission,
        )

    def test_without_tls_only_where_it_is_allowed(self, play: Play, submission: Offer) -> None:
        offer = replace(submission, auth_without_tls=True, requires_tls=False)
        play("C: AUTH PLAIN AGFubgBzZWNyZXQ=\nS: 235 …", offer, hello=True)

    def test_not_on_port_25(self, play: Play) -> None:
        play("C: AUTH PLAIN AGFubgBzZWNyZXQ=\nS: 502 5.5.1 Logging in is not offered here…", tls=True, hello=True)

    def test_what_goes_wrong_has_its_own_reply(self, play: Play, submission: Offer) -> None:
        policy = play(
            """
            C: AUTH
            S: 501 5.5.4 …
            C: AUTH CRAM-MD5
            S: 504 5.5.4 …
            C: AUTH PLAIN !!!
            S: 501 5.5.2 …
            C: AUTH PLAIN
            S: 334 …
            C: *
            S: 501 5.7.0 Authentication cancelled
            C: AUTH PLAIN
            S: 334 …
            C: a=b
            S: 501 5.5.2 …
            C: AUTH PLAIN
            S: 334 …
            C: a\\0b
            S: 501 5.5.2 …
            C: AUTH PLAIN AGFubgB3cm9uZw==
            S: 535 5.7.8 Name or password is wrong; mail programs need an app password
            """,
            replace(submission, max_faults=20),
            tls=True,
            hello=True,
        )
        assert sum(isinstance(event, AuthAborted) for event in policy.events) == 3

    def test_failures_have_a_limit(self, play: Play, submission: Offer) -> None:
        wrong = "C: AUTH PLAIN AGFubgB3cm9uZw==\nS: 535 5.7.8 …\n"
        play(wrong * 3 + "C: WHAT\nS: 421 4.7.0 …\nS: (closes)", submission, tls=True, hello=True)

    def test_not_before_hello_nor_during_mail(self, play: Play, submission: Offer) -> None:
        play("S: 220 …\nC: AUTH PLAIN\nS: 503 5.5.1 Say EHLO first", submission, tls=True)
        offer = replace(submission, requires_auth=False)
        play(OPEN + "C: AUTH PLAIN\nS: 503 5.5.1 …", offer, tls=True, hello=True)

    def test_long_responses_are_taken_and_longer_ones_refused(self, play: Play, submission: Offer) -> None:
        long = "A" * 12000
        play(
            f"""
            C: AUTH PLAIN
            S: 334 …
            C: {long}
            S: 501 5.5.2 …
            C: AUTH PLAIN
            S: 334 …
            C: {long * 2}
            S: 500 5.5.6 Authentication line too long
            C: NOOP {long}
            S: 500 5.5.2 Line too long
            C: NOOP
            S: 250 2.0.0 OK
            """,
            submission,
            tls=True,
            hello=True,
        )

    def test_tls_forgets_a_login(self, play: Play, submission: Offer) -> None:
        play(
            """
            C: AUTH PLAIN AGFubgBzZWNyZXQ=
            S: 235 …
            C: STARTTLS
            S: 220 …
            T: tls
            C: MAIL FROM:<>
            S: 503 5.5.1 Say EHLO first
            """,
            replace(submission, auth_without_tls=True, requires_tls=False),
            hello=True,
        )
