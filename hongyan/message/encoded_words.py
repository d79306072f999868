"""Encoded words (RFC 2047): header text beyond ASCII, read and written.

Reading is forgiving where the world is sloppy: words inside quoted strings or glued to other text are
decoded, white space between neighbours is dropped (§6.2), and a character cut in two by neighbours of
one charset is made whole. A word that cannot be decoded stays as it is. Raw octets beyond ASCII are
read as UTF-8 or by guess (`charsets.guess_text`). Each line break is gone before this module sees text.
"""

from __future__ import annotations

__all__ = ["decode_words", "encode_words"]

import binascii
import re

from hongyan.message.charsets import decode_text, find_codec, guess_text

# encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
# A few bare "?" in the text are forgiven; more would let a crafted value be read over and over.
_WORD = re.compile(rb"=\?([!-)+->@-~]{1,64}+)(?:\*[!->@-~]{0,64}+)?\?([bBqQ])\?([^?]*+(?:(?<!=)\?(?!=)[^?]*+){0,8})\?=")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_ENCODED_OCTETS = 45
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")


def decode_words(value: bytes, hint: str = "") -> str:
    """Return the text of an unfolded field value; `hint` is a charset for raw octets beyond ASCII."""
    if b"=?" not in value:
        return value.decode("ascii") if value.isascii() else guess_text(value, hint)
    pieces: list[str] = []
    pending, pending_charset = b"", ""
    position = 0
    for word in _WORD.finditer(value):
        name, encoding, text = word.groups()
        charset = name.decode("ascii").lower()
        octets = _decode_octets(encoding, text)
        if octets is None or find_codec(charset) is None:
            continue
        start = word.start()
        if pending_charset and not value[position:start].strip():
            if charset == pending_charset and not charset.startswith("iso-2022-"):
                pending += octets
                position = word.end()
                continue
            pieces.append(decode_text(pending, pending_charset))
        else:
            if pending_charset:
                pieces.append(decode_text(pending, pending_charset))
            if start > position:
                pieces.append(guess_text(value[position:start], hint))
        pending, pending_charset = octets, charset
        position = word.end()
    if pending_charset:
        pieces.append(decode_text(pending, pending_charset))
    if position < len(value):
        pieces.append(guess_text(value[position:], hint))
    return "".join(pieces)


def _decode_octets(encoding: bytes, text: bytes) -> bytes | None:
    if encoding in b"qQ":
        return binascii.a2b_qp(text, header=True)
    text = text.translate(None, _NOT_BASE64)
    if len(text) % 4 == 1:
        text = text[:-1]
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return None


def encode_words(text: str) -> bytes:
    """Return text as one line of ASCII: itself if it can be, else encoded words of at most 75 octets each."""
    if text.isascii() and "=?" not in text:
        return text.encode("ascii")
    octets = text.encode("utf-8", "replace")
    plain = sum(octet in _Q_SAFE for octet in octets)
    encode = _encode_q if plain * 2 > len(octets) else _encode_b
    return b" ".join(encode(chunk) for chunk in _chunks(octets, 18 if encode is _encode_q else _ENCODED_OCTETS))


def _chunks(octets: bytes, size: int) -> list[bytes]:
    """Cut UTF-8 so that no character is in two pieces (RFC 2047 §5)."""
    chunks = []
    start = 0
    while start < len(octets):
        end = min(start + size, len(octets))
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        chunks.append(octets[start:end])
        start = end
    return chunks


def _encode_b(octets: bytes) -> bytes:
    return b"=?utf-8?b?" + binascii.b2a_base64(octets, newline=False) + b"?="


def _encode_q(octets: bytes) -> bytes:
    text = b"".join(
        b"_" if octet == 0x20 else bytes((octet,)) if octet in _Q_SAFE else b"=%02X" % octet for octet in octets
    )
    return b"=?utf-8?q?" + text + b"?="
