"""Fingerprints of what accounts send: is it the same text again?

Invariant: any body has one, of 16 octets; numbers, white space and line ends, a boundary and the fields of parts make
no other text of it; and what stands before the body has no say.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import re

from hongyan.submission.fingerprint import fingerprint

CORPUS: list[bytes] = [
    b"Buy now, only 20 left!\r\nhttp://shop.example/?id=7\r\n",
    b"--=_b1\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n\r\nHello 1\r\n--=_b1--\r\n",
    b"Content-Disposition: attachment;\n\tfilename=1.pdf\n\nabc",
    b"--\r\n-- \r\nContent-",
]
_READ = 32_768


def target(octets: bytes) -> None:
    body = octets[: _READ // 2]
    whole = fingerprint(body, 0)
    assert len(whole) == 16
    assert fingerprint(b"Subject: 1\r\n\r\n" + body, 14) == whole
    spaced = re.sub(rb"(?<=[a-zA-Z])(?= )", b"7", body)
    assert fingerprint(body.replace(b"8", b"99"), 0) == whole == fingerprint(spaced, 0)
    assert fingerprint(b"--bound\r\n" + body, 0) == whole
