"""The statistical filter's tables, in memory and in the store: asked about messages, and taught by users' votes.

A message counts once for an account, however often it comes and is moved; the last vote counts. An account's table and
its ballots are stored together, so that what is told twice is learnt once. The server's table learns the same votes, no
more than so many a day from one account, and is stored each minute: a crash costs it the votes of that minute.
"""

from __future__ import annotations

__all__ = ["Judgement", "SpamFilter", "SpamOptions", "Vote"]

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.errors import Conflict, Corrupt, ServerFault
from hongyan.options import option
from hongyan.screening.spam_model import (
    ALL_VOTERS,
    OWN_PLACES,
    SERVER_PLACES,
    Counts,
    Score,
    fold_places,
    places_of,
    score,
    voter_bit,
)
from hongyan.screening.tokens import Tokens
from hongyan.store.spam import SERVER_MODEL, Ballot, SpamStore, StoredModel
from hongyan.telemetry import metrics
from hongyan.types import AccountId

_SHARED_FADES_AT: Final = 50_000  # messages
_OWN_FADES_AT: Final = 4_000
_KEEP_BALLOTS: Final = 4_000
_KEEP_SHARED_BALLOTS: Final = 100_000
_TRIES: Final = 5
_MOST_UNSAVED: Final = 1_000  # lessons of the server's table that wait to be stored
_DAY: Final = 24 * 3600
_SAVE_EVERY: Final = 60.0  # seconds
_NONE_FACTOR: Final = 100

log = telemetry.logger("spam")


@dataclass(frozen=True, slots=True)
class SpamOptions:
    """The section `[spam]`."""

    enabled: bool = option(True, "Judge mail by what users move into Junk and out of it.")
    junk_from: float = option(0.8, "Score from which a message is filed in Junk: 0 is wanted, 1 is unwanted.")
    least_spam: int = option(30, "Unwanted messages that must have been learnt before anything is judged.")
    least_ham: int = option(30, "Wanted messages that must have been learnt before anything is judged.")
    agreement: int = option(
        2, "Accounts that must have taught the server a word before it counts for others; at most 16."
    )
    shared_votes_per_day: int = option(
        50, "Messages a day of one account that teach the server too, and not the account alone."
    )
    models_in_memory: int = option(64, "Accounts whose own tables are kept in memory; each takes 256 KiB.")

    def __post_init__(self) -> None:
        if not 0.5 < self.junk_from <= 1:
            raise ValueError("junk_from lies above 0.5 and is at most 1")
        if min(self.least_spam, self.least_ham, self.models_in_memory) < 1 or self.shared_votes_per_day < 0:
            raise ValueError("least_spam, least_ham and models_in_memory are above 0")
        if not 1 <= self.agreement <= 16:
            raise ValueError("agreement is 1 to 16")


@dataclass(frozen=True, slots=True)
class Vote:
    """What a user says of a message."""

    tokens: Tokens
    is_spam: bool
    prefix: bytes = b""
    """The trace fields before the message, where it came by delivery."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the filter thinks of a message for an account. Without `enough` learnt, it thinks nothing."""

    score: Score
    enough: bool


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What the server's table was taught by one vote."""

    places: tuple[int, ...]
    is_spam: bool
    voter: int
    changed: bool
    """Whether the same voter said the opposite before."""

    def teach(self, counts: Counts) -> None:
        if self.changed:
            counts.unlearn(self.places, is_spam=not self.is_spam)
        counts.learn(self.places, is_spam=self.is_spam, voter=self.voter)


@dataclass(slots=True)
class _Model:
    """A table as this process holds it, and the version that it came from."""

    counts: Counts
    version: int = 0


class SpamFilter:
    """The tables, kept in memory and in the store."""

    def __init__(self, store: SpamStore, clock: Clock, options: SpamOptions) -> None:
        self._store = store
        self._clock = clock
        self.options = options
        self._server: _Model | None = None
        self._own: OrderedDict[AccountId, _Model | None] = OrderedDict()  # None: it has none
        self._teaching = asyncio.Lock()
        self._unsaved: list[_Lesson] = []  # what the server's table has learnt since it was stored
        self._today = 0
        self._shared: dict[AccountId, int] = {}  # votes of today that the server's table was offered

    # -- judging

    async def judge(self, tokens: Tokens, account: AccountId | None = None) -> Judgement:
        """Return what a message looks like, to an account or to the server alone. Raises `ServerFault`."""
        server = (await self._server_model()).counts
        own = None if account is None else await self._own_model(account)
        counts = None if own is None else own.counts
        ham, spam = server.ham, server.spam
        if counts is not None:
            ham, spam = ham + counts.ham, spam + counts.spam
        enough = ham >= self.options.least_ham and spam >= self.options.least_spam
        return Judgement(score(tokens.all, server, counts, agreement=self.options.agreement), enough)

    async def has_own(self, account: AccountId) -> bool:
        """Whether the account has taught the filter anything."""
        return await self._own_model(account) is not None

    async def known(self, account: AccountId, fingerprints: Sequence[bytes]) -> Mapping[bytes, bool]:
        """Return what the account's owner has said of these messages before: whether they are spam."""
        return await self._store.find_ballots(account, fingerprints)

    async def server_counts(self) -> Counts:
        """Return the server's table, to be looked at."""
        return (await self._server_model()).counts

    # -- learning

    async def vote(self, account: AccountId, votes: Sequence[Vote]) -> Sequence[Vote]:
        """Learn what an account's owner says of messages; return the votes that were news.

        Raises `NotFound` (no such account) and `ServerFault`.
        """
        latest = {vote.tokens.fingerprint: vote for vote in votes}
        async with self._teaching:
            for _attempt in range(_TRIES):
                known = await self._store.find_ballots(account, list(latest))
                news = [vote for print_, vote in latest.items() if known.get(print_) is not vote.is_spam]
                if not news:
                    return ()
                try:
                    await self._teach_own(account, news, known)
                except Conflict:
                    self._own.pop(account, None)
                    continue
                await self._teach_server(account, news, known)
                _count(news)
                return news
        raise Conflict(cause="the spam filter is taught by too many at once")

    async def train(self, votes: Sequence[Vote]) -> int:
        """Learn what the operator says of messages, for all and as if many had said it; return how many were news."""
        latest = {vote.tokens.fingerprint: vote for vote in votes}
        async with self._teaching:
            known = await self._store.find_ballots(SERVER_MODEL, list(latest))
            news = [vote for print_, vote in latest.items() if known.get(print_) is not vote.is_spam]
            for vote in news:
                changed = vote.tokens.fingerprint in known
                await self._learn(_Lesson(_places(vote), vote.is_spam, ALL_VOTERS, changed))
        _count(news)
        await self.save([Ballot(vote.tokens.fingerprint, vote.is_spam) for vote in news])
        return len(news)

    async def forget(self, account: AccountId) -> None:
        """Forget what an account has taught its own table."""
        async with self._teaching:
            await self._store.forget(account)
            self._own.pop(account, None)

    async def save(self, ballots: Sequence[Ballot] = ()) -> None:
        """Store what the server's table has learnt since the last time. Raises `ServerFault`; then it is kept."""
        now = int(self._clock.timestamp())
        async with self._teaching:
            for _attempt in range(_TRIES):
                if not self._unsaved:
                    return
                model = await self._server_model()
                table = await asyncio.to_thread(model.counts.to_octets)
                stored = StoredModel(model.version + 1, model.counts.ham, model.counts.spam, table)
                try:
                    await self._store.save_model(SERVER_MODEL, stored, ballots, at=now, keep=_KEEP_SHARED_BALLOTS)
                except Conflict:
                    self._server = None  # Another process was first: take its table, and teach it our lessons.
                    counts = (await self._server_model()).counts
                    for lesson in self._unsaved:
                        lesson.teach(counts)
                    continue
                model.version += 1
                self._unsaved.clear()
                return
        raise Conflict(cause="the server's spam table is stored by too many at once")

    async def keep(self) -> None:
        """Store what was learnt last, if that can be done; else it waits for the next time."""
        try:
            await self.save()
        except ServerFault as fault:
            log.warning("not-saved", cause=fault.cause)

    async def run(self) -> NoReturn:
        """Store the server's table each minute, until cancelled."""
        while True:
            await asyncio.sleep(_SAVE_EVERY)
            await self.keep()

    async def _teach_own(self, account: AccountId, news: Sequence[Vote], known: Mapping[bytes, bool]) -> None:
        model = await self._own_model(account) or _Model(_own_counts())

        def learn() -> bytes:
            for vote in news:
                places = fold_places(_places(vote))
                if vote.tokens.fingerprint in known:
                    model.counts.unlearn(places, is_spam=not vote.is_spam)
                model.counts.learn(places, is_spam=vote.is_spam)
            return model.counts.to_octets()

        self._own.pop(account, None)  # What is in memory holds what may not be stored.
        table = await asyncio.to_thread(learn)
        stored = StoredModel(model.version + 1, model.counts.ham, model.counts.spam, table)
        ballots = [Ballot(vote.tokens.fingerprint, vote.is_spam) for vote in news]
        now = int(self._clock.timestamp())
        await self._store.save_model(account, stored, ballots, at=now, keep=_KEEP_BALLOTS)
        model.version += 1
        self._keep(account, model)

    async def _teach_server(self, account: AccountId, news: Sequence[Vote], known: Mapping[bytes, bool]) -> None:
        """Let the server's table learn the same, as far as one account may teach it in a day."""
        today = int(self._clock.timestamp()) // _DAY
        if today != self._today:
            self._today, self._shared = today, {}
        used = self._shared.get(account, 0)
        for vote in news[: max(self.options.shared_votes_per_day - used, 0)]:
            changed = vote.tokens.fingerprint in known
            await self._learn(_Lesson(_places(vote), vote.is_spam, voter_bit(account), changed))
        self._shared[account] = used + len(news)

    async def _learn(self, lesson: _Lesson) -> None:
        lesson.teach((await self._server_model()).counts)
        if len(self._unsaved) < _MOST_UNSAVED:
            self._unsaved.append(lesson)

    # -- tables in memory

    async def _server_model(self) -> _Model:
        if self._server is None:
            self._server = await self._load(SERVER_MODEL) or _Model(_server_counts())
        return self._server

    async def _own_model(self, account: AccountId) -> _Model | None:
        if account in self._own:
            self._own.move_to_end(account)
            return self._own[account]
        model = await self._load(account)
        self._keep(account, model)
        return model

    def _keep(self, account: AccountId, model: _Model | None) -> None:
        self._own[account] = model
        self._own.move_to_end(account)
        # Accounts without a table take next to nothing, so many more of them are remembered.
        while len(self._own) > self.options.models_in_memory * _NONE_FACTOR:
            self._own.popitem(last=False)
        tables = [known for known, held in self._own.items() if held is not None]
        for old in tables[: max(len(tables) - self.options.models_in_memory, 0)]:
            del self._own[old]

    async def _load(self, account: AccountId) -> _Model | None:
        stored = await self._store.find_model(account)
        if stored is None:
            return None
        counts = _server_counts() if account == SERVER_MODEL else _own_counts()
        try:
            await asyncio.to_thread(counts.restore, stored.ham, stored.spam, stored.table)
        except Corrupt as fault:
            log.error("table-lost", account=int(account), cause=fault.cause)
            counts = _server_counts() if account == SERVER_MODEL else _own_counts()
        return _Model(counts, stored.version)


def _places(vote: Vote) -> tuple[int, ...]:
    return tuple(set(places_of(vote.tokens.all)))


def _server_counts() -> Counts:
    return Counts(SERVER_PLACES, shared=True, fades_at=_SHARED_FADES_AT)


def _own_counts() -> Counts:
    return Counts(OWN_PLACES, shared=False, fades_at=_OWN_FADES_AT)


def _count(votes: Sequence[Vote]) -> None:
    for vote in votes:
        metrics.spam_trained_total.labels("spam" if vote.is_spam else "ham").inc()
