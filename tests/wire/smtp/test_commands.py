"""Commands of SMTP and their parameters: what is understood, and what is refused with which reply."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.addresses import Address, Domain
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import (
    NULL_PATH,
    POSTMASTER,
    Auth,
    Bdat,
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
from hongyan.wire.smtp.parameters import (
    AUTH_PARAMETERS,
    DSN_PARAMETERS,
    FUTURE_RELEASE_PARAMETERS,
    MAIL_PARAMETERS,
    REQUIRETLS_PARAMETERS,
    VERP_PARAMETERS,
    Body,
    MailParameters,
    Notify,
    OriginalRecipient,
    Ret,
    read_rcpt_parameters,
    write_notify,
    write_original_recipient,
    write_xtext,
)
from hongyan.wire.smtp.replies import CommandFault, Reply

ALL = (
    MAIL_PARAMETERS
    | DSN_PARAMETERS
    | AUTH_PARAMETERS
    | REQUIRETLS_PARAMETERS
    | FUTURE_RELEASE_PARAMETERS
    | VERP_PARAMETERS
)
EIGHT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
ANN = Address.parse("ann@example.com")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"EHLO mail.example.com", Hello("mail.example.com", Domain("mail.example.com"))),
        (b"ehlo MAIL.example.com", Hello("mail.example.com", Domain("mail.example.com"))),
        (b"HELO [192.0.2.1]", Hello("[192.0.2.1]", Domain("[192.0.2.1]"), extended=False)),
        (b"EHLO [IPv6:2001:DB8::1]", Hello("[IPv6:2001:db8::1]", Domain("[IPv6:2001:db8::1]"))),
        (b"EHLO ann's-pc(1)", Hello("ann-s-pc-1-", None)),
        (b"EHLO a b; (forged)", Hello("a-b---forged-", None)),
        ("EHLO 张三的电脑!".encode(), Hello("------", None)),
        (b"MAIL FROM:<ann@example.com>", MailFrom(ANN)),
        (b"mail from:<ann@example.com>", MailFrom(ANN)),
        (b"MAIL FROM: <ann@example.com>  ", MailFrom(ANN)),
        (b"MAIL FROM:<>", MailFrom(NULL_PATH)),
        (b"MAIL FROM:<@a.example,@[192.0.2.1]:ann@example.com>", MailFrom(ANN)),
        (b'MAIL FROM:<"a> <b"@example.com>', MailFrom(Address("a> <b", ANN.domain))),
        (b"MAIL FROM:<ann@example.com> SIZE=500 body=8bitmime", MailFrom(ANN, MailParameters(500, Body.EIGHT_BIT))),
        (b"MAIL FROM:<ann@example.com>  BODY=7BIT", MailFrom(ANN, MailParameters(body=Body.SEVEN_BIT))),
        (
            "MAIL FROM:<用户@例子.中国> SMTPUTF8".encode(),
            MailFrom(Address.parse("用户@例子.中国"), MailParameters(smtputf8=True)),
        ),
        (
            b"MAIL FROM:<> RET=HDRS ENVID=QQ+2B3+20x AUTH=ann+40example.com REQUIRETLS",
            MailFrom(None, MailParameters(ret=Ret.HDRS, envid="QQ+3 x", auth="ann@example.com", requiretls=True)),
        ),
        (b"MAIL FROM:<> HOLDFOR=86400", MailFrom(None, MailParameters(hold_for=timedelta(days=1)))),
        (
            b"MAIL FROM:<> HOLDUNTIL=2026-12-01T08:00:00.5+08:00",
            MailFrom(None, MailParameters(hold_until=datetime(2026, 12, 1, 0, 0, 0, 500_000, UTC))),
        ),
        (b"MAIL FROM:<> holduntil=2026-12-01t08:00:00z", MailFrom(None, MailParameters(hold_until=EIGHT))),
        (b"MAIL FROM:<> AUTH=<>", MailFrom(None, MailParameters(auth="<>"))),
        (b"MAIL FROM:<ann@example.com> XVERP", MailFrom(ANN, MailParameters(verp=""))),
        (b"MAIL FROM:<ann@example.com> xverp=-= RET=HDRS", MailFrom(ANN, MailParameters(ret=Ret.HDRS, verp="-="))),
        (b"RCPT TO:<ann@example.com>", RcptTo(ANN)),
        (b"RCPT TO:<Postmaster>", RcptTo(POSTMASTER)),
        (b"RCPT TO:<postmaster@example.com>", RcptTo(Address.parse("postmaster@example.com"))),
        (b"RCPT TO:<@relay.example:ann@example.com>", RcptTo(ANN)),
        (b"RCPT TO:<joe%other.example@example.com>", RcptTo(Address("joe%other.example", ANN.domain))),
        (b'RCPT TO:<"joe@other.example"@example.com>', RcptTo(Address("joe@other.example", ANN.domain))),
        (b"RCPT TO:<ann@example.com> NOTIFY=NEVER", RcptTo(ANN, Notify.NEVER)),
        (
            b"RCPT TO:<ann@example.com> ORCPT=rfc822;Ann+2BX@example.com notify=failure,DELAY",
            RcptTo(ANN, Notify.FAILURE | Notify.DELAY, OriginalRecipient("rfc822", "Ann+X@example.com")),
        ),
        (
            rb"RCPT TO:<ann@example.com> ORCPT=utf-8;\x{7528}@example.com",
            RcptTo(ANN, None, OriginalRecipient("utf-8", "用@example.com")),
        ),
        (b"DATA", Data()),
        (b"data ", Data()),
        (b"BDAT 0 last", Bdat(0, last=True)),
        (b"BDAT 123456", Bdat(123456, last=False)),
        (b"RSET", Rset()),
        (b"NOOP", Noop()),
        (b"NOOP a b", Noop()),
        (b"QUIT", Quit()),
        (b"HELP", Help()),
        (b"HELP MAIL", Help()),
        (b"VRFY ann", Vrfy()),
        (b"EXPN staff", Expn()),
        (b"STARTTLS", StartTls()),
        (b"AUTH plain", Auth("PLAIN", None)),
        (b"AUTH SCRAM-SHA-256 biws", Auth("SCRAM-SHA-256", b"biws")),
        (b"AUTH PLAIN =", Auth("PLAIN", b"=")),
    ],
)
def test_a_command_is_understood(line: bytes, command: object) -> None:
    assert parse_command(line, ALL) == command


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"", replies.UNKNOWN_COMMAND),
        (b" NOOP", replies.UNKNOWN_COMMAND),
        (b"XYZZY", replies.UNKNOWN_COMMAND),
        (b"MAILFROM:<a@b.c>", replies.UNKNOWN_COMMAND),
        ("RſET".encode(), replies.UNKNOWN_COMMAND),
        (b"SEND FROM:<a@b.c>", replies.NOT_IMPLEMENTED),
        (b"ETRN example.com", replies.NOT_IMPLEMENTED),
        (b"NOOP\tx", replies.ODD_CHARACTERS),
        (b"NOOP \x1b[2J", replies.ODD_CHARACTERS),
        (b"NOOP \xff\xfe", replies.ODD_CHARACTERS),
        ("NOOP \u2028".encode(), replies.ODD_CHARACTERS),
        ("NOOP \u0085".encode(), replies.ODD_CHARACTERS),
        (b"EHLO", replies.NEEDS_DOMAIN),
        (b"HELO ", replies.NEEDS_DOMAIN),
        (b"EHLO " + b"x" * 256, replies.NEEDS_DOMAIN),
        (b"MAIL", replies.MAIL_SYNTAX),
        (b"MAIL FROM", replies.MAIL_SYNTAX),
        (b"MAIL TO:<a@b.c>", replies.MAIL_SYNTAX),
        (b"MAIL FROM:a@b.c", replies.MAIL_SYNTAX),
        (b"MAIL FROM:<a@b.c", replies.MAIL_SYNTAX),
        (b"MAIL FROM:<a@b.c>SIZE=1", replies.MAIL_SYNTAX),
        (b"MAIL FROM:<<a@b.c>>", replies.MAIL_SYNTAX),
        (b'MAIL FROM:<"a@b.c>', replies.MAIL_SYNTAX),
        (b"RCPT", replies.RCPT_SYNTAX),
        (b"RCPT FROM:<a@b.c>", replies.RCPT_SYNTAX),
        (b"RCPT TO:a@b.c", replies.RCPT_SYNTAX),
        (b"MAIL FROM:<> HOLDFOR=0", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> HOLDFOR=1000000000", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> HOLDUNTIL=tomorrow", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> HOLDUNTIL=2026-02-30T00:00:00Z", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> HOLDUNTIL=0001-01-01T00:00:00+23:59", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> HOLDFOR=1 HOLDUNTIL=2026-12-01T08:00:00Z", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> SIZE", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> XVERP=", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> XVERP=+", replies.VERP_DELIMITERS),
        (b"MAIL FROM:<> XVERP=+=+", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> XVERP=%@", replies.VERP_DELIMITERS),
        (b"MAIL FROM:<> XVERP=ab", replies.VERP_DELIMITERS),
        (b"MAIL FROM:<> XVERP XVERP=+=", replies.PARAMETER_TWICE),
        (b"MAIL FROM:<> SIZE=", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> SIZE=-1", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> SIZE=1k", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> SIZE=" + b"9" * 21, replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> SIZE=1 size=2", replies.PARAMETER_TWICE),
        (b"MAIL FROM:<> BODY=BINARYMIME", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> SMTPUTF8=1", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> =x", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> RET=SOME", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> ENVID=a=b", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> ENVID=a+0D+0AX-Evil:+20yes", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> ENVID=a+ZZ", replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> ENVID=" + b"a" * 101, replies.PARAMETER_SYNTAX),
        (b"MAIL FROM:<> XFOO=1", replies.UNKNOWN_PARAMETER),
        (b"MAIL FROM:<> NOTIFY=NEVER", replies.UNKNOWN_PARAMETER),
        (b"MAIL FROM:<> LIMITS=1", replies.UNKNOWN_PARAMETER),
        ("MAIL FROM:<> BODY=8BıTMIME SMTPUTF8".encode(), replies.PARAMETER_SYNTAX),
        ("MAIL FROM:<用@b.c>".encode(), replies.SENDER_NEEDS_SMTPUTF8),
        ("MAIL FROM:<a@例子.中国>".encode(), replies.SENDER_NEEDS_SMTPUTF8),
        (b"RCPT TO:<a@b.c> SIZE=1", replies.UNKNOWN_PARAMETER),
        (b"RCPT TO:<a@b.c> NOTIFY=", replies.PARAMETER_SYNTAX),
        (b"RCPT TO:<a@b.c> NOTIFY=NEVER,DELAY", replies.PARAMETER_SYNTAX),
        (b"RCPT TO:<a@b.c> NOTIFY=SOMETIMES", replies.PARAMETER_SYNTAX),
        (b"RCPT TO:<a@b.c> ORCPT=ann", replies.PARAMETER_SYNTAX),
        (b"RCPT TO:<a@b.c> ORCPT=rfc822;", replies.PARAMETER_SYNTAX),
        (b"RCPT TO:<a@b.c> ORCPT=rfc822;a+0Ab", replies.PARAMETER_SYNTAX),
        (b"RCPT TO:<a@b.c> ORCPT=rfc822;a+FF", replies.PARAMETER_SYNTAX),
        (b"RCPT TO:<a@b.c> ORCPT=rf c;a", replies.PARAMETER_SYNTAX),
        (rb"RCPT TO:<a@b.c> ORCPT=utf-8;\x{0A}x", replies.PARAMETER_SYNTAX),
        (rb"RCPT TO:<a@b.c> ORCPT=utf-8;\x{D800}", replies.PARAMETER_SYNTAX),
        (rb"RCPT TO:<a@b.c> ORCPT=utf-8;\x{110000}", replies.PARAMETER_SYNTAX),
        (b"RCPT TO:<a@b.c> ORCPT=rfc822;" + b"a" * 500, replies.PARAMETER_SYNTAX),
        (b"DATA now", replies.NO_PARAMETERS_ALLOWED),
        (b"RSET x", replies.NO_PARAMETERS_ALLOWED),
        (b"QUIT now", replies.NO_PARAMETERS_ALLOWED),
        (b"STARTTLS x", replies.NO_PARAMETERS_ALLOWED),
        (b"VRFY", replies.NEEDS_PARAMETER),
        (b"EXPN", replies.NEEDS_PARAMETER),
        (b"AUTH", replies.AUTH_SYNTAX),
        (b"AUTH " + b"A" * 21, replies.AUTH_SYNTAX),
        ("AUTH PLAIN ü".encode(), replies.AUTH_SYNTAX),
    ],
)
def test_what_is_wrong_has_one_reply(line: bytes, reply: Reply) -> None:
    with pytest.raises(CommandFault) as refused:
        parse_command(line, ALL)
    assert refused.value.reply is reply
    assert not refused.value.fatal


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (b"ann", "An address needs a local part"),
        (b"a..b@c.d", "The local part holds a character"),
        (b"a@b..c", "The domain is not a valid name"),
        (b"a@192.0.2.1", "The domain ends in a number"),
        (b"a@[300.1.1.1]", "The address literal is not"),
        (b"@a.example:ann", "An address needs"),
        (b"@a..b:a@b.c", "The domain is not a valid name"),
        (b"@a.example", "The recipient's address"),
        (b"@a.example,b.example:a@b.c", "The recipient's address"),
        (b"", "An address needs"),
        (b"x" * 129 + b"@b.c", "The local part is longer"),
        (b"x" * 3000 + b"@b.c", "The address is longer"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(path: bytes, sentence: str) -> None:
    with pytest.raises(CommandFault) as refused:
        parse_command(b"RCPT TO:<" + path + b">", ALL)
    assert refused.value.reply.code == 501
    assert refused.value.reply.enhanced_code == "5.1.3"
    assert refused.value.reply.text.startswith(sentence)


@pytest.mark.parametrize("line", [b"GET / HTTP/1.1", b"POST / HTTP/1.1", b"CONNECT x:25 HTTP/1.1", b"host: a.b"])
def test_a_browser_is_not_listened_to(line: bytes) -> None:
    with pytest.raises(CommandFault) as refused:
        parse_command(line, ALL)
    assert refused.value.fatal


def test_a_parameter_that_was_not_offered_is_not_known() -> None:
    for parameter in (b"RET=FULL", b"AUTH=<>", b"REQUIRETLS", b"ENVID=x"):
        with pytest.raises(CommandFault) as refused:
            parse_command(b"MAIL FROM:<> " + parameter, MAIL_PARAMETERS)
        assert refused.value.reply is replies.UNKNOWN_PARAMETER


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30))
def test_what_is_written_in_xtext_reads_back(text: str) -> None:
    original = OriginalRecipient("rfc822", text)
    _, read = read_rcpt_parameters("ORCPT=" + write_original_recipient(original), ALL)
    assert read == original
    assert parse_command(b"MAIL FROM:<> ENVID=" + write_xtext(text).encode(), ALL) == MailFrom(
        None, MailParameters(envid=text)
    )


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30))
def test_a_utf_8_original_recipient_reads_back(text: str) -> None:
    original = OriginalRecipient("utf-8", text)
    written = write_original_recipient(original)
    assert written.isascii()
    assert read_rcpt_parameters("ORCPT=" + written, ALL) == (None, original)


@pytest.mark.parametrize("notify", [Notify.NEVER, Notify.SUCCESS, Notify.SUCCESS | Notify.FAILURE | Notify.DELAY])
def test_notify_reads_back(notify: Notify) -> None:
    assert read_rcpt_parameters("NOTIFY=" + write_notify(notify), ALL) == (notify, None)


class TestReply:
    """The form of replies."""

    def test_one_line(self) -> None:
        reply = Reply(550, "5.1.1", ("No such user",))
        assert reply.octets == b"550 5.1.1 No such user\r\n"
        assert str(reply) == "550 5.1.1 No such user"
        assert reply.is_permanent
        assert not reply.is_transient
        assert not reply.is_positive

    def test_many_lines(self) -> None:
        assert Reply(250, "2.0.0", ("a", "b")).octets == b"250-2.0.0 a\r\n250 2.0.0 b\r\n"
        assert Reply(250, "", ("a", "", "b")).octets == b"250-a\r\n250-\r\n250 b\r\n"
        assert Reply(354, "", ()).octets == b"354 \r\n"

    @pytest.mark.parametrize(
        ("code", "enhanced_code", "line"),
        [
            (199, "", "x"),
            (600, "", "x"),
            (250, "5.0.0", "x"),
            (250, "2.0", "x"),
            (250, "2.0.0\r\n", "x"),
            (250, "", "a\r\nb"),
            (250, "", "é"),
            (250, "", "x" * 491),
        ],
    )
    def test_a_reply_that_could_not_be_sent_cannot_be_made(self, code: int, enhanced_code: str, line: str) -> None:
        with pytest.raises(ValueError, match=r"repl|go with"):
            Reply(code, enhanced_code, (line,))

    def test_the_catalogue_is_sound(self) -> None:
        catalogue = {name: reply for name, reply in vars(replies).items() if isinstance(reply, Reply)}
        assert len(catalogue) > 70
        for name, reply in catalogue.items():
            assert name.isupper()
            assert bool(reply.enhanced_code) == (reply.code != 354)
            assert len(reply.octets) <= 128
            if reply.octets.endswith(b"closing the connection\r\n") or reply.code == 421:
                assert reply.code in (421, 500, 501, 552, 554), name
        sentences = [reply.octets for reply in catalogue.values()]
        assert len(sentences) == len(set(sentences)), "one cause, one reply"
