"""Made to hurt: inputs so large that work growing faster than they do would never come back, and the caps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest

from hongyan.message.analyze import analyze
from hongyan.message.headers import MAX_FIELDS, MAX_HEADER, MAX_VALUE, split_fields, unfold
from hongyan.message.outline import Outline
from hongyan.message.parameters import MAX_PARAMETERS, parse_content_type
from hongyan.message.parts import MAX_DELIMITER_LINES, MAX_DEPTH, MAX_PARTS
from hongyan.message.structure import shorten_to_body
from hongyan.message.text import MAX_TEXT, message_text
from tests.support.parts import read_parts

pytestmark = pytest.mark.slow

FIELD_SIZE = 200_000
BODY_SIZE = 1 << 20
_MESSAGE = b"Content-Type: message/rfc822\r\n\r\n"


def fill(unit: bytes, size: int) -> bytes:
    return unit * (size // len(unit))


FIELD_NAMES = [
    b"From",
    b"Subject",
    b"Date",
    b"References",
    b"Message-ID",
    b"Content-Type",
    b"Content-Disposition",
    b"Content-Transfer-Encoding",
    b"Content-Language",
]
FIELD_UNITS = [
    *(b"=?", b"=?a?q?", b"=?utf-8?q?a?= ", b"=?utf-8?b?", b",", b"a,", b"a@b,", b"(", b")", b"((a)", b"<", b"<a@b"),
    *(b'"', b"\\", b'"\\', b"a: b;", b"@", b"@a:", b"[", b"; a=b", b";a*0=b", b";a*1*=%E5", b"a/b; ", b"t/p;a=b c"),
    *(b' a="', b" =", b"\n ", b"\r\n\t", b"\r", b"\xe5", b"\xe5\xbc\xa0", b"a b ", b"1 Jan ", b"Mon, ", b"<a@b> "),
    *(b"a.", b". ", b"*0", b"'", b"a\0"),
]
HTML_UNITS = [
    *(b"<", b"<!--", b"<!-->", b"<a ", b'<a ">', b"<x y='>", b"<script>", b"<style", b"<head>", b"<title><p>", b"</"),
    *(b"&", b"&#", b"&amp", b"<!", b"<p><object>", b"<?"),
]
MIXED = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
BODIES: dict[str, Callable[[int], bytes]] = {
    "boundaries in boundaries": lambda size: b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (number, number) for number in range(size // 60)
    ),
    "messages in messages": lambda size: fill(_MESSAGE, size),
    "a long tail in messages": lambda size: fill(_MESSAGE, 9600) + fill(b"abc\r\n", size),
    "parts without end": lambda size: MIXED + fill(b"--x\r\n", size),
    "almost delimiters": lambda size: MIXED + fill(b"\n--", size),
    "longer boundaries": lambda size: MIXED + fill(b"\n--x_", size),
    "fields without end": lambda size: fill(b"a:b\r\n", size),
    "senders without end": lambda size: fill(b"From: a@b\r\n", size),
    "nothing but NUL": lambda size: bytes(size),
    "padding in base64": lambda size: b"Content-Transfer-Encoding: base64\r\n\r\n" + fill(b"=QUJ", size),
    "soft line breaks": lambda size: b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + fill(b"=\n =", size),
    "broken uuencode": lambda size: b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 6 a\n" + fill(b"M\n", size),
    "halves in UTF-7": lambda size: b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + fill(b"+2AA-", size),
    "shifts in ISO 2022": lambda size: b"Content-Type: text/plain; charset=iso-2022-kr\r\n\r\n" + fill(b"\x1b$", size),
    "HTML alternatives": lambda size: (
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\n"
        + fill(b"--x\r\nContent-Type: text/html\r\n\r\na\r\n", size)
    ),
}


def make_use_of(octets: bytes) -> None:
    """Do with a message all that is done with messages."""
    found = analyze(b"", octets)
    shorten_to_body(found.bodystructure)
    assert Outline.from_octets(found.outline).parts
    assert sum(map(len, message_text(Outline.from_parts(read_parts(octets)), octets))) <= MAX_TEXT


@pytest.mark.parametrize("name", FIELD_NAMES)
def test_any_field_that_repeats_itself_is_borne(name: bytes) -> None:
    for unit in FIELD_UNITS:
        make_use_of(name + b": " + fill(unit, FIELD_SIZE) + b"\r\n\r\nbody")


def test_megabytes_of_broken_html_are_borne() -> None:
    for unit in HTML_UNITS:
        make_use_of(b"Content-Type: text/html\r\n\r\n" + fill(unit, BODY_SIZE))


@pytest.mark.parametrize("make", BODIES.values(), ids=BODIES)
def test_megabytes_of_broken_structure_are_borne(make: Callable[[int], bytes]) -> None:
    make_use_of(make(BODY_SIZE))


def one_field(start: bytes, unit: bytes, size: int) -> bytes:
    return start + fill(unit, size) + b"\r\n\r\n"


def steps_of(work: Callable[[], object]) -> int:
    """Return how many lines of the package a piece of work runs."""
    steps = 0

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal steps
        if "hongyan" not in frame.f_code.co_filename:
            return None
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]  # a local trace function is one too
    try:
        work()
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize(
    "make",
    [
        *(partial(one_field, b"To: ", unit) for unit in (b"a@b,", b"(", b"<", b'"', b";:")),
        *(partial(one_field, b"Content-Type: a/b", unit) for unit in (b";a=b", b";a*1=b")),
        partial(one_field, b"Subject: ", b"=?utf-8?q?a?= "),
        *(make for name, make in BODIES.items() if "boundaries" not in name),
    ],
)
def test_work_grows_no_faster_than_the_input(make: Callable[[int], bytes]) -> None:
    small, large = make(4000), make(16000)
    assert steps_of(lambda: make_use_of(large)) <= 4 * steps_of(lambda: make_use_of(small)) + 4000


def test_nesting_beyond_the_cap_is_shown_flat() -> None:
    octets = BODIES["boundaries in boundaries"](60 * 10_000)
    parts = read_parts(octets)
    assert len(parts) == MAX_DEPTH + 1
    assert parts[-1].content_type.type == b"application"
    assert parts[-1].body_end == len(octets)
    messages = read_parts(BODIES["messages in messages"](60_000))
    assert len(messages) == MAX_DEPTH + 1
    assert analyze(b"", octets).bodystructure.count(b'"mixed"') == MAX_DEPTH


def test_parts_beyond_the_cap_belong_to_the_last() -> None:
    octets = MIXED + fill(b"--x\r\n\r\na\r\n", 11 * 11_000)
    parts = read_parts(octets)
    assert len(parts) == MAX_PARTS
    assert parts[-1].body_end == len(octets)


def test_almost_delimiters_are_looked_at_so_often_and_no_more() -> None:
    for almost, parts in ((MAX_DELIMITER_LINES - 1, 3), (MAX_DELIMITER_LINES + 1, 2)):
        octets = MIXED + b"--x\r\n\r\n" + b"\n--x_" * almost + b"\r\n--x\r\n\r\nlate\r\n"
        assert len(read_parts(octets)) == parts


def test_parameters_beyond_the_cap_are_passed_over() -> None:
    many = b"".join(b"; p%d=v" % number for number in range(100_000))
    content_type = parse_content_type(b"text/plain" + many)
    assert content_type is not None
    assert len(content_type.parameters) == MAX_PARAMETERS
    pieces = b"".join(b"; p*%d=v" % number for number in range(5000))
    content_type = parse_content_type(b"text/plain" + pieces)
    assert content_type is not None
    assert content_type.parameters[0].value == b"v" * MAX_PARAMETERS


def test_fields_beyond_the_caps_are_served_and_not_read() -> None:
    block = b"X: y\r\n" * (MAX_FIELDS + 5)
    assert len(split_fields(block)) == MAX_FIELDS
    assert len(unfold(b"s" * (MAX_VALUE + 5))) == MAX_VALUE
    long = b"Subject: " + b"s" * (MAX_VALUE + 5) + b"\r\n"
    found = analyze(b"", long + b"\r\n")
    assert len(found.subject_text) == MAX_VALUE
    assert found.fields == long
    hidden = b"X: " + b"x" * MAX_HEADER + b"\r\nSubject: hidden\r\n\r\n"
    found = analyze(b"", hidden)
    assert found.subject_text == ""
    assert Outline.from_octets(found.outline).find_section((), "HEADER") == range(len(hidden))
