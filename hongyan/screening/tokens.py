"""What a message says, as tokens: words, pairs of Chinese characters, hosts of links, and what its header tells. Pure.

A token is text; a word of the subject has `s:` before it, what follows from structure has a star. Letters are made
alike first (NFKC, case, what takes no room; Latin words disguised by Cyrillic or Greek letters), so that a disguise is
no new word, and is told. Work is bounded whatever comes: so many octets are looked at, so many characters read, so many
tokens kept.
"""

from __future__ import annotations

__all__ = ["MAX_EXAMINED", "MAX_TOKENS", "Tokens", "origin_tokens", "read_tokens", "words_of"]

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from hongyan.mailauth.authentication import Authentication
from hongyan.message.anatomy import Anatomy
from hongyan.message.charsets import decode_text
from hongyan.message.encoded_words import decode_words
from hongyan.message.fold import fold_case
from hongyan.message.headers import pick_fields, split_fields
from hongyan.message.parameters import find_parameter
from hongyan.message.part_header import Kind
from hongyan.message.parts import Part
from hongyan.message.text import html_to_text
from hongyan.message.transfer import decode_transfer

MAX_EXAMINED: Final = 256 * 1024
"""Octets of a message that are looked at."""
MAX_TOKENS: Final = 2_000
_MAX_TEXT: Final = 24_000  # characters of all texts
_MAX_FIELD: Final = 1_000  # characters of a field
_MAX_PARTS: Final = 30
_MAX_URLS: Final = 100
_LONGEST_WORD: Final = 24

_CJK: Final = (
    "\u2e80-\u2fdf\u3005-\u3007\u3041-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_SIGNS: Final = r"[$€£¥]++|!!++|\?\?++"
_ASCII_PIECE: Final = re.compile(rf"[a-z0-9]++(?:['.-][a-z0-9]++)*+|{_SIGNS}")
_PIECE: Final = re.compile(rf"[{_CJK}]++|[^\W_{_CJK}]++(?:['’.-][^\W_{_CJK}]++)*+|{_SIGNS}")
_IS_CJK: Final = re.compile(f"[{_CJK}]")
_LEAST_SPACED: Final = 5  # letters, each by itself
_URLS: Final = (  # what begins each, and what is looked for where that occurs at all
    ("//", re.compile(r"//([^\s/?#<>\"'()\\]{1,200})")),
    ("www.", re.compile(r"\bwww\.([^\s/?#<>\"'()\\]{1,200})")),
)
_TRACE_RESULT: Final = re.compile(r"\b(spf|dkim|dmarc|arc)=([a-z]{4,9})\b")
_ADDRESS_DOMAIN: Final = re.compile(r"@([A-Za-z0-9._\-\u0080-\U0010ffff]{1,255})")
_INVISIBLE: Final = dict.fromkeys(
    (
        *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
        *range(0xE0000, 0xE0080),
    )
)
_LOOK_LATIN: Final = str.maketrans(
    "аеорсухіјѕԁԛԝһᴀьвкмнтгпαβεηικνορτυχγω",
    "aeopcyxijsdqwhabbkmhtrnabenikvoptuxyw",
)
_FOREIGN: Final = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LATIN: Final = re.compile("[a-z]")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a message, each once, and what makes two sendings of it the same."""

    all: tuple[str, ...]
    fingerprint: bytes
    """Sixteen octets, from what a reader sees; a new Message-ID or date makes no new message."""


def read_tokens(octets: bytes, origin: tuple[str, ...] = (), anatomy: Anatomy | None = None) -> Tokens:
    """Return the tokens of a message as it was received, after those of its origin.

    `anatomy` is that of the octets, for who has one to share.
    """
    if anatomy is None or len(octets) > MAX_EXAMINED:
        octets = octets[:MAX_EXAMINED]
        anatomy = Anatomy(octets)
    fields, parts = anatomy.fields, anatomy.parts
    found = dict.fromkeys(origin)
    found.update(dict.fromkeys(_header_tokens(fields)))
    found.update(dict.fromkeys(_structure_tokens(parts)))
    said = len(found)
    room = _MAX_TEXT
    for part in parts[:_MAX_PARTS]:
        if part.kind is Kind.LEAF and part.header.is_text and room > 0:
            room -= _read_part(part, octets, room, found)
        if len(found) > MAX_TOKENS:
            break
    tokens = tuple(found)[:MAX_TOKENS]
    sender = [token for token in tokens[:said] if token.startswith(("f:", "s:"))]
    seen = "\n".join(sorted((*sender, *tokens[said:])))
    return Tokens(tokens, blake2b(seen.encode("utf-8", "replace"), digest_size=16).digest())


def words_of(text: str) -> list[str]:
    """Return the words of a text and the overlapping pairs of its Chinese, Japanese and Korean characters."""
    if text.isascii():
        pieces = _ASCII_PIECE.findall(text.lower())
    else:
        pieces = _PIECE.findall(fold_case(text.translate(_INVISIBLE)))
    words = list(_spaced_words(pieces))
    for word in dict.fromkeys(pieces):
        if not word.isascii():
            words.extend(_foreign_word(word))
        elif len(word) > _LONGEST_WORD:
            words.append(_long_word(word))
        elif len(word) > 1 or not word.isalnum():
            words.append(word)
    return words


def _foreign_word(word: str) -> Iterator[str]:
    if _IS_CJK.match(word):
        if len(word) == 1:
            yield word
        for at in range(len(word) - 1):
            yield word[at : at + 2]
        return
    if _FOREIGN.search(word) and _LATIN.search(word):
        yield "*disguised"
        word = word.translate(_LOOK_LATIN)
    yield word if len(word) <= _LONGEST_WORD else _long_word(word)


def _long_word(word: str) -> str:
    """Return what a word is remembered by that is too long for one: its first letter and its length, in tens."""
    return f"*long:{word[0]}:{min(len(word) // 10, 10)}0"


def _spaced_words(pieces: list[str]) -> Iterator[str]:
    """Yield words that were spelled letter by letter, so that nobody finds them."""
    single = bytes(map((1).__eq__, map(len, pieces)))  # one octet a piece, and no loop of ours over all of them
    if bytes([1] * _LEAST_SPACED) not in single:
        return
    spelled = ""
    for piece in (*pieces, ""):
        if len(piece) == 1 and piece.isalpha() and not _IS_CJK.match(piece):
            spelled += piece
            continue
        if _LEAST_SPACED <= len(spelled) <= _LONGEST_WORD:
            yield "*spaced"
            yield spelled
        spelled = ""


# -- where it comes from


def origin_tokens(origin: Authentication | bytes) -> tuple[str, ...]:
    """Return what was found about a message's origin.

    `origin` are the results, or the trace fields that this server put before a message with the results in them. What
    a message itself brings along is never read: anybody can write it.
    """
    if isinstance(origin, bytes):
        ours = origin[
            : max((b"\n" + origin).find(b"\nReceived:"), 0)
        ]  # Behind our Received may stand fields of the message.
        fields, _ = pick_fields(split_fields(ours), frozenset({b"authentication-results"}))
        text = " ".join(value.decode("ascii", "replace") for value in fields.get(b"authentication-results", []))
        return tuple(dict.fromkeys(f"a:{method}={result}" for method, result in _TRACE_RESULT.findall(text)))
    told = []
    if origin.spf is not None:
        told.append(f"a:spf={origin.spf.status.value}")
    told += [f"a:dkim={one.status.value}" for one in origin.signatures] or ["a:dkim=none"]
    if origin.dmarc is not None:
        told.append(f"a:dmarc={origin.dmarc.status.value}")
    return tuple(dict.fromkeys(told))


def _header_tokens(fields: dict[bytes, list[bytes]]) -> Iterator[str]:
    sender = _field(fields, b"from")
    domain = ""
    if found := _ADDRESS_DOMAIN.search(sender):
        domain = found[1].lower()
        yield f"f:{domain}"
    for word in words_of(sender.partition("<")[0]):
        yield f"n:{word}"
    answers = _ADDRESS_DOMAIN.search(_field(fields, b"reply-to"))
    if answers is not None and answers[1].lower() != domain:
        yield "*reply-elsewhere"
        yield f"r:{answers[1].lower()}"
    subject = _field(fields, b"subject")
    for word in words_of(subject):
        yield f"s:{word}"
    if subject.isupper() and len(subject) > 5:
        yield "*loud-subject"
    if mailer := _field(fields, b"x-mailer") or _field(fields, b"user-agent"):
        yield f"m:{mailer.split('/')[0].split()[0].lower()[:_LONGEST_WORD]}" if mailer.split() else "*empty-mailer"
    for name in (b"message-id", b"date", b"to", b"subject", b"from"):
        if name not in fields:
            yield f"*no-{name.decode()}"
    for name in (b"list-id", b"list-unsubscribe", b"precedence"):
        if name in fields:
            yield f"*{name.decode()}"


def _field(fields: dict[bytes, list[bytes]], name: bytes) -> str:
    values = fields.get(name)
    return decode_words(values[0][: _MAX_FIELD * 4])[:_MAX_FIELD] if values else ""


def _structure_tokens(parts: list[Part]) -> Iterator[str]:
    for part in parts[:_MAX_PARTS]:
        type_, subtype, parameters = part.content_type
        kind = f"{type_.decode('ascii', 'replace')}/{subtype.decode('ascii', 'replace')}".lower()
        yield f"t:{kind[:60]}"
        if part.header.is_text and part.header.charset:
            yield f"c:{part.header.charset.lower()[:_LONGEST_WORD]}"
        named = find_parameter(parameters, b"name")
        if part.header.disposition is not None:
            named = find_parameter(part.header.disposition.parameters, b"filename") or named
        if named is not None:
            _, dot, ending = named.value.rpartition(b".")
            yield f"x:{ending.decode('ascii', 'replace').lower()[:8] if dot else ''}"


# -- what it says


def _read_part(part: Part, octets: bytes, room: int, found: dict[str, None]) -> int:
    """Take in the tokens of a text, and return how many characters of it were read."""
    is_html = part.content_type.subtype.lower() == b"html"
    # No character takes more than three octets of base64 and four of UTF-8; markup is told apart from text later.
    stop = min(part.body_end, part.body_start + room * (8 if is_html else 6))
    decoded = decode_transfer(octets[part.body_start : stop], part.encoding)
    source = octets[part.body_start : stop] if decoded is None else decoded
    text = decode_text(source, part.header.charset, cut=stop < part.body_end)
    for beginning, pattern in _URLS:
        if beginning in text:
            for host in itertools.islice(pattern.finditer(text), _MAX_URLS):
                _add_host(host[1], found)
    if is_html:
        text = html_to_text(text, room)
        if not text.strip():
            found["*no-text"] = None
    text = text[:room]
    found.update(dict.fromkeys(words_of(text)))
    return len(text)


def _add_host(host: str, found: dict[str, None]) -> None:
    name = fold_case(host.rpartition("@")[2]).partition(":")[0].rstrip(".")
    if "." not in name or not name[0].isalnum():
        return  # two slashes in a text, and no link
    if name.replace(".", "").isdecimal():
        found["*address-as-host"] = None
    found[f"u:{name[-60:]}"] = None
    short = ".".join(name.split(".")[-2:])
    found[f"u:{short[-60:]}"] = None
