"""Encoded words: the table of RFC 2047 §8, charsets by their common names, and words that are broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.encoded_words import decode_words, encode_words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?ISO-8859-1?Q?a?=", "a"),
        (b"=?ISO-8859-1?Q?a?= b", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a_b?=", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
        (b"=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>", "Patrik Fältström <paf@nada.kth.se>"),
        (b"=?utf-8?Q?=E5=BC=A0?= =?UTF-8?b?5LiJ?=", "张三"),
        (b"=?utf-8?b?5Q==?= =?utf-8?b?vKA?=", "张"),  # A character in two words.
        (b"=?gb2312?B?1cXI/Q==?=", "张三"),
        (b"=?gb2312?B?lEO91g==?=", "擟街"),  # Not in GB2312, but in what programs mean by it.
        (b"=?GBK?Q?=D5=C5?=", "张"),
        (b"=?big5?B?pKSk5Q==?=", "中文"),
        (b"=?ks_c_5601-1987?B?x9GxuQ==?=", "한국"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?= =?iso-2022-jp?B?GyRCOGwbKEI=?=", "日本語"),
        (b"=?utf-8*zh-CN?q?=E5=BC=A0?=", "张"),
        (b'"=?utf-8?q?=E5=BC=A0?=" <z@example.cn>', '"张" <z@example.cn>'),
        (b"[tag]=?utf-8?q?=E5=BC=A0?=!", "[tag]张!"),
        (b"=?utf-8?q?what? yes?=", "what? yes"),
        (b"=?utf-8?b?5byg5LiJ", "=?utf-8?b?5byg5LiJ"),
        (b"=?no-such?q?a?=", "=?no-such?q?a?="),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?b?5byg5LiJ=?=", "张三"),
        ("张三".encode(), "张三"),
        ("张三".encode("gb18030"), "张三"),
        ("café".encode("latin-1"), "café"),
    ],
)
def test_words_are_decoded(value: bytes, text: str) -> None:
    assert decode_words(value) == text


def test_a_charset_may_be_hinted_for_raw_octets() -> None:
    assert decode_words("привет".encode("koi8-r"), "koi8-r") == "привет"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=300))
def test_what_is_encoded_is_decoded(text: str) -> None:
    encoded = encode_words(text)
    assert encoded.isascii()
    if not text.isascii() or "=?" in text:
        assert max(map(len, encoded.split(b" "))) <= 75
    assert decode_words(encoded) == text
