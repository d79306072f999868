"""From replies and causes to what is stored and what is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hongyan.message.dsn import Action
from hongyan.queue.causes import Cause
from hongyan.queue.outcome import Notice, Outcome, Result, Stage, conclude
from hongyan.queue.schedule import Schedule
from hongyan.store.queue import AttemptReport, Claim, QueuedRecipient, RecipientState, Settled
from hongyan.wire.smtp.parameters import Notify
from hongyan.wire.smtp.replies import Reply
from tests.queue.values import NOW, queued_message, queued_recipient
from tests.support.clock import FakeRandom

SCHEDULE = Schedule()
REFUSED = Outcome.from_reply(Reply(550, "5.1.1", ("No such user",)), Stage.RECIPIENT, "mx.example.net")
BUSY = Outcome.from_reply(Reply(451, "", ("Try later",)), Stage.DATA, "mx.example.net")
TAKEN = Outcome.from_reply(Reply(250, "2.0.0", ("OK",)), Stage.END, "mx.example.net")


def conclude_one(
    outcome: Outcome,
    recipient: QueuedRecipient | None = None,
    *,
    null_path: bool = False,
    after: timedelta = timedelta(0),
) -> tuple[Settled, Notice | None]:
    message = queued_message(**{"reverse_path": None} if null_path else {})
    claim = Claim(message, "example.net", (recipient or queued_recipient(),))
    (settled,), notices = conclude(claim, {0: outcome}, SCHEDULE, NOW + after, FakeRandom())
    return settled, notices[0] if notices else None


@pytest.mark.parametrize(
    ("reply", "result", "status"),
    [
        (Reply(250, "2.6.0", ("OK",)), Result.DELIVERED, "2.6.0"),
        (Reply(250, "", ("OK",)), Result.DELIVERED, "2.0.0"),
        (Reply(421, "", ()), Result.DEFERRED, "4.0.0"),
        (Reply(452, "4.2.2", ("Full",)), Result.DEFERRED, "4.2.2"),
        (Reply(550, "5.7.26", ("No",)), Result.FAILED, "5.7.26"),
        (Reply(599, "", ("No",)), Result.FAILED, "5.0.0"),
    ],
)
def test_a_reply_is_judged_by_its_first_digit(reply: Reply, result: Result, status: str) -> None:
    outcome = Outcome.from_reply(reply, Stage.END, "mx")
    assert (outcome.result, outcome.status, outcome.code, outcome.remote) == (result, status, reply.code, "mx")
    assert outcome.text == str(reply)


def test_what_is_held_here_waits_and_nobody_is_told() -> None:
    outcome = Outcome.from_cause(Cause.HELD_HERE, Stage.ROUTE)
    settled, notice = conclude_one(outcome, after=timedelta(days=30))
    assert (outcome.result, settled.state, notice) == (Result.HELD, RecipientState.HELD, None)


def test_a_cause_is_judged_by_its_class() -> None:
    failed = Outcome.from_cause(Cause.NULL_MX, Stage.ROUTE, detail="example.net")
    assert (failed.result, failed.status) == (Result.FAILED, "5.1.10")
    assert failed.text == "The domain takes no mail (null MX) (example.net)"
    assert Outcome.from_cause(Cause.NO_CONNECTION, Stage.CONNECT).result is Result.DEFERRED


def test_a_delivery_is_stored_and_told_only_to_who_asked() -> None:
    settled, notice = conclude_one(TAKEN)
    assert (settled.state, settled.report) == (
        RecipientState.DELIVERED,
        AttemptReport(NOW, "2.0.0", "mx.example.net", "250 2.0.0 OK"),
    )
    assert notice is None


def test_a_failure_is_told() -> None:
    settled, notice = conclude_one(REFUSED)
    assert settled.state is RecipientState.FAILED
    assert notice == Notice(Action.FAILED, queued_recipient(), REFUSED)


def test_a_deferral_waits_by_the_schedule_and_is_not_told_at_first() -> None:
    settled, notice = conclude_one(BUSY, queued_recipient(attempts=1))
    assert settled.state is RecipientState.READY
    assert settled.next_attempt is not None
    assert timedelta(minutes=9) <= settled.next_attempt - NOW <= timedelta(minutes=11)
    assert notice is None
    assert not settled.delay_told


def test_a_delay_is_told_once() -> None:
    settled, notice = conclude_one(BUSY, after=timedelta(hours=4))
    assert notice is not None
    assert (notice.action, settled.delay_told) == (Action.DELAYED, True)
    settled, notice = conclude_one(BUSY, queued_recipient(delay_told=True), after=timedelta(hours=8))
    assert (notice, settled.delay_told) == (None, True)


def test_when_time_is_over_the_last_outcome_is_told_as_a_failure() -> None:
    settled, notice = conclude_one(BUSY, queued_recipient(attempts=40), after=timedelta(days=5))
    assert (settled.state, settled.report.status) == (RecipientState.FAILED, "4.4.7")
    assert "451 Try later" in settled.report.text
    assert notice == Notice(Action.FAILED, queued_recipient(attempts=40), BUSY, is_expired=True)


@pytest.mark.parametrize("outcome", [REFUSED, BUSY, TAKEN])
def test_the_null_path_is_never_told_anything(outcome: Outcome) -> None:
    every = Notify.SUCCESS | Notify.FAILURE | Notify.DELAY
    recipient = queued_recipient(notify=every, attempts=40)
    for after in (timedelta(0), timedelta(hours=5), timedelta(days=6)):
        assert conclude_one(outcome, recipient, null_path=True, after=after)[1] is None


@pytest.mark.parametrize(
    ("notify", "outcome", "hours", "action"),
    [
        (Notify.NEVER, REFUSED, 0, None),
        (Notify.NEVER, BUSY, 5, None),
        (Notify.NEVER, TAKEN, 0, None),
        (Notify.SUCCESS, REFUSED, 0, None),
        (Notify.SUCCESS, BUSY, 5, None),
        (Notify.SUCCESS, TAKEN, 0, Action.RELAYED),
        (Notify.FAILURE, REFUSED, 0, Action.FAILED),
        (Notify.FAILURE, BUSY, 5, None),
        (Notify.FAILURE, TAKEN, 0, None),
        (Notify.DELAY, REFUSED, 0, None),
        (Notify.DELAY, BUSY, 5, Action.DELAYED),
        (Notify.DELAY, TAKEN, 0, None),
        (None, REFUSED, 0, Action.FAILED),
        (None, BUSY, 5, Action.DELAYED),
        (None, TAKEN, 0, None),
    ],
)
def test_the_senders_wishes_hold(notify: Notify | None, outcome: Outcome, hours: int, action: Action | None) -> None:
    _, notice = conclude_one(outcome, queued_recipient(notify=notify), after=timedelta(hours=hours))
    assert (notice and notice.action) == action


def test_who_hands_the_wish_on_does_not_tell_of_success() -> None:
    handed_on = Outcome(result=Result.DELIVERED, stage=Stage.END, status="2.0.0", text="250 OK", is_handed_on=True)
    assert conclude_one(handed_on, queued_recipient(notify=Notify.SUCCESS))[1] is None


def test_into_our_own_mailboxes_it_is_delivered_and_not_relayed() -> None:
    local = Outcome(result=Result.DELIVERED, stage=Stage.LOCAL, status="2.0.0", text="delivered")
    notice = conclude_one(local, queued_recipient(notify=Notify.SUCCESS))[1]
    assert notice is not None
    assert notice.action is Action.DELIVERED


def test_recipients_without_an_outcome_are_left_as_they_are() -> None:
    claim = Claim(queued_message(), "example.net", (queued_recipient(), queued_recipient("c@example.net", number=1)))
    settled, notices = conclude(claim, {1: REFUSED}, SCHEDULE, NOW, FakeRandom())
    assert [one.number for one in settled] == [1]
    assert [notice.recipient.number for notice in notices] == [1]
