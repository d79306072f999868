"""Authentication-Results that pretend to be ours (RFC 8601 §5).

Whoever sends a message can write our name into it. Such a field is left out when the message is served, and so is one
that only some program could take for ours: whatever stands in it, however it is folded, quoted, commented or encoded,
and whatever version it names. A field of somebody else's may name us as a value, `smtp.helo=mx.example.org`; where it
names us in a comment or a reason it is left out too, which costs nobody anything.
"""

from __future__ import annotations

__all__ = ["MAX_LOOKED_AT", "find_claims"]

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from hongyan.addresses import AddressFault, Domain
from hongyan.message.comments import find_comment_end
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import MAX_VALUE

MAX_LOOKED_AT: Final = 1 << 16
"""Octets of such fields that are read. No honest header has as many: what comes behind them counts as a claim."""

_PLAIN_NAME = b"authentication-results"
# As `headers` reads names: NUL is left out, and white space before the colon is taken, even a folded line.
_FIELD = re.compile(
    rb"(?:\A|(?<=\n))\0*+"
    + rb"\0*+".join(re.escape(_PLAIN_NAME[i : i + 1]) for i in range(len(_PLAIN_NAME)))
    + rb"(?:[\0 \t\r\v\f]|\n(?=[ \t]))*+:",
    re.IGNORECASE,
)
_FIELD_END = re.compile(rb"\n(?!\0*+[ \t])")
_FOLD = re.compile(rb"[\r\n]++[ \t]*+")
_OPENING = re.compile(rb'\(|"(?:[^"\\]|\\.)*+"', re.DOTALL)
# A word and the sign of a value before it.
_WORD = re.compile(rb'([=@][\s"]*+)?([A-Za-z0-9_.\x80-\xff-]++)')


def find_claims(header: bytes, authserv_ids: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """Return the octet ranges [start, end) of the fields that claim one of our identifiers, line ends included.

    All of the header is searched, however long it is: whoever reads the message may read it all.
    """
    ours = frozenset(spelling for authserv_id in authserv_ids for spelling in _spellings(authserv_id))
    claims = []
    looked_at = 0
    for name in _names(header):
        last = _FIELD_END.search(header, name.end())
        end = last.end() if last else len(header)
        looked_at += end - name.start()
        if looked_at > MAX_LOOKED_AT or _claims(header[name.end() : end], ours):
            claims.append((name.start(), end))
    return tuple(claims)


def _names(header: bytes) -> Iterator[re.Match[bytes]]:
    """Yield where a field of the name begins, colon included."""
    if b"\0" in header:
        yield from _FIELD.finditer(header)
        return
    lowered = header.lower()
    at = lowered.find(_PLAIN_NAME)
    while at >= 0:
        if name := _FIELD.match(header, at):
            yield name
        at = lowered.find(_PLAIN_NAME, at + 1)


def _spellings(authserv_id: str) -> Iterator[str]:
    yield _canonical(authserv_id.encode())
    try:
        domain = Domain.parse(authserv_id)
    except AddressFault:
        return
    yield domain.text
    yield _canonical(domain.unicode.encode())


def _claims(value: bytes, ours: frozenset[str]) -> bool:
    for reading in _readings(value):
        if reading.isascii() and not _holds(reading, ours):
            continue
        for sign, word in _WORD.findall(reading):
            if not sign and _canonical(word) in ours:
                return True
    return False


def _holds(reading: bytes, ours: frozenset[str]) -> bool:
    lowered = reading.lower().decode()
    return any(spelling in lowered for spelling in ours)


def _canonical(word: bytes) -> str:
    if word.isascii():
        return word.strip(b".").lower().decode()
    text = unicodedata.normalize("NFKC", word.decode("utf-8", "replace")).replace("\u3002", ".")
    return text.strip(".").casefold()


def _readings(value: bytes) -> set[bytes]:
    """Return the value as different programs take it apart: folds, comments and backslashes read or left out."""
    value = value.replace(b"\0", b"")
    readings = {value.translate(None, b"\r\n"), _FOLD.sub(b"", value)}
    if b"\\" in value:
        readings |= {reading.replace(b"\\", b"") for reading in readings}
    if b"(" in value:
        readings |= {_without_comments(reading) for reading in readings}
    if b"=?" in value:
        readings |= {decode_words(reading[:MAX_VALUE]).encode("utf-8", "replace") for reading in readings}
    return {reading.replace(b"\\", b"") for reading in readings}


def _without_comments(value: bytes) -> bytes:
    """Take comments out and leave nothing in their place."""
    kept = []
    at = 0
    while opening := _OPENING.search(value, at):
        is_comment = opening[0] == b"("
        kept.append(value[at : opening.start() if is_comment else opening.end()])
        at = (find_comment_end(value, opening.start()) or len(value)) if is_comment else opening.end()
    kept.append(value[at:])
    return b"".join(kept)
