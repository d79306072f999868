"""The same text is known again, whatever each copy has of its own."""

from __future__ import annotations

from hongyan.submission.fingerprint import fingerprint

_MIXED = (
    b"--=_{mark}\r\nContent-Type: text/plain;\r\n\tcharset=utf-8\r\n\r\nBuy geese, number {mark}\r\n"
    b'--=_{mark}\r\nContent-Disposition: attachment;\r\n filename="{mark}.pdf"\r\n\r\nhonk\r\n--=_{mark}--\r\n'
)


def digest(body: bytes) -> bytes:
    return fingerprint(b"From: x\r\n\r\n" + body, 11)


def test_copies_that_differ_in_numbers_space_and_boundaries_say_the_same() -> None:
    one, other = (_MIXED.replace(b"{mark}", mark) for mark in (b"17", b"4242"))
    assert digest(one) == digest(other.replace(b"\r\n", b"\n"))
    assert digest(one) == digest(one.replace(b"=_17", b"=_abc"))


def test_another_text_is_another() -> None:
    assert digest(b"Buy geese\r\n") != digest(b"Sell geese\r\n")
    assert len(digest(b"")) == 16


def test_of_a_large_body_the_beginning_is_read() -> None:
    for piece in (b"-", b"Content-", b"Content-x:\n ", b"\n \n", b"honk"):
        body = piece * (40_000 // len(piece))
        assert digest(body) == digest(body + b"goose" * 100_000)
