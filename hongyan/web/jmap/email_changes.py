"""Email/changes and Thread/changes: what the log says since a state, as emails (RFC 8621 §4.3, §3.2).

An email was there before exactly if one of its messages, of those that are there now and those that left since, did not
come since. So the log and what left tell which emails are new, which are other, and which are gone, and nothing is
read but what changed.
"""

from __future__ import annotations

__all__ = ["EmailChanges", "email_changes", "find_changes", "thread_changes"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap

from hongyan.store.changes import (
    Appended,
    Expunged,
    FlagsAdded,
    FlagsRemoved,
    FlagsReplaced,
    LoggedChange,
    MailboxChanged,
    uid_runs,
)
from hongyan.types import AccountId, EmailId, MailboxId, ModSeq
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.email_services import EmailServices, locate
from hongyan.web.jmap.ids import email_id, thread_id
from hongyan.web.jmap.states import read_changes_since, read_state, write_state
from hongyan.wire.jmap.faults import MethodError
from hongyan.wire.jmap.standard import read_changes

_DELETED = b"\\deleted"
_NO_UIDS = BitMap()
_ENTRIES = 1000
"""Entries of the log that one step reads; each may name many messages."""


@dataclass(slots=True)
class EmailChanges:
    """What became of emails between two states; `threads` are those of all of them."""

    upto: ModSeq
    more: bool
    created: list[EmailId] = field(default_factory=list)
    updated: list[EmailId] = field(default_factory=list)
    destroyed: list[EmailId] = field(default_factory=list)
    threads: dict[EmailId, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.created) + len(self.updated) + len(self.destroyed)


async def email_changes(services: EmailServices, call: Call) -> Mapping[str, object]:
    """RFC 8621 §4.3."""
    asked = read_changes(call.arguments)
    found = await find_changes(services, call.account, asked.since_state, _limit(services, asked.max_changes))
    return {
        "accountId": call.account_id,
        "oldState": asked.since_state,
        "newState": write_state(found.upto),
        "hasMoreChanges": found.more,
        "created": list(map(email_id, found.created)),
        "updated": list(map(email_id, found.updated)),
        "destroyed": list(map(email_id, found.destroyed)),
    }


async def thread_changes(services: EmailServices, call: Call) -> Mapping[str, object]:
    """RFC 8621 §3.2. A thread is another when an email came into it or left it, not when one is only marked."""
    asked = read_changes(call.arguments)
    found = await find_changes(services, call.account, asked.since_state, _limit(services, asked.max_changes))
    touched = list(dict.fromkeys(found.threads[email] for email in (*found.created, *found.destroyed)))
    there: dict[int, set[EmailId]] = {}
    listed = await services.placements.list_threads(call.account, touched) if touched else ()
    visible = await locate(services, call.account, list(dict.fromkeys(placement.email for placement, _ in listed)))
    for email, located in visible.items():
        there.setdefault(located.thread, set()).add(email)
    fresh = set(found.created)
    created = [thread for thread in touched if there.get(thread, set()) and there[thread] <= fresh]
    # A thread all of whose emails are new is new, unless it lost one that was there before.
    lost = {found.threads[email] for email in found.destroyed}
    created = [thread for thread in created if thread not in lost]
    return {
        "accountId": call.account_id,
        "oldState": asked.since_state,
        "newState": write_state(found.upto),
        "hasMoreChanges": found.more,
        "created": list(map(thread_id, created)),
        "updated": [thread_id(thread) for thread in touched if thread in there and thread not in set(created)],
        "destroyed": [thread_id(thread) for thread in touched if thread not in there],
    }


def _limit(services: EmailServices, asked: int | None) -> int:
    most = services.jmap.options.max_changes
    return most if asked is None else min(asked, most)


async def find_changes(services: EmailServices, account: AccountId, since: str, limit: int) -> EmailChanges:
    """Return the changes since a state, at most `limit` of them. Raises `MethodError`."""
    cursor = read_state(since)
    head = await services.mail.mailboxes.highestmodseq(account)
    window = await read_changes_since(services.jmap.changes, account, cursor, head, _ENTRIES)
    entries, upto, more = window.changes, window.modseq, window.more
    found = await _Tally(services, account).run(entries, cursor, upto if more else ModSeq(max(upto, head)))
    while len(found) > limit:
        # The same again of half the log, until it fits; one entry cannot be parted.
        modseqs = sorted({entry.modseq for entry in entries})
        if len(modseqs) < 2:
            raise MethodError("cannotCalculateChanges", "One change is of more emails than maxChanges.")
        upto, more = modseqs[len(modseqs) // 2 - 1], True
        entries = [entry for entry in entries if entry.modseq <= upto]
        found = await _Tally(services, account).run(entries, cursor, upto)
    found.more = more
    return found


class _Tally:
    """Gathers which messages came, changed and left, and then which emails those are."""

    def __init__(self, services: EmailServices, account: AccountId) -> None:
        self._services = services
        self._account = account
        self._came: dict[MailboxId, BitMap] = {}
        self._changed: dict[MailboxId, BitMap] = {}
        self._shown: dict[MailboxId, BitMap] = {}
        self._left: dict[ModSeq, tuple[MailboxId, int]] = {}
        self._gone_boxes: list[MailboxId] = []
        self._threads: dict[EmailId, int] = {}

    async def run(self, entries: Sequence[LoggedChange], after: ModSeq, upto: ModSeq) -> EmailChanges:
        for entry in entries:
            self._take(entry)
        touched: set[EmailId] = set()
        was_before: set[EmailId] = set()
        reappeared = await self._find(self._shown)
        touched |= await self._find(self._came) | await self._find(self._changed) | reappeared
        for email, mailbox, uid in await self._departed(after, upto):
            touched.add(email)
            if not self._came_since(mailbox, uid):
                was_before.add(email)
        return await self._sort(touched, was_before, reappeared, upto)

    def _take(self, entry: LoggedChange) -> None:
        mailbox = entry.mailbox
        match entry.change:
            case Appended(first_uid, count):
                self._note(self._came, mailbox, BitMap(range(first_uid, first_uid + count)))
            case FlagsAdded(uids) | FlagsReplaced(uids):
                self._note(self._changed, mailbox, uids)
            case FlagsRemoved(uids, flags):
                is_shown_again = _DELETED in map(bytes.lower, flags)
                self._note(self._shown if is_shown_again else self._changed, mailbox, uids)
            case Expunged(uids):
                self._left[entry.modseq] = (mailbox, len(uids))
            case MailboxChanged("deleted"):
                self._left[entry.modseq] = (mailbox, 0)
                self._gone_boxes.append(mailbox)

    @staticmethod
    def _note(where: dict[MailboxId, BitMap], mailbox: MailboxId, uids: BitMap) -> None:
        where[mailbox] = where.get(mailbox, BitMap()) | uids

    async def _find(self, where: Mapping[MailboxId, BitMap]) -> set[EmailId]:
        """Return the emails of messages that are still there."""
        emails: set[EmailId] = set()
        for mailbox, uids in where.items():
            for placement in await self._services.placements.list_uids(self._account, mailbox, uid_runs(uids)):
                emails.add(placement.email)
                self._threads[placement.email] = placement.thread
        return emails

    async def _departed(self, after: ModSeq, upto: ModSeq) -> list[tuple[EmailId, MailboxId, int]]:
        """Return what left. Raises `MethodError` if it was not noted: by a version that did not yet."""
        if not self._left:
            return []
        gone: list[tuple[EmailId, MailboxId, int]] = []
        counts = dict.fromkeys(self._left, 0)
        for departure in await self._services.placements.list_departures(self._account, after, upto):
            self._threads.setdefault(departure.email, departure.thread)
            if departure.modseq in self._left:
                gone.append((departure.email, self._left[departure.modseq][0], departure.uid))
                counts[departure.modseq] += 1
        if any(counts[modseq] < count for modseq, (_, count) in self._left.items()):
            raise MethodError("cannotCalculateChanges")
        for mailbox in self._gone_boxes:
            for placement in await self._services.placements.list_left_behind(self._account, mailbox):
                self._threads.setdefault(placement.email, placement.thread)
                gone.append((placement.email, mailbox, placement.uid))
        return gone

    async def _sort(
        self, touched: set[EmailId], was_before: set[EmailId], reappeared: set[EmailId], upto: ModSeq
    ) -> EmailChanges:
        found = EmailChanges(upto, more=False)
        located = await locate(self._services, self._account, sorted(touched), hidden_too=True)
        for email in sorted(touched, reverse=True):  # newer ones are of more interest
            at = located.get(email)
            messages = () if at is None else (*at.messages, *at.hidden)
            was = email in was_before or any(not self._came_since(state.mailbox_id, uid) for state, uid in messages)
            if at is not None and at.messages:
                (found.updated if was and email not in reappeared else found.created).append(email)
            elif was:
                found.destroyed.append(email)
            else:
                continue  # What came and left between the states was never there.
            found.threads[email] = self._threads[email] if at is None else at.thread
        return found

    def _came_since(self, mailbox: MailboxId, uid: int) -> bool:
        return uid in self._came.get(mailbox, _NO_UIDS)
