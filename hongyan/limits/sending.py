"""How much an account may send, and when it looks stolen. Pure: facts in, a ruling out; all numbers are published.

What is counted is mail that leaves this server. Recipients of our own domains (colleagues) count for nothing, and a
message whose recipients elsewhere have all written to the account, and which answers a message delivered to it (a
reply), counts for no quota. A first-time recipient is one whom the account has never written to, unless it is answered.

Quotas refuse: the message is not taken, nothing of it is counted, and the answer says which limit, over which time, and
when there is room again. Triggers hold: the account may not send until an operator releases it. They are asked in this
order, and the first that speaks is heard:

1. `first-time-recipients`: more than 50 first-time recipients asked for within an hour, in more than one message;
   those that a quota refused are asked for too. Who is told to wait and goes on with other addresses is no person.
   An account that may write to more has its own quota in place of the 50.
2. `same-body`: the same body to more than 25 first-time recipients within a day, in 5 messages or more.
3. `volume`: more than 100 recipients within a day, and more than 10 times those of its usual day. It is not asked of an
   account that has sent for less than 7 days: what is usual is not known.
4. `bounces`: of the last 20 to 50 deliveries elsewhere 20 % or more were refused as there is no such address.
5. `places`: logins from more than 3 new countries within a day; without a database of countries, from more than 10 new
   networks. It is not asked within a day of the first login that was noted.

An account that was released is not held by itself for a day, and what was counted against it is forgotten.
"""

from __future__ import annotations

__all__ = [
    "OUTCOMES_KEPT",
    "Allowed",
    "ClassQuotas",
    "Limit",
    "Over",
    "SendingOptions",
    "Suspicion",
    "find_usage",
    "judge_message",
    "judge_outcomes",
    "judge_places",
]

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from hongyan.options import option
from hongyan.store.accounts import AccountClass
from hongyan.store.bookings import Booking
from hongyan.store.correspondents import correspondent_key
from hongyan.store.sending import (
    SLOT,
    BodyCount,
    Origin,
    SenderState,
    SendingFacts,
    SendingLimits,
    SendingQuestion,
    Slot,
    Trigger,
)

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

OUTCOMES_KEPT: Final = 50
"""Deliveries that are looked at; the newest."""


@dataclass(frozen=True, slots=True)
class ClassQuotas:
    """What an account of a class may send, unless its own limits say otherwise."""

    messages_per_day: int = option(
        500, "Messages that leave, replies and mail to colleagues not counted.", unit="per day"
    )
    first_per_day: int = option(200, "Recipients that the account never wrote to before.", unit="per day")
    first_per_hour: int = option(30, "Recipients that the account never wrote to before.", unit="per hour")
    recipients_per_message: int = option(100, "Recipients elsewhere of one message.")

    def __post_init__(self) -> None:
        limits = (self.messages_per_day, self.first_per_day, self.first_per_hour, self.recipients_per_message)
        if min(limits) < 0:
            raise ValueError("a quota is not negative")


@dataclass(frozen=True, slots=True)
class SendingOptions:
    """The section `[sending]`."""

    enabled: bool = option(True, "Whether it is limited what accounts send; off is for load tests.")
    consumer: ClassQuotas = option(ClassQuotas(), "Accounts of persons.")
    enterprise: ClassQuotas = option(ClassQuotas(2000, 500, 100, 500), "Accounts of businesses.")
    hold: bool = option(True, "Whether an account that behaves as if it were stolen may send no more until released.")
    hold_first_per_hour: int = option(
        50, "First-time recipients asked for beyond which an account is held, refused ones included.", unit="per hour"
    )
    hold_same_body: int = option(
        25, "First-time recipients of one and the same body beyond which an account is held.", unit="per day"
    )
    hold_same_body_messages: int = option(5, "Messages with the same body at least, for that.")
    hold_volume: int = option(100, "Recipients beyond which it is asked whether that is usual.", unit="per day")
    hold_volume_factor: int = option(10, "How many times its usual day an account may send.")
    hold_volume_days: int = option(7, "Days that an account has sent before it is known what is usual.")
    hold_bounces: int = option(
        20, "Part of the deliveries that there is no such address for, with which an account is held.", unit="%"
    )
    hold_bounces_of: int = option(20, "Deliveries at least, for that.")
    hold_countries: int = option(3, "New countries of logins beyond which an account is held.", unit="per day")
    hold_networks: int = option(
        10, "New networks (IPv4 /16, IPv6 /32) of logins, where countries are not known.", unit="per day"
    )
    grace: int = option(24, "How long an account that was released is not held by itself again.", unit="hours")
    correspondents: int = option(
        10_000, "Correspondents remembered of each account: so many written to, and so many that only wrote."
    )

    def __post_init__(self) -> None:
        counts = (self.hold_first_per_hour, self.hold_same_body, self.hold_volume, self.hold_countries)
        if min(*counts, self.hold_networks, self.hold_same_body_messages, self.hold_volume_factor) < 1:
            raise ValueError("what puts an account on hold is at least one")
        if not 1 <= self.hold_bounces <= 100 or not 1 <= self.hold_bounces_of <= OUTCOMES_KEPT:
            raise ValueError(f"hold_bounces is 1 to 100 %, of 1 to {OUTCOMES_KEPT} deliveries")
        if min(self.hold_volume_days, self.grace) < 0 or self.correspondents < 100:
            raise ValueError("days and hours are not negative, and 100 correspondents at least are remembered")

    def quotas(self, of: AccountClass, own: SendingLimits) -> ClassQuotas:
        """Return what an account may send: its own limits, and its class's where it has none."""
        usual = self.enterprise if of is AccountClass.ENTERPRISE else self.consumer

        def choose(mine: int | None, theirs: int) -> int:
            return theirs if mine is None else mine

        return ClassQuotas(
            choose(own.messages_per_day, usual.messages_per_day),
            choose(own.first_per_day, usual.first_per_day),
            choose(own.first_per_hour, usual.first_per_hour),
            choose(own.recipients_per_message, usual.recipients_per_message),
        )


class Limit(Enum):
    """A quota: its name, and over which time."""

    RECIPIENTS = "recipients of one message", None
    MESSAGES = "messages within a day", _DAY
    FIRST_PER_DAY = "new recipients within a day", _DAY
    FIRST_PER_HOUR = "new recipients within an hour", _HOUR

    def __init__(self, words: str, window: timedelta | None) -> None:
        self.words = words
        self.window = window


@dataclass(frozen=True, slots=True)
class Allowed:
    """The message may leave, and counts so."""

    booking: Booking


@dataclass(frozen=True, slots=True)
class Over:
    """The message is over a quota: at most `most`, of which `used` are taken.

    `free_at` is when it would fit, None if it never does. `strangers` are its first-time recipients.
    """

    limit: Limit
    most: int
    used: int
    free_at: datetime | None
    strangers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The account looks stolen: by which trigger, and what was seen, in words of English and of Chinese."""

    trigger: Trigger
    seen: str
    seen_in_chinese: str


def judge_message(
    question: SendingQuestion,
    facts: SendingFacts,
    of: AccountClass,
    options: SendingOptions,
    refused: Collection[str] = (),
) -> Allowed | Over | Suspicion:
    """Decide on a message of an account that is not on hold.

    `refused` are the first-time recipients that quotas refused within the hour. The question has a recipient.
    """
    quotas = options.quotas(of, facts.state.limits)
    keys = frozenset(map(correspondent_key, question.recipients))
    answered = facts.heard if facts.answers else frozenset()
    strangers = keys - facts.written - answered
    # Spellings of one address are one stranger, and yet each of them is a recipient.
    booking = Booking(
        account=question.account,
        recipients=question.recipients,
        messages=0 if keys <= answered else 1,
        first_time=len(strangers),
        body=question.body,
        at=question.at,
    )
    over = _find_over(booking, facts.slots, quotas, strangers)
    if over is not None and over.limit is Limit.RECIPIENTS:
        return over  # Whoever wants too much at once is told so, whatever else may be the case.
    if options.hold and not _is_spared(facts.state, question.at):
        suspicion = _suspect(booking, facts, quotas, options, strangers if over else (), refused)
        if suspicion is not None:
            return suspicion
    return over or Allowed(booking)


def judge_outcomes(state: SenderState, options: SendingOptions, now: datetime) -> Suspicion | None:
    """Return what is suspicious about how the account's last deliveries went."""
    total, hard = len(state.outcomes), state.outcomes.count("h")
    if not options.hold or _is_spared(state, now) or total < options.hold_bounces_of:
        return None
    if hard * 100 < total * options.hold_bounces:
        return None
    return Suspicion(
        Trigger.BOUNCES,
        f"{hard} of the last {total} deliveries went to addresses that do not exist",
        f"最近 {total} 次投递中有 {hard} 次的收件地址不存在",
    )


def judge_places(
    state: SenderState, places: Sequence[Origin], options: SendingOptions, now: datetime, *, countries: bool
) -> Suspicion | None:
    """Return what is suspicious about where the account's logins come from; `places` are all that are kept."""
    if not options.hold or _is_spared(state, now) or not places:
        return None
    if now - min(place.first_at for place in places) < _DAY:
        return None  # Everything is new.
    new = [place.place for place in places if now - place.first_at < _DAY]
    if len(new) <= (options.hold_countries if countries else options.hold_networks):
        return None
    word, chinese = ("countries", "国家") if countries else ("networks", "网络")
    return Suspicion(
        Trigger.PLACES,
        f"logins from {len(new)} new {word} within a day: {', '.join(sorted(new))}",
        f"一天内从 {len(new)} 个新的{chinese}登录：{'、'.join(sorted(new))}",
    )


def find_usage(slots: Sequence[Slot], now: datetime) -> dict[Limit, int]:
    """Return how much of each quota with a window is used."""
    return {
        limit: sum(map(count, _within(slots, limit.window, now)))
        for limit, count in _COUNTED.items()
        if limit.window is not None
    }


_COUNTED: Final[dict[Limit, Callable[[Slot], int]]] = {
    Limit.MESSAGES: lambda slot: slot.messages,
    Limit.FIRST_PER_DAY: lambda slot: slot.first_time,
    Limit.FIRST_PER_HOUR: lambda slot: slot.first_time,
}


def _is_spared(state: SenderState, now: datetime) -> bool:
    """Whether no evidence puts the account on hold: an operator said so, or has just released it."""
    return state.limits.exempt or (state.grace_until is not None and now < state.grace_until)


# -- quotas


def _find_over(booking: Booking, slots: Sequence[Slot], quotas: ClassQuotas, strangers: frozenset[str]) -> Over | None:
    """Return the quota that the message is over; of several the one that is free last."""
    if len(booking.recipients) > quotas.recipients_per_message:
        return Over(Limit.RECIPIENTS, quotas.recipients_per_message, len(booking.recipients), None)
    found = [
        _fit(limit, most, wanted, slots, booking.at, strangers)
        for limit, most, wanted in (
            (Limit.MESSAGES, quotas.messages_per_day, booking.messages),
            (Limit.FIRST_PER_DAY, quotas.first_per_day, booking.first_time),
            (Limit.FIRST_PER_HOUR, quotas.first_per_hour, booking.first_time),
        )
        if wanted
    ]
    return max((over for over in found if over), key=_free_at, default=None)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _free_at(over: Over) -> datetime:
    return over.free_at or _NEVER


def _fit(
    limit: Limit, most: int, wanted: int, slots: Sequence[Slot], now: datetime, strangers: frozenset[str]
) -> Over | None:
    """Return None if so many more fit, else when they will."""
    count, window = _COUNTED[limit], limit.window or _DAY
    counted = _within(slots, window, now)
    used = left = sum(map(count, counted))
    if used + wanted <= most:
        return None
    free_at = None
    if wanted <= most:
        for slot in counted:
            left -= count(slot)
            if left + wanted <= most:
                free_at = _end(slot) + window
                break
    return Over(limit, most, used, free_at, strangers)


def _within(slots: Sequence[Slot], window: timedelta, now: datetime) -> list[Slot]:
    first = (now.timestamp() - window.total_seconds()) / SLOT - 1
    return [slot for slot in slots if slot.number > first]


def _end(slot: Slot) -> datetime:
    return datetime.fromtimestamp((slot.number + 1) * SLOT, UTC)


# -- triggers


def _suspect(
    booking: Booking,
    facts: SendingFacts,
    quotas: ClassQuotas,
    options: SendingOptions,
    asked_now: Collection[str],
    refused: Collection[str],
) -> Suspicion | None:
    """Ask the triggers that a message can set off; `asked_now` are its strangers, if a quota is in their way."""
    return (
        _suspect_strangers(booking, facts, quotas, options, asked_now, refused)
        or _suspect_body(booking, facts.body, options)
        or _suspect_volume(booking, facts, options)
    )


def _suspect_strangers(
    booking: Booking,
    facts: SendingFacts,
    quotas: ClassQuotas,
    options: SendingOptions,
    asked_now: Collection[str],
    refused: Collection[str],
) -> Suspicion | None:
    if not asked_now:
        return None
    earlier = find_usage(facts.slots, booking.at)[Limit.FIRST_PER_HOUR]
    asked = earlier + len({*refused, *asked_now})
    most = max(options.hold_first_per_hour, quotas.first_per_hour)
    if not (earlier or refused) or asked <= most:
        return None
    return Suspicion(
        Trigger.FIRST_TIME,
        f"{asked} new recipients were asked for within an hour",
        f"一小时内要求发给 {asked} 个从未联系过的收件人",
    )


def _suspect_body(booking: Booking, before: BodyCount, options: SendingOptions) -> Suspicion | None:
    strangers, messages = before.strangers + booking.first_time, before.messages + 1
    if not booking.first_time or strangers <= options.hold_same_body or messages < options.hold_same_body_messages:
        return None
    return Suspicion(
        Trigger.SAME_BODY,
        f"the same text went to {strangers} new recipients in {messages} messages",
        f"相同内容以 {messages} 封邮件发给了 {strangers} 个从未联系过的收件人",
    )


def _suspect_volume(booking: Booking, facts: SendingFacts, options: SendingOptions) -> Suspicion | None:
    state = facts.state
    if state.days < options.hold_volume_days:
        return None
    today = sum(slot.recipients for slot in _within(facts.slots, _DAY, booking.at)) + len(booking.recipients)
    if today <= options.hold_volume or today <= state.average * options.hold_volume_factor:
        return None
    return Suspicion(
        Trigger.VOLUME,
        f"{today} recipients within a day, where {state.average:.1f} are usual",
        f"一天内发给 {today} 个收件人，平时约为 {state.average:.1f} 个",
    )
