"""How much an account may send, and when it looks stolen: facts in, a ruling out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address
from hongyan.limits.sending import (
    Allowed,
    ClassQuotas,
    Limit,
    Over,
    SendingOptions,
    Suspicion,
    judge_message,
    judge_outcomes,
    judge_places,
)
from hongyan.store.accounts import AccountClass
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
from hongyan.types import AccountId

_NOW = datetime(2026, 1, 5, 12, 2, tzinfo=UTC)
_OPTIONS = SendingOptions()
_FACTS = SendingFacts(
    state=SenderState(), slots=(), written=frozenset(), heard=frozenset(), answers=False, body=BodyCount()
)


def ask(*recipients: str) -> SendingQuestion:
    return SendingQuestion(
        account=AccountId(7), recipients=list(map(Address.parse, recipients)), references=(), body=b"b", at=_NOW
    )


def people(count: int, first: int = 0) -> list[str]:
    return [f"p{number}@elsewhere.test" for number in range(first, first + count)]


def slot(minutes_ago: int, *, messages: int = 0, recipients: int = 0, first_time: int = 0) -> Slot:
    at = int((_NOW - timedelta(minutes=minutes_ago)).timestamp())
    return Slot(at // SLOT, messages, recipients, first_time)


def judge(
    question: SendingQuestion,
    facts: SendingFacts = _FACTS,
    *,
    options: SendingOptions = _OPTIONS,
    refused: Sequence[str] = (),
    of: AccountClass = AccountClass.CONSUMER,
) -> Allowed | Over | Suspicion:
    return judge_message(question, facts, of, options, refused)


def over(ruling: object) -> Over:
    assert isinstance(ruling, Over), ruling
    return ruling


def allowed(ruling: object) -> Allowed:
    assert isinstance(ruling, Allowed), ruling
    return ruling


def suspected(ruling: object) -> Trigger:
    assert isinstance(ruling, Suspicion), ruling
    return ruling.trigger


# -- what counts


def test_a_message_to_a_new_recipient_counts() -> None:
    booking = allowed(judge(ask("ann@elsewhere.test"))).booking
    assert (booking.messages, booking.first_time) == (1, 1)


def test_who_was_written_to_is_not_new() -> None:
    facts = replace(_FACTS, written=frozenset({"ann@elsewhere.test"}))
    booking = allowed(judge(ask("Ann+x@elsewhere.test", "bob@elsewhere.test"), facts)).booking
    assert (booking.messages, booking.first_time) == (1, 1)


def test_spellings_of_one_address_are_one_new_recipient() -> None:
    spellings = ["ann@bücher.test", "ANN@xn--bcher-kva.test", "ann+1@bücher.test", '"ann"@bücher.test']
    assert allowed(judge(ask(*spellings))).booking.first_time == 1


def test_an_answer_to_who_wrote_counts_for_nothing() -> None:
    facts = replace(_FACTS, heard=frozenset({"ann@elsewhere.test"}), answers=True)
    booking = allowed(judge(ask("ann@elsewhere.test"), facts)).booking
    assert (booking.messages, booking.first_time) == (0, 0)


def test_an_answer_to_strangers_too_counts_for_them() -> None:
    facts = replace(_FACTS, heard=frozenset({"ann@elsewhere.test"}), answers=True)
    booking = allowed(judge(ask("ann@elsewhere.test", *people(2)), facts)).booking
    assert (booking.messages, booking.first_time) == (1, 2)


def test_who_wrote_is_new_to_a_message_that_answers_nothing() -> None:
    facts = replace(_FACTS, heard=frozenset({"ann@elsewhere.test"}))
    assert allowed(judge(ask("ann@elsewhere.test"), facts)).booking.first_time == 1


# -- quotas


def test_the_last_message_of_the_day_is_let_pass_and_the_next_is_not() -> None:
    facts = replace(_FACTS, written=frozenset({"ann@elsewhere.test"}), slots=(slot(600, messages=499),))
    allowed(judge(ask("ann@elsewhere.test"), facts))
    full = replace(facts, slots=(slot(600, messages=499), slot(60, messages=1)))
    found = over(judge(ask("ann@elsewhere.test"), full))
    assert (found.limit, found.most, found.used) == (Limit.MESSAGES, 500, 500)
    # The slot began 600 minutes and some seconds ago; it is free when all of it is a day old.
    assert found.free_at == datetime(2026, 1, 6, 2, 5, tzinfo=UTC)


def test_a_slot_counts_until_all_of_it_is_as_old_as_the_window() -> None:
    facts = replace(_FACTS, slots=(slot(61, first_time=30),))
    assert over(judge(ask(*people(1)), facts)).limit is Limit.FIRST_PER_HOUR
    allowed(judge(ask(*people(1)), replace(_FACTS, slots=(slot(66, first_time=30),))))


def test_of_several_quotas_the_one_that_is_free_last_is_told() -> None:
    facts = replace(_FACTS, slots=(slot(300, first_time=170), slot(10, first_time=30)))
    found = over(judge(ask(*people(1)), facts))
    assert (found.limit, found.used) == (Limit.FIRST_PER_DAY, 200)


def test_what_never_fits_is_told_so() -> None:
    assert over(judge(ask(*people(31)))).free_at is None
    assert over(judge(ask(*people(101)))).limit is Limit.RECIPIENTS
    nothing = replace(_FACTS, state=SenderState(limits=SendingLimits(messages_per_day=0)))
    assert over(judge(ask(*people(1)), nothing)).free_at is None


def test_businesses_may_send_more_and_an_account_what_was_set_for_it() -> None:
    allowed(judge(ask(*people(90)), of=AccountClass.ENTERPRISE))
    own = replace(_FACTS, state=SenderState(limits=SendingLimits(first_per_hour=90, first_per_day=90)))
    allowed(judge(ask(*people(90)), own))
    less = replace(_FACTS, state=SenderState(limits=SendingLimits(recipients_per_message=1)))
    assert over(judge(ask(*people(2)), less)).limit is Limit.RECIPIENTS


# -- triggers


def test_who_is_refused_and_goes_on_with_others_is_held() -> None:
    facts = replace(_FACTS, slots=(slot(5, first_time=30),))
    refused = people(15, first=100)
    over(judge(ask(*people(5, first=200)), facts, refused=refused))
    assert suspected(judge(ask(*people(6, first=200)), facts, refused=refused)) is Trigger.FIRST_TIME


def test_one_message_alone_is_refused_and_nobody_is_held() -> None:
    over(judge(ask(*people(60))))


def test_who_asks_for_the_same_recipients_again_is_not_held() -> None:
    facts = replace(_FACTS, slots=(slot(5, first_time=30),))
    over(judge(ask(*people(20)), facts, refused=people(20)))


def test_an_account_with_a_higher_quota_is_held_beyond_that() -> None:
    state = SenderState(limits=SendingLimits(first_per_hour=80))
    facts = replace(_FACTS, state=state, slots=(slot(5, first_time=80),))
    assert suspected(judge(ask(*people(1)), facts)) is Trigger.FIRST_TIME
    allowed(judge(ask(*people(10)), replace(facts, slots=(slot(5, first_time=70),))))


def test_the_same_body_to_many_strangers_holds() -> None:
    facts = replace(_FACTS, body=BodyCount(4, 24))
    allowed(judge(ask(*people(1)), facts))
    assert suspected(judge(ask(*people(2)), facts)) is Trigger.SAME_BODY
    allowed(judge(ask(*people(2)), replace(_FACTS, body=BodyCount(3, 24))))


def test_ten_times_the_usual_day_holds() -> None:
    known = frozenset(people(200))
    usual = SenderState(days=30, average=12.0)
    facts = replace(_FACTS, state=usual, written=known, slots=(slot(200, recipients=119),))
    allowed(judge(ask(*people(1)), facts))
    assert suspected(judge(ask(*people(2)), facts)) is Trigger.VOLUME
    quiet = replace(facts, state=replace(usual, average=1.0), slots=(slot(200, recipients=99),))
    allowed(judge(ask(*people(1)), quiet))
    assert suspected(judge(ask(*people(2)), quiet)) is Trigger.VOLUME
    allowed(judge(ask(*people(90)), replace(facts, state=replace(usual, days=6))))


def test_an_honest_newsletter_is_not_held() -> None:
    """Once a week to three hundred readers, one by one, most of whom had it before."""
    readers = people(300)
    state = SenderState(days=60, average=300 / 7)
    for sent, reader in enumerate(readers):
        known = frozenset(readers[:280])
        slots = (slot(20, messages=sent, recipients=sent, first_time=max(0, sent - 280)),)
        before = BodyCount(max(0, sent - 280), max(0, sent - 280))
        allowed(judge(ask(reader), replace(_FACTS, state=state, written=known, slots=slots, body=before)))


@pytest.mark.parametrize(
    "state",
    [
        SenderState(limits=SendingLimits(exempt=True)),
        SenderState(grace_until=_NOW + timedelta(seconds=1)),
    ],
)
def test_an_account_that_is_exempt_or_just_released_is_not_held(state: SenderState) -> None:
    facts = replace(_FACTS, state=state, slots=(slot(5, first_time=30),), body=BodyCount(9, 99))
    over(judge(ask(*people(30)), facts, refused=people(50, first=100)))
    assert judge_outcomes(replace(state, outcomes="h" * 20), _OPTIONS, _NOW) is None
    assert judge_places(state, _places(9), _OPTIONS, _NOW, countries=True) is None


def test_without_holds_the_quotas_stay() -> None:
    facts = replace(_FACTS, slots=(slot(5, first_time=30),))
    over(judge(ask(*people(30)), facts, options=SendingOptions(hold=False), refused=people(50, first=100)))
    assert judge_outcomes(SenderState(outcomes="h" * 20), SendingOptions(hold=False), _NOW) is None


@pytest.mark.parametrize(
    ("outcomes", "is_held"),
    [("h" * 19, False), ("d" * 17 + "h" * 3, False), ("d" * 16 + "h" * 4, True), ("d" * 41 + "h" * 9, False)],
)
def test_a_fifth_of_at_least_twenty_deliveries_to_nobody_holds(outcomes: str, is_held: bool) -> None:
    suspicion = judge_outcomes(SenderState(outcomes=outcomes), _OPTIONS, _NOW)
    assert (suspicion is not None and suspicion.trigger is Trigger.BOUNCES) == is_held


def _places(new: int) -> list[Origin]:
    first = Origin("NO", _NOW - timedelta(days=40))
    return [first, *(Origin(f"X{number}", _NOW - timedelta(hours=number)) for number in range(new))]


def test_more_than_three_new_countries_a_day_hold() -> None:
    def held(places: Sequence[Origin], *, countries: bool = True) -> bool:
        return judge_places(SenderState(), places, _OPTIONS, _NOW, countries=countries) is not None

    assert not held(_places(3))
    assert held(_places(4))
    assert not held(_places(10), countries=False)
    assert held(_places(11), countries=False)
    # On the first day everything is new.
    assert not held(_places(9)[1:])
    assert not held([])


def test_impossible_numbers_are_refused() -> None:
    for wrong in ({"hold_bounces": 0}, {"hold_bounces_of": 51}, {"hold_volume": 0}, {"correspondents": 1}):
        with pytest.raises(ValueError, match=r"."):
            SendingOptions(**wrong)  # type: ignore[arg-type]  # numbers, all of them
    with pytest.raises(ValueError, match="quota"):
        ClassQuotas(messages_per_day=-1)
