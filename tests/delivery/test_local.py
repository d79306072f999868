"""From the queue into our own mailboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import CLI
from hongyan.delivery.deliver import Arrived
from hongyan.errors import Corrupt
from hongyan.message.dsn import Action
from hongyan.queue.outcome import Outcome, Result, conclude
from hongyan.queue.route import LocalRoute
from hongyan.queue.schedule import Schedule
from hongyan.queue.transport import Delivery
from hongyan.store.aliases import Alias
from hongyan.store.queue import Claim
from hongyan.wire.smtp.parameters import Notify, OriginalRecipient, Ret
from tests.delivery.conftest import Post
from tests.queue.values import NOW, queued_message, queued_recipient
from tests.support.clock import FakeRandom

TRACE = b"Received: from somewhere\r\n"
OCTETS = b"From: eve@elsewhere.test\r\nSubject: Geese\r\n\r\nhonk\r\n"


@dataclass
class Content:
    header: bytes = OCTETS[:-8]
    size: int = len(TRACE + OCTETS)

    async def chunks(self) -> AsyncIterator[bytes]:
        yield TRACE
        yield OCTETS


class Returned(Content):
    async def chunks(self) -> AsyncIterator[bytes]:
        yield TRACE
        yield b"Delivered-To: Team@geese.test\r\n" + OCTETS


class Unreadable(Content):
    async def chunks(self) -> AsyncIterator[bytes]:
        yield TRACE
        raise Corrupt


async def deliver(post: Post, *addresses: str, content: Content | None = None, **message: object) -> list[Outcome]:
    recipients = tuple(queued_recipient(address, number=number) for number, address in enumerate(addresses))
    delivery = Delivery(queued_message(prefix=TRACE, **message), recipients, content or Content())
    outcomes = await post.local.deliver(delivery, LocalRoute())
    return [outcomes[number] for number in range(len(addresses))]


async def test_a_copy_begins_with_the_way_back_and_the_trace(post: Post) -> None:
    (outcome,) = await deliver(post, "ann@geese.test", reverse_path=Address.parse("eve@elsewhere.test"))
    assert (outcome.result, outcome.status) == (Result.DELIVERED, "2.1.5")
    assert await post.prefixes("ann@geese.test") == [b"Return-Path: <eve@elsewhere.test>\r\n" + TRACE]


async def test_a_notification_has_the_null_reverse_path(post: Post) -> None:
    await deliver(post, "ann@geese.test", reverse_path=None)
    assert (await post.prefixes("ann@geese.test"))[0].startswith(b"Return-Path: <>\r\n")


async def test_what_is_tried_again_is_filed_once(post: Post) -> None:
    for _ in range(3):
        (outcome,) = await deliver(post, "ann@geese.test")
        assert outcome.result is Result.DELIVERED
    assert len(await post.prefixes("ann@geese.test")) == 1


async def test_each_recipient_has_an_outcome_of_its_own(post: Post) -> None:
    outcomes = await deliver(post, "ann@geese.test", "nobody@geese.test", "bob@elsewhere.test")
    told = [(outcome.result, outcome.status) for outcome in outcomes]
    assert told == [(Result.DELIVERED, "2.1.5"), (Result.FAILED, "5.1.1"), (Result.FAILED, "5.1.2")]


async def test_an_account_out_of_use_fails_and_a_full_one_is_tried_again(post: Post) -> None:
    ann, bob = [await post.door.accounts.get(Address.parse(f"{name}@geese.test")) for name in ("ann", "bob")]
    await post.door.accounts.suspend(ann.account_id, CLI)
    await post.door.fill(bob.account_id)
    await post.door.quotas.set_limits(bob.account_id, limit_octets=0, limit_messages=1, actor=CLI)
    outcomes = await deliver(post, "ann@geese.test", "bob@geese.test")
    told = [(outcome.result, outcome.status) for outcome in outcomes]
    assert told == [(Result.FAILED, "5.2.1"), (Result.DEFERRED, "4.2.2")]


async def test_an_alias_files_here_and_sends_on_elsewhere(post: Post) -> None:
    targets = [Address.parse("ann@geese.test"), Address.parse("friend@elsewhere.test")]
    await post.door.aliases.put(Alias(Address.parse("team@geese.test"), tuple(targets), members_may_send=False), CLI)
    (outcome,) = await deliver(post, "team@geese.test")
    assert outcome.result is Result.DELIVERED
    assert len(await post.prefixes("ann@geese.test")) == 1
    (sent,) = post.sent_on
    assert [str(recipient.address) for recipient in sent.recipients] == ["friend@elsewhere.test"]
    assert sent.prefix == b"Delivered-To: team@geese.test\r\n" + TRACE
    assert sent.receipt is not None, "sent on once, however often it is tried"


async def test_what_was_sent_on_from_an_alias_before_is_not_sent_on_again(post: Post) -> None:
    friend = Address.parse("friend@elsewhere.test")
    await post.door.aliases.put(Alias(Address.parse("team@geese.test"), (friend,), members_may_send=False), CLI)
    (outcome,) = await deliver(post, "team@geese.test", content=Returned())
    assert (outcome.result, outcome.status) == (Result.FAILED, "5.4.6")
    both = (friend, Address.parse("ann@geese.test"))
    await post.door.aliases.put(Alias(Address.parse("team@geese.test"), both, members_may_send=False), CLI)
    (outcome,) = await deliver(post, "team@geese.test", content=Returned())
    assert outcome.result is Result.DELIVERED
    assert not post.sent_on


@pytest.mark.parametrize(
    ("targets", "given", "passed", "action"),
    [
        (["friend@elsewhere.test"], Notify.SUCCESS | Notify.FAILURE, Notify.SUCCESS | Notify.FAILURE, None),
        (["friend@elsewhere.test"], Notify.NEVER, Notify.NEVER, None),
        (["friend@elsewhere.test"], None, None, None),
        (["ann@geese.test", "friend@elsewhere.test"], Notify.SUCCESS | Notify.DELAY, Notify.DELAY, Action.EXPANDED),
        (["one@elsewhere.test", "two@elsewhere.test"], Notify.SUCCESS, Notify.NEVER, Action.EXPANDED),
    ],
)
async def test_what_the_sender_wants_to_know_goes_along(
    post: Post, targets: list[str], given: Notify | None, passed: Notify | None, action: Action | None
) -> None:
    """RFC 3461 §5.2.7: one address behind an alias takes its place; of several the sender is told that they are."""
    members = tuple(map(Address.parse, targets))
    await post.door.aliases.put(Alias(Address.parse("team@geese.test"), members, members_may_send=False), CLI)
    original = OriginalRecipient("rfc822", "first@geese.test")
    recipient = queued_recipient("team@geese.test", notify=given, original=original)
    message = queued_message(prefix=TRACE, ret=Ret.HDRS, envelope_id="QQ1")
    outcomes = await post.local.deliver(Delivery(message, (recipient,), Content()), LocalRoute())
    (sent,) = post.sent_on
    assert {one.notify for one in sent.recipients} == {passed}
    assert {one.original for one in sent.recipients} == {original}
    assert (sent.ret, sent.envelope_id) == (Ret.HDRS, "QQ1")
    claim = Claim(message, "geese.test", (recipient,))
    _, notices = conclude(claim, outcomes, Schedule(), NOW, FakeRandom())
    assert [notice.action for notice in notices] == ([] if action is None else [action])


async def test_a_message_that_cannot_be_read_is_tried_again(post: Post) -> None:
    outcomes = await deliver(post, "ann@geese.test", "bob@geese.test", content=Unreadable())
    assert [outcome.result for outcome in outcomes] == [Result.DEFERRED, Result.DEFERRED]


@pytest.mark.parametrize("accounts", [1, 2])
async def test_the_same_message_by_the_same_envelope_is_a_duplicate(post: Post, accounts: int) -> None:
    owners = [await post.door.accounts.get(Address.parse(f"{name}@geese.test")) for name in ("ann", "bob")]
    ids = [owner.account_id for owner in owners[:accounts]]
    first = await post.deliverer.deliver(ids, Arrived(TRACE, OCTETS), b"digest", mid="m1")
    again = await post.deliverer.deliver(ids, Arrived(TRACE, OCTETS), b"digest", mid="m2")
    assert [(one.account, one.fault, one.duplicate) for one in first] == [(account, None, False) for account in ids]
    assert [one.duplicate for one in again] == [True] * accounts
