"""Content-Type, Content-Disposition and their parameters (RFC 2045 §5.1, RFC 2183 §2, RFC 2231).

Pieces of a parameter (`name*0`, `name*1*` …) are put together in the order of their numbers, and a
value with a charset keeps it, so that each reader may have it in the notation it needs.
"""

from __future__ import annotations

__all__ = [
    "MAX_PARAMETERS",
    "ContentType",
    "Disposition",
    "Parameter",
    "find_parameter",
    "parse_content_type",
    "parse_disposition",
]

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from hongyan.message.charsets import decode_text
from hongyan.message.encoded_words import decode_words

MAX_PARAMETERS = 1000
_REMEMBERED_LENGTH = 100


class Parameter(NamedTuple):
    """One parameter. `charset` is None unless the value came in RFC 2231's extended notation."""

    name: bytes
    value: bytes
    charset: str | None = None
    language: str = ""

    @property
    def text(self) -> str:
        """The value for people. RFC 2047's words are forbidden here (§5) and common: they are decoded."""
        return decode_words(self.value) if self.charset is None else decode_text(self.value, self.charset)

    @property
    def extended(self) -> bytes:
        """The value in RFC 2231 §4's notation: charset'language'%XX."""
        if self.charset is None:
            return b"utf-8''" + quote_from_bytes(self.text.encode("utf-8", "replace"), safe="").encode("ascii")
        encoded = quote_from_bytes(self.value, safe="")
        return f"{self.charset}'{self.language}'{encoded}".encode("ascii", "replace")


class ContentType(NamedTuple):
    """A media type as written; compare in lower case."""

    type: bytes
    subtype: bytes
    parameters: tuple[Parameter, ...]

    def find(self, name: bytes) -> Parameter | None:
        return find_parameter(self.parameters, name)


class Disposition(NamedTuple):
    """A Content-Disposition; `kind` as written."""

    kind: bytes
    parameters: tuple[Parameter, ...]


# token "/" token; RFC 2045's tspecials but for "/" and "?", which some programs write into subtypes.
_TYPE = re.compile(rb'[\s\0]*+([^\s\0()<>@,;:\\"/\[\]=]++)\s*+/\s*+([^\s\0()<>@,;:\\"\[\]=]++)')
_KIND = re.compile(rb'[\s\0]*+"?([^\s\0()<>@,;:\\"/\[\]=]++)')
# ";" attribute "=" value. A missing semicolon is forgiven, and so are spaces in a value without quotes (see below).
_PARAMETER = re.compile(
    rb"""[\s;]*+ ([^\s=;]++) \s*+ = \s*+ (?: "([^"\\]*+(?:\\.[^"\\]*+)*)\\?"? | ((?:[^\s;]++|\s++(?![\w*-]++=))*) )
      | [\s;]*+ [^\s;]++""",
    re.DOTALL | re.VERBOSE,
)
_QUOTED_PAIR = re.compile(rb'\\(["\\])')
_PIECE = re.compile(rb"([^*]++)(?:\*([0-9]{1,4}))?(\*)?")


def find_parameter(parameters: tuple[Parameter, ...], name: bytes) -> Parameter | None:
    """Return the parameter of that name (in lower case), or None. Of two the one with a charset counts."""
    found: Parameter | None = None
    for parameter in parameters:
        if parameter.name.lower() == name and (found is None or parameter.charset is not None):
            found = parameter
    return found


def parse_content_type(value: bytes) -> ContentType | None:
    """Parse a Content-Type's unfolded value; None when it names no type and subtype (RFC 2045 §5.2)."""
    if len(value) > _REMEMBERED_LENGTH or b"oundary" in value:  # No boundary comes twice.
        return _parse_content_type(value)
    return _remembered_content_type(value)


def _parse_content_type(value: bytes) -> ContentType | None:
    head = _TYPE.match(value)
    if head is None:
        return None
    return ContentType(head[1], head[2], _parse_parameters(value, head.end()))


_remembered_content_type = lru_cache(maxsize=512)(_parse_content_type)


def parse_disposition(value: bytes) -> Disposition | None:
    """Parse a Content-Disposition's unfolded value; None when it names no kind."""
    head = _KIND.match(value)
    if head is None:
        return None
    return Disposition(head[1], _parse_parameters(value, head.end()))


def _parse_parameters(value: bytes, position: int) -> tuple[Parameter, ...]:
    if position == len(value):
        return ()
    parameters: list[Parameter] = []
    pieces = False
    for match in _PARAMETER.finditer(value, position):
        name, quoted, token = match.groups()
        if name is None:
            continue
        if quoted is None:
            text = _settle_token(name, token)
        else:
            text = _QUOTED_PAIR.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        parameters.append(Parameter(name, text))
        pieces = pieces or b"*" in name
        if len(parameters) >= MAX_PARAMETERS:
            break
    return _join_pieces(parameters) if pieces else tuple(parameters)


def _settle_token(name: bytes, token: bytes) -> bytes:
    """Return a value written without quotes. File names may hold spaces there; elsewhere the first word counts."""
    token = token.strip()
    if b" " not in token and b"\t" not in token:
        return token
    return token if name.lower().startswith((b"name", b"filename")) else token.split(None, 1)[0]


class _Pieces:
    """The numbered pieces of one parameter (RFC 2231 §3)."""

    __slots__ = ("name", "pieces")

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.pieces: dict[int, tuple[bytes, bool]] = {}

    def join(self) -> Parameter:
        charset: str | None = None
        language = ""
        octets: list[bytes] = []
        for count, number in enumerate(sorted(self.pieces)):
            value, encoded = self.pieces[number]
            if count == 0 and encoded and value.count(b"'") >= 2:
                named, spoken, value = value.split(b"'", 2)
                charset, language = named.decode("ascii", "replace"), spoken.decode("ascii", "replace")
            octets.append(unquote_to_bytes(value) if encoded else value)
            if encoded and charset is None:
                charset = ""
        return Parameter(self.name, b"".join(octets), charset, language)


def _join_pieces(parameters: list[Parameter]) -> tuple[Parameter, ...]:
    """Put RFC 2231's pieces together. A plain parameter of the same name stays beside them, for old programs."""
    joined: dict[bytes, Parameter | _Pieces] = {}
    for parameter in parameters:
        match = _PIECE.fullmatch(parameter.name)
        if match is None or (match[2] is None and match[3] is None):
            joined.setdefault(parameter.name.lower(), parameter)
            continue
        key = match[1].lower() + b"*"
        held = joined.get(key)
        if not isinstance(held, _Pieces):
            joined[key] = held = _Pieces(match[1])
        held.pieces.setdefault(int(match[2] or 0), (parameter.value, match[3] is not None))
    return tuple(item.join() if isinstance(item, _Pieces) else item for item in joined.values())
