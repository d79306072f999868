"""May this account send this message now? Facts are fetched here, `limits.sending` decides, and here it is carried out.

Every way out asks here, through `submission.submit`. Who is refused is told which limit it was, over which time, and
when there is room again: 450 4.7.1 where waiting helps, 550 where it never does (RFC 5321 §4.2.1, RFC 3463 §3.8).

What is let out is counted in the unit of work that queues it (`store.queue.NewMessage.booking`), so that it costs no
commit of its own. Until then a `Permit` keeps its place: others of the account are judged as if it were counted.

When the database is down nothing is accepted anyway. First-time recipients that were refused are remembered here alone,
for an hour: a restart forgets them, and the account has to ask for as many again before it is held.
"""

from __future__ import annotations

__all__ = ["Allowance", "Permit", "SendingRefused"]

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

from hongyan import telemetry
from hongyan.accounts.cache import Cache
from hongyan.addresses import Address
from hongyan.clock import Clock
from hongyan.domains.domains import Domains
from hongyan.errors import UserFault
from hongyan.limits.sending import Allowed, Limit, Over, SendingOptions, Suspicion, judge_message
from hongyan.store.bookings import Booking
from hongyan.store.correspondents import correspondent_key
from hongyan.store.sending import (
    SLOT,
    BodyCount,
    Hold,
    SendingFacts,
    SendingQuestion,
    SendingStore,
    Slot,
)
from hongyan.submission.deadline import Asked, Deadline
from hongyan.submission.holds import Holds
from hongyan.telemetry import metrics
from hongyan.types import AccountId
from hongyan.wire.smtp.replies import Reply

log = telemetry.logger("submission")

_HOUR: Final = timedelta(hours=1)
_KEPT: Final = 5_000  # accounts whose refused recipients are remembered
_MOST_REFUSED: Final = 1_000  # recipients that are remembered of each
_LOOKS: Final = 5  # at the facts, while others of the account are being stored; the last one may count one twice
_REFERENCES: Final = 5  # of the messages that one answers, the last are looked for


class SendingRefused(UserFault):
    """The account may not send this message, or not now."""

    def __init__(self, reply: Reply, reason: str = "quota") -> None:
        """`reason` is a word of `submission.reasons`."""
        super().__init__(reply.text)
        self.reply = reply
        self.reason = reason


@dataclass(slots=True)
class _Refused:
    """First-time recipients that quotas refused, with when they last did."""

    recipients: dict[str, datetime] = field(default_factory=dict)

    def since(self, then: datetime) -> set[str]:
        return {key for key, at in self.recipients.items() if at > then}

    def add(self, keys: frozenset[str], at: datetime) -> None:
        for key in keys:
            self.recipients.pop(key, None)
            self.recipients[key] = at
        for old in list(self.recipients)[: max(len(self.recipients) - _MOST_REFUSED, 0)]:
            del self.recipients[old]


class _Turn:
    """An account that sends just now: one message is judged after the other; `under_way` are those not yet counted."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.under_way: dict[int, Booking] = {}
        self.ended = 0

    def begin(self, booking: Booking) -> int:
        number = self.ended + len(self.under_way)
        self.under_way[number] = booking
        return number


class Permit:
    """May leave, and counts for `booking`; to be held until that is stored, or nothing comes of it."""

    def __init__(self, turn: _Turn | None = None, booking: Booking | None = None) -> None:
        self._turn = turn
        self._booking = booking
        self._number = 0 if turn is None or booking is None else turn.begin(booking)

    def __enter__(self) -> Booking | None:
        return self._booking

    def __exit__(self, *_: object) -> None:
        if self._turn is not None and self._turn.under_way.pop(self._number, None) is not None:
            self._turn.ended += 1


class Allowance:
    """Lets messages out, or refuses them."""

    def __init__(
        self,
        store: SendingStore,
        domains: Domains,
        holds: Holds,
        clock: Clock,
        options: SendingOptions,
    ) -> None:
        self.holds = holds
        self._store = store
        self._domains = domains
        self._clock = clock
        self._options = options
        self._refused: Cache[AccountId, _Refused] = Cache(_KEPT)
        self._turns: WeakValueDictionary[AccountId, _Turn] = WeakValueDictionary()

    async def require(
        self,
        account: AccountId,
        recipients: Sequence[Address],
        references: Sequence[str],
        body: bytes,
        deadline: Deadline,
    ) -> Permit:
        """Return the permit to queue the message. `body` is its `fingerprint`. Raises `SendingRefused`, `OutOfTime`."""
        if not self._options.enabled:
            return Permit()
        question = SendingQuestion(
            account=account,
            recipients=tuple({str(one): one for one in recipients if not self._domains.is_local(one.domain)}.values()),
            references=references[-_REFERENCES:],
            body=body,
            at=self._clock.now(),
        )
        if not question.recipients:
            # Mail to colleagues is no matter of quotas; yet a stolen account shall not write to them either.
            await deadline.ask(Asked.ALLOWANCE, self._require_free(account))
            return Permit()
        # One after the other, so that messages at the same time do not all find the same room.
        turn = self._turns.get(account)
        if turn is None:
            turn = self._turns[account] = _Turn()
        ruling = await deadline.ask(Asked.ALLOWANCE, self._in_turn(question, turn))
        if isinstance(ruling, Permit):
            return ruling
        await self.holds.suspect(account, ruling)
        await deadline.ask(Asked.ALLOWANCE, self._require_free(account))
        return Permit()  # Somebody has released it meanwhile.

    async def _in_turn(self, question: SendingQuestion, turn: _Turn) -> Permit | Suspicion:
        async with turn.lock:
            ruling = await self._judge(question, turn)
            return Permit(turn, ruling.booking) if isinstance(ruling, Allowed) else ruling

    async def _require_free(self, account: AccountId) -> None:
        hold = (await self._store.find_sender(account)).hold
        if hold is not None:
            raise _held(hold)

    async def _judge(self, question: SendingQuestion, turn: _Turn) -> Allowed | Suspicion:
        """Let the message out; or return why the account is to be held, or raise `SendingRefused`."""
        refused = self._refused.find(question.account) or _Refused()
        for _ in range(_LOOKS):
            facts = await self._look_up(question, turn)
            if facts.state.hold is not None:
                raise _held(facts.state.hold)
            former = refused.since(question.at - _HOUR)
            ruling = judge_message(question, facts, facts.account_class, self._options, former)
            if not (isinstance(ruling, Over) and turn.under_way):
                break
            await asyncio.sleep(0)  # One that is stored already may not have been told so, and be counted twice.
        match ruling:
            case Allowed() | Suspicion():
                return ruling
            case Over():
                refused.add(ruling.strangers, question.at)
                self._refused.keep(question.account, refused, self._refused.generation)
                metrics.sending_refused_total.labels(ruling.limit.name.lower()).inc()
                log.info("over-quota", account=int(question.account), limit=ruling.limit.name.lower())
                raise _over(ruling, question.at)

    async def _look_up(self, question: SendingQuestion, turn: _Turn) -> SendingFacts:
        """Return what is stored, and with it what is about to be."""
        for _ in range(_LOOKS):
            ended, under_way = turn.ended, tuple(turn.under_way.values())
            facts = await self._store.look_up(question)
            if turn.ended == ended:
                break  # Else one was stored meanwhile, and is counted nowhere or twice.
        return _with_those_under_way(facts, under_way, question)


def _with_those_under_way(facts: SendingFacts, under_way: Sequence[Booking], question: SendingQuestion) -> SendingFacts:
    """Return the facts as they will be once the messages under way are counted."""
    if not under_way:
        return facts
    slot = Slot(
        int(question.at.timestamp()) // SLOT,
        sum(one.messages for one in under_way),
        sum(len(one.recipients) for one in under_way),
        sum(one.first_time for one in under_way),
    )
    same = [one for one in under_way if one.body == question.body and one.first_time]
    written = {correspondent_key(address) for one in under_way for address in one.recipients}
    return replace(
        facts,
        slots=[*facts.slots, slot],
        written=facts.written | written,
        body=BodyCount(facts.body.messages + len(same), facts.body.strangers + sum(one.first_time for one in same)),
    )


def _held(hold: Hold) -> SendingRefused:
    metrics.sending_refused_total.labels("held").inc()
    sentence = (
        f"Sending from this account is on hold since {hold.since:%Y-%m-%d %H:%M} UTC ({hold.trigger.value}):"
        " see the notice in your inbox, and ask your administrator"
    )
    return SendingRefused(Reply(450, "4.7.1", (sentence,)), "held")


def _over(over: Over, now: datetime) -> SendingRefused:
    if over.limit is Limit.RECIPIENTS:
        sentence = f"The message has {over.used} recipients elsewhere; at most {over.most} are allowed in one message"
        return SendingRefused(Reply(550, "5.5.3", (sentence,)))  # RFC 3463 §3.6: too many recipients
    taken = f"At most {over.most} {over.limit.words} are allowed, of which {over.used} are taken"
    if over.free_at is None:
        return SendingRefused(Reply(550, "5.7.1", (f"{taken}: this message has more than that",)))
    return SendingRefused(Reply(450, "4.7.1", (f"{taken}; try again in {_in_words(over.free_at - now)}",)))


def _in_words(wait: timedelta) -> str:
    minutes = -(-int(wait.total_seconds()) // 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
