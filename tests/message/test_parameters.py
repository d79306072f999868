"""Content types, dispositions and RFC 2231."""

from __future__ import annotations

import pytest

from hongyan.message.parameters import find_parameter, parse_content_type, parse_disposition


def parameters_of(value: bytes) -> list[tuple[str, str]]:
    content_type = parse_content_type(value)
    assert content_type is not None
    return [(parameter.name.decode(), parameter.text) for parameter in content_type.parameters]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"text/plain; charset=us-ascii (Plain text)", [("charset", "us-ascii")]),
        (b'text/plain; charset="us-ascii"', [("charset", "us-ascii")]),
        (b"text/plain;charset=utf-8;format=flowed ; DelSp = yes", [("charset", "utf-8"), ("format", "flowed")]),
        (b'a/b; name="a\\"b\\\\c"', [("name", 'a"b\\c')]),
        (b'a/b; name="C:\\Temp\\x.png"', [("name", "C:\\Temp\\x.png")]),
        (b"a/b; name=my file (1).pdf", [("name", "my file (1).pdf")]),
        (b"a/b; charset=utf-8 name=x", [("charset", "utf-8"), ("name", "x")]),
        (b"multipart/mixed\tboundary=x", [("boundary", "x")]),
        (b"a/b; ; =; x; y=z", [("y", "z")]),
        (b'a/b; name="open', [("name", "open")]),
        (b'a/b; name="=?utf-8?b?5byg?="', [("name", "张")]),
        # RFC 2231 §3, §4, §4.1
        (b'message/external-body; URL*0="ftp://"; URL*1="cs.utk.edu"', [("URL", "ftp://cs.utk.edu")]),
        (b"a/x; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", [("title", "This is ***fun***")]),
        (
            b"a/x; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2Afun%2A%20; title*2=\"isn't it!\"",
            [("title", "This is even more *fun* isn't it!")],
        ),
        (b"a/b; n*1=b; n*0=a", [("n", "ab")]),
        (b"a/b; n*0*=utf-8''%E5; n*1*=%BC%A0", [("n", "张")]),
        (b"a/b; n*=gb2312''%D5%C5", [("n", "张")]),
        (b"a/b; n*=%E5%BC%A0", [("n", "张")]),
        (b"a/b; n=plain; n*=utf-8''%E5%BC%A0", [("n", "plain"), ("n", "张")]),
        (b"a/b; n=first; n=second", [("n", "first"), ("n", "second")]),
        (b"a/b; n*x=y; *=z", [("n*x", "y"), ("*", "z")]),
    ],
)
def test_parameters_are_read(value: bytes, expected: list[tuple[str, str]]) -> None:
    assert parameters_of(value)[: len(expected)] == expected


@pytest.mark.parametrize("value", [b"", b"text", b"text/", b"/plain", b"; charset=x", b'"text/plain"', b"text plain"])
def test_what_names_no_type_is_none(value: bytes) -> None:
    assert parse_content_type(value) is None


def test_of_two_notations_the_one_with_a_charset_counts() -> None:
    disposition = parse_disposition(b"attachment; filename=\"EURO.txt\"; filename*=utf-8''%E2%82%AC.txt")
    assert disposition is not None
    assert disposition.kind == b"attachment"
    filename = find_parameter(disposition.parameters, b"filename")
    assert filename is not None
    assert filename.text == "€.txt"
    assert filename.extended == b"utf-8''%E2%82%AC.txt"


def test_a_disposition_may_lack_its_kind() -> None:
    assert parse_disposition(b"; filename=x") is None
