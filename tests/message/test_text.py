"""Text for search and preview."""

from __future__ import annotations

import base64

import pytest

from hongyan.message.analyze import analyze
from hongyan.message.charsets import decode_text, find_codec
from hongyan.message.outline import Outline
from hongyan.message.text import html_to_text, make_preview, message_text
from hongyan.message.transfer import Encoding, decode_transfer
from tests.support.parts import read_parts


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One Two"),
        ("One<br>Two &amp; <b>th</b>ree", "One Two & three"),
        ("<head><title>t</title></head><body>b</body>", "b"),
        ("<head>never closed<body>b", "never closedb"),
        ("a<script>x('</p>')</script>b", "ab"),
        ("a<SCRIPT>x</Script >b", "ab"),
        ("a<script>never closed b", "a"),
        ("a<!-- <p> -->b<!-- never closed", "ab"),
        ('<a title="x > y">link</a>', "link"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<!DOCTYPE html><?xml ?>a", "a"),
        ("&#24352;&#x4e09;", "张三"),
        ("a<b", "a"),
        ("<td>x</td><td>y</td>", "x y"),
    ],
)
def test_html_is_what_a_reader_sees(html: str, text: str) -> None:
    assert " ".join(html_to_text(html).split()) == text


def test_html_to_text_stops_at_its_limit() -> None:
    assert html_to_text("<p>abc</p>" * 1000, 10) == html_to_text("<p>abc</p>" * 10)[:10]


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("GB2312", "gb18030"),
        ("gbk", "gb18030"),
        ("x-gbk", "gb18030"),
        ("cp936", "gb18030"),
        ("Big5", "big5hkscs"),
        ("ISO-8859-1", "cp1252"),
        ("iso_8859-2:1987", None),
        ("latin1", "cp1252"),
        ("Windows-1251", "cp1251"),
        ("KS_C_5601-1987", "cp949"),
        ("shift_jis", "cp932"),
        ("utf8", "utf_8"),
        ("UTF-8", "utf_8"),
        ("'utf-8'", "utf_8"),
        ("iso-8859-15", "iso8859_15"),
        ("cp-850", "cp850"),
        ("idna", None),
        ("unicode_escape", None),
        ("rot13", None),
        ("punycode", None),
        ("no such", None),
    ],
)
def test_charsets_are_known_by_what_programs_mean(charset: str, codec: str | None) -> None:
    assert find_codec(charset) == codec


@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        ("张三".encode(), "", "张三"),
        ("张三".encode(), "us-ascii", "张三"),
        ("张三".encode("gb18030"), "us-ascii", "张三"),
        ("张三".encode("gb18030"), "utf-8", "张三"),
        ("张三".encode(), "gb2312", "寮犱笁"),  # What the label says can be read, so it is believed.
        ("café".encode("latin-1"), "utf-8", "café"),
        ("Grüße, 张三 ".encode() + b"\xff", "utf-8", "Grüße, 张三 \ufffd"),
        (b"a\xa0b", "iso-8859-1", "a\xa0b"),
        (b"\x93q\x94", "iso-8859-1", "“q”"),
        ("日本".encode("iso2022_jp"), "ISO-2022-JP", "日本"),
        ("한국".encode("euc_kr"), "euc-kr", "한국"),
    ],
)
def test_octets_are_decoded_by_label_or_by_guess(octets: bytes, charset: str, text: str) -> None:
    assert decode_text(octets, charset) == text


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "big5", "shift_jis"])
def test_a_beginning_may_end_within_a_character(charset: str) -> None:
    octets = "文字文字".encode(charset)
    for end in range(len(octets)):
        assert "文字文字".startswith(decode_text(octets[:end], charset, cut=True))


@pytest.mark.parametrize(
    ("octets", "encoding", "decoded"),
    [
        (b"QUJD\r\nREVG\r\n", Encoding.BASE64, b"ABCDEF"),
        (b"QUJ", Encoding.BASE64, b"AB"),
        (b"QUJDR", Encoding.BASE64, b"ABC"),
        (b"Q U*J-D", Encoding.BASE64, b"ABC"),
        (b"=E5=BC=A0=\r\nx =3D", Encoding.QUOTED_PRINTABLE, "张x =".encode()),
        (b"=zz=", Encoding.QUOTED_PRINTABLE, b"=zz"),
        (b"begin 644 a\r\n#0V%T\r\n`\r\nend\r\n", Encoding.UUENCODE, b"Cat"),
        (b"x", Encoding.UNKNOWN, None),
    ],
)
def test_transfer_encodings_are_undone_as_far_as_they_go(
    octets: bytes, encoding: Encoding, decoded: bytes | None
) -> None:
    assert decode_transfer(octets, encoding) == decoded


def test_a_preview_is_one_printable_line_of_200_characters() -> None:
    assert make_preview("  Hello,\r\n\t\u200b\u200bworld\x1b ") == "Hello, world"
    assert len(make_preview("word " * 1000)) == 200
    assert make_preview(" " * 2000 + "late") == "late"


def build(*parts: tuple[bytes, bytes], subtype: bytes = b"alternative") -> bytes:
    body = b"".join(b"--x\r\n%b\r\n\r\n%b\r\n" % part for part in parts)
    return b"Content-Type: multipart/%b; boundary=x\r\n\r\n%b--x--\r\n" % (subtype, body)


PLAIN = b"Content-Type: text/plain; charset=utf-8"
HTML = b"Content-Type: text/html; charset=utf-8"


def test_of_alternatives_the_plain_text_is_searched_and_shown() -> None:
    octets = build((HTML, b"<p>html</p>"), (PLAIN, b"plain"))
    assert list(message_text(Outline.from_parts(read_parts(octets)), octets)) == ["plain"]
    assert analyze(b"", octets).preview == "plain"


def test_html_is_searched_and_shown_where_there_is_no_plain_text() -> None:
    octets = build((HTML, b"<p>html</p>"), (PLAIN, b""))
    assert [text.strip() for text in message_text(Outline.from_parts(read_parts(octets)), octets)] == ["html"]
    assert analyze(b"", octets).preview == "html"


def test_a_long_style_sheet_does_not_hide_the_preview() -> None:
    octets = HTML + b"\r\n\r\n<style>" + b"p { margin: 0 }\r\n" * 2000 + b"</style><p>News</p>"
    assert analyze(b"", octets).preview == "News"


def test_texts_of_all_parts_are_searched_up_to_the_limit() -> None:
    octets = build((PLAIN, b"one"), (b"Content-Type: message/rfc822", b"Subject: s\r\n\r\ntwo"), subtype=b"mixed")
    assert list(message_text(Outline.from_parts(read_parts(octets)), octets)) == ["one", "two"]
    assert list(message_text(Outline.from_parts(read_parts(octets)), octets, 4)) == ["one", "t"]


def test_only_as_much_is_decoded_as_is_wanted() -> None:
    octets = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    octets += base64.encodebytes("张".encode() * 100_000)
    assert list(message_text(Outline.from_parts(read_parts(octets)), octets, 100)) == ["张" * 100]


@pytest.mark.parametrize(
    ("fields", "is_one"),
    [
        (b"Content-Type: application/pdf; name=a.pdf", True),
        (b"Content-Type: application/pdf", False),
        (b"Content-Type: application/pdf\r\nContent-Disposition: attachment", True),
        (b"Content-Type: application/pdf\r\nContent-Disposition: inline; filename=a.pdf", True),
        (b"Content-Type: image/png\r\nContent-Disposition: inline; filename=logo.png", False),
        (b"Content-Type: image/png; name=logo.png\r\nContent-ID: <logo@x>", False),
        (b"Content-Type: image/png; name=photo.png", True),
        (b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt", True),
        (b"Content-Type: text/plain", False),
        (b"Content-Type: text/plain\r\nContent-Disposition: inline", False),
        (b"Content-Type: application/pgp-signature; name=signature.asc", False),
        (b"Content-Type: application/pkcs7-signature\r\nContent-Disposition: attachment; filename=smime.p7s", False),
        (b"Content-Type: message/rfc822", True),
        (b"Content-Type: text/calendar; method=REQUEST", False),
    ],
)
def test_an_attachment_is_what_a_person_would_call_one(fields: bytes, is_one: bool) -> None:
    octets = build((PLAIN, b"text"), (fields, b"x"), subtype=b"mixed")
    assert analyze(b"", octets).has_attachment is is_one


def test_the_message_in_a_bounce_is_no_attachment() -> None:
    octets = build((PLAIN, b"text"), (b"Content-Type: message/rfc822", b"A: b\r\n\r\n"), subtype=b"report")
    assert not analyze(b"", octets).has_attachment
