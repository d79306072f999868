"""The commands of IMAP as values: one dataclass for each, made by the parser and carried out by a session.

Names are text, decoded and canonical; what is only compared or told back (tags, flags, object ids, the
names of header fields) stays octets. `uid` says that numbers in a command, and in its answer,
are UIDs. Search keys are in `search`, fetch items in `fetch`.
"""

from __future__ import annotations

__all__ = [
    "Append",
    "AppendMessage",
    "Authenticate",
    "Capability",
    "Check",
    "Close",
    "Command",
    "Copy",
    "Create",
    "Delete",
    "Enable",
    "Expunge",
    "Fetch",
    "FlagChange",
    "GetQuota",
    "GetQuotaRoot",
    "Id",
    "Idle",
    "List",
    "ListReturn",
    "ListSelect",
    "Login",
    "Logout",
    "Lsub",
    "Move",
    "Namespace",
    "Noop",
    "Qresync",
    "Rename",
    "Search",
    "Select",
    "Sort",
    "SortKey",
    "SortOrder",
    "StartTls",
    "Status",
    "StatusItem",
    "Store",
    "Subscribe",
    "Thread",
    "Unselect",
    "Unsubscribe",
]

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from hongyan.secret import Secret
from hongyan.wire.imap.fetch import FetchItem
from hongyan.wire.imap.search import Partial, SearchKey, SearchReturn
from hongyan.wire.imap.sequence import SequenceSet


@dataclass(frozen=True, slots=True)
class Capability:
    """CAPABILITY, RFC 9051 §6.1.1."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP, RFC 9051 §6.1.2."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Logout:
    """LOGOUT, RFC 9051 §6.1.3."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Id:
    """ID, RFC 2971 §3.1. Fields keep their order; their names are lower-case. Empty for NIL."""

    tag: bytes
    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS, RFC 9051 §6.2.1."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Authenticate:
    """AUTHENTICATE, RFC 9051 §6.2.2. The mechanism is upper-case.

    The initial response is in base64 as it was sent, `=` for an empty one (RFC 4959 §3), and None if there is none.
    """

    tag: bytes
    mechanism: str
    initial_response: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """LOGIN, RFC 9051 §6.2.3."""

    tag: bytes
    userid: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Enable:
    """ENABLE, RFC 9051 §6.3.1. Capabilities are upper-case, known or not."""

    tag: bytes
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Qresync:
    """What a client knows of a mailbox, RFC 7162 §3.2.5."""

    uidvalidity: int
    modseq: int
    known_uids: SequenceSet | None = None
    """UIDs that the client holds; None: all below UIDNEXT."""
    known_seqs: SequenceSet | None = None
    """Sequence numbers of `known_seq_uids`, both ascending and of one length."""
    known_seq_uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT and EXAMINE (which is `read_only`), RFC 9051 §6.3.2, §6.3.3; parameters of RFC 7162 §3.1.8, §3.2.5."""

    tag: bytes
    mailbox: str
    read_only: bool
    condstore: bool = False
    qresync: Qresync | None = None
    oldname: str | None = None
    """The name as it was written, when that is not its normal form (RFC 9051 §6.3.9.7)."""


@dataclass(frozen=True, slots=True)
class Create:
    """CREATE, RFC 9051 §6.3.4. `special_uses` are asked for by USE (RFC 6154 §3), spelt `\\Sent`."""

    tag: bytes
    mailbox: str
    special_uses: tuple[str, ...] = ()
    oldname: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE, RFC 9051 §6.3.5."""

    tag: bytes
    mailbox: str
    oldname: str | None = None


@dataclass(frozen=True, slots=True)
class Rename:
    """RENAME, RFC 9051 §6.3.6. `oldname` is the first name as written, if either is not in its normal form."""

    tag: bytes
    mailbox: str
    new_mailbox: str
    oldname: str | None = None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE, RFC 9051 §6.3.7."""

    tag: bytes
    mailbox: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE, RFC 9051 §6.3.8."""

    tag: bytes
    mailbox: str


class ListSelect(Enum):
    """Which mailboxes LIST selects, RFC 9051 §6.3.9.1; SPECIAL-USE: RFC 6154 §2."""

    SUBSCRIBED = "SUBSCRIBED"
    REMOTE = "REMOTE"
    RECURSIVEMATCH = "RECURSIVEMATCH"
    SPECIAL_USE = "SPECIAL-USE"


class ListReturn(Enum):
    """What LIST tells of each mailbox, RFC 9051 §6.3.9.2; SPECIAL-USE: RFC 6154 §2."""

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"


class StatusItem(Enum):
    """What STATUS tells, RFC 9051 §6.3.11.

    RECENT: RFC 3501 §6.3.10; DELETED-STORAGE: RFC 9208 §4.1.4; HIGHESTMODSEQ: RFC 7162 §3.1.7;
    APPENDLIMIT: RFC 7889 §3; MAILBOXID: RFC 8474 §4.3.
    """

    MESSAGES = "MESSAGES"
    RECENT = "RECENT"
    UIDNEXT = "UIDNEXT"
    UIDVALIDITY = "UIDVALIDITY"
    UNSEEN = "UNSEEN"
    DELETED = "DELETED"
    DELETED_STORAGE = "DELETED-STORAGE"
    SIZE = "SIZE"
    HIGHESTMODSEQ = "HIGHESTMODSEQ"
    APPENDLIMIT = "APPENDLIMIT"
    MAILBOXID = "MAILBOXID"


@dataclass(frozen=True, slots=True)
class List:
    """LIST, RFC 9051 §6.3.9. Patterns are not yet joined with the reference.

    `extended` tells the form with options or several patterns from the basic one, for which an empty
    pattern asks for the hierarchy delimiter.
    """

    tag: bytes
    reference: str
    patterns: tuple[str, ...]
    select: frozenset[ListSelect] = frozenset()
    returns: frozenset[ListReturn] = frozenset()
    status: tuple[StatusItem, ...] = ()
    """RETURN (STATUS (…)), RFC 9051 §6.3.9, RFC 5819 §2. Empty: not asked for."""
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Lsub:
    """LSUB, RFC 3501 §6.3.9."""

    tag: bytes
    reference: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """NAMESPACE, RFC 9051 §6.3.10."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS, RFC 9051 §6.3.11."""

    tag: bytes
    mailbox: str
    items: tuple[StatusItem, ...]


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """One message of an APPEND, up to the literal that holds it. Its size is told by the receiver."""

    flags: tuple[bytes, ...] = ()
    internaldate: datetime | None = None
    utf8: bool = False
    """Whether it came as `UTF8 (~{n} …)`: its header may hold UTF-8, and `)` follows it (RFC 6855 §4)."""


@dataclass(frozen=True, slots=True)
class Append:
    """APPEND, RFC 9051 §6.3.12, up to the literal of its first message; others may follow (RFC 3502 §6.3.11)."""

    tag: bytes
    mailbox: str
    message: AppendMessage


@dataclass(frozen=True, slots=True)
class Idle:
    """IDLE, RFC 9051 §6.3.13."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Check:
    """CHECK, RFC 3501 §6.4.1."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """CLOSE, RFC 9051 §6.4.1."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Unselect:
    """UNSELECT, RFC 9051 §6.4.2."""

    tag: bytes


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


class SortKey(Enum):
    """By what SORT sorts, RFC 5256 §3; DISPLAYFROM and DISPLAYTO: RFC 5957 §4."""

    ARRIVAL = "ARRIVAL"
    CC = "CC"
    DATE = "DATE"
    FROM = "FROM"
    SIZE = "SIZE"
    SUBJECT = "SUBJECT"
    TO = "TO"
    DISPLAYFROM = "DISPLAYFROM"
    DISPLAYTO = "DISPLAYTO"


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
class GetQuota:
    """GETQUOTA, RFC 9208 §4.1.1."""

    tag: bytes
    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot:
    """GETQUOTAROOT, RFC 9208 §4.1.2."""

    tag: bytes
    mailbox: str


Command = (
    Append
    | Authenticate
    | Capability
    | Check
    | Close
    | Copy
    | Create
    | Delete
    | Enable
    | Expunge
    | Fetch
    | GetQuota
    | GetQuotaRoot
    | Id
    | Idle
    | List
    | Login
    | Logout
    | Lsub
    | Move
    | Namespace
    | Noop
    | Rename
    | Search
    | Select
    | Sort
    | StartTls
    | Status
    | Store
    | Subscribe
    | Thread
    | Unselect
    | Unsubscribe
)
"""Any command; match on it."""
