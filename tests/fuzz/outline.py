"""Any octets are a message: its parts lie within one another, and structure, outline and fields agree about them."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.errors import Corrupt
from hongyan.message.outline import Outline
from tests.message.invariants import check_analysis

CORPUS: list[bytes] = [
    b"\r\n".join(
        (
            b'Content-Type: multipart/mixed; boundary="a"\r\n\r\npreamble',
            b"--a\r\nContent-Type: text/plain\r\n\r\none",
            b"--a\r\nContent-Type: multipart/alternative; boundary=ab\r\n",
            b"--ab\r\n\r\ntwo",
            b"--ab\r\nContent-Type: text/html\r\n\r\n<b>three</b>",
            b"--ab--\r\nepilogue",
            b"--a--\r\nepilogue",
        )
    ),
    b"Content-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: one\n\nx\n--d\nContent-Type: text/plain\n\nx",
    b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody\r\n",
    b"Content-Type: message/global\r\n\r\nTo: \xe5\xbc\xa0\r\nContent-Type: multipart/x; boundary=x\r\n\r\n--x\n--x--",
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno part at all\r\n",
    b"Content-Type: multipart/x; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n--x\r\n--x y\r\n--x--z",
    b"\r\n".join(
        (
            b'Content-Type: text/plain; name="\xe5\xbc\xa0.txt"',
            b"Content-Transfer-Encoding: base64",
            b"Content-Disposition: attachment; filename*=gb2312''%D5%C5",
            b"Content-Language: zh, en\r\n\r\nQUJD",
        )
    ),
    b"\r\nonly a body",
    b"\0\0:\n\n\n--\n",
]
_LONGEST = 16384
_PREFIX = b"Return-Path: <>\r\nReceived: by example.org; Mon, 6 Jan 2025 10:00:00 +0800\r\n"


def target(octets: bytes) -> None:
    octets = octets[:_LONGEST]
    check_analysis(b"", octets)
    if octets[:1] not in (b" ", b"\t"):
        check_analysis(_PREFIX, octets)
    try:
        Outline.from_octets(octets).find_section((1, 2), "MIME")
    except Corrupt:
        pass
