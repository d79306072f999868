"""The change log of an account: what happened, in order, and how it is written.

MODSEQ is the position in the log (RFC 7162 §3.1). A command is one entry, however many messages it
touches. Who reacts to mail reads the log from a cursor of its own: IMAP sessions, JMAP state, the search
indexer, webhooks. The truth of a mailbox is its last snapshot and the entries after it.

An entry is a change to one mailbox. Its octets are for the database; their first octet names the kind.
"""

from __future__ import annotations

__all__ = [
    "FILED_BY_SERVER",
    "AccessChanged",
    "Annotated",
    "Appended",
    "Change",
    "ChangePage",
    "ChangeStore",
    "Expunged",
    "Flag",
    "FlagsAdded",
    "FlagsRemoved",
    "FlagsReplaced",
    "LoggedChange",
    "MailboxChanged",
    "SeenBy",
    "decode_change",
    "encode_change",
    "uid_runs",
]

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.types import AccountId, MailboxId, ModSeq

Flag = bytes
"""A flag or keyword as IMAP writes it: `\\Seen`, `$Junk` (RFC 9051 §2.3.2)."""

FILED_BY_SERVER: Flag = b"$AutoFiled"
"""The keyword of what the server has moved by itself: it says nothing about what its owner thinks of it."""


@dataclass(frozen=True, slots=True)
class Appended:
    """Messages came: UIDs first_uid … first_uid + count - 1, each flag with the UIDs that have it."""

    first_uid: int
    count: int
    flags: Mapping[Flag, BitMap] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlagsAdded:
    """The flags were set on these messages."""

    uids: BitMap
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class FlagsRemoved:
    """The flags were taken from these messages."""

    uids: BitMap
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class FlagsReplaced:
    """These messages have these flags and no others."""

    uids: BitMap
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Expunged:
    """These messages left the mailbox."""

    uids: BitMap


@dataclass(frozen=True, slots=True)
class MailboxChanged:
    """The mailbox itself changed: `what` is `created`, `renamed`, `deleted`, or `changed` in something else."""

    what: str
    name: str


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """Somebody's rights to the mailbox are other ones: `rights` is all that is granted, or denied, to `grantee` now.

    `grantee` 0 is everybody (`store.shares.ANYONE`).
    """

    grantee: AccountId
    is_negative: bool
    rights: str


@dataclass(frozen=True, slots=True)
class SeenBy:
    """An account that the mailbox is shared with has seen these messages, or takes that back.

    To everybody else nothing has changed: each viewer has a `\\Seen` of its own (`store.shares`).
    """

    viewer: AccountId
    uids: BitMap
    is_seen: bool


@dataclass(frozen=True, slots=True)
class Annotated:
    """What is noted on the mailbox is another (RFC 7162 §3.2: that has a MODSEQ too)."""


Change = (
    Appended
    | FlagsAdded
    | FlagsRemoved
    | FlagsReplaced
    | Expunged
    | MailboxChanged
    | AccessChanged
    | SeenBy
    | Annotated
)


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A change with its place in the log."""

    modseq: ModSeq
    mailbox: MailboxId
    change: Change


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A run of the log. `more` is true when the log goes on; `modseq` is the cursor to ask from next.

    Entries up to `floor` may be gone: who asked from below it has missed some, and starts over from the mailboxes.
    """

    changes: Sequence[LoggedChange]
    modseq: ModSeq
    more: bool
    floor: ModSeq


class ChangeStore(Protocol):
    """Reads the log."""

    async def changes_since(self, account: AccountId, cursor: ModSeq, *, limit: int = 1000) -> ChangePage:
        """Return the entries after `cursor`, oldest first."""
        ...

    async def changes_of_mailbox(
        self, account: AccountId, mailbox: MailboxId, cursor: ModSeq
    ) -> Sequence[LoggedChange]:
        """Return the entries of one mailbox after `cursor`, oldest first. See `log_floor`."""
        ...

    async def expunged_since(self, account: AccountId, mailbox: MailboxId, cursor: ModSeq) -> BitMap | None:
        """Return the UIDs that left a mailbox after `cursor`, and maybe some earlier ones, whatever the log's floor.

        None: some of them are forgotten (decision 0031).
        """
        ...

    async def log_floor(self, account: AccountId) -> ModSeq:
        """Return the position up to which entries of the account's log may be gone."""
        ...


_KINDS: dict[type[object], bytes] = {
    Appended: b"A",
    FlagsAdded: b"+",
    FlagsRemoved: b"-",
    FlagsReplaced: b"=",
    Expunged: b"X",
    MailboxChanged: b"M",
    AccessChanged: b"R",
    SeenBy: b"V",
    Annotated: b"N",
}
_HEAD = struct.Struct(">II")
_PERSON = struct.Struct(">Q?")
_LENGTH = struct.Struct(">I")


def encode_change(change: Change) -> bytes:
    """Return the octets of an entry."""
    kind = _KINDS[type(change)]
    match change:
        case Appended():
            parts = [kind, _HEAD.pack(change.first_uid, change.count)]
            for flag, uids in change.flags.items():
                packed = uids.serialize()
                parts += (_HEAD.pack(len(flag), len(packed)), flag, packed)
            return b"".join(parts)
        case FlagsAdded() | FlagsRemoved() | FlagsReplaced():
            flags = b" ".join(change.flags)
            return b"".join((kind, _LENGTH.pack(len(flags)), flags, change.uids.serialize()))
        case Expunged():
            return kind + change.uids.serialize()
        case MailboxChanged():
            return b"".join((kind, change.what.encode(), b" ", change.name.encode()))
        case AccessChanged(grantee, is_negative, rights):
            return kind + _PERSON.pack(grantee, is_negative) + rights.encode("ascii")
        case SeenBy(viewer, uids, is_seen):
            return kind + _PERSON.pack(viewer, is_seen) + uids.serialize()
        case Annotated():
            return kind


def decode_change(octets: bytes) -> Change:
    """Return the change that the octets stand for. Raises `Corrupt`."""
    kind, body = octets[:1], octets[1:]
    try:
        match kind:
            case b"A":
                return _decode_appended(body)
            case b"X":
                return Expunged(BitMap.deserialize(body))
            case b"M":
                what, _, name = body.decode().partition(" ")
                return MailboxChanged(what, name)
            case b"R":
                grantee, is_negative = _PERSON.unpack_from(body)
                return AccessChanged(AccountId(grantee), is_negative, body[_PERSON.size :].decode("ascii"))
            case b"V":
                viewer, is_seen = _PERSON.unpack_from(body)
                return SeenBy(AccountId(viewer), BitMap.deserialize(body[_PERSON.size :]), is_seen)
            case b"N":
                return Annotated()
        (length,) = _LENGTH.unpack_from(body)
        flags = tuple(body[4 : 4 + length].split())
        uids = BitMap.deserialize(body[4 + length :])
        match kind:
            case b"+":
                return FlagsAdded(uids, flags)
            case b"-":
                return FlagsRemoved(uids, flags)
            case b"=":
                return FlagsReplaced(uids, flags)
    except (struct.error, ValueError, IndexError) as error:
        raise Corrupt(cause=f"an entry of the change log cannot be read: {error}") from error
    raise Corrupt(cause=f"an entry of the change log has the unknown kind {kind!r}")


def _decode_appended(body: bytes) -> Appended:
    first_uid, count = _HEAD.unpack_from(body)
    flags: dict[Flag, BitMap] = {}
    at = _HEAD.size
    while at < len(body):
        name, packed = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        flags[body[at : at + name]] = BitMap.deserialize(body[at + name : at + name + packed])
        at += name + packed
    return Appended(first_uid, count, flags)


def uid_runs(uids: BitMap) -> list[tuple[int, int]]:
    """Return a set of UIDs as inclusive ranges, ascending."""
    if not uids:
        return []
    low, high = uids.min(), uids.max()
    if high - low + 1 == len(uids):
        return [(low, high)]
    runs: list[tuple[int, int]] = []
    start = previous = low
    for uid in uids:
        if uid > previous + 1:
            runs.append((start, previous))
            start = uid
        previous = uid
    runs.append((start, previous))
    return runs
