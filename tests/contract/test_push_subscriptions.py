"""What `store.push_subscriptions.PushSubscriptionStore` keeps, on each engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.engines.sql.push_subscriptions import SqlPushSubscriptions
from hongyan.errors import NotFound, OverLimit
from hongyan.store.accounts import Service
from hongyan.store.push_subscriptions import PushKeys, PushSubscription
from hongyan.types import AccountId, CredentialId
from tests.support.mail import MailShop

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OTHER = AccountId(77)
PHONE, LAPTOP = CredentialId(1), CredentialId(2)


def subscription(shop: MailShop, name: str = "P1", credential: CredentialId = PHONE) -> PushSubscription:
    return PushSubscription(
        account=shop.account,
        subscription_id=name,
        credential=credential,
        service=Service.IMAP,
        device="手机",
        url="https://push.example/1",
        keys=PushKeys(b"\4" + bytes(64), bytes(16)),
        code="c0de",
        expires_at=NOW + HOUR,
        types=frozenset({"Email", "Mailbox"}),
        key_number=3,
    )


async def test_a_subscription_is_read_back_by_its_account_and_listed_for_its_login(shop: MailShop) -> None:
    kept = SqlPushSubscriptions(shop.database)
    mine, bare = (
        subscription(shop),
        replace(subscription(shop, "P2", LAPTOP), keys=None, types=None, expires_at=None, service=Service.WEB),
    )
    await kept.add_subscription(mine, NOW, most=2)
    await kept.add_subscription(bare, NOW, most=2)
    assert await kept.find_subscription(shop.account, "P1") == mine
    assert await kept.find_subscription(OTHER, "P1") is None
    assert await kept.list_subscriptions(shop.account, LAPTOP) == [bare]
    assert await kept.list_all() == [(shop.account, "P1"), (shop.account, "P2")]
    assert await kept.list_all(verified=True) == []
    assert await kept.remove_subscription(shop.account, "P1")
    assert not await kept.remove_subscription(shop.account, "P1")
    assert await kept.find_subscription(shop.account, "P1") is None


async def test_subscriptions_have_a_number_and_those_that_expired_make_room(shop: MailShop) -> None:
    kept = SqlPushSubscriptions(shop.database)
    await kept.add_subscription(subscription(shop), NOW, most=1)
    with pytest.raises(OverLimit):
        await kept.add_subscription(subscription(shop, "P2"), NOW, most=1)
    await kept.add_subscription(subscription(shop, "P2"), NOW + HOUR, most=1)
    assert await kept.list_all() == [(shop.account, "P2")]
    with pytest.raises(OverLimit):
        await kept.add_subscription(subscription(shop, "P3"), NOW, most=0)
    with pytest.raises(NotFound):
        await kept.add_subscription(replace(subscription(shop), account=OTHER), NOW, most=1)


async def test_what_expired_is_removed_and_what_never_expires_stays(shop: MailShop) -> None:
    kept = SqlPushSubscriptions(shop.database)
    await kept.add_subscription(subscription(shop), NOW, most=2)
    await kept.add_subscription(replace(subscription(shop, "P2"), expires_at=None), NOW, most=2)
    assert await kept.expire_subscriptions(NOW + HOUR - timedelta(seconds=1)) == 0
    assert await kept.expire_subscriptions(NOW + HOUR) == 1
    assert await kept.list_all() == [(shop.account, "P2")]


async def test_a_change_leaves_alone_what_was_told_once_pushing_has_begun(shop: MailShop) -> None:
    kept = SqlPushSubscriptions(shop.database)
    new = subscription(shop)
    await kept.add_subscription(new, NOW, most=1)
    verified = replace(new, is_verified=True, told="one")
    assert await kept.change_subscription(verified)
    assert await kept.list_all(verified=True) == [(shop.account, "P1")]
    assert await kept.claim_push(shop.account, "P1", "one", "two")
    assert await kept.change_subscription(replace(new, expires_at=None, types=None, told="new"))
    found = await kept.find_subscription(shop.account, "P1")
    assert found == replace(verified, expires_at=None, types=None, told="two")
    assert not await kept.change_subscription(replace(new, subscription_id="P2"))


async def test_of_several_that_would_push_one_does(shop: MailShop) -> None:
    kept = SqlPushSubscriptions(shop.database)
    await kept.add_subscription(subscription(shop), NOW, most=1)
    assert await kept.claim_push(shop.account, "P1", "", "one")
    assert not await kept.claim_push(shop.account, "P1", "", "two")
    assert not await kept.claim_push(OTHER, "P1", "one", "two")
