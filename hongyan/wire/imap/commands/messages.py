"""Commands about messages: taking in, finding, reading, marking, moving, removing."""

from __future__ import annotations

__all__ = [
    "Append",
    "AppendMessage",
    "Copy",
    "Esearch",
    "Expunge",
    "Fetch",
    "FlagChange",
    "Move",
    "Replaced",
    "Search",
    "Sort",
    "SortKey",
    "SortOrder",
    "Source",
    "Store",
    "Thread",
    "UidBatches",
]

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from hongyan.wire.imap.commands.notify import MailboxFilter
from hongyan.wire.imap.fetch import FetchItem
from hongyan.wire.imap.search import Partial, SearchKey, SearchReturn
from hongyan.wire.imap.sequence import SequenceSet


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """One message of an APPEND, up to the literal that holds it. Its size is told by the receiver."""

    flags: tuple[bytes, ...] = ()
    internaldate: datetime | None = None
    utf8: bool = False
    """Whether it came as `UTF8 (~{n} …)`: its header may hold UTF-8, and `)` follows it (RFC 6855 §4)."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The message in whose place REPLACE stores another, RFC 8508 §3: a set of one number or `*`."""

    message: SequenceSet
    uid: bool


@dataclass(frozen=True, slots=True)
class Append:
    """APPEND, RFC 9051 §6.3.12, up to the literal of its first message; others may follow (RFC 3502 §6.3.11).

    Or REPLACE, RFC 8508 §3, which brings one message.
    """

    tag: bytes
    mailbox: str
    message: AppendMessage
    replaced: Replaced | None = None


@dataclass(frozen=True, slots=True)
class Expunge:
    """EXPUNGE, RFC 9051 §6.4.3, and with `uids` UID EXPUNGE, §6.4.9."""

    tag: bytes
    uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """SEARCH, RFC 9051 §6.4.4. `returns` is None where no RETURN was given: an untagged SEARCH answers in rev1."""

    tag: bytes
    uid: bool
    key: SearchKey
    returns: SearchReturn | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Mailboxes to search in, RFC 7377 §2.2; `names` goes with the filters that have some."""

    filter: MailboxFilter
    names: tuple[str, ...] = ()


SELECTED = Source(MailboxFilter.SELECTED)


@dataclass(frozen=True, slots=True)
class Esearch:
    """ESEARCH, RFC 7377 §2: what is told of are UIDs, always."""

    tag: bytes
    key: SearchKey
    returns: SearchReturn
    sources: tuple[Source, ...] = (SELECTED,)

    @property
    def is_about_selected(self) -> bool:
        """Whether the selected mailbox is meant, whichever that is."""
        return SELECTED in self.sources


class SortKey(Enum):
    """By what SORT sorts, RFC 5256 §3; DISPLAYFROM and DISPLAYTO: RFC 5957 §4; RELEVANCY: RFC 6203 §6."""

    ARRIVAL = "ARRIVAL"
    CC = "CC"
    DATE = "DATE"
    FROM = "FROM"
    SIZE = "SIZE"
    SUBJECT = "SUBJECT"
    TO = "TO"
    DISPLAYFROM = "DISPLAYFROM"
    DISPLAYTO = "DISPLAYTO"
    RELEVANCY = "RELEVANCY"


@dataclass(frozen=True, slots=True)
class SortOrder:
    """One criterion of SORT."""

    key: SortKey
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """SORT, RFC 5256 §3, with the RETURN options of ESORT (RFC 5267 §3)."""

    tag: bytes
    uid: bool
    orders: tuple[SortOrder, ...]
    key: SearchKey
    returns: SearchReturn | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """THREAD, RFC 5256 §3. The algorithm is upper-case."""

    tag: bytes
    uid: bool
    algorithm: str
    key: SearchKey


@dataclass(frozen=True, slots=True)
class Fetch:
    """FETCH, RFC 9051 §6.4.5, macros expanded; with the modifiers of RFC 7162 §3.1.4.1, §3.2.6 and RFC 9394 §3.3."""

    tag: bytes
    uid: bool
    messages: SequenceSet
    items: tuple[FetchItem, ...]
    changedsince: int | None = None
    vanished: bool = False
    partial: Partial | None = None


class FlagChange(Enum):
    """What STORE does to the flags, RFC 9051 §6.4.6."""

    REPLACE = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


@dataclass(frozen=True, slots=True)
class Store:
    """STORE, RFC 9051 §6.4.6, with the modifier of RFC 7162 §3.1.3."""

    tag: bytes
    uid: bool
    messages: SequenceSet
    change: FlagChange
    flags: tuple[bytes, ...]
    silent: bool = False
    unchangedsince: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY, RFC 9051 §6.4.7."""

    tag: bytes
    uid: bool
    messages: SequenceSet
    mailbox: str


@dataclass(frozen=True, slots=True)
class Move:
    """MOVE, RFC 9051 §6.4.8."""

    tag: bytes
    uid: bool
    messages: SequenceSet
    mailbox: str


@dataclass(frozen=True, slots=True)
class UidBatches:
    """UIDBATCHES, RFC 10022 §3.1: ranges of UIDs with so many messages each; `batches` is the first and last wanted."""

    tag: bytes
    size: int
    batches: tuple[int, int] | None = None
