"""One way in: octets, trace fields and flags become rows, a UID and an entry of the log."""

from __future__ import annotations

__all__ = ["Incoming", "append", "internal_text", "replace", "require_keywords"]

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyroaring import BitMap

from hongyan.addresses import Address
from hongyan.errors import Conflict
from hongyan.mailboxes.flag_column import COMMON_FLAGS
from hongyan.mailboxes.mail import Mail
from hongyan.message.analyze import Analysis, analyze
from hongyan.message.anatomy import Anatomy
from hongyan.store.changes import Appended, Expunged, Flag, LoggedChange
from hongyan.store.messages import Appending, NewMessage
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId, MailboxId

_IN_A_THREAD = 1 << 20  # octets from which the analysis would keep the loop busy too long
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message to be stored.

    `prefix` are the trace fields that stand before the octets; `internal_date` is now unless somebody says otherwise.
    A message for several accounts carries its `analysis`, so that it is made once. `heard` is who wrote it, where the
    account's correspondents are to know.
    What is served is the prefix and the octets from `skipped` on: of a header that is not served as it came, the
    prefix holds what is served of it.
    """

    octets: bytes
    prefix: bytes = b""
    flags: tuple[Flag, ...] = ()
    internal_date: datetime | None = None
    analysis: Analysis | None = None
    heard: Address | None = None
    skipped: int = 0
    anatomy: Anatomy | None = None
    """That of the octets, if somebody has read it already."""

    def analyze(self) -> Analysis:
        """Return what is stored about the message as it is served."""
        if self.skipped:
            return analyze(self.prefix, self.octets[self.skipped :])
        return analyze(self.prefix, self.octets, self.anatomy)


async def append(
    mail: Mail,
    account: AccountId,
    mailbox: MailboxId,
    messages: Sequence[Incoming],
    *,
    receipt: Receipt | None = None,
) -> Appending:
    """Store the messages, all or none, and return when they are on stable storage.

    Raises `OverQuota`, `NotFound`, `TooManyKeywords`, `StorageFull`, `StorageFailed`.
    """
    for message in messages:
        await require_keywords(mail, account, mailbox, message.flags)
    now = mail.clock.now()
    new = [await _prepare(message, now) for message in messages]
    done = await mail.messages.append(account, mailbox, new, receipt=receipt)
    if not done.duplicate:
        change = Appended(done.first_uid, len(new), _flags(new, done.first_uid))
        await mail.live.follow(account, (LoggedChange(done.modseq, mailbox, change),))
    return done


async def replace(
    mail: Mail, account: AccountId, source: MailboxId, uid: int, target: MailboxId, message: Incoming
) -> Appending | None:
    """Store a message in the place of another, which leaves; None, and nothing stored, when that one is gone.

    Raises what `append` raises; the room of the old message is the new one's.
    """
    await require_keywords(mail, account, target, message.flags)
    new = await _prepare(message, mail.clock.now())
    try:
        gone, done = await mail.messages.replace(account, source, uid, target, new)
    except Conflict:
        return None
    changes = [LoggedChange(done.modseq, target, Appended(done.first_uid, 1, _flags([new], done.first_uid)))]
    if gone.modseq is not None:
        changes.insert(0, LoggedChange(gone.modseq, source, Expunged(gone.uids)))
    await mail.live.follow(account, changes)
    return done


async def require_keywords(mail: Mail, account: AccountId, mailbox: MailboxId, flags: Iterable[Flag]) -> None:
    """Raise `TooManyKeywords` if the mailbox may not have these flags too, and `NotFound` if it is not there."""
    if not COMMON_FLAGS.issuperset(flags):
        (await mail.live.open(account, mailbox)).column.require_room(flags)


async def _prepare(message: Incoming, now: datetime) -> NewMessage:
    found = message.analysis
    if found is None and len(message.octets) < _IN_A_THREAD:
        found = message.analyze()
    elif found is None:
        found = await asyncio.to_thread(message.analyze)
    date = message.internal_date or now
    return NewMessage(
        message.octets,
        message.prefix,
        found,
        message.flags,
        int(date.timestamp()),
        internal_text(date),
        int(now.timestamp()),
        message.heard,
        message.skipped,
    )


def internal_text(date: datetime) -> bytes:
    """Return a date as IMAP writes it, quotes and all: `"17-Jul-1996 02:44:25 -0700"` (RFC 9051 §9, date-time)."""
    zone = b"+0000" if date.tzinfo is UTC else date.strftime("%z")[:5].encode() or b"+0000"
    return b'"%2d-%b-%04d %02d:%02d:%02d %b"' % (
        date.day,
        _MONTHS[date.month - 1],
        date.year,
        date.hour,
        date.minute,
        date.second,
        zone,
    )


def _flags(messages: Sequence[NewMessage], first_uid: int) -> dict[Flag, BitMap]:
    flags: dict[Flag, BitMap] = {}
    for uid, message in enumerate(messages, first_uid):
        for flag in message.flags:
            flags.setdefault(flag, BitMap()).add(uid)
    return flags
