"""The verification: does every row have its blob, does every count agree with its rows, is every mailbox readable?

It looks at a storage that is at rest or at work; what changes while it looks is looked at again. Nothing that is
found stops it, and the result is a value. Blobs without rows are allowed and only counted: the sweep removes them.

With `repair` it mends what it finds: counts are made to agree with the rows, a mailbox whose flags cannot be read is
made anew from its rows, and a damaged message is set aside (see `repair`).
"""

from __future__ import annotations

__all__ = ["Fault", "Finding", "Verification", "VerifyReport"]

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hongyan.clock import Clock
from hongyan.engines.progress import Progress
from hongyan.engines.segment_format import FILE_HEADER_OCTETS, place_of
from hongyan.engines.sql.catalog import BLOB_COLUMN, Table, page_of, read_tables
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.units import Row, Value
from hongyan.engines.storage import SqlStorage
from hongyan.engines.upkeep import verify_rows as rows
from hongyan.engines.upkeep.repair import Repair
from hongyan.engines.upkeep.sweep_blobs import LiveBlobs
from hongyan.errors import Corrupt, NotFound
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Appended, Expunged
from hongyan.types import AccountId, BlobRef, EmailId, MailboxId

_PAGE = 100
_LOOKS = 5
_TOLD = 1000  # findings that are told one by one


class Fault(StrEnum):
    """What can be wrong."""

    MESSAGE_UNREADABLE = "message-unreadable"
    EMAIL_MISSING = "email-missing"
    EMAIL_UNREFERENCED = "email-unreferenced"
    BLOB_UNREADABLE = "blob-unreadable"
    MAILBOX_MISSING = "mailbox-missing"
    MAILBOX_COUNTS = "mailbox-counts"
    MAILBOX_STATE = "mailbox-state"
    ACCOUNT_COUNTS = "account-counts"
    SEGMENT_TORN = "segment-torn"


HARMLESS = frozenset({Fault.SEGMENT_TORN, Fault.EMAIL_UNREFERENCED})
"""What a crash leaves behind, by design."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    fault: Fault
    detail: str
    account: AccountId | None = None
    mailbox: MailboxId | None = None
    uid: int | None = None
    repaired: bool = False


@dataclass(slots=True)
class VerifyReport:
    """What was looked at and what was found. `counts` has all findings, `findings` the first thousand."""

    accounts: int = 0
    mailboxes: int = 0
    messages: int = 0
    blobs: int = 0
    octets: int = 0
    segments: int = 0
    orphan_blobs: int = 0
    orphan_octets: int = 0
    busy_mailboxes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    changed_accounts: list[AccountId] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether all is well, or nothing but what crashes leave behind was found."""
        return all(fault in HARMLESS for fault in self.counts)

    def as_json(self) -> dict[str, object]:
        """Return the report as values that JSON has."""
        return {**dataclasses.asdict(self), "counts": dict(self.counts), "sound": self.is_sound}

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it if there are not too many."""
        self.counts[finding.fault] += 1
        if len(self.findings) < _TOLD:
            self.findings.append(finding)


class Verification:
    """One look at all that is stored. With `shallow`, the octets of blobs are not read: only that they are there.

    `progress` counts what is looked at: blobs, segments and messages.
    """

    def __init__(self, storage: SqlStorage, clock: Clock, *, repair: bool = False, shallow: bool = False) -> None:
        self._storage = storage
        self._database = storage.database
        self._mailboxes = SqlMailboxes(storage.database)
        self._repair = Repair(storage, clock) if repair else None
        self._shallow = shallow
        self._live: dict[int, LiveBlobs] = {}
        self._sizes: dict[int, int] = {}
        self._damaged: dict[EmailId, str] = {}
        self.report = VerifyReport()
        self.progress = Progress()

    async def run(self) -> VerifyReport:
        """Look at everything."""
        self._sizes = dict(await asyncio.to_thread(self._storage.blobs.sizes))
        messages = await self._database.read(rows.count_messages())
        self.progress.total = 2 * messages + len(self._sizes)  # Each has a blob, if it does not share one.
        for table in await self._database.read(read_tables(self._storage.dialect)):
            if table.holds_blobs:
                await self._look_at_blobs(table)
        self.progress.total = self.progress.done + len(self._sizes) + messages
        await self._look_at_segments()
        for account in await self._database.read(rows.accounts()):
            self.report.accounts += 1
            await self._look_at_account(account)
        return self.report

    # -- blobs

    async def _look_at_blobs(self, table: Table) -> None:
        after: Sequence[Value] | None = None
        while page := await self._database.read(page_of(table, (BLOB_COLUMN,), after, _PAGE)):
            after = page[-1][:-1]
            self.progress.done += len(page)
            for row, cause in await asyncio.to_thread(self._unreadable, page):
                if table.name == "emails":
                    self._damaged[EmailId(row[-2])] = cause
                else:
                    key = ", ".join(map(str, row[:-1]))
                    self.report.add(Finding(Fault.BLOB_UNREADABLE, f"{table.name} {key}: {cause}"))

    def _unreadable(self, page: Sequence[Row]) -> list[tuple[Row, str]]:
        found = []
        for row in page:
            try:
                self._look_at_blob(BlobRef(row[-1]))
            except Corrupt as fault:
                found.append((row, fault.cause))
        return found

    def _look_at_blob(self, ref: BlobRef) -> None:
        place = place_of(ref)
        live = self._live.setdefault(place.segment, LiveBlobs())
        if place.offset in live.offsets:
            return
        live.add(place)
        self.report.blobs += 1
        self.report.octets += place.size
        if not self._shallow:
            self._storage.blobs.read_blocking(ref)
        elif place.end > self._sizes.get(place.segment, 0):
            raise Corrupt(cause=f"segment {place.segment} ends before {place.end}")

    async def _look_at_segments(self) -> None:
        for number, size in self._sizes.items():
            self.report.segments += 1
            self.progress.done += 1
            blobs, octets, end = await asyncio.to_thread(self._records_without_rows, number)
            self.report.orphan_blobs += blobs
            self.report.orphan_octets += octets
            if end < size and self._storage.blobs.is_sealed(number):
                self.report.add(Finding(Fault.SEGMENT_TORN, f"segment {number}: {size - end} octets after {end}"))

    def _records_without_rows(self, number: int) -> tuple[int, int, int]:
        live = self._live.get(number, LiveBlobs()).offsets
        blobs = octets = 0
        end = FILE_HEADER_OCTETS
        for place, _digest in self._storage.blobs.records(number):
            end = place.end
            if place.offset not in live:
                blobs += 1
                octets += place.size
        return blobs, octets, end

    # -- an account

    async def _look_at_account(self, account: AccountId) -> None:
        before = self.report.counts.total()
        for mailbox in await self._database.read(rows.missing_mailboxes(account)):
            repaired = self._repair is not None and await self._repair.recover_mailbox(account, mailbox)
            self._add(Fault.MAILBOX_MISSING, "messages without their mailbox", account, mailbox, repaired=repaired)
        for box in await self._mailboxes.list_mailboxes(account):
            self.report.mailboxes += 1
            await self._look_at_state(account, box.mailbox_id)
        await self._look_at_messages(account)
        await self._look_at_counts(account)
        if self._repair is not None and self.report.counts.total() > before:
            self.report.changed_accounts.append(account)

    async def _look_at_state(self, account: AccountId, mailbox: MailboxId) -> None:
        for _ in range(_LOOKS):
            try:
                stored = await self._mailboxes.load_state(account, mailbox)
                seen = await self._database.read(rows.uids(account, mailbox))
                late = await self._mailboxes.changes_of_mailbox(account, mailbox, stored.mailbox.highestmodseq)
                state = MailboxState(stored)
            except NotFound:
                return
            except Corrupt as fault:
                await self._rebuild(account, mailbox, fault.cause)
                return
            if not any(isinstance(logged.change, Appended | Expunged) for logged in late):
                break
        else:
            self.report.busy_mailboxes += 1
            return
        self.report.messages += len(seen)
        self.progress.done += len(seen)
        if state.uids != seen:
            await self._rebuild(account, mailbox, f"{len(state.uids)} messages, and rows of {len(seen)}")

    async def _rebuild(self, account: AccountId, mailbox: MailboxId, cause: str) -> None:
        repaired = self._repair is not None and await self._repair.rebuild_state(account, mailbox)
        self._add(Fault.MAILBOX_STATE, cause, account, mailbox, repaired=repaired)

    async def _look_at_messages(self, account: AccountId) -> None:
        for mailbox, uid in await self._database.read(rows.messages_without_email(account)):
            cause = "what the message says of itself is gone"
            await self._set_aside(Fault.EMAIL_MISSING, account, mailbox, uid, cause)
        mine = [email for email in self._damaged if email >> 32 == account]
        for email in mine:
            cause = self._damaged.pop(email)
            for mailbox, uid in await self._database.read(rows.messages_of(account, email)):
                await self._set_aside(Fault.MESSAGE_UNREADABLE, account, mailbox, uid, cause)
        lost = await self._database.read(rows.emails_without_message(account))
        repaired = bool(lost) and self._repair is not None and await self._repair.drop_emails(account, lost)
        for email in lost:
            self._add(Fault.EMAIL_UNREFERENCED, f"email {email}", account, None, repaired=repaired)

    async def _set_aside(self, fault: Fault, account: AccountId, mailbox: MailboxId, uid: int, cause: str) -> None:
        repaired = self._repair is not None and await self._repair.set_aside(account, mailbox, uid, cause)
        self._add(fault, cause, account, mailbox, uid, repaired=repaired)

    async def _look_at_counts(self, account: AccountId) -> None:
        wrong = await self._database.read(rows.wrong_mailbox_counts(account))
        wrong_account = await self._database.read(rows.wrong_account_counts(account))
        repaired = self._repair is not None and bool(wrong or wrong_account) and await self._repair.recount(account)
        for mailbox, detail in wrong:
            self._add(Fault.MAILBOX_COUNTS, detail, account, mailbox, repaired=repaired)
        if wrong_account is not None:
            self._add(Fault.ACCOUNT_COUNTS, wrong_account, account, None, repaired=repaired)

    def _add(
        self,
        fault: Fault,
        detail: str,
        account: AccountId,
        mailbox: MailboxId | None,
        uid: int | None = None,
        *,
        repaired: bool,
    ) -> None:
        self.report.add(Finding(fault, detail, account, mailbox, uid, repaired))
