"""What SEARCH may ask for: keys and return options (RFC 9051 §6.4.4, RFC 3501 §6.4.4).

Keys that are a negation of another, or two of others joined, are told by those: UNSEEN is
`Not(HasFlag(b"\\\\Seen"))`. Whoever carries a search out meets few kinds of key.
"""

from __future__ import annotations

__all__ = [
    "All",
    "And",
    "EmailIdIs",
    "Fuzzy",
    "HasFlag",
    "InBody",
    "InHeader",
    "InText",
    "InternalDate",
    "IsRecent",
    "Larger",
    "ModSeqSince",
    "Not",
    "Older",
    "Or",
    "Partial",
    "SaveDate",
    "SaveDateSupported",
    "SearchKey",
    "SearchOption",
    "SearchReturn",
    "SentDate",
    "Seqs",
    "Smaller",
    "ThreadIdIs",
    "Uids",
    "UidsBeyond",
    "When",
    "Younger",
    "is_fuzzy",
    "iterate_keys",
    "names_seqs",
    "spread_fuzzy",
]

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from hongyan.wire.imap.sequence import SequenceSet


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""


@dataclass(frozen=True, slots=True)
class HasFlag:
    """A system flag (`\\\\Seen`) or a keyword is set."""

    flag: bytes


@dataclass(frozen=True, slots=True)
class IsRecent:
    """\\\\Recent is set (RFC 3501 §6.4.4; IMAP4rev2 has it no more)."""


@dataclass(frozen=True, slots=True)
class InHeader:
    """A header field holds the text; with an empty text, the field exists. Its name is in lower case."""

    field: bytes
    text: str


@dataclass(frozen=True, slots=True)
class InBody:
    """The body holds the text."""

    text: str


@dataclass(frozen=True, slots=True)
class InText:
    """The header or the body holds the text."""

    text: str


class When(Enum):
    """How a date is compared: without time and zone."""

    BEFORE = "BEFORE"
    ON = "ON"
    SINCE = "SINCE"


@dataclass(frozen=True, slots=True)
class InternalDate:
    """When the message arrived."""

    when: When
    date: date


@dataclass(frozen=True, slots=True)
class SentDate:
    """What its Date field says."""

    when: When
    date: date


@dataclass(frozen=True, slots=True)
class SaveDate:
    """When it came into this mailbox, RFC 8514 §4.3."""

    when: When
    date: date


@dataclass(frozen=True, slots=True)
class SaveDateSupported:
    """The mailbox keeps save dates, RFC 8514 §4.3."""


@dataclass(frozen=True, slots=True)
class Larger:
    """It has more octets."""

    octets: int


@dataclass(frozen=True, slots=True)
class Smaller:
    """It has fewer octets."""

    octets: int


@dataclass(frozen=True, slots=True)
class Older:
    """It arrived longer ago, RFC 5032 §2."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Younger:
    """It arrived since, RFC 5032 §2."""

    seconds: int


@dataclass(frozen=True, slots=True)
class ModSeqSince:
    """Its MODSEQ is this or greater, RFC 7162 §3.1.5. An entry's name is read and left aside, as we keep one MODSEQ."""

    modseq: int


@dataclass(frozen=True, slots=True)
class EmailIdIs:
    """RFC 8474 §6."""

    email_id: bytes


@dataclass(frozen=True, slots=True)
class ThreadIdIs:
    """RFC 8474 §6."""

    thread_id: bytes


@dataclass(frozen=True, slots=True)
class Seqs:
    """It is one of these sequence numbers; those that do not exist are left aside."""

    messages: SequenceSet


@dataclass(frozen=True, slots=True)
class Uids:
    """It is one of these UIDs."""

    uids: SequenceSet


@dataclass(frozen=True, slots=True)
class UidsBeyond:
    """Its UID is greater than this one (`after`) or less, RFC 9738 §3.2.

    0 stands for `$`: greater than all UIDs that were saved, or less than all of them.
    """

    uid: int
    after: bool


@dataclass(frozen=True, slots=True)
class Not:
    key: SearchKey


@dataclass(frozen=True, slots=True)
class Or:
    left: SearchKey
    right: SearchKey


@dataclass(frozen=True, slots=True)
class And:
    keys: tuple[SearchKey, ...]


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """The key may be met loosely, RFC 6203 §3."""

    key: SearchKey


SearchKey = (
    All
    | And
    | EmailIdIs
    | Fuzzy
    | HasFlag
    | InBody
    | InHeader
    | InText
    | InternalDate
    | IsRecent
    | Larger
    | ModSeqSince
    | Not
    | Older
    | Or
    | SaveDate
    | SaveDateSupported
    | SentDate
    | Seqs
    | Smaller
    | ThreadIdIs
    | Uids
    | UidsBeyond
    | Younger
)
"""Any key; match on it."""


class SearchOption(Enum):
    """What a search returns, RFC 9051 §6.4.4; SAVE: §6.4.4.1."""

    MIN = b"MIN"
    MAX = b"MAX"
    ALL = b"ALL"
    COUNT = b"COUNT"
    RELEVANCY = b"RELEVANCY"  # RFC 6203 §4
    SAVE = b"SAVE"


@dataclass(frozen=True, slots=True)
class Partial:
    """Results from `first` to `last`, both counted from 1; from the end where they are negative (RFC 9394 §3.1)."""

    first: int
    last: int

    def __bytes__(self) -> bytes:
        return b"%d:%d" % (self.first, self.last)

    def slice_of(self, count: int) -> tuple[int, int]:
        """Return which of `count` results are meant, as [start, stop), counted from 0."""
        low, high = sorted(at if at > 0 else count + 1 + at for at in (self.first, self.last))
        start = min(max(low, 1) - 1, count)
        return start, max(min(high, count), start)


@dataclass(frozen=True, slots=True)
class SearchReturn:
    """RETURN (…). Where nothing stood within, it is ALL (RFC 9051 §6.4.4)."""

    options: frozenset[SearchOption]
    partial: Partial | None = None


def iterate_keys(key: SearchKey) -> Iterator[SearchKey]:
    """Yield the keys of a tree that are made of no others."""
    pending = [key]
    while pending:
        match pending.pop():
            case And(keys):
                pending.extend(keys)
            case Or(left, right):
                pending += (left, right)
            case Not(inner) | Fuzzy(inner):
                pending.append(inner)
            case leaf:
                yield leaf


def names_seqs(key: SearchKey) -> bool:
    """Whether the key speaks of messages by their sequence numbers."""
    return any(isinstance(leaf, Seqs) for leaf in iterate_keys(key))


def is_fuzzy(key: SearchKey) -> bool:
    """Whether some key may be met loosely (RFC 6203 §3)."""
    match key:
        case Fuzzy():
            return True
        case And(keys):
            return any(map(is_fuzzy, keys))
        case Or(left, right):
            return is_fuzzy(left) or is_fuzzy(right)
        case Not(inner):
            return is_fuzzy(inner)
        case _:
            return False


def spread_fuzzy(key: SearchKey, *, is_loose: bool = False) -> SearchKey:
    """Return the same tree with `Fuzzy` only where it says something: right before each text."""
    match key:
        case Fuzzy(inner):
            return spread_fuzzy(inner, is_loose=True)
        case And(keys):
            return And(tuple(spread_fuzzy(part, is_loose=is_loose) for part in keys))
        case Or(left, right):
            return Or(spread_fuzzy(left, is_loose=is_loose), spread_fuzzy(right, is_loose=is_loose))
        case Not(inner):
            return Not(spread_fuzzy(inner, is_loose=is_loose))
        case InHeader() | InBody() | InText() if is_loose:
            return Fuzzy(key)
        case _:
            return key
