"""Authentication-Results: what we write is read back, and what others write is read by the grammar or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.authres import (
    AuthenticationResults,
    MethodResult,
    Property,
    dkim_result,
    dmarc_result,
    parse_authentication_results,
    spf_result,
    write_authentication_results,
)
from hongyan.message.headers import iterate_fields
from tests.support.testdata import case_files

US = "mx.hongyan.test"


def write(*results: MethodResult, internationalized: bool = False) -> str:
    field = write_authentication_results(AuthenticationResults(US, results), internationalized=internationalized)
    assert len(list(iterate_fields(field))) == 1
    assert field.endswith(b"\r\n")
    assert all(len(line) <= 998 for line in field.split(b"\r\n"))
    return field.decode()


def parse(value: str | bytes) -> AuthenticationResults | None:
    return parse_authentication_results(value.encode() if isinstance(value, str) else value)


def read(value: str | bytes) -> AuthenticationResults:
    parsed = parse(value)
    assert parsed is not None
    return parsed


# -- Written ----------------------------------------------------------------------------------------------------------


def test_every_method_has_its_line() -> None:
    assert write(
        spf_result("pass", mail_from="ann@example.org", helo="mail.example.org"),
        dkim_result(
            "pass",
            domain="example.org",
            identity="@example.org",
            selector="s2026",
            algorithm="rsa-sha256",
            signature_start="hl/Bx+a=",
        ),
        dkim_result("fail", domain="example.net", identity="bob@news.example.net", comment="body hash did not verify"),
        dmarc_result("pass", domain="example.org", policy="none", comment="aligned by SPF and DKIM"),
    ) == (
        "Authentication-Results: mx.hongyan.test;\r\n"
        "\tspf=pass smtp.mailfrom=ann@example.org smtp.helo=mail.example.org;\r\n"
        "\tdkim=pass header.d=example.org header.s=s2026 header.a=rsa-sha256\r\n"
        '\t header.b="hl/Bx+a=";\r\n'
        "\tdkim=fail (body hash did not verify) header.d=example.net\r\n"
        "\t header.i=bob@news.example.net;\r\n"
        "\tdmarc=pass (aligned by SPF and DKIM) header.from=example.org\r\n"
        "\t policy.dmarc=none\r\n"
    )


def test_nothing_looked_at_is_said_so() -> None:
    assert write() == "Authentication-Results: mx.hongyan.test; none\r\n"


def test_outside_internationalized_messages_all_is_ascii() -> None:
    results = (
        spf_result("pass", mail_from="鸿雁@bücher.example", helo="bücher.example", comment="für alle"),
        dkim_result("pass", domain="bücher.example", identity="@sub.bücher.example"),
        dkim_result("fail", selector="鸿雁"),
    )
    assert write(*results) == (
        "Authentication-Results: mx.hongyan.test;\r\n"
        "\tspf=pass (f?r alle) smtp.mailfrom=xn--bcher-kva.example\r\n"
        "\t smtp.helo=xn--bcher-kva.example;\r\n"
        "\tdkim=pass header.d=xn--bcher-kva.example header.i=@sub.xn--bcher-kva.example;\r\n"
        '\tdkim=fail header.s="??"\r\n'
    )
    assert "smtp.mailfrom=鸿雁@bücher.example" in write(*results, internationalized=True)
    assert 'header.s="鸿雁"' in write(*results, internationalized=True)


FORGED = "x; dmarc=pass header.from=bank.example"


@pytest.mark.parametrize(
    "result",
    [
        spf_result("fail", mail_from=f'"{FORGED}"@evil.example'),
        spf_result("fail", mail_from=f"{FORGED}@evil.example"),
        spf_result("fail", helo=FORGED),
        spf_result("fail", comment=FORGED),
        spf_result("fail", comment=f"x) {FORGED} ("),
        spf_result("fail", comment="x\\"),
        spf_result("fail", comment='"'),
        dkim_result("fail", identity=f'"{FORGED}"@evil.example'),
        spf_result("fail", helo="x\r\nAuthentication-Results: mx.hongyan.test; dmarc=pass"),
        spf_result("fail", comment="x\r\n\r\n\0"),
        spf_result("fail", comment="\u2028; dmarc=pass"),
    ],
)
def test_no_word_of_a_stranger_reads_as_another_method(result: MethodResult) -> None:
    for internationalized in (False, True):
        field = write(result, internationalized=internationalized)
        assert [method.split("=")[0].strip() for method in field.partition(":")[2].split(";")[1:]] == [result.method]
        parsed = read(field.partition(":")[2])
        assert [method.method for method in parsed.results] == [result.method]


def test_a_reason_and_values_are_quoted_where_they_must_be() -> None:
    result = MethodResult(
        method="x-test",
        result="pass",
        version=2,
        reason='say "no"\\',
        properties=(
            Property("policy", "empty", ""),
            Property("policy", "at", "@"),
            Property("policy", "a", '"a b"@c.d'),
        ),
    )
    field = write(result)
    assert field.replace("\r\n\t", "") == (
        'Authentication-Results: mx.hongyan.test;x-test/2=pass reason="say \\"no\\"\\\\" policy.empty="" policy.at="@"'
        ' policy.a="a b"@c.d\r\n'
    )
    assert read(field.partition(":")[2]).results == (result,)


def test_overlong_words_of_strangers_are_cut() -> None:
    field = write(spf_result("pass", helo="h" * 10_000, comment="ü" * 10_000), internationalized=True)
    assert len(field.encode()) < 1000


@pytest.mark.parametrize(
    "make",
    [
        lambda: Property("smtp", "mail from", "x"),
        lambda: Property("SMTP", "mailfrom", "x"),
        lambda: Property("smtp", "mailfrom", "x\r\ny"),
        lambda: Property("smtp", "mailfrom", "x" * 401),
        lambda: MethodResult(method="", result="pass"),
        lambda: MethodResult(method="spf", result="pass;"),
        lambda: MethodResult(method="spf", result="pass", comment="\n"),
        lambda: MethodResult(method="spf", result="pass", version=100),
        lambda: MethodResult(method="spf", result="pass", properties=(Property("a", "b", "c"),) * 51),
        lambda: AuthenticationResults(""),
        lambda: AuthenticationResults("x\n"),
        lambda: AuthenticationResults("x", (MethodResult(method="spf", result="pass"),) * 101),
    ],
)
def test_a_field_that_cannot_be_written_cannot_be_made(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="Authentication-Results"):
        make()


# -- Read -------------------------------------------------------------------------------------------------------------


def test_the_examples_of_the_standard_are_read() -> None:
    # RFC 8601, appendix B.2 to B.7
    assert read("example.org 1; none") == AuthenticationResults("example.org")
    assert read("example.com;\r\n          spf=pass smtp.mailfrom=example.net\r\n") == AuthenticationResults(
        "example.com",
        (MethodResult(method="spf", result="pass", properties=(Property("smtp", "mailfrom", "example.net"),)),),
    )
    two = read(
        "example.com;\r\n          auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
        "          spf=pass smtp.mailfrom=example.net"
    )
    assert [(result.method, result.comment) for result in two.results] == [("auth", "cram-md5"), ("spf", "")]
    reason = read(
        'example.com;\r\n dkim=pass reason="good signature"\r\n  header.i=@mail-router.example.net;\r\n dkim=fail'
    )
    assert [result.reason for result in reason.results] == ["good signature", ""]
    commented = read(
        "foo.example.net (foobar) 1 (baz);\r\n"
        "          dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
        "            policy (A dot can go here) . (like that) expired\r\n"
        "            (this surprised me) = (as I wasn't expecting it) 1362471462"
    )
    assert commented == AuthenticationResults(
        "foo.example.net",
        (MethodResult(method="dkim", result="fail", properties=(Property("policy", "expired", "1362471462"),)),),
    )


@pytest.mark.parametrize(
    ("value", "authserv_id"),
    [
        ("MX.example.org; none", "MX.example.org"),
        ('"mx example" ; none', "mx example"),
        ("(a (nested \\) one)) mx.example.org (b)1(c);none(d)", "mx.example.org"),
        ("mx_a+b; none", "mx_a+b"),
        ("bücher.example; none", "bücher.example"),
        ("mx.example.org;\r\n NONE", "mx.example.org"),
        ("mx.example.org;\n\tnone\n", "mx.example.org"),
    ],
)
def test_the_identifier_is_read(value: str, authserv_id: str) -> None:
    assert read(value) == AuthenticationResults(authserv_id)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ann@example.org", "ann@example.org"),
        ('"a;b"@example.org', '"a;b"@example.org'),
        ("a/b=c?d@example.org", "a/b=c?d@example.org"),
        ("@example.org", "@example.org"),
        ("鸿@bücher.example", "鸿@bücher.example"),
        ("bücher.example", "bücher.example"),
        ('"a \\"b\\" c"', 'a "b" c'),
        ('""', ""),
        ('"(no comment)"', "(no comment)"),
        ("(a comment) x (another)", "x"),
    ],
)
def test_values_have_three_forms(value: str, text: str) -> None:
    (result,) = read(f"a; spf=pass smtp.mailfrom={value} smtp.helo=h").results
    assert result.properties == (Property("smtp", "mailfrom", text), Property("smtp", "helo", "h"))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "mx.example.org",
        "mx.example.org;",
        "mx.example.org 1",
        "mx.example.org 2; none",
        'mx.example.org"1"; none',
        "; none",
        "mx.example.org; none; spf=pass",
        "mx.example.org; spf=pass;",
        "mx.example.org; spf=pass; none",
        "mx.example.org; spf",
        "mx.example.org; spf=",
        "mx.example.org; spf=pass smtp",
        "mx.example.org; spf=pass smtp.mailfrom",
        "mx.example.org; spf=pass smtp.mailfrom=",
        "mx.example.org; spf=pass smtp.mailfrom=a b",
        "mx.example.org; spf=pass smtp.mailfrom=a,b",
        'mx.example.org; spf=pass smtp.mailfrom="a',
        "mx.example.org; spf=pass smtp.mailfrom=a (b",
        "mx.example.org; spf=pass reason=a reason=b",
        "mx.example.org; spf/x=pass",
        "mx.example.org; spf/999=pass",
        "mx.example.org; -=pass",
        "mx example.org; none",
        "mx.example.org/1; none",
        "spf=pass smtp.mailfrom=example.org",
        "mx.example.org;\r\nnone",
        "mx.example.org;\rnone",
        "mx.example.org; none\0",
        b"mx.example.org; spf=pass (\xe9)",
        "mx.example.org; x=" + "y" * 65,
        "mx.example.org; x=y a.b=" + "c" * 401,
        "mx.example.org" + "; x=y" * 101,
        "mx.example.org; x=y" + " a.b=c" * 51,
        "mx.example.org; x=y (" + " " * 70_000 + ")",
        "(" * 60_000,
    ],
)
def test_what_departs_from_the_grammar_is_no_result(value: str | bytes) -> None:
    assert parse(value) is None


_FIELD = re.compile(rb"^authentication-results:([^\n]*\n(?:[ \t][^\n]*\n)*)", re.IGNORECASE | re.MULTILINE)


def test_every_field_of_real_mail_is_read(count_cases: Callable[[str, int], None]) -> None:
    for folder in ("dkim-mailauth", "mime-mailparser", "mime-mikel", "mime-rspamd", "reports-mailauth"):
        fields = [value for file in case_files(folder, "**/*") for value in _FIELD.findall(file.read_bytes())]
        for value in fields:
            assert read(value).results
        count_cases(folder, len(fields))


# -- Round trips ------------------------------------------------------------------------------------------------------

_KEYWORDS = st.from_regex(re.compile(r"[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?"), fullmatch=True).filter(
    lambda word: word != "reason"
)
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)
_ODD_TEXTS = st.text(alphabet='a.@"\\ ;=()/é', max_size=12)
_VALUES = _TEXTS | _ODD_TEXTS | st.emails()
_COMMENTS = st.from_regex(re.compile(r"(?:[a-z=./ü]+(?: [a-z=./ü]+){0,4})?"), fullmatch=True)
_RESULTS = st.builds(
    MethodResult,
    method=_KEYWORDS,
    result=_KEYWORDS,
    comment=_COMMENTS,
    reason=_VALUES,
    properties=st.lists(st.builds(Property, _KEYWORDS, _KEYWORDS, _VALUES), max_size=4).map(tuple),
    version=st.integers(0, 99),
)
_FIELDS = st.builds(AuthenticationResults, _VALUES.filter(bool), st.lists(_RESULTS, max_size=4).map(tuple))


@given(_FIELDS)
def test_what_is_written_is_read_back(results: AuthenticationResults) -> None:
    field = write_authentication_results(results, internationalized=True)
    assert parse_authentication_results(field.partition(b":")[2]) == results
    unfolded = next(value for _, value in iterate_fields(field))
    assert parse_authentication_results(unfolded) == results


@given(_FIELDS)
def test_what_is_written_in_ascii_is_read_as_well(results: AuthenticationResults) -> None:
    field = write_authentication_results(results)
    assert field.isascii()
    again = parse_authentication_results(field.partition(b":")[2])
    assert again is not None
    assert [result.method for result in again.results] == [result.method for result in results.results]


@given(st.binary(max_size=200) | st.text(alphabet='ab1 ;=./@"\\()\r\n\t', max_size=60).map(str.encode))
def test_no_octets_raise(value: bytes) -> None:
    parse_authentication_results(value)
    parse_authentication_results(b"mx.example.org; spf=pass " + value)
