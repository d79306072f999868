"""What users do with their mail teaches the spam filter: a consumer of the change log, and no call in delivery's path.

What counts, from the log alone:

* into Junk, by a move, a copy or an APPEND: unwanted. What delivery itself filed there has the keyword $Junk from the
  beginning, and is no vote: the filter does not learn from itself. If its owner has said otherwise before, it is one.
* out of Junk, but not into Trash: wanted.
* from INBOX into another mailbox of the user's own making, or into Archive: wanted. What the server has moved by itself
  (`FILED_BY_SERVER`) is no vote.
* the keywords $Junk and $NotJunk (or Junk, NonJunk and NotJunk, as older programs write them): what they say.
* answered or flagged, outside Junk: wanted.

To delete a message says nothing. A move is an entry of the target and, right after it, one of the source.
"""

from __future__ import annotations

__all__ = ["Lesson", "SpamTrainer", "find_lessons"]

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyroaring import BitMap

from hongyan import telemetry
from hongyan.errors import Corrupt, NotFound
from hongyan.mailboxes.mail import Mail
from hongyan.screening.hindsight import read_trace
from hongyan.screening.reputation import Reputation
from hongyan.screening.spam_filter import SpamFilter, Vote
from hongyan.screening.tokens import MAX_EXAMINED, origin_tokens, read_tokens
from hongyan.store.changes import (
    FILED_BY_SERVER,
    Appended,
    Expunged,
    Flag,
    FlagsAdded,
    FlagsReplaced,
    LoggedChange,
    uid_runs,
)
from hongyan.store.mailboxes import INBOX_ID
from hongyan.store.messages import Column
from hongyan.types import AccountId, BlobRef, MailboxId

JUNK: Final = "\\Junk"
_KEPT_USES: Final = frozenset({"", "\\Archive"})  # mailboxes into which one files what one wants to keep
_SAYS_SPAM: Final = frozenset({b"$junk", b"junk"})
_SAYS_HAM: Final = frozenset({b"$notjunk", b"nonjunk", b"notjunk"})
_MOVED_BY_SERVER: Final = frozenset({FILED_BY_SERVER.lower()})
_SHOWS_HAM: Final = frozenset({b"\\answered", b"\\flagged"})
_OF_INTEREST: Final = _SAYS_SPAM | _SAYS_HAM | _SHOWS_HAM
_MOST_MESSAGES: Final = 200  # of one entry; who moves more at once tidies up
_AT_START: Final = 200

log = telemetry.logger("spam")


@dataclass(frozen=True, slots=True)
class Lesson:
    """Messages of a mailbox that somebody has judged by what he did.

    `if_known`: it counts only where he judged the same message before, or where it did not come by delivery.
    """

    mailbox: MailboxId
    uids: BitMap
    is_spam: bool
    if_known: bool = False


def find_lessons(changes: Sequence[LoggedChange], uses: Mapping[MailboxId, str]) -> Iterator[Lesson]:
    """Yield what entries of a log teach, in their order. `uses` says what mailboxes are for (RFC 6154 §2)."""
    sources = _find_sources(changes)
    for entry in changes:
        use = uses.get(entry.mailbox)
        if use is None:
            continue  # The mailbox is gone.
        match entry.change:
            case Appended() as came:
                yield from _of_appended(entry, came, uses, sources.get(entry.modseq))
            case FlagsAdded(uids, flags):
                yield from _of_flags(entry.mailbox, uids, flags, use, shows=True)
            case FlagsReplaced(uids, flags):
                yield from _of_flags(entry.mailbox, uids, flags, use, shows=False)
            case _:
                pass


def _find_sources(changes: Sequence[LoggedChange]) -> dict[int, MailboxId]:
    """Return for the entries of messages that were moved, by their MODSEQ, where they came from."""
    found: dict[int, MailboxId] = {}
    for entry, following in itertools.pairwise(changes):
        match entry.change, following.change:
            case Appended() as came, Expunged(uids):
                moved = len(uids) == came.count and following.mailbox != entry.mailbox
                if moved and following.modseq == entry.modseq + 1:
                    found[entry.modseq] = following.mailbox
            case _:
                pass
    return found


def _of_appended(
    entry: LoggedChange, came: Appended, uses: Mapping[MailboxId, str], source: MailboxId | None
) -> Iterator[Lesson]:
    use = uses[entry.mailbox]
    uids = BitMap(range(came.first_uid, came.first_uid + came.count))
    marked = _having(came.flags, _SAYS_SPAM) & uids
    if use == JUNK:
        if uids - marked:
            yield Lesson(entry.mailbox, uids - marked, is_spam=True)
        if marked:
            yield Lesson(entry.mailbox, marked, is_spam=True, if_known=True)
    elif source is not None and uses.get(source) == JUNK and use != "\\Trash":
        # A message that just came in, while another one left Junk, looks the same: it is neither marked nor known.
        if marked:
            yield Lesson(entry.mailbox, marked, is_spam=False)
        if uids - marked:
            yield Lesson(entry.mailbox, uids - marked, is_spam=False, if_known=True)
    elif source is None and entry.mailbox == INBOX_ID and marked:
        yield Lesson(entry.mailbox, marked, is_spam=False)  # a copy out of Junk
    elif source == INBOX_ID and use in _KEPT_USES:
        kept = uids - marked - _having(came.flags, _MOVED_BY_SERVER)
        if kept:
            yield Lesson(entry.mailbox, kept, is_spam=False)


def _of_flags(mailbox: MailboxId, uids: BitMap, flags: Sequence[Flag], use: str, *, shows: bool) -> Iterator[Lesson]:
    names = {flag.lower() for flag in flags}
    if names & _SAYS_HAM:
        yield Lesson(mailbox, uids, is_spam=False)
    elif names & _SAYS_SPAM:
        yield Lesson(mailbox, uids, is_spam=True)
    elif shows and names & _SHOWS_HAM and use != JUNK:
        yield Lesson(mailbox, uids, is_spam=False)


def _having(flags: Mapping[Flag, BitMap], names: frozenset[bytes]) -> BitMap:
    having = BitMap()
    for flag, uids in flags.items():
        if flag.lower() in names:
            having |= uids
    return having


class SpamTrainer:
    """`notify.consumers.Consumer`: reads the log, fetches the messages, and gives the filter the votes.

    What was news to the filter is noted of the sender too.
    """

    def __init__(self, mail: Mail, spam_filter: SpamFilter, reputation: Reputation) -> None:
        self._mail = mail
        self._filter = spam_filter
        self._reputation = reputation

    @property
    def name(self) -> str:
        return "spam"

    async def take(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        if not _may_teach(changes):
            return
        lessons = list(find_lessons(changes, await self._uses(account)))
        if not lessons:
            return
        votes: dict[bytes, Vote] = {}
        for lesson in lessons:
            for vote in await self._votes(account, lesson, votes):
                votes.pop(vote.tokens.fingerprint, None)
                votes[vote.tokens.fingerprint] = vote
        if not votes:
            return
        news = await self._filter.vote(account, list(votes.values()))
        for vote in news:
            if vote.prefix:
                came = read_trace(vote.prefix)
                await self._reputation.note(account, came.sender, came.domain, came.peer, good=not vote.is_spam)
        log.debug("taught", account=int(account), votes=len(votes), news=len(news))

    async def start_over(self, account: AccountId) -> None:
        """Learn from what lies in Junk now, but for what delivery filed there."""
        for mailbox, use in (await self._uses(account)).items():
            if use != JUNK:
                continue
            state = await self._mail.live.open(account, mailbox)
            there = BitMap(state.uids[-_AT_START:])
            filed = _having(state.flags_of(there), _SAYS_SPAM)
            votes = await self._votes(account, Lesson(mailbox, there - filed, is_spam=True), {})
            if votes:
                await self._filter.vote(account, votes)

    async def _uses(self, account: AccountId) -> dict[MailboxId, str]:
        return {box.mailbox_id: box.special_use for box in await self._mail.mailboxes.list_mailboxes(account)}

    async def _votes(self, account: AccountId, lesson: Lesson, before: Mapping[bytes, Vote]) -> list[Vote]:
        """Return the votes of a lesson on those of its messages that are there. `before`: in the same batch."""
        columns = (Column.PREFIX, Column.BLOB)
        ranges = uid_runs(BitMap(lesson.uids[:_MOST_MESSAGES]))
        try:
            rows = await self._mail.messages.rows(account, lesson.mailbox, columns, ranges, limit=_MOST_MESSAGES)
        except NotFound:
            return []
        votes: list[Vote] = []
        delivered: list[bool] = []
        for prefix, blob in rows:
            vote = await self._read(bytes(prefix), BlobRef(blob), is_spam=lesson.is_spam)
            if vote is not None:
                votes.append(vote)
                delivered.append(bool(prefix))
        if not lesson.if_known or not votes:
            return votes
        known = await self._filter.known(account, [vote.tokens.fingerprint for vote in votes])
        return [
            vote
            for vote, came in zip(votes, delivered, strict=True)
            if vote.tokens.fingerprint in known or vote.tokens.fingerprint in before or (lesson.is_spam and not came)
        ]

    async def _read(self, prefix: bytes, blob: BlobRef, *, is_spam: bool) -> Vote | None:
        try:
            octets = await self._mail.blobs.read(blob, 0, MAX_EXAMINED)
        except Corrupt as fault:
            log.warning("not-readable", cause=fault.cause)
            return None
        return Vote(await asyncio.to_thread(read_tokens, octets, origin_tokens(prefix)), is_spam, prefix)


def _may_teach(changes: Sequence[LoggedChange]) -> bool:
    """Whether there is more than deliveries into INBOX: those are most of what happens, and cost nothing here."""
    for entry in changes:
        match entry.change:
            case Appended(flags=flags):
                if entry.mailbox != INBOX_ID or flags:
                    return True
            case Expunged():
                if entry.mailbox != INBOX_ID:
                    return True
            case FlagsAdded(flags=flags) | FlagsReplaced(flags=flags):
                if any(flag.lower() in _OF_INTEREST for flag in flags):
                    return True
            case _:
                pass
    return False
