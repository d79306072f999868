"""Commands about mailboxes: selecting, making, listing, their room."""

from __future__ import annotations

__all__ = [
    "Check",
    "Close",
    "Create",
    "Delete",
    "GetJmapAccess",
    "GetQuota",
    "GetQuotaRoot",
    "List",
    "ListReturn",
    "ListSelect",
    "Lsub",
    "Namespace",
    "Qresync",
    "Rename",
    "Select",
    "Status",
    "StatusItem",
    "Subscribe",
    "Unselect",
    "Unsubscribe",
]

from dataclasses import dataclass
from enum import Enum

from hongyan.wire.imap.sequence import SequenceSet


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
    """What LIST tells of each mailbox, RFC 9051 §6.3.9.2; SPECIAL-USE: RFC 6154 §2, MYRIGHTS: RFC 8440 §3."""

    SUBSCRIBED = "SUBSCRIBED"
    CHILDREN = "CHILDREN"
    SPECIAL_USE = "SPECIAL-USE"
    MYRIGHTS = "MYRIGHTS"


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
    metadata: tuple[str, ...] = ()
    """RETURN (METADATA (…)), RFC 9590 §3: names of entries, in lower case. Empty: not asked for."""
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
class GetJmapAccess:
    """GETJMAPACCESS, RFC 9698 §4."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS, RFC 9051 §6.3.11."""

    tag: bytes
    mailbox: str
    items: tuple[StatusItem, ...]


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
