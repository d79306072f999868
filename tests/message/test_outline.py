"""Sections by number, and the stored form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.errors import Corrupt
from hongyan.message.outline import Outline, Specifier
from hongyan.message.transfer import Encoding
from tests.support.parts import read_parts

# The example of RFC 9051 §6.4.5.1, each body named by its section.
MESSAGE = b"""\
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: text/plain

1
--a
Content-Type: application/octet-stream

2
--a
Content-Type: message/rfc822

Subject: 3
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

3.1
--b
Content-Type: application/octet-stream

3.2
--b--
--a
Content-Type: multipart/mixed; boundary=c

--c
Content-Type: image/gif
Content-Transfer-Encoding: base64

4.1
--c
Content-Type: message/rfc822

Subject: 4.2
Content-Type: multipart/mixed; boundary=d

--d
Content-Type: text/plain

4.2.1
--d
Content-Type: multipart/alternative; boundary=e

--e
Content-Type: text/plain

4.2.2.1
--e
Content-Type: text/richtext

4.2.2.2
--e--
--d--
--c--
--a--
""".replace(b"\n", b"\r\n")


def section(outline: Outline, octets: bytes, path: str, specifier: Specifier = "") -> bytes | None:
    numbers = tuple(int(number) for number in path.split(".") if number)
    found = outline.find_section(numbers, specifier)
    return None if found is None else octets[found.start : found.stop]


def outline_of(octets: bytes) -> Outline:
    return Outline.from_octets(Outline.from_parts(read_parts(octets)).to_octets())


@pytest.mark.parametrize("path", ["1", "2", "3.1", "3.2", "4.1", "4.2.1", "4.2.2.1", "4.2.2.2"])
def test_leaves_are_found_by_the_numbers_of_the_standard(path: str) -> None:
    assert section(outline_of(MESSAGE), MESSAGE, path) == path.encode()


def test_headers_texts_and_mime_headers_of_messages_within_messages() -> None:
    outline = outline_of(MESSAGE)
    header = section(outline, MESSAGE, "4.2", "HEADER")
    text = section(outline, MESSAGE, "4.2", "TEXT")
    assert header is not None
    assert text is not None
    assert header.startswith(b"Subject: 4.2\r\n")
    assert header.endswith(b"boundary=d\r\n\r\n")
    assert text.startswith(b"--d\r\n")
    assert text.endswith(b"--d--")
    assert header + text == section(outline, MESSAGE, "4.2")
    assert section(outline, MESSAGE, "4.2", "MIME") == b"Content-Type: message/rfc822\r\n\r\n"
    assert section(outline, MESSAGE, "4.2.2.1", "MIME") == b"Content-Type: text/plain\r\n\r\n"


@pytest.mark.parametrize(
    ("path", "specifier"),
    [("5", ""), ("1.1", ""), ("2.2", ""), ("4.3", ""), ("3.1.1", ""), ("1", "HEADER"), ("4", "TEXT"), ("", "MIME")],
)
def test_what_is_not_there_is_not_found(path: str, specifier: Specifier) -> None:
    assert section(outline_of(MESSAGE), MESSAGE, path, specifier) is None


def test_a_message_that_is_no_multipart_has_one_part() -> None:
    octets = b"Subject: s\r\n\r\nbody\r\n"
    outline = outline_of(octets)
    assert section(outline, octets, "1") == section(outline, octets, "", "TEXT") == b"body\r\n"
    assert section(outline, octets, "1", "MIME") == section(outline, octets, "", "HEADER") == b"Subject: s\r\n\r\n"
    assert section(outline, octets, "2") is None
    assert section(outline, octets, "1.1") is None


def test_messages_that_hold_messages_that_are_no_multipart() -> None:
    octets = b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody"
    outline = outline_of(octets)
    assert section(outline, octets, "1", "HEADER") == b"Content-Type: message/rfc822\r\n\r\n"
    assert section(outline, octets, "1.1", "HEADER") == b"Subject: in\r\n\r\n"
    assert section(outline, octets, "1.1.1") == b"body"
    assert section(outline, octets, "1.1.1.1") is None


def test_encodings_are_kept_for_binary() -> None:
    part = outline_of(MESSAGE).find_part((4, 1))
    assert part is not None
    assert part.encoding is Encoding.BASE64


@given(st.binary(max_size=40))
def test_octets_that_are_no_outline_are_reported(octets: bytes) -> None:
    try:
        Outline.from_octets(octets).find_section((1,), "")
    except Corrupt:
        pass
