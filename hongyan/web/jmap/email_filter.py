"""The filter of Email/query as a tree of what is looked for (RFC 8621 §4.4.1). Nothing here waits."""

from __future__ import annotations

__all__ = [
    "MAX_TEXTS",
    "And",
    "Attached",
    "Between",
    "Elsewhere",
    "HasField",
    "HasKeyword",
    "HasText",
    "InMailbox",
    "Not",
    "Or",
    "Search",
    "ThreadHas",
    "flag_of",
    "parse_email_filter",
    "split_text",
    "texts_of",
]

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from hongyan.message.fold import fold_text
from hongyan.store.changes import Flag
from hongyan.wire.jmap.faults import MethodError, invalid_arguments
from hongyan.wire.jmap.filters import Condition, Filter
from hongyan.wire.jmap.values import is_id, is_unsigned, parse_utc_date

MAX_TEXTS = 50
"""Words and phrases of one filter."""

_LONGEST_TEXT = 1000
_KEYWORD = re.compile(r"[!-~]{1,255}")
_NOT_IN_KEYWORDS = frozenset('(){]%*"\\')
_FIELD_NAME = re.compile(r"[!-9;-~]{1,255}")
_SYSTEM: Final[Mapping[str, Flag]] = {
    "$seen": b"\\Seen",
    "$flagged": b"\\Flagged",
    "$answered": b"\\Answered",
    "$draft": b"\\Draft",
}
_PHRASE = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|(\S+)", re.DOTALL)
_ESCAPED = re.compile(r"\\(['\"\\])")

Where = Literal["text", "from", "to", "cc", "bcc", "subject", "body"]


@dataclass(frozen=True, slots=True)
class And:
    """All are met; with none, everything is."""

    searches: Sequence[Search]


@dataclass(frozen=True, slots=True)
class Or:
    """One at least is met."""

    searches: Sequence[Search]


@dataclass(frozen=True, slots=True)
class Not:
    """None is met."""

    searches: Sequence[Search]


@dataclass(frozen=True, slots=True)
class InMailbox:
    """It is in the mailbox."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """It is in a mailbox that is none of these."""

    mailboxes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Between:
    """It arrived in [low, high), in seconds since 1970, or has so many octets."""

    column: Literal["arrived", "size"]
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class HasKeyword:
    """It has the keyword."""

    flag: Flag


@dataclass(frozen=True, slots=True)
class ThreadHas:
    """So many emails of its thread have the keyword."""

    how_many: Literal["all", "some", "none"]
    flag: Flag


@dataclass(frozen=True, slots=True)
class Attached:
    """Something is attached, or nothing."""

    is_so: bool


@dataclass(frozen=True, slots=True)
class HasText:
    """A folded text stands there."""

    where: Where
    needle: str


@dataclass(frozen=True, slots=True)
class HasField:
    """It has the header field, and in it the folded text if there is one. The name is in lower case."""

    name: str
    needle: str


Search = And | Or | Not | InMailbox | Elsewhere | Between | HasKeyword | ThreadHas | Attached | HasText | HasField
"""What emails are looked for."""


def parse_email_filter(given: Filter | None) -> Search:
    """Return what is looked for. Raises `MethodError`."""
    search = And(()) if given is None else _parse(given)
    if sum(isinstance(one, (HasText, HasField)) for one in texts_of(search)) > MAX_TEXTS:
        raise MethodError("unsupportedFilter", f"More than {MAX_TEXTS} words and phrases.")
    return search


def texts_of(search: Search) -> Iterator[HasText | HasField]:
    """Yield the texts that are looked for, wherever in the tree."""
    pending: list[Search] = [search]
    while pending:
        one = pending.pop()
        if isinstance(one, (And, Or, Not)):
            pending.extend(one.searches)
        elif isinstance(one, (HasText, HasField)):
            yield one


def flag_of(keyword: object) -> Flag:
    """Return the flag of a keyword. Raises `MethodError` where it is none (RFC 8621 §4.1.1)."""
    if not isinstance(keyword, str) or not _KEYWORD.fullmatch(keyword) or not _NOT_IN_KEYWORDS.isdisjoint(keyword):
        raise invalid_arguments("A keyword is 1-255 characters of ASCII.")
    folded = keyword.lower()
    return _SYSTEM.get(folded) or folded.encode("ascii")


def split_text(text: str) -> list[str]:
    """Return the words of a text that is looked for, and what stands in quotes as one, folded (RFC 8621 §4.4.1)."""
    needles: list[str] = []
    for double, single, word in _PHRASE.findall(text[:_LONGEST_TEXT]):
        phrase = _ESCAPED.sub(r"\1", double or single) or word
        needle = fold_text(" ".join(phrase.split()))
        if needle:
            needles.append(needle)
    return list(dict.fromkeys(needles))


def _parse(given: Filter) -> Search:
    # `parse_filter` has bounded the levels.
    if isinstance(given, Condition):
        return _condition(given)
    inner = [_parse(one) for one in given.conditions]
    match given.operator:
        case "AND":
            return And(inner)
        case "OR":
            return Or(inner)
    return Not(inner)


def _condition(given: Condition) -> Search:
    found: list[Search] = []
    for name, value in given.properties.items():
        reader = _READERS.get(name)
        if reader is None:
            raise MethodError("unsupportedFilter", f"Emails cannot be looked for by {name[:50]!r}.")
        found.append(reader(name, value))
    return found[0] if len(found) == 1 else And(found)


def _mailbox(name: str, value: object) -> Search:
    if not is_id(value):
        raise _wrong(name, "an Id")
    return InMailbox(value)


def _elsewhere(name: str, value: object) -> Search:
    if not isinstance(value, list) or not all(map(is_id, value)):
        raise _wrong(name, "an array of Ids")
    return Elsewhere(frozenset(value))


def _moment(name: str, value: object) -> Search:
    moment = parse_utc_date(value)
    if moment is None:
        raise _wrong(name, "a UTCDate")
    seconds = moment.timestamp()
    bound = int(seconds) if seconds == int(seconds) else int(seconds // 1) + 1
    return Between("arrived", None, bound) if name == "before" else Between("arrived", bound, None)


def _size(name: str, value: object) -> Search:
    if not is_unsigned(value):
        raise _wrong(name, "an UnsignedInt")
    return Between("size", value, None) if name == "minSize" else Between("size", None, value)


def _keyword(name: str, value: object) -> Search:
    flag = flag_of(value)
    match name:
        case "allInThreadHaveKeyword":
            return ThreadHas("all", flag)
        case "someInThreadHaveKeyword":
            return ThreadHas("some", flag)
        case "noneInThreadHaveKeyword":
            return ThreadHas("none", flag)
        case "hasKeyword":
            return HasKeyword(flag)
    return Not((HasKeyword(flag),))


def _attached(name: str, value: object) -> Search:
    if not isinstance(value, bool):
        raise _wrong(name, "a Boolean")
    return Attached(value)


def _text(where: Where) -> Callable[[str, object], Search]:
    def read(name: str, value: object) -> Search:
        if not isinstance(value, str):
            raise _wrong(name, "a string")
        return And([HasText(where, needle) for needle in split_text(value)])

    return read


def _field(name: str, value: object) -> Search:
    if not isinstance(value, list) or not 1 <= len(value) <= 2 or not all(isinstance(one, str) for one in value):
        raise _wrong(name, "an array of one or two strings")
    if not _FIELD_NAME.fullmatch(value[0]):
        raise _wrong(name, "the name of a header field")
    needles = split_text(value[1]) if len(value) == 2 else [""]
    return And([HasField(value[0].lower(), needle) for needle in needles or [""]])


def _wrong(name: str, kind: str) -> MethodError:
    return invalid_arguments(f"{name} is {kind}.")


_READERS: Final[Mapping[str, Callable[[str, object], Search]]] = {
    "inMailbox": _mailbox,
    "inMailboxOtherThan": _elsewhere,
    "before": _moment,
    "after": _moment,
    "minSize": _size,
    "maxSize": _size,
    "allInThreadHaveKeyword": _keyword,
    "someInThreadHaveKeyword": _keyword,
    "noneInThreadHaveKeyword": _keyword,
    "hasKeyword": _keyword,
    "notKeyword": _keyword,
    "hasAttachment": _attached,
    "text": _text("text"),
    "from": _text("from"),
    "to": _text("to"),
    "cc": _text("cc"),
    "bcc": _text("bcc"),
    "subject": _text("subject"),
    "body": _text("body"),
    "header": _field,
}
