"""What a search finds in the text index: which messages hold a text, and which have yet to be read.

The index knows emails by their numbers; here they become UIDs of one mailbox, and what is gone from the mailbox is
gone from the answer. What came after the index's last look is for the reader of messages, and so is everything when
there is no index, or it fails.
"""

from __future__ import annotations

__all__ = ["Answers", "EmailMap", "EmailMaps", "IndexKeeper", "IndexSearch", "Needle"]

from array import array
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from pyroaring import BitMap

from hongyan import telemetry
from hongyan.errors import Corrupt, ServerFault
from hongyan.mailboxes.mail import Mail
from hongyan.search.loose import LooseNeedle
from hongyan.store.changes import uid_runs
from hongyan.store.index import IndexField, TextIndex, TextMatch, email_of, number_of
from hongyan.store.messages import Column
from hongyan.telemetry import metrics
from hongyan.types import AccountId, MailboxId

_FEW = 40
"""Messages that are read sooner than the index is asked, for one needle in all mailboxes of a search."""

_LATE = 200
"""Messages beyond the index from which on somebody is asked why."""

_SOME = 300  # emails that are looked up one by one, before a map of the mailbox is made
_MAX_KEPT = 2 << 20  # runs of messages whose numbers are kept in memory
_PAGE = 10_000
_NEWEST = (1 << 32) - 1

log = telemetry.logger("search")

_by_index = metrics.index_searches_total.labels("index")
_by_reading = metrics.index_searches_total.labels("reading")


class EmailMap:
    """Which email each message of a mailbox is, by runs in which both ascend one by one. Expunged messages stay."""

    __slots__ = ("_lengths", "_numbers", "_uids", "newest")

    def __init__(self) -> None:
        self.newest = 0  # UID up to which all messages are here
        self._uids = array("I")
        self._numbers = array("I")
        self._lengths = array("I")

    def __len__(self) -> int:
        """Return how many runs there are."""
        return len(self._uids)

    def extend(self, rows: Iterable[tuple[int, int]], newest: int) -> None:
        """Add messages by UID and email, ascending: all that there are up to `newest`."""
        uids, numbers, lengths = self._uids, self._numbers, self._lengths
        next_uid = uids[-1] + lengths[-1] if uids else 0
        next_number = numbers[-1] + lengths[-1] if uids else 0
        for uid, email in rows:
            number = number_of(email)
            if uid == next_uid and number == next_number:
                lengths[-1] += 1
            else:
                uids.append(uid)
                numbers.append(number)
                lengths.append(1)
            next_uid, next_number = uid + 1, number + 1
        self.newest = newest

    def select(self, wanted: BitMap) -> BitMap:
        """Return the UIDs of the emails."""
        chosen = BitMap()
        if not wanted:
            return chosen
        least, greatest = wanted.min(), wanted.max()
        for uid, number, length in zip(self._uids, self._numbers, self._lengths, strict=True):
            if length == 1:
                if number in wanted:
                    chosen.add(uid)
            elif number <= greatest and number + length > least:
                chosen |= (wanted & BitMap(range(number, number + length))).shift(uid - number)
        return chosen


class EmailMaps:
    """Which email each message is, for the mailboxes that were searched last: that never changes."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._maps: OrderedDict[tuple[AccountId, MailboxId], EmailMap] = OrderedDict()
        self._kept = 0

    def is_ready(self, account: AccountId, mailbox: MailboxId, newest: int) -> bool:
        """Whether nothing, or little, has to be read before `find` returns."""
        known = self._maps.get((account, mailbox))
        return known is not None and newest - known.newest <= _SOME

    async def find(self, account: AccountId, mailbox: MailboxId, newest: int) -> EmailMap:
        """Return the map of a mailbox, for its messages up to `newest` at least."""
        key = account, mailbox
        known = self._maps.setdefault(key, EmailMap())
        self._maps.move_to_end(key)
        while (before := known.newest) < newest:
            rows = await self._mail.messages.rows(
                account, mailbox, (Column.UID, Column.EMAIL_ID), [(before + 1, newest)], limit=_PAGE
            )
            if known.newest == before:  # Nobody else has gone on meanwhile.
                runs = len(known)
                known.extend([(uid, email) for uid, email in rows], newest if len(rows) < _PAGE else rows[-1][0])
                self._kept += len(known) - runs
        while self._kept > _MAX_KEPT and len(self._maps) > 1:
            self._kept -= len(self._maps.popitem(last=False)[1])
        return known


Needle = str | LooseNeedle
"""A text that stands somewhere as it is, folded, or one that is looked for loosely."""

_Question = tuple[AccountId, tuple[IndexField, ...], Needle]


class Answers:
    """What the index has said within one search, for all the mailboxes that it goes through."""

    __slots__ = ("_known", "_read")

    def __init__(self) -> None:
        self._known: dict[_Question, TextMatch | None] = {}
        self._read: Counter[_Question] = Counter()

    def is_few(self, question: _Question, among: BitMap) -> bool:
        """Whether messages are so few, with those read before, that they are read sooner than the index is asked."""
        if question in self._known or self._read[question] + len(among) > _FEW:
            return False
        self._read[question] += len(among)
        return True

    async def find(self, question: _Question, ask: Callable[[], Awaitable[TextMatch | None]]) -> TextMatch | None:
        """Return what was said before, or ask now."""
        if question not in self._known:
            self._known[question] = await ask()
        return self._known[question]


class IndexKeeper(Protocol):
    """Who fills the index."""

    def ask(self, account: AccountId, *, damaged: bool = False) -> None:
        """Have an account's index looked after, which is behind, missing or damaged."""
        ...

    async def is_trusted(self, account: AccountId) -> bool:
        """Whether an account's index is of the database as it is. Raises `NotFound` and `ServerFault`."""
        ...


class IndexSearch:
    """Asks the index about one mailbox."""

    __slots__ = ("_account", "_answers", "_index", "_keeper", "_mail", "_mailbox", "_maps")

    def __init__(
        self,
        index: TextIndex | None,
        maps: EmailMaps,
        mail: Mail,
        account: AccountId,
        mailbox: MailboxId,
        keeper: IndexKeeper | None,
        answers: Answers,
    ) -> None:
        self._answers = answers
        self._index = index
        self._maps = maps
        self._mail = mail
        self._account = account
        self._mailbox = mailbox
        self._keeper = keeper

    async def split(
        self, fields: Sequence[IndexField], needle: Needle, among: BitMap, *, however_few: bool = False
    ) -> tuple[BitMap, BitMap]:
        """Return those messages that hold the needle for sure, and those that have to be read to know.

        The index is not asked about few messages, but for `however_few`.
        """
        question = (self._account, tuple(fields), needle)
        match = None
        if self._index is not None and (however_few or not self._answers.is_few(question, among)):
            match = await self._answers.find(question, lambda: self._match(fields, needle))
        if match is None:
            _by_reading.inc()
            return BitMap(), among
        _by_index.inc()
        return await self._uids(match, among)

    async def _match(self, fields: Sequence[IndexField], needle: Needle) -> TextMatch | None:
        if self._index is None:
            return None
        try:
            is_trusted = self._keeper is None or await self._keeper.is_trusted(self._account)
            match = await self._ask_index(self._index, fields, needle) if is_trusted else None
        except ServerFault as fault:
            log.warning("index-failed", account=int(self._account), cause=fault.cause)
            self._ask(damaged=isinstance(fault, Corrupt))
            return None
        if match is None and needle:
            self._ask()
        return match

    async def _ask_index(self, index: TextIndex, fields: Sequence[IndexField], needle: Needle) -> TextMatch | None:
        if isinstance(needle, LooseNeedle):
            return await index.match_words(self._account, fields, needle.clauses)
        return await index.match(self._account, fields, needle)

    def _ask(self, *, damaged: bool = False) -> None:
        if self._keeper is not None:
            self._keeper.ask(self._account, damaged=damaged)

    async def _uids(self, match: TextMatch, among: BitMap) -> tuple[BitMap, BitMap]:
        late = [(email_of(self._account, match.covered + 1), email_of(self._account, _NEWEST))]
        unread = BitMap([uid for uid, _ in await self._find(late)])
        if len(unread) > _LATE:
            self._ask()
        newest = among.max()
        is_ready = self._maps.is_ready(self._account, self._mailbox, newest)
        if len(match.sure) + len(match.doubtful) <= (_FEW if is_ready else _SOME):
            sure = BitMap([uid for uid, _ in await self._find(self._ranges(match.sure))])
            doubtful = BitMap([uid for uid, _ in await self._find(self._ranges(match.doubtful))])
        else:
            known = await self._maps.find(self._account, self._mailbox, newest)
            sure, doubtful = known.select(match.sure), known.select(match.doubtful)
        return among & sure, among & (doubtful | unread)

    def _ranges(self, numbers: BitMap) -> list[tuple[int, int]]:
        return [(email_of(self._account, low), email_of(self._account, high)) for low, high in uid_runs(numbers)]

    async def _find(self, ranges: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
        return await self._mail.messages.find_emails(self._account, self._mailbox, ranges) if ranges else ()
