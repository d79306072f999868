"""ENVELOPE and BODYSTRUCTURE in both forms, and BODY made from BODYSTRUCTURE."""

from __future__ import annotations

import pytest

from hongyan.message.analyze import Analysis, analyze
from hongyan.message.structure import shorten_to_body
from tests.support.imap_structure import check_bodystructure, check_envelope


def with_header(*fields: bytes) -> Analysis:
    return analyze(b"", b"\r\n".join(fields) + b"\r\n\r\nbody\r\n")


def test_a_subject_beyond_ascii_becomes_an_encoded_word_or_utf8() -> None:
    found = with_header("Subject: 会议 agenda".encode())
    assert b'"=?utf-8?b?5Lya6K6uIGFnZW5kYQ==?="' in found.envelope
    assert found.envelope_utf8 is not None
    assert '"会议 agenda"'.encode() in found.envelope_utf8


def test_a_subject_in_a_charset_nobody_named_is_guessed() -> None:
    found = with_header("Subject: 会议".encode("gb18030"))
    assert found.envelope_utf8 is not None
    assert '"会议"'.encode() in found.envelope_utf8
    assert found.subject_text == "会议"


def test_addresses_beyond_ascii_are_octets_in_a_literal_or_utf8() -> None:
    found = with_header("From: 张三 <张@例子.中国>".encode())
    assert '(("=?utf-8?b?5byg5LiJ?=" NIL {3}\r\n张 {13}\r\n例子.中国))'.encode() in found.envelope
    assert found.envelope_utf8 is not None
    assert '(("张三" NIL "张" "例子.中国"))'.encode() in found.envelope_utf8


def test_octets_that_are_no_utf8_are_a_literal_in_both_forms() -> None:
    found = with_header(b"Message-ID: <\xff@example.org>")
    assert b"{15}\r\n<\xff@example.org>" in found.envelope
    assert found.envelope_utf8 is None


def test_sender_and_reply_to_are_from_where_they_are_missing_or_empty() -> None:
    envelope = check_envelope(with_header(b"From: a@b", b"Sender:", b"Reply-To: ,").envelope)
    assert (
        envelope.lists["from"] == envelope.lists["sender"] == envelope.lists["reply-to"] == [(None, None, b"a", b"b")]
    )


def test_an_empty_field_is_not_an_absent_one() -> None:
    envelope = check_envelope(with_header(b"Subject:", b"Date: ").envelope)
    assert envelope.subject == b""
    assert envelope.date == b""
    assert envelope.message_id is None


def test_every_from_field_is_shown_so_that_none_can_hide() -> None:
    envelope = check_envelope(with_header(b"From: a@b", b"From: c@d").envelope)
    assert [mailbox for _, _, mailbox, _ in envelope.lists["from"]] == [b"a", b"c"]


def test_a_missing_domain_has_a_name_since_nil_would_open_a_group() -> None:
    envelope = check_envelope(with_header(b"To: root, g: x;, Some One", b"Cc: <@>").envelope)
    assert envelope.lists["to"] == [
        (None, None, b"root", b"MISSING_DOMAIN"),
        (None, None, b"g", None),
        (None, None, b"x", b"MISSING_DOMAIN"),
        (None, None, None, None),
        (b"Some One", None, b"MISSING_MAILBOX", b"MISSING_DOMAIN"),
    ]


def test_quotes_and_backslashes_are_escaped_and_folds_undone() -> None:
    found = with_header(b'Subject: say "a\\b"\r\n and\r\n\tmore')
    assert b'"say \\"a\\\\b\\" and\tmore"' in found.envelope


@pytest.mark.parametrize(
    ("parameter", "ascii_form", "utf8_form"),
    [
        (b"name=a", b'("name" "a")', None),
        (b"name*=utf-8''%E5%BC%A0", b'("name*" "utf-8\'\'%E5%BC%A0")', '("name" "张")'),
        (b"name*0*=gb2312'zh'%D5; name*1*=%C5", b'("name*" "gb2312\'zh\'%D5%C5")', '("name" "张")'),
        (b"name*0=a; name*1=b", b'("name" "ab")', None),
        ('name="张"'.encode(), b'("name*" "utf-8\'\'%E5%BC%A0")', '("name" "张")'),
        (b"name=x; name*=utf-8''%E5", b'("name" "x" "name*" "utf-8\'\'%E5")', '("name" "\u00e5")'),
    ],
)
def test_parameters_have_the_notation_that_a_client_reads(
    parameter: bytes, ascii_form: bytes, utf8_form: str | None
) -> None:
    found = with_header(b"Content-Type: a/b; " + parameter)
    assert found.bodystructure.startswith(b'("a" "b" ' + ascii_form)
    if utf8_form is None:
        assert found.bodystructure_utf8 is None
    else:
        assert found.bodystructure_utf8 is not None
        assert found.bodystructure_utf8.startswith(b'("a" "b" ' + utf8_form.encode())


def test_a_global_message_is_a_message_to_those_who_know_it() -> None:
    octets = "Content-Type: message/global\r\n\r\nSubject: 内\r\n\r\nbody\r\n".encode()
    found = analyze(b"", octets)
    assert found.bodystructure == b'("message" "global" NIL NIL NIL "7bit" 22 NIL NIL NIL NIL)'
    assert found.bodystructure_utf8 is not None
    inner = check_bodystructure(found.bodystructure_utf8, utf8=True)
    assert inner.envelope is not None
    assert inner.envelope.subject == "内".encode()
    assert inner.lines == 3
    check_bodystructure(shorten_to_body(found.bodystructure_utf8, utf8=True), utf8=True, extensible=False)


def test_every_descriptive_field_has_its_place() -> None:
    found = with_header(
        b"Content-Type: image/png",
        b"Content-ID: <1@x>",
        b"Content-Description: A =?utf-8?q?d?=",
        b"Content-Transfer-Encoding: BASE64",
        b"Content-MD5: Q2hlY2s=",
        b"Content-Disposition: inline; filename=a.png",
        b"Content-Language: en, zh-CN",
        b"Content-Location: http://x/a.png",
    )
    assert found.bodystructure == (
        b'("image" "png" NIL "<1@x>" "A =?utf-8?q?d?=" "BASE64" 6 "Q2hlY2s=" ("inline" ("filename" "a.png"))'
        b' ("en" "zh-CN") "http://x/a.png")'
    )


def test_body_is_bodystructure_without_extension_data() -> None:
    message = (
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
        b'--x\r\nContent-Type: text/plain; name="a(b"\r\nContent-MD5: x\r\n\r\n1\r\n'
        b"--x\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\nFrom: a@b\r\n\r\n2\r\n--x--\r\n"
    )
    assert shorten_to_body(analyze(b"", message).bodystructure) == (
        b'(("text" "plain" ("name" "a(b") NIL NIL "7bit" 1 0)'
        b'("message" "rfc822" NIL NIL NIL "7bit" 14 (NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "a" "b"))'
        b' ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0) 2)'
        b' "mixed")'
    )
