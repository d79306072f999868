"""Address lists of header fields, as strangers write them (RFC 5322 §3.4 and §4.4).

Groups, comments, quoted strings, source routes, domain literals and white space in odd places are
read. What is broken is read as the writer probably meant it: a semicolon outside a group separates,
a single word without a domain is a local part, several are a name, an unclosed quote or comment runs to the end.
"""

from __future__ import annotations

__all__ = ["MAX_ADDRESSES", "ListedAddress", "parse_address_list"]

import re
from typing import NamedTuple

from hongyan.message.comments import find_comment_end

MAX_ADDRESSES = 10_000


class ListedAddress(NamedTuple):
    """An address as IMAP's ENVELOPE divides it (RFC 9051 §7.5.2); an empty part was missing in the field.

    A group is opened by an item whose domain is None, with the group's name as its local part, and
    closed by one whose local part is None too.
    """

    name: bytes | None
    route: bytes | None
    local_part: bytes | None
    domain: bytes | None


_GROUP_END = ListedAddress(None, None, None, None)

# The common form: [name or "name"] <local@domain>, or local@domain alone; then a comma or the end.
_SIMPLE = re.compile(
    rb"""[ \t]*+(?:
        (?: "([^"\\]*+)"[ \t]*+ | ([^"(),:;<>@\[\]\\]*+) )
        < ([\w!#$%&'*+/=?^`{|}~.-]++) @ ([\w.-]++) >
      | ([\w!#$%&'*+/=?^`{|}~.-]++) @ ([\w.-]++)
    )[ \t]*+ (,|\Z)""",
    re.VERBOSE | re.ASCII,
)
_TOKEN = re.compile(
    rb"""(?P<space>[\s\0]++)
      | "(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*)\\?"?
      | (?P<comment>\()
      | (?P<literal>\[[^\[\]\\<>,;]*+(?:\\.[^\[\]\\<>,;]*+)*\]?)
      | (?P<special>[<>@,;:])
      | (?P<atom>[^\s\0()<>@,;:"\[]++|.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)


def parse_address_list(value: bytes) -> list[ListedAddress]:
    """Return the addresses of an unfolded field value, at most `MAX_ADDRESSES` of them."""
    addresses: list[ListedAddress] = []
    position = 0
    simple = _SIMPLE.match(value)
    while simple:
        quoted, phrase, local_part, domain, bare_local_part, bare_domain, comma = simple.groups()
        if bare_local_part:
            addresses.append(ListedAddress(None, None, bare_local_part, bare_domain))
        else:
            words = b" ".join((phrase if quoted is None else quoted).split())
            addresses.append(ListedAddress(words or None, None, local_part, domain))
        if not comma:
            return addresses
        position = simple.end()
        if len(addresses) >= MAX_ADDRESSES:
            return addresses
        simple = _SIMPLE.match(value, position)
    reader = _Reader(addresses)
    reader.read(value, position)
    return addresses


class _Reader:
    """Reads what the simple form does not cover: tokens are gathered until a separator settles them."""

    __slots__ = ("_addresses", "_angle", "_comment", "_glued", "_in_angle", "_in_group", "_words")

    def __init__(self, addresses: list[ListedAddress]) -> None:
        self._addresses = addresses
        self._in_group = False
        self._clear()

    def _clear(self) -> None:
        self._words: list[tuple[bytes, bool]] = []  # Each with whether white space stood before it.
        self._angle: list[tuple[bytes, bool]] | None = None
        self._in_angle = False
        self._comment: bytes | None = None
        self._glued = False

    def read(self, value: bytes, position: int) -> None:
        match = _TOKEN.match
        while len(self._addresses) < MAX_ADDRESSES and (token := match(value, position)):
            position = token.end()
            kind = token.lastgroup
            if kind == "space":
                self._glued = False
            elif kind == "comment":
                position = find_comment_end(value, token.start()) or len(value)
                self._comment = value[token.start() + 1 : position].removesuffix(b")")
                self._glued = False
            elif kind == "special":
                self._special(token[0])
            elif kind == "quoted":
                # The mark in front tells a quoted "@" or "." from a bare one; `_plain` takes it off.
                self._word(b'"' + _QUOTED_PAIR.sub(rb"\1", token["quoted"]))
            else:
                self._word(token[0])
        self._finish()
        if self._in_group:
            self._addresses.append(_GROUP_END)

    def _word(self, text: bytes) -> None:
        if self._in_angle and self._angle is not None:
            self._angle.append((text, self._glued))
        elif self._angle is None:
            self._words.append((text, self._glued))
        self._glued = True

    def _special(self, mark: bytes) -> None:
        if mark == b"<":
            self._angle, self._in_angle = [], True
        elif mark == b">":
            self._in_angle = False
        elif mark in b",:" and self._in_angle and self._angle and self._angle[0][0] == b"@":
            self._word(mark)  # Within a source route: <@a,@b:c@d>.
        elif mark == b",":
            self._finish()
        elif mark == b";":
            self._finish()
            if self._in_group:
                self._addresses.append(_GROUP_END)
                self._in_group = False
        elif mark == b":" and not self._in_group and not self._in_angle and self._words and self._angle is None:
            self._addresses.append(ListedAddress(None, None, _phrase(self._words), None))
            self._in_group = True
            self._clear()
        else:
            self._word(mark)
            return
        self._glued = False

    def _finish(self) -> None:
        """Settle the address gathered so far."""
        name: bytes | None
        if self._angle is not None:
            name = _phrase(self._words) or None
            route, local_part, domain = _split_route(self._angle)
        elif self._words:
            words, spec = _split_words(self._words)
            if not spec and len(words) == 1:
                words, spec = [], words
            name = _phrase(words) or None
            route, local_part, domain = _split_route(spec)
        else:
            self._clear()
            return
        if name is None and self._comment is not None:
            name = b" ".join(_QUOTED_PAIR.sub(rb"\1", self._comment).split()) or None
        self._addresses.append(ListedAddress(name, route, local_part, domain))
        self._clear()


def _plain(word: bytes) -> bytes:
    return word[1:] if word[:1] == b'"' else word


def _phrase(words: list[tuple[bytes, bool]]) -> bytes:
    """Return a display name: words with one space where white space stood, quotes taken off."""
    text = b"".join(_plain(word) if glued else b" " + _plain(word) for word, glued in words)
    return b" ".join(text.split())


def _split_words(words: list[tuple[bytes, bool]]) -> tuple[list[tuple[bytes, bool]], list[tuple[bytes, bool]]]:
    """Part a name from the address that follows it without angle brackets: `Jo Doe jo@example.com`."""
    at = next((index for index in range(len(words) - 1, -1, -1) if words[index][0] == b"@"), -1)
    if at < 0:
        return words, []
    start = at
    while start > 0:
        word, glued = words[start]
        before = words[start - 1][0]
        if not glued and not before.endswith(b".") and not word.startswith((b".", b"@")):
            break
        start -= 1
    return words[:start], words[start:]


def _split_route(words: list[tuple[bytes, bool]]) -> tuple[bytes | None, bytes, bytes]:
    """Return source route, local part and domain of an addr-spec in tokens."""
    route: bytes | None = None
    if words and words[0][0] == b"@":
        colon = next((index for index, word in enumerate(words) if word[0] == b":"), 0)
        route = b"".join(word for word, _ in words[:colon]) or None
        words = words[colon + 1 :]
    at = next((index for index in range(len(words) - 1, -1, -1) if words[index][0] == b"@"), -1)
    if at < 0:
        return route, _phrase(words), b""
    local_part = b"".join(_plain(word) for word, _ in words[:at])
    domain = b"".join(_plain(word) for word, _ in words[at + 1 :])
    return route, local_part, domain
