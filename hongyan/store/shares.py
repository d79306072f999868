"""Mailboxes that others may reach: what is granted to whom, who reaches what, and what each viewer has seen.

A grant is a fact of the owner's account; it is checked whenever somebody comes. That a viewer reaches a mailbox is
noted in the viewer's account too, so that a listing finds it by one key: the note is made before the grant and goes
after it, and a note without a grant opens nothing. What is granted to `ANYONE` is noted by the owner's domain.

`\\Seen` of a shared mailbox is each viewer's own (RFC 4314 §4): the owner's is a flag as others are, a viewer's is
a note in the viewer's account.
"""

from __future__ import annotations

__all__ = ["ANYONE", "Access", "Grant", "Granted", "Reached", "SeenNote", "ShareStore", "Shared"]

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.store.audit import AuditEntry
from hongyan.store.changes import AccessChanged
from hongyan.store.mailboxes import Mailbox
from hongyan.types import AccountId, MailboxId, ModSeq

ANYONE = AccountId(0)
"""Everybody: the identifier `anyone` (RFC 4314 §2)."""

_BEGINNING = ModSeq(0)
_STEPS = 128
_NOTE = struct.Struct(">4sQIII")  # magic, base, octets of seen, octets of touched, steps
_STEP = struct.Struct(">Q?I")
_MAGIC = b"HYV1"


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights that somebody has, or with `is_negative` shall not have whatever else grants them (RFC 4314 §2)."""

    grantee: AccountId
    rights: str
    is_negative: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """What a change of a grant is to come to: rights that replace the old ones, join them, or leave them."""

    grantee: AccountId
    is_negative: bool
    mode: str
    """`=`, `+` or `-`."""
    rights: str

    def as_grant(self) -> Grant:
        """Return whom and what it speaks of."""
        return Grant(self.grantee, self.rights, self.is_negative)


@dataclass(frozen=True, slots=True)
class Granted:
    """A change of a grant as it was logged."""

    modseq: ModSeq
    change: AccessChanged


@dataclass(frozen=True, slots=True)
class Reached:
    """A mailbox that somebody may reach."""

    owner: AccountId
    mailbox: MailboxId


@dataclass(frozen=True, slots=True)
class Shared:
    """A mailbox, and the grants that speak of one viewer and of everybody."""

    mailbox: Mailbox
    grants: Sequence[Grant]


@dataclass(frozen=True, slots=True)
class SeenNote:
    """What a viewer has seen of a mailbox.

    `seen` and `touched` (all that was ever marked or unmarked) stand at `base`; `steps` are what came after it, each
    with its place in the owner's log, oldest first. The oldest steps are folded: the note stays small.
    """

    base: ModSeq = _BEGINNING
    seen: BitMap = field(default_factory=BitMap)
    touched: BitMap = field(default_factory=BitMap)
    steps: tuple[tuple[ModSeq, bool, BitMap], ...] = ()

    @property
    def modseq(self) -> ModSeq:
        """The last place in the owner's log that the note knows."""
        return self.steps[-1][0] if self.steps else self.base

    def now_seen(self) -> BitMap:
        """Return the UIDs that are seen, all steps taken."""
        seen = self.seen.copy()
        for _modseq, is_seen, uids in self.steps:
            seen = seen | uids if is_seen else seen - uids
        return seen

    def with_step(self, modseq: ModSeq, uids: BitMap, *, is_seen: bool) -> SeenNote:
        """Return the note with one more step, in its order whenever it comes."""
        if modseq <= self.base:
            # So late that its place is folded: what is marked stays marked.
            seen = self.seen | uids if is_seen else self.seen - uids
            return SeenNote(self.base, seen, self.touched | uids, self.steps)
        steps = sorted((*self.steps, (modseq, is_seen, uids)), key=lambda step: step[0])
        base, seen, touched = self.base, self.seen, self.touched
        while len(steps) > _STEPS:
            base, was_seen, folded = steps.pop(0)
            seen = seen | folded if was_seen else seen - folded
            touched = touched | folded
        return SeenNote(base, seen, touched, tuple(steps))

    def encode(self) -> bytes:
        """Return the octets of the note."""
        seen, touched = self.seen.serialize(), self.touched.serialize()
        parts = [_NOTE.pack(_MAGIC, self.base, len(seen), len(touched), len(self.steps)), seen, touched]
        for modseq, is_seen, uids in self.steps:
            packed = uids.serialize()
            parts += (_STEP.pack(modseq, is_seen, len(packed)), packed)
        return b"".join(parts)

    @classmethod
    def decode(cls, octets: bytes) -> SeenNote:
        """Return the note that the octets stand for. Raises `Corrupt`."""
        try:
            magic, base, seen_octets, touched_octets, count = _NOTE.unpack_from(octets)
            if magic != _MAGIC or count > _STEPS:
                raise Corrupt(cause="a note of what was seen is none")
            at = _NOTE.size
            seen = BitMap.deserialize(octets[at : at + seen_octets])
            touched = BitMap.deserialize(octets[at + seen_octets : at + seen_octets + touched_octets])
            at += seen_octets + touched_octets
            steps = []
            for _ in range(count):
                modseq, is_seen, size = _STEP.unpack_from(octets, at)
                at += _STEP.size
                steps.append((ModSeq(modseq), is_seen, BitMap.deserialize(octets[at : at + size])))
                at += size
        except (struct.error, ValueError, IndexError) as error:
            raise Corrupt(cause=f"a note of what was seen cannot be read: {error}") from error
        return cls(ModSeq(base), seen, touched, tuple(steps))


class ShareStore(Protocol):
    """Keeps grants, and who reaches what. Each method is one unit of work of one account."""

    async def list_grants(self, owner: AccountId, mailbox: MailboxId) -> Sequence[Grant]:
        """Return all grants of a mailbox, by grantee."""
        ...

    async def list_all_grants(self, owner: AccountId) -> Sequence[tuple[MailboxId, Grant]]:
        """Return the grants of all mailboxes of an account, by mailbox and grantee."""
        ...

    async def change_access(
        self, owner: AccountId, mailbox: MailboxId, access: Access, *, audit: AuditEntry | None = None
    ) -> Granted:
        """Change a grant and log it. Raises `NotFound`, and `OverLimit` beyond the limit of grants."""
        ...

    async def find_shared(self, owner: AccountId, name: str, viewer: AccountId) -> Shared | None:
        """Return the mailbox of that name with the grants that speak of the viewer; none may."""
        ...

    async def list_shared(
        self, owner: AccountId, mailboxes: Sequence[MailboxId], viewer: AccountId
    ) -> Sequence[Shared]:
        """Return those of the mailboxes that are there, with the grants that speak of the viewer."""
        ...

    async def note_reached(self, viewer: AccountId, reached: Reached) -> None:
        """Note that a viewer may reach a mailbox."""
        ...

    async def forget_reached(self, viewer: AccountId, reached: Sequence[Reached]) -> None:
        """Forget such notes, and what the viewer has seen there."""
        ...

    async def list_reached(self, viewer: AccountId, *, limit: int) -> Sequence[Reached]:
        """Return what is noted, by owner."""
        ...

    async def note_open(self, domain: str, reached: Reached) -> None:
        """Note that a mailbox is open to everybody of its owner's domain."""
        ...

    async def forget_open(self, domain: str, reached: Sequence[Reached]) -> None:
        """Forget such notes."""
        ...

    async def list_open(self, domain: str, *, limit: int) -> Sequence[Reached]:
        """Return what is open to everybody of a domain, by owner."""
        ...

    async def seen_note(self, viewer: AccountId, reached: Reached) -> SeenNote:
        """Return what a viewer has seen of a mailbox."""
        ...

    async def note_seen(
        self, viewer: AccountId, reached: Reached, modseq: ModSeq, uids: BitMap, *, is_seen: bool
    ) -> None:
        """Note what was logged at `modseq`: these messages are seen now, or are not any more."""
        ...
