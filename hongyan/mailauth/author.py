"""Whom does From name? The domains that a reader might take for the author's, or why nobody can say.

DMARC asks for one From with one domain (RFC 9989 §5.3.1, RFC 5322 §3.6), and forgers send what their victims' programs
read in another way than ours ("Composition Kills", USENIX Security 2020; RFC 9989 §11.5). So the field is not read as
one program would: every "@" outside quotation marks and comments names a domain, whatever list, group or route it
stands in. A message is refused when it has no From or several, names no domain, names something that is no domain, or
names too many; all that it names otherwise are checked.

Two things are not taken for an author, for they are common and honest: addresses within a quoted name or a comment, and
an "@" in a name before an address in angle brackets that has no domain name after it: `Jo @ Work <jo@example.org>`.
"""

from __future__ import annotations

__all__ = ["MAX_AUTHOR_DOMAINS", "UnfitAuthor", "read_author"]

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from hongyan.addresses import Address, AddressFault, Domain
from hongyan.message.comments import find_comment_end
from hongyan.message.headers import MAX_FIELDS, MAX_HEADER, pick_fields, split_fields

MAX_AUTHOR_DOMAINS: Final = 4
"""Different domains in one From that are checked. Each costs look-ups (RFC 9989 §11.5); honest mail has one."""

_MAX_VALUE = 10_000
_FROM = frozenset({b"from"})

_QUOTED = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_OPENING = re.compile(rb'["(]')
# What stands for a quoted string and for a comment, once they are masked. Neither octet may stand in a field.
_STRING, _REMARK = b"\x02", b"\x01"
_UNREADABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_MARK = re.compile(rb"[<>,;:@]")
_DOMAIN = re.compile(rb'[ \t\x01]*+(\[[^\]<>]*+\]|[^\x00-\x20\x7f()<>@,;:"\[\]\\]++)')
# With one of these behind it two programs read two names: example(a comment).com, example .com, a@b@c.
_MORE = re.compile(rb"[\[\x02\\]|[ \t\x01]*+[.@]|\x01++[^ \t\x01,;>]")
# The one mailbox of an honest From, masked: a name and an address in angle brackets, or the address alone.
_ONE = re.compile(
    rb"[ \t\x01]*+(?:[^<>@,;:\\]*+<[ \t\x01]*+(?P<named>%b)[ \t\x01]*+>|(?P<alone>%b))[ \t\x01]*+"
    % ((rb"[\w!#$%&'*+/=?^`{|}~.\x80-\xff-]++@[\w.\x80-\xff-]++",) * 2)
)


class UnfitAuthor(Enum):
    """Why From cannot be taken, with the sentence for the reply."""

    MISSING = "The message has no From field"
    REPEATED = "The message has more than one From field"
    UNREADABLE = "The From field is not well formed"
    WITHOUT_DOMAIN = "The From field names no address with a domain"
    LITERAL = "The From field names an IP address instead of a domain"
    TOO_MANY = "The From field names too many domains"

    @property
    def sentence(self) -> str:
        return self.value


class _Unfit(Exception):
    """The field cannot be taken."""

    def __init__(self, why: UnfitAuthor) -> None:
        super().__init__(why.sentence)
        self.why = why


class _Candidate(NamedTuple):
    """What stands behind an "@"."""

    text: bytes
    """Empty for what is no domain at all."""
    is_clear: bool
    """Nothing behind it might belong to it."""
    in_angle: bool


def read_author(header: bytes) -> tuple[tuple[Domain, ...] | UnfitAuthor, Address | None]:
    """Return the domains of a message's authors in order, each once and at least one, or why it is to be refused.

    With them comes the address in From if there is exactly one, written as every program reads it; else None.
    """
    try:
        masked = _mask(_only_from(header))
    except _Unfit as unfit:
        return unfit.why, None
    return _domains_or_why(masked), _find_address(masked)


def _domains_or_why(masked: bytes) -> tuple[Domain, ...] | UnfitAuthor:
    try:
        return _domains(masked)
    except _Unfit as unfit:
        return unfit.why


def _find_address(masked: bytes) -> Address | None:
    found = _ONE.fullmatch(masked)
    if found is None:
        return None
    try:
        return Address.parse((found["named"] or found["alone"]).decode())
    except (AddressFault, UnicodeDecodeError):
        return None


def _only_from(header: bytes) -> bytes:
    """Return the value of the one From field."""
    if len(header) > MAX_HEADER:
        raise _Unfit(UnfitAuthor.UNREADABLE)
    fields = split_fields(header)
    if len(fields) >= MAX_FIELDS:
        raise _Unfit(UnfitAuthor.UNREADABLE)
    values, _ = pick_fields(fields, _FROM)
    found = values.get(b"from", [])
    if len(found) != 1:
        raise _Unfit(UnfitAuthor.REPEATED if found else UnfitAuthor.MISSING)
    if len(found[0]) > _MAX_VALUE or _UNREADABLE.search(found[0]):
        raise _Unfit(UnfitAuthor.UNREADABLE)
    return found[0]


def _domains(masked: bytes) -> tuple[Domain, ...]:
    domains: dict[Domain, None] = {}
    bare: dict[Domain, None] = {}
    for entry in _entries(masked):
        has_angle = any(candidate.in_angle for candidate in entry)
        for candidate in entry:
            domain = _aside(candidate) if has_angle and not candidate.in_angle else _address(candidate)
            if domain is not None:
                (domains if "." in domain.text else bare)[domain] = None
    # A name of one label is nobody's on the Internet. Beside others it is noise, alone it is what the field says.
    chosen = tuple(domains or bare)
    if not chosen:
        raise _Unfit(UnfitAuthor.WITHOUT_DOMAIN)
    if len(chosen) > MAX_AUTHOR_DOMAINS:
        raise _Unfit(UnfitAuthor.TOO_MANY)
    return chosen


def _address(candidate: _Candidate) -> Domain:
    """Return the domain of an address: it must be one."""
    domain = _parse(candidate.text) if candidate.is_clear else None
    if domain is None:
        raise _Unfit(UnfitAuthor.UNREADABLE)
    if domain.is_literal:
        raise _Unfit(UnfitAuthor.LITERAL)
    return domain


def _aside(candidate: _Candidate) -> Domain | None:
    """Return the domain in the name before an angle bracket: `ceo@example.com <x@example.net>` has two readings."""
    domain = _parse(candidate.text)
    return domain if domain is not None and "." in domain.text and not domain.is_literal else None


def _parse(text: bytes) -> Domain | None:
    try:
        # RFC 9989 §5.3.1: U-labels become A-labels. The DNS takes a dot at the end for none.
        return Domain.parse(text.decode().removesuffix("."))
    except (AddressFault, UnicodeDecodeError):
        return None


def _entries(masked: bytes) -> Iterator[list[_Candidate]]:
    """Yield the candidates of each mailbox, as "," ";" and ":" outside angle brackets divide them."""
    entry: list[_Candidate] = []
    in_angle = False
    for mark in _MARK.finditer(masked):
        match mark[0]:
            case b"@":
                entry.append(_candidate(masked, mark.end(), in_angle))
            case b"<":
                in_angle = True
            case b">":
                in_angle = False
            case _ if not in_angle:
                yield entry
                entry = []
    yield entry


def _candidate(masked: bytes, start: int, in_angle: bool) -> _Candidate:
    found = _DOMAIN.match(masked, start)
    if found is None:
        return _Candidate(b"", False, in_angle)
    return _Candidate(found[1], _MORE.match(masked, found.end()) is None, in_angle)


def _mask(value: bytes) -> bytes:
    """Put one octet in the place of each quoted string and each comment."""
    pieces = []
    at = 0
    while opening := _OPENING.search(value, at):
        pieces.append(value[at : opening.start()])
        if pieces[-1].endswith(b"\\"):
            raise _Unfit(UnfitAuthor.UNREADABLE)  # Quoted for some: \"<a@example.org>\"
        if opening[0] == b"(":
            end = find_comment_end(value, opening.start())
            if end is None:
                raise _Unfit(UnfitAuthor.UNREADABLE)
            at = end
            pieces.append(_REMARK)
        else:
            quoted = _QUOTED.match(value, opening.start())
            if quoted is None:
                raise _Unfit(UnfitAuthor.UNREADABLE)
            at = quoted.end()
            pieces.append(_STRING)
    pieces.append(value[at:])
    return b"".join(pieces)
