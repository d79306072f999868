"""Authentication-Results: what was found out about a message's sender (RFC 8601).

Written from values, folded between words. Values of strangers stand in quotation marks where the grammar asks for them,
and a comment is cut down to what can end neither itself nor the method, so that a reader who knows nothing of quotation
sees the same methods as one who does. In an internationalized message (RFC 6532) values are written as they are; else
an address beyond ASCII is written as its domain, in A-labels (RFC 8601 §2.2, RFC 8616 §3).

Read strictly: what departs from the grammar is no result. `authres_claims` finds fields that pretend to be ours.
"""

from __future__ import annotations

__all__ = [
    "AuthenticationResults",
    "MethodResult",
    "Property",
    "dkim_result",
    "dmarc_result",
    "parse_authentication_results",
    "spf_result",
    "write_authentication_results",
]

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hongyan.addresses import AddressFault, Domain

MAX_RESULTS: Final = 100
MAX_PROPERTIES: Final = 50
MAX_TEXT: Final = 400
"""Octets of one value: quoted, it fits a line of 998 (RFC 5322 §2.1.1)."""

_MAX_FIELD = 1 << 16
_LINE = 78

_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\U0010ffff]++"
_LABEL = r"[A-Za-z0-9_\x80-\U0010ffff-]++"
_QUOTED = r'"(?:[\t !#-\[\]-~\x80-\U0010ffff]|\\[\t -~])*+"'

# Keyword = Ldh-str (RFC 5321 §4.1.2), with the underscore that extensions use.
_KEYWORD = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
_WORD = re.compile(r"[A-Za-z0-9_-]++")
# value = token / quoted-string (RFC 2045 §5.1)
_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]++")
_QUOTED_STRING = re.compile(_QUOTED)
_PAIR = re.compile(r"\\(.)")
# pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*+(?![!#$%&'*+.^`{{|}}~])")
_ADDRESS = re.compile(rf"(?:{_ATOM}(?:\.{_ATOM})*+|{_QUOTED})?@{_LABEL}(?:\.{_LABEL})*+")
_PLAIN_ADDRESS = re.compile(rf"(?:(?:{_ATOM}(?:\.{_ATOM})*+)?@)?{_LABEL}(?:\.{_LABEL})*+")
_DIGITS = re.compile(r"[0-9]{1,2}+")
_NO_RESULT = re.compile(r"none(?=[ \t(]|\Z)", re.IGNORECASE)
_SPACE = re.compile(r"[ \t]++")
_COMMENT_MARK = re.compile(r"[()]|\\.")
_FOLD = re.compile(r"\r?\n(?=[ \t])")

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_STRANGE = re.compile(r"[^A-Za-z0-9 !#$%&'*+,\-./:=?@\[\]^_`{|}~\xa0-\U0010ffff]")
_NOT_IN_HOSTS = re.compile(r"[^A-Za-z0-9._:\-\[\]\xa0-\U0010ffff]")


def _require_text(text: str) -> None:
    if len(text.encode("utf-8", "replace")) > MAX_TEXT or _UNFIT.search(text):
        raise ValueError("a value of Authentication-Results is too long or holds a control character")


def _require_keywords(*words: str) -> None:
    if not all(map(_KEYWORD.fullmatch, words)):
        raise ValueError("a keyword of Authentication-Results is letters, digits and hyphens in lower case")


@dataclass(frozen=True, slots=True)
class Property:
    """What a method looked at: `smtp.mailfrom=ann@example.org` (RFC 8601 §2.3)."""

    ptype: str
    """"smtp", "header", "body" or "policy"."""
    name: str
    value: str

    def __post_init__(self) -> None:
        _require_keywords(self.ptype, self.name)
        _require_text(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """What one method found, with the words of RFC 8601 §2.7."""

    method: str
    result: str
    comment: str = ""
    """For people. What a comment cannot hold is written as "?"."""
    reason: str = ""
    properties: tuple[Property, ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        _require_keywords(self.method, self.result)
        _require_text(self.comment)
        _require_text(self.reason)
        if len(self.properties) > MAX_PROPERTIES or not 0 <= self.version <= 99:
            raise ValueError("a method of Authentication-Results has too many properties or a strange version")


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """A field. Without results it says "none": nothing was looked at."""

    authserv_id: str
    """Who looked: the name that our servers share (RFC 8601 §2.5)."""
    results: tuple[MethodResult, ...] = ()

    def __post_init__(self) -> None:
        _require_text(self.authserv_id)
        if not self.authserv_id or len(self.results) > MAX_RESULTS:
            raise ValueError("Authentication-Results needs an authserv-id and at most a hundred results")


# -- Results of our methods -------------------------------------------------------------------------------------------


def spf_result(result: str, *, mail_from: str = "", helo: str = "", comment: str = "") -> MethodResult:
    """Return SPF's result for the address or domain of MAIL FROM, or for HELO's name (RFC 8601 §2.7.2)."""
    found = _properties(("smtp", "mailfrom", _plain_address(mail_from)), ("smtp", "helo", _host(helo)))
    return MethodResult(method="spf", result=result, comment=_cut(comment), properties=found)


def dkim_result(
    result: str,
    *,
    domain: str = "",
    identity: str = "",
    selector: str = "",
    algorithm: str = "",
    signature_start: str = "",
    comment: str = "",
) -> MethodResult:
    """Return the result of one signature (RFC 8601 §2.7.1; header.b, RFC 6008 §4)."""
    # The identity says more than the domain only if it names somebody or a subdomain.
    identity = "" if identity == f"@{domain}" else identity
    found = _properties(
        ("header", "d", domain),
        ("header", "i", _plain_address(identity)),
        ("header", "s", selector),
        ("header", "a", algorithm),
        ("header", "b", signature_start),
    )
    return MethodResult(method="dkim", result=result, comment=_cut(comment), properties=found)


def dmarc_result(result: str, *, domain: str = "", policy: str = "", comment: str = "") -> MethodResult:
    """Return DMARC's result for a domain of From; `policy` is what is to be done (RFC 9989 §9.1)."""
    found = _properties(("header", "from", domain), ("policy", "dmarc", policy))
    return MethodResult(method="dmarc", result=result, comment=_cut(comment), properties=found)


def _properties(*items: tuple[str, str, str]) -> tuple[Property, ...]:
    return tuple(Property(ptype, name, _cut(value)) for ptype, name, value in items if value)


def _plain_address(text: str) -> str:
    """Return an address; without its local part if that is quoted, for it may hold what reads as another method."""
    if _PLAIN_ADDRESS.fullmatch(text):
        return text
    return _host(text.rpartition("@")[2])


def _host(text: str) -> str:
    """Make what a client calls a host one that holds nothing else."""
    return _NOT_IN_HOSTS.sub("?", text)


def _cut(text: str) -> str:
    """Make a stranger's text one that a value may hold."""
    return _UNFIT.sub("?", text).encode()[:MAX_TEXT].decode("utf-8", "ignore")


# -- Writing ----------------------------------------------------------------------------------------------------------


def write_authentication_results(results: AuthenticationResults, *, internationalized: bool = False) -> bytes:
    """Return the field, folded, with its CRLF. UTF-8 is used only in an `internationalized` message."""
    spell, tell = (str, str) if internationalized else (_in_ascii, _question_marks)
    lines = [f"Authentication-Results: {_quote(spell(results.authserv_id))}"]
    for result in results.results:
        lines[-1] += ";"
        lines.extend(_fold(_words(result, spell, tell)))
    if not results.results:
        lines[-1] += "; none"
    return "\r\n".join(lines).encode() + b"\r\n"


def _words(result: MethodResult, spell: Callable[[str], str], tell: Callable[[str], str]) -> Iterator[str]:
    """Yield what white space may divide. `spell` writes names and addresses, `tell` what is for people."""
    version = "" if result.version == 1 else f"/{result.version}"
    yield f"{result.method}{version}={result.result}"
    if result.comment:
        yield f"({_STRANGE.sub('?', tell(result.comment))})"
    if result.reason:
        yield f"reason={_quote(tell(result.reason))}"
    for item in result.properties:
        value = spell(item.value)
        yield f"{item.ptype}.{item.name}={value if _ADDRESS.fullmatch(value) else _quote(value)}"


def _fold(words: Iterator[str]) -> Iterator[str]:
    line = f"\t{next(words)}"
    for word in words:
        if len(line) + 1 + len(word) >= _LINE:
            yield line
            line = f"\t {word}"
        else:
            line += f" {word}"
    yield line


def _quote(text: str) -> str:
    """Return a value: the token as it is, anything else as a quoted string (RFC 2045 §5.1, RFC 5322 §3.2.4)."""
    return text if _TOKEN.fullmatch(text) else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _in_ascii(text: str) -> str:
    """Return a text in ASCII: a domain in A-labels, an address without a local part that has no such form."""
    local_part, at, domain = text.rpartition("@")
    if text.isascii() or not (at or "." in text):
        return _question_marks(text)
    try:
        domain = Domain.parse(domain).text
    except AddressFault:
        return _question_marks(text)
    return f"{local_part}{at}{domain}" if local_part.isascii() else domain


def _question_marks(text: str) -> str:
    return text.encode("ascii", "replace").decode()


# -- Reading ----------------------------------------------------------------------------------------------------------


class _Malformed(Exception):
    """The field departs from the grammar."""


def parse_authentication_results(value: bytes) -> AuthenticationResults | None:
    """Return what a field's value says, folded or not, or None for what is not well formed. Raises nothing.

    Methods, results and properties are in lower case; the comment of a result is the first behind its word.
    """
    if len(value) > _MAX_FIELD:
        return None
    try:
        text = _FOLD.sub("", value.removesuffix(b"\n").removesuffix(b"\r").decode())
        return _Reader(text).read() if not _CONTROL.search(text) else None
    except (_Malformed, ValueError):
        return None


class _Reader:
    """Reads an unfolded value from left to right."""

    __slots__ = ("_at", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self) -> AuthenticationResults:
        # authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS] CRLF
        self._skip()
        authserv_id = self._match(_NAME) or self._value()
        before = self._at
        self._skip()
        version = self._match(_DIGITS) if self._at > before else ""
        if version and int(version) != 1:
            raise _Malformed  # RFC 8601 §2.6: of another version nothing is known.
        self._skip()
        results: list[MethodResult] = []
        while self._at < len(self._text):
            self._expect(";")
            self._skip()
            if not results and self._match(_NO_RESULT):
                self._skip()
                break
            results.append(self._result())
            if len(results) > MAX_RESULTS:
                raise _Malformed
        else:
            if not results:
                raise _Malformed
        if self._at < len(self._text):
            raise _Malformed
        return AuthenticationResults(authserv_id, tuple(results))

    def _result(self) -> MethodResult:
        # resinfo = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
        method, version = self._keyword(), 1
        self._skip()
        if self._text.startswith("/", self._at):
            self._at += 1
            self._skip()
            version = int(self._match(_DIGITS) or -1)
            self._skip()
        self._expect("=")
        self._skip()
        result = self._keyword()
        before = self._at
        comment = self._skip()
        reason = ""
        properties: list[Property] = []
        while self._at < len(self._text) and self._text[self._at] != ";":
            if self._at == before or len(properties) == MAX_PROPERTIES:
                raise _Malformed
            word = self._keyword()
            self._skip()
            if word == "reason" and not properties and not reason and self._text.startswith("=", self._at):
                self._expect("=")
                self._skip()
                reason = self._value()
            else:
                properties.append(self._property(word))
            before = self._at
            self._skip()
        return MethodResult(
            method=method,
            result=result,
            comment=_cut(comment),
            reason=reason,
            properties=tuple(properties),
            version=version,
        )

    def _property(self, ptype: str) -> Property:
        # propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue
        self._expect(".")
        self._skip()
        name = self._keyword()
        self._skip()
        self._expect("=")
        self._skip()
        return Property(ptype, name, self._match(_ADDRESS) or self._value(or_name=True))

    def _keyword(self) -> str:
        word = self._match(_WORD)
        if not word:
            raise _Malformed
        return word.lower()

    def _value(self, *, or_name: bool = False) -> str:
        if self._text.startswith('"', self._at):
            quoted = self._match(_QUOTED_STRING)
            if not quoted:
                raise _Malformed
            return _PAIR.sub(r"\1", quoted[1:-1]).replace("\t", " ")
        value = (or_name and self._match(_NAME)) or self._match(_TOKEN)
        if not value:
            raise _Malformed
        return value

    def _expect(self, mark: str) -> None:
        if not self._text.startswith(mark, self._at):
            raise _Malformed
        self._at += 1

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _skip(self) -> str:
        """Go behind white space and comments, and return the first comment's text."""
        first = ""
        while self._match(_SPACE) or self._text.startswith("(", self._at):
            if self._text.startswith("(", self._at):
                start = self._at + 1
                self._skip_comment()
                first = first or " ".join(_PAIR.sub(r"\1", self._text[start : self._at - 1]).split())
        return first

    def _skip_comment(self) -> None:
        depth = 0
        for mark in _COMMENT_MARK.finditer(self._text, self._at):
            depth += {"(": 1, ")": -1}.get(mark[0], 0)
            if not depth:
                self._at = mark.end()
                return
        raise _Malformed
