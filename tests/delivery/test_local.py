"""From the queue into our own mailboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import CLI
from hongyan.errors import Corrupt
from hongyan.queue.outcome import Outcome, Result
from hongyan.queue.route import LocalRoute
from hongyan.queue.transport import Delivery
from hongyan.store.aliases import Alias
from tests.delivery.conftest import Post
from tests.queue.values import queued_message, queued_recipient

TRACE = b"Received: from somewhere\r\n"
OCTETS = b"From: eve@elsewhere.test\r\nSubject: Geese\r\n\r\nhonk\r\n"


@dataclass
class Content:
    header: bytes = OCTETS[:-8]
    size: int = len(TRACE + OCTETS)

    async def chunks(self) -> AsyncIterator[bytes]:
        yield TRACE
        yield OCTETS


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
    assert sent.prefix == TRACE
    assert sent.receipt is not None, "sent on once, however often it is tried"


async def test_a_message_that_cannot_be_read_is_tried_again(post: Post) -> None:
    outcomes = await deliver(post, "ann@geese.test", "bob@geese.test", content=Unreadable())
    assert [outcome.result for outcome in outcomes] == [Result.DEFERRED, Result.DEFERRED]


@pytest.mark.parametrize("accounts", [1, 2])
async def test_the_same_message_by_the_same_envelope_is_a_duplicate(post: Post, accounts: int) -> None:
    owners = [await post.door.accounts.get(Address.parse(f"{name}@geese.test")) for name in ("ann", "bob")]
    ids = [owner.account_id for owner in owners[:accounts]]
    first = await post.deliverer.deliver(ids, TRACE, OCTETS, b"digest", mid="m1")
    again = await post.deliverer.deliver(ids, TRACE, OCTETS, b"digest", mid="m2")
    assert [(one.account, one.fault, one.duplicate) for one in first] == [(account, None, False) for account in ids]
    assert [one.duplicate for one in again] == [True] * accounts
