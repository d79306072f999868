"""Macro strings: `%{ir}.%{v}._spf.%{d2}`, as SPF puts them into names and explanations (RFC 7208 §7).

A string is parsed once and then expanded with the facts of a check. What comes out is bounded,
however often a record repeats a macro: a name is made from its right end and stops at the 253
characters that are kept of it (§7.3), a text stops where its reader's limit is.
"""

from __future__ import annotations

__all__ = ["MAX_NAME", "MacroFault", "MacroString", "is_askable", "parse_domain_spec", "parse_macro_string"]

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from hongyan.errors import PeerFault

MAX_NAME: Final = 253
"""Characters of a name in the DNS, without the final dot."""

_ALL_PARTS = 1000
_MACRO_LETTERS = "slodipvh"
_TEXT_LETTERS = _MACRO_LETTERS + "crt"  # §7.2: the last three are for explanations only

# macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
# transformers = *DIGIT [ "r" ]
_TOKEN = re.compile(
    r"[!-$&-~ ]+"
    r"|%\{(?P<letter>[A-Za-z])(?P<digits>[0-9]*)(?P<reversed>[rR]?)(?P<delimiters>[-.+,/_=]*)\}"
    r"|%[%_-]"
)
_ESCAPES = {"%%": "%", "%_": " ", "%-": "%20"}

# domain-end = ( "." toplabel [ "." ] ) / macro-expand
# toplabel   = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
_TOP_LABEL = re.compile(r"(?=[A-Za-z0-9-]*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


class MacroFault(PeerFault):
    """The text is no macro string, or no domain-spec; `cause` says why, in ASCII."""


@dataclass(frozen=True, slots=True)
class Macro:
    """One `%{…}`."""

    letter: str
    """In lower case."""
    count: int
    """How many parts are kept, from the right."""
    is_reversed: bool
    delimiters: str
    is_escaped: bool
    """An upper-case letter: the value is escaped as in a URI (RFC 3986 §2.3)."""

    def expand(self, values: Mapping[str, str]) -> str:
        value = values[self.letter]
        delimiters = self.delimiters or "."
        if self.delimiters or self.is_reversed or self.count < _ALL_PARTS:
            for other in delimiters[1:]:
                value = value.replace(other, delimiters[0])
            parts = value.split(delimiters[0])
            if self.is_reversed:
                parts.reverse()
            value = ".".join(parts[-self.count :])
        return quote(value, safe="", errors="replace") if self.is_escaped else value


@dataclass(frozen=True, slots=True)
class MacroString:
    """Literal text and macros, in order."""

    parts: tuple[str | Macro, ...]

    @property
    def letters(self) -> frozenset[str]:
        """The macros that are used, in lower case."""
        return frozenset(part.letter for part in self.parts if isinstance(part, Macro))

    def expand(self, values: Mapping[str, str], limit: int) -> str:
        """Return the text, cut after `limit` characters."""
        text = ""
        for part in self.parts:
            if len(text) >= limit:
                break
            text += part if isinstance(part, str) else part.expand(values)
        return text[:limit]

    def expand_name(self, values: Mapping[str, str]) -> str | None:
        """Return the name to ask for, without a final dot, or None if the DNS cannot have such a name.

        One that is too long loses labels on its left (RFC 7208 §7.3).
        """
        name = ""
        for part in reversed(self.parts):
            if len(name) > MAX_NAME + 1:
                break
            name = (part if isinstance(part, str) else part.expand(values)) + name
        name = name.removesuffix(".")
        if len(name) > MAX_NAME:
            # The dot before the first label that is kept may be the last character that is dropped.
            name = name[-MAX_NAME - 1 :].partition(".")[2]
        return name if is_askable(name) else None


def is_askable(name: str) -> bool:
    """Whether a name of several labels may be in the DNS (RFC 7208 §4.3). A label holds any visible character."""
    labels = name.split(".")
    return (
        len(labels) > 1
        and len(name) <= MAX_NAME
        and all(0 < len(label) < 64 for label in labels)
        and name.isascii()
        and name.isprintable()
        and " " not in name
    )


def parse_macro_string(text: str, *, is_explanation: bool = False) -> MacroString:
    """Return a macro string; that of an explanation has spaces and three letters more (RFC 7208 §6.2, §7.2)."""
    parts: list[str | Macro] = []
    letters = _TEXT_LETTERS if is_explanation else _MACRO_LETTERS
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if not token:
            raise MacroFault(cause="a percent sign begins no macro" if text[position] == "%" else "a control character")
        position = token.end()
        if token["letter"]:
            parts.append(_macro(token, letters))
        else:
            parts.append(_ESCAPES.get(token[0], token[0]))
    return MacroString(tuple(parts))


def _macro(token: re.Match[str], letters: str) -> Macro:
    letter = token["letter"]
    if letter.lower() not in letters:
        raise MacroFault(cause=f"there is no macro {letter} here")
    digits = token["digits"].lstrip("0")
    if token["digits"] and not digits:
        raise MacroFault(cause="a macro keeps no part of its value")
    # Beyond three digits every part is kept: no value has more parts, and int() has its limits.
    count = int(digits) if digits and len(digits) <= 3 else _ALL_PARTS
    return Macro(letter.lower(), count, bool(token["reversed"]), token["delimiters"], letter.isupper())


def parse_domain_spec(text: str) -> MacroString:
    """Return a domain-spec: a macro string that ends as a name does, or in a macro (RFC 7208 §7.1)."""
    if not text:
        raise MacroFault(cause="the name is missing")
    if " " in text:
        raise MacroFault(cause="a space in a name")
    spec = parse_macro_string(text)
    if _ends_in_macro(text):
        return spec
    _, dot, top_label = text.removesuffix(".").rpartition(".")
    if not dot or not _TOP_LABEL.fullmatch(top_label):
        raise MacroFault(cause="the name does not end in a dot and a top-level domain")
    return spec


def _ends_in_macro(text: str) -> bool:
    """Whether the last token is a macro. The text is a macro string, so a percent sign begins a token."""
    return "%" in text and [*_TOKEN.finditer(text)][-1][0].startswith("%")
