"""Content-Transfer-Encoding undone (RFC 2045 §6), as far as broken input allows."""

from __future__ import annotations

__all__ = ["Base64Stream", "Encoding", "decode_transfer", "find_encoding", "tell_encoding"]

import binascii
import re
from collections.abc import Callable
from enum import IntEnum


class Encoding(IntEnum):
    """How a body is encoded for transport. The numbers are stored; never renumber."""

    IDENTITY = 0  # 7bit, 8bit, binary or nothing said
    QUOTED_PRINTABLE = 1
    BASE64 = 2
    UUENCODE = 3
    UNKNOWN = 7


_NAMES = {
    b"": Encoding.IDENTITY,
    b"7bit": Encoding.IDENTITY,
    b"8bit": Encoding.IDENTITY,
    b"binary": Encoding.IDENTITY,
    b"7-bit": Encoding.IDENTITY,
    b"8-bit": Encoding.IDENTITY,
    b"quoted-printable": Encoding.QUOTED_PRINTABLE,
    b"base64": Encoding.BASE64,
    b"x-uuencode": Encoding.UUENCODE,
    b"x-uue": Encoding.UUENCODE,
    b"uuencode": Encoding.UUENCODE,
}
_TOLD = {Encoding.QUOTED_PRINTABLE: b"quoted-printable", Encoding.BASE64: b"base64", Encoding.UUENCODE: b"x-uuencode"}
_TOKEN = re.compile(rb"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+")
_NAME_END = re.compile(rb"[\s;(\"]")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))


def find_encoding(value: bytes) -> Encoding:
    """Return which encoding a Content-Transfer-Encoding's unfolded value names."""
    name = value.lower()
    encoding = _NAMES.get(name)
    if encoding is None:
        encoding = _NAMES.get(_NAME_END.split(name.strip(b'"'), maxsplit=1)[0], Encoding.UNKNOWN)
    return encoding


def tell_encoding(value: bytes) -> bytes:
    """Return an encoding as programs may be told it: the name that was written if it is a token (RFC 2045 §6.1).

    Of anything else it is the encoding that we read it with, and 7bit if we read none.
    """
    if _TOKEN.fullmatch(value):
        return value
    encoding = find_encoding(value)
    return _TOLD.get(encoding, b"7bit")


def decode_transfer(octets: bytes, encoding: Encoding) -> bytes | None:
    """Return the decoded octets, or None if the encoding is not known. What is broken is passed over."""
    if encoding is Encoding.IDENTITY:
        return octets
    decode = _DECODERS.get(encoding)
    return None if decode is None else decode(octets)


class Base64Stream:
    """Decodes base64 that comes in pieces, however they are cut. What is no base64 is passed over; `=` is the end."""

    __slots__ = ("_ended", "_held")

    def __init__(self) -> None:
        self._held = b""
        self._ended = False

    def feed(self, octets: bytes) -> bytes:
        """Return what is certain with these octets."""
        if self._ended:
            return b""
        quads, padding, _ = (self._held + octets.translate(None, _NOT_BASE64)).partition(b"=")
        self._ended = bool(padding)
        whole = len(quads) & ~3
        self._held = quads[whole:]
        return binascii.a2b_base64(quads[:whole])

    def finish(self) -> bytes:
        """Return the rest: no more octets come."""
        held, self._held, self._ended = self._held, b"", True
        return binascii.a2b_base64(held + b"=" * (-len(held) % 4)) if len(held) > 1 else b""


def _decode_base64(octets: bytes) -> bytes:
    try:
        return binascii.a2b_base64(octets)
    except binascii.Error:
        pass
    quads = octets.translate(None, _NOT_BASE64).split(b"=", 1)[0]
    if len(quads) % 4 == 1:
        quads = quads[:-1]
    return binascii.a2b_base64(quads + b"=" * (-len(quads) % 4))


def _decode_uu(octets: bytes) -> bytes:
    decoded = []
    inside = False
    for line in octets.split(b"\n"):
        line = line.rstrip(b"\r")
        if not inside:
            inside = line.startswith(b"begin ")
        elif line == b"end":
            break
        else:
            try:
                decoded.append(binascii.a2b_uu(line))
            except binascii.Error:
                # Some encoders pad the last group with too much; the length octet says what counts.
                length = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
                try:
                    decoded.append(binascii.a2b_uu(line[:length]))
                except binascii.Error:
                    continue
    return b"".join(decoded)


_DECODERS: dict[Encoding, Callable[[bytes], bytes]] = {
    Encoding.QUOTED_PRINTABLE: binascii.a2b_qp,
    Encoding.BASE64: _decode_base64,
    Encoding.UUENCODE: _decode_uu,
}
