"""What `store.trusted_senders.TrustedSenderStore` keeps, on each engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address
from hongyan.engines.sql import trusted_senders
from hongyan.engines.sql.trusted_senders import SqlTrustedSenders
from hongyan.errors import NotFound, OverLimit
from hongyan.types import AccountId
from tests.support.mail import MailShop

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SHOP = Address.parse("News@Shop.example")
OTHER = AccountId(77)


async def test_a_sender_is_trusted_by_one_account_until_it_is_not(shop: MailShop) -> None:
    kept = SqlTrustedSenders(shop.database)
    await kept.trust(shop.account, SHOP, NOW)
    await kept.trust(shop.account, SHOP, NOW + timedelta(days=1))
    assert await kept.is_trusted(shop.account, Address.parse("news@shop.EXAMPLE"))
    assert not await kept.is_trusted(OTHER, SHOP)
    assert [one.since for one in await kept.list_trusted(shop.account)] == [NOW]
    assert await kept.untrust(shop.account, SHOP)
    assert not await kept.untrust(shop.account, SHOP)
    assert not await kept.is_trusted(shop.account, SHOP)


async def test_trusted_senders_have_a_number(shop: MailShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trusted_senders, "MAX_TRUSTED", 1)
    kept = SqlTrustedSenders(shop.database)
    await kept.trust(shop.account, SHOP, NOW)
    with pytest.raises(OverLimit):
        await kept.trust(shop.account, Address.parse("b@shop.example"), NOW)
    with pytest.raises(NotFound):
        await kept.trust(OTHER, SHOP, NOW)
