"""What a message says, whatever it does to hide it, and however large it is."""

from __future__ import annotations

import base64
import resource
from email.message import EmailMessage

import pytest

from hongyan.mailauth.authentication import Authentication
from hongyan.screening.tokens import MAX_TOKENS, origin_tokens, read_tokens, words_of
from tests.screening.letters import letter


def said(text: str) -> set[str]:
    return set(words_of(text))


def tokens(octets: bytes) -> set[str]:
    return set(read_tokens(octets).all)


def test_words_are_of_latin_and_other_letters() -> None:
    assert said("Cheap PILLS, don't wait!!! 50% Größe Привет") == {
        "cheap", "pills", "don't", "wait", "!!!", "50", "grösse", "привет",
    }  # fmt: skip


def test_chinese_is_read_in_overlapping_pairs() -> None:
    assert said("代开发票 call我") == {"代开", "开发", "发票", "call", "我"}
    assert said("無料サイト") >= {"無料", "料サ", "サイ"}


@pytest.mark.parametrize(
    "disguised",
    [
        "vi\u200bag\u200cra",
        "v\u00adiagra",
        "\uff56\uff49\uff41\uff47\uff52\uff41",
        "VIAGRA",
        "\U0001d42f\U0001d422\U0001d41a\U0001d420\U0001d42b\U0001d41a",
        "v\u0456agr\u0430",
        "v i a g r a",
        "v.i.a.g.r.a",
    ],
)
def test_a_disguise_makes_no_new_word(disguised: str) -> None:
    assert "viagra" in said(f"buy {disguised} here") | {word.replace(".", "") for word in said(f"buy {disguised} here")}


def test_letters_of_two_alphabets_in_a_word_are_told() -> None:
    assert "*disguised" in said("p\u0430ypal")
    assert "*disguised" not in said("привет paypal")


def test_the_header_tells_who_and_what() -> None:
    octets = (
        b'From: "Prize Office" <a@winner.test>\r\nReply-To: b@other.test\r\n'
        b"Subject: =?utf-8?b?5Luj5byA5Y+R56Wo?=\r\nX-Mailer: Bulk/1.0\r\n\r\nHello\r\n"
    )
    assert tokens(octets) >= {"f:winner.test", "n:prize", "r:other.test", "*reply-elsewhere", "s:发票", "m:bulk"}
    assert tokens(octets) >= {"*no-date", "*no-message-id", "*no-to"}


def test_text_is_decoded_and_html_is_stripped() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@b.test", "x"
    message.set_content("plain words", cte="base64")
    message.add_alternative(
        "<html><style>p{hidden:1}</style><p>shown <b>wo</b>rds <a href='https://evil.test/x?y'>click</a></html>",
        subtype="html",
    )
    found = tokens(message.as_bytes())
    assert found >= {"plain", "shown", "words", "u:evil.test", "t:text/html", "click"}
    assert not found & {"hidden", "style", "href"}


def test_a_host_behind_a_name_is_told_with_its_domain() -> None:
    found = tokens(letter("x", "see http://user@deep.shop.example:8080/a and //10.0.0.1/x and www.plain.test/y"))
    assert found >= {"u:deep.shop.example", "u:shop.example", "*address-as-host", "u:plain.test"}
    assert not any(token.startswith("u:") for token in tokens(letter("x", "a //-- b //x c // d")))


def test_the_origin_is_read_from_our_own_trace_alone() -> None:
    trace = (
        b"Return-Path: <x>\r\nAuthentication-Results: mail.hongyan.test; spf=pass smtp.helo=x;\r\n dkim=fail;"
        b" dmarc=none\r\nReceived: from x\r\nAuthentication-Results: elsewhere.test; spf=softfail\r\n"
    )
    assert origin_tokens(trace) == ("a:spf=pass", "a:dkim=fail", "a:dmarc=none")
    forged = b"Authentication-Results: mail.hongyan.test; spf=pass; dkim=pass\r\n" + letter("x", "hi")
    assert not any(token.startswith("a:") for token in tokens(forged))
    assert origin_tokens(Authentication()) == ("a:dkim=none",)


def test_the_same_message_sent_again_has_the_same_fingerprint() -> None:
    once, again = letter("offer", "buy this now please"), letter("offer", "buy this now please")
    changed = again.replace(b"Message-ID: <0.", b"Message-ID: <777.").replace(b"10:00:00", b"11:11:11")
    assert read_tokens(once).fingerprint == read_tokens(changed).fingerprint
    assert read_tokens(once, ("a:spf=pass",)).fingerprint == read_tokens(once).fingerprint
    assert read_tokens(once).fingerprint != read_tokens(letter("offer", "another text entirely")).fingerprint


FLOOD = "".join(f"word{number} " for number in range(4_000_000))


@pytest.mark.parametrize(
    "octets",
    [
        letter("flood", FLOOD),
        b"Subject: x\r\n" * 200_000 + b"\r\nx",
        b"Subject: " + b"a " * 5_000_000 + b"\r\n\r\nx",
        letter("x", "代" * 5_000_000),
        letter("x", "a" * 20_000_000),
        letter("x", "//" * 5_000_000),
        letter("x", "a " * 5_000_000),
        b"Content-Type: text/html\r\n\r\n" + b"<p" * 5_000_000,
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"a b c " * 999_999),
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\nhello\r\n" * 500_000,
        b"Content-Type: text/plain; charset=no-such\r\n\r\n" + bytes(range(256)) * 9_999,
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA- +AGE-",
        b"",
        b"\0" * 1_000_000,
    ],
    ids=lambda octets: octets[:20].decode("latin-1") + str(len(octets)),
)
def test_no_message_takes_long_or_has_too_many_tokens(octets: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_utime
    found = read_tokens(octets)
    spent = resource.getrusage(resource.RUSAGE_THREAD).ru_utime - before
    assert len(found.all) <= MAX_TOKENS
    assert len(found.fingerprint) == 16
    assert spent < 2.0  # of the processor, an order above what it takes
