"""An account's mail over a storage engine, in a few words: for the suites of stores, mailboxes and upkeep."""

from __future__ import annotations

__all__ = ["ACCOUNT", "MailShop", "NoHints", "message_octets", "new_message"]

from collections.abc import Sequence

from pyroaring import BitMap

from hongyan.engines.sql.mailboxes import SqlMailboxes, create_account_state, insert_mailbox
from hongyan.engines.sql.messages import SqlMessages
from hongyan.engines.sql.units import Row, Statement, Unit, Value
from hongyan.engines.storage import SqlStorage
from hongyan.mailboxes.live import LiveMailboxes, MemoryOptions
from hongyan.mailboxes.mail import Mail
from hongyan.message.analyze import analyze
from hongyan.store.changes import Flag
from hongyan.store.mailboxes import INBOX, Mailbox, Quota
from hongyan.store.messages import Appending, Column, NewMessage
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId, BlobRef, MailboxId, ModSeq
from tests.support.clock import FakeClock

ACCOUNT = AccountId(7)


class NoHints:
    """Nobody waits."""

    def publish(self, account: AccountId, modseq: ModSeq) -> None:
        """Say nothing."""


def message_octets(subject: str = "Gänse", body: str = "honk") -> bytes:
    """Return a message, the same for the same words."""
    return (
        f"From: Gans <gans@geese.test>\r\nTo: 雁@geese.test\r\nSubject: {subject}\r\n"
        f"Date: Thu, 1 Jan 2026 12:00:00 +0000\r\nMessage-ID: <{len(subject)}.{len(body)}@geese.test>\r\n\r\n{body}\r\n"
    ).encode()


def new_message(
    subject: str = "Gänse", body: str = "honk", *, flags: tuple[Flag, ...] = (), prefix: bytes = b"", date: int = 1000
) -> NewMessage:
    """Return a message as a store takes it."""
    octets = message_octets(subject, body)
    text = b'" 1-Jan-2026 12:00:00 +0000"'
    return NewMessage(octets, prefix, analyze(prefix, octets), flags, date, text, date)


class MailShop:
    """The stores of mail over one engine, and shorthands for one account."""

    def __init__(self, storage: SqlStorage, account: AccountId = ACCOUNT) -> None:
        self.storage = storage
        self.database = storage.database
        self.account = account
        self.mailboxes = SqlMailboxes(storage.database)
        self.messages = SqlMessages(storage.database)
        self.clock = FakeClock()
        self.inbox = MailboxId(1)

    async def open_account(
        self, account: AccountId | None = None, *, limit_octets: int = 0, limit_messages: int = 0
    ) -> Mailbox:
        """Make an account with an INBOX."""
        owner = account or self.account

        def make(_refs: Sequence[BlobRef]) -> Unit[Mailbox]:
            yield from create_account_state(owner, 5, limit_octets=limit_octets, limit_messages=limit_messages)
            return (yield from insert_mailbox(owner, INBOX, ""))

        return await self.database.write(make)

    def mail(self, *, memory: int = 1_000_000) -> Mail:
        """Return a fresh process's view: nothing is in memory yet."""
        live = LiveMailboxes(self.mailboxes, self.mailboxes, NoHints(), MemoryOptions(messages=memory))
        return Mail(self.mailboxes, self.messages, self.storage.blobs, live, self.clock)

    async def add(self, *messages: NewMessage, mailbox: int = 1, receipt: Receipt | None = None) -> Appending:
        """Append messages."""
        return await self.messages.append(self.account, MailboxId(mailbox), messages, receipt=receipt)

    async def add_many(self, count: int, *, mailbox: int = 1) -> Appending:
        """Append so many messages, whose subjects are their numbers."""
        return await self.add(*[new_message(f"n{number}") for number in range(count)], mailbox=mailbox)

    async def expunge(self, *uids: int, mailbox: int = 1) -> BitMap:
        """Remove messages from a mailbox."""
        done = await self.messages.expunge(self.account, MailboxId(mailbox), BitMap(uids))
        return done.uids

    async def uids(self, mailbox: int = 1) -> list[int]:
        """Return the UIDs that have a row."""
        rows = await self.rows(
            "SELECT uid FROM messages WHERE account_id = $1 AND mailbox_id = $2 ORDER BY uid", mailbox
        )
        return [row[0] for row in rows]

    async def read(self, uid: int, mailbox: int = 1) -> bytes:
        """Return a message as served."""
        columns = (Column.PREFIX, Column.BLOB, Column.SKIPPED)
        ((prefix, ref, skipped),) = await self.messages.rows(self.account, MailboxId(mailbox), columns, [(uid, uid)])
        return bytes(prefix) + await self.storage.blobs.read(ref, skipped)

    async def mailbox(self, name: str = INBOX) -> Mailbox:
        """Return a mailbox that is there."""
        found = await self.mailboxes.find_mailbox(self.account, name)
        assert found is not None
        return found

    async def quota(self) -> Quota:
        """Return what the account uses."""
        return await self.mailboxes.quota(self.account)

    async def rows(self, sql: str, *more: Value) -> list[Row]:
        """Return the rows of a statement about the account."""

        def unit() -> Unit[list[Row]]:
            return (yield Statement(sql, (self.account, *more)))

        return await self.database.read(unit())

    async def run(self, sql: str, *parameters: Value) -> None:
        """Change something behind the stores' back."""

        def make(_refs: Sequence[BlobRef]) -> Unit[None]:
            yield Statement(sql, parameters)

        await self.database.write(make)

    async def require_exact_counters(self) -> None:
        """Assert that mailboxes and account count what their rows say."""
        boxes = await self.rows(
            "SELECT m.mailbox_id, m.messages, m.octets, (SELECT COUNT(*) FROM messages r WHERE"
            " r.account_id = m.account_id AND r.mailbox_id = m.mailbox_id), (SELECT COALESCE(SUM(r.size), 0)"
            " FROM messages r WHERE r.account_id = m.account_id AND r.mailbox_id = m.mailbox_id), m.uidnext,"
            " (SELECT COALESCE(MAX(r.uid), 0) FROM messages r WHERE r.account_id = m.account_id AND"
            " r.mailbox_id = m.mailbox_id), m.highestmodseq FROM mailboxes m WHERE m.account_id = $1"
        )
        for _mailbox, messages, octets, counted, summed, uidnext, last, _modseq in boxes:
            assert (messages, octets) == (counted, int(summed))
            assert uidnext > last
        quota = await self.quota()
        assert quota.used_messages == sum(box[1] for box in boxes)
        assert quota.used_octets == sum(box[2] for box in boxes)
        assert max((box[7] for box in boxes), default=0) <= await self.mailboxes.highestmodseq(self.account)
