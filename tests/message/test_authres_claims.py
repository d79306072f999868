"""Fields that pretend to be ours are found however they are written, and those of others are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.authres import AuthenticationResults, parse_authentication_results, write_authentication_results
from hongyan.message.authres_claims import MAX_LOOKED_AT, find_claims
from hongyan.message.headers import iterate_fields

US = ["mx.hongyan.test", "bücher.example"]


def claims(header: bytes) -> list[bytes]:
    ranges = find_claims(header, US)
    assert list(ranges) == sorted(ranges)
    return [header[start:end] for start, end in ranges]


def field(value: str | bytes, name: bytes = b"Authentication-Results") -> bytes:
    return name + b": " + (value.encode() if isinstance(value, str) else value) + b"\r\n"


@pytest.mark.parametrize(
    "value",
    [
        "mx.hongyan.test; spf=pass",
        "MX.Hongyan.TEST; spf=pass",
        "mx.hongyan.test 1; spf=pass",
        "mx.hongyan.test 2; spf=pass",
        "mx.hongyan.test/1; spf=pass",
        "mx.hongyan.test.; spf=pass",
        "mx.hongyan.test",
        "mx.hongyan.test; none",
        '"mx.hongyan.test"; spf=pass',
        '"mx.\\hongyan\\.test"; spf=pass',
        '"mx.hongyan.test; spf=pass',
        "(a comment) mx.hongyan.test (1); spf=pass",
        "(;)mx.hongyan.test;spf=pass",
        "(\\)) mx.hongyan.test; spf=pass",
        "(a (nested) mx.hongyan.test; spf=pass",
        "(=) mx.hongyan.test; spf=pass",
        "(=(\\) mx.hongyan.test; spf=pass (a)",
        "mx.(a \\) b)hongyan.test; spf=pass",
        'mx.(")hongyan.test; x="',
        "mx.(\\)hongyan.test; spf=pass",
        "mx.\r\n hongyan.test; spf=pass",
        "\r\n\tmx.hongyan.test;\r\n\tspf=pass",
        "\r\n \r\n mx.hongyan.test; spf=pass",
        "=?utf-8?q?mx=2Ehongyan=2Etest?=; spf=pass",
        "=?us-ascii?b?bXguaG9uZ3lhbi50ZXN0?=; spf=pass",
        b"mx.hon\0gyan.test; spf=pass",
        "ｍｘ.hongyan.test; spf=pass",
        "bücher.example; spf=pass",
        "BU\u0308CHER\u3002example; spf=pass",
        "xn--bcher-kva.example; spf=pass",
        " " * 100_000 + "mx.hongyan.test; spf=pass",
        "(" + "x" * 100_000 + ") mx.hongyan.test; spf=pass",
    ],
)
def test_a_field_that_somebody_could_take_for_ours_is_found(value: str | bytes) -> None:
    forged = field(value)
    others = b"From: ann@example.org\r\n", b"Subject: x\r\n y\r\n"
    assert claims(others[0] + forged + others[1]) == [forged]
    assert claims(forged) == [forged]


@pytest.mark.parametrize(
    "name",
    [
        b"authentication-results",
        b"AUTHENTICATION-RESULTS ",
        b"Authentication-Results\t \t",
        b"Authentication-Results\r\n ",
        b"Authentication\0-Results",
        b"\0Authentication-Results\0",
    ],
)
def test_the_name_is_read_as_the_header_is(name: bytes) -> None:
    header = b"X: y\r\n" + field("mx.hongyan.test; spf=pass", name)
    assert any(found.strip().lower() == b"authentication-results" for found, _ in iterate_fields(header))
    assert claims(header) == [field("mx.hongyan.test; spf=pass", name)]


@pytest.mark.parametrize(
    "value",
    [
        "mx.example.org; spf=pass smtp.mailfrom=ann@mx.hongyan.test",
        "mx.example.org; spf=pass smtp.helo=mx.hongyan.test",
        'mx.example.org; spf=pass smtp.helo= "mx.hongyan.test"',
        "mx.example.org; dkim=pass header.i=@mx.hongyan.test header.d=mx.hongyan.test",
        "sub.mx.hongyan.test; spf=pass",
        "mx.hongyan.test.example.org; spf=pass",
        "amx.hongyan.test; none",
        "mx-hongyan.test; none",
        "spf=pass smtp.mailfrom=example.org",
        "",
    ],
)
def test_fields_of_others_are_left_alone(value: str) -> None:
    assert claims(b"From: ann@example.org\r\n" + field(value)) == []


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\r\n",
        field("mx.hongyan.test; spf=pass", b"ARC-Authentication-Results"),
        field("mx.hongyan.test; spf=pass", b"X-Authentication-Results"),
        b"Subject: x\r\n Authentication-Results: mx.hongyan.test; spf=pass\r\n",
        b"Authentication-Results\r\nX: mx.hongyan.test; spf=pass\r\n",
        b"Received: by mx.hongyan.test\r\n",
    ],
)
def test_what_is_no_such_field_is_left_alone(header: bytes) -> None:
    assert claims(header) == []


def test_the_whole_header_is_looked_at() -> None:
    forged = field("mx.hongyan.test; spf=pass")
    assert claims(b"X: y\r\n" * 20_000 + forged + b"Y: " + b"z" * (1 << 20) + b"\r\n" + forged) == [forged, forged]


def test_more_fields_than_anybody_writes_are_left_out() -> None:
    honest = field("mx.example.org; spf=pass")
    header = honest + field(" " * MAX_LOOKED_AT) + honest
    assert claims(header) == [field(" " * MAX_LOOKED_AT), honest]


def test_several_fields_and_bare_line_feeds_are_found() -> None:
    header = b"Authentication-Results: mx.hongyan.test;\n x=y\nA: b\nauthentication-results: mx.hongyan.test"
    assert claims(header) == [
        b"Authentication-Results: mx.hongyan.test;\n x=y\n",
        b"authentication-results: mx.hongyan.test",
    ]


def test_nothing_is_ours_without_an_identifier() -> None:
    assert find_claims(field("mx.hongyan.test; spf=pass"), []) == ()


def test_what_we_write_is_ours() -> None:
    for internationalized in (False, True):
        written = write_authentication_results(AuthenticationResults(US[1]), internationalized=internationalized)
        assert claims(written) == [written]


_PIECES = st.sampled_from(
    ["mx.hongyan.test", "mx.", "hongyan.test", " ", "\r\n ", "(", ")", '"', "\\", ";", "=", "@", "x", "1", "=?utf-8?q?"]
)


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_whatever_reads_as_ours_is_found(value: str) -> None:
    parsed = parse_authentication_results(value.encode())
    if parsed is not None and parsed.authserv_id.lower() == US[0]:
        assert claims(field(value))


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_no_octets_raise(before: bytes, value: bytes) -> None:
    header = before + b"\r\n" + field(value)
    for start, end in find_claims(header, US):
        assert 0 <= start < end <= len(header)
        assert end == len(header) or header[end - 1 : end] == b"\n"
