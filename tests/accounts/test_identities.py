"""From which addresses an account may write."""

from __future__ import annotations

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import CLI
from hongyan.errors import NotFound
from hongyan.store.aliases import Alias
from hongyan.types import AccountId
from tests.support.door import Door


async def _may(door: Door, account: AccountId, text: str) -> bool:
    address = Address.parse(text)
    first = await door.identities.may_use(account, address)
    assert door.identities.find(account, address) is first
    return first


async def _alias(door: Door, name: str, *targets: str, members_may_send: bool = False) -> None:
    alias = Alias(Address.parse(name), tuple(map(Address.parse, targets)), members_may_send)
    await door.aliases.put(alias, CLI)


async def test_an_account_writes_from_its_own_address_and_its_subaddresses(door: Door) -> None:
    ann = (await door.add("Ann@geese.test")).account.account_id
    assert await _may(door, ann, "ann@geese.test")
    assert await _may(door, ann, "ANN+shop@geese.test")
    assert not await _may(door, ann, "bob@geese.test")
    assert not await _may(door, ann, "ann@swans.test")


async def test_a_subaddress_that_another_account_has_is_not_lent(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    await door.add("ann+boss@geese.test")
    assert not await _may(door, ann, "ann+boss@geese.test")


async def test_an_alias_of_one_account_is_its_own_and_a_group_only_if_it_says_so(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    bob = (await door.add("bob@geese.test")).account.account_id
    await _alias(door, "info@geese.test", "ann+info@geese.test")
    await _alias(door, "team@geese.test", "ann@geese.test", "bob@geese.test")
    assert await _may(door, ann, "info@geese.test")
    assert not await _may(door, bob, "info@geese.test")
    assert not await _may(door, ann, "team@geese.test")
    await _alias(door, "team@geese.test", "ann@geese.test", "bob@geese.test", members_may_send=True)
    assert await _may(door, ann, "team@geese.test")
    assert await _may(door, bob, "Team@geese.test")


async def test_a_grant_holds_until_it_is_taken_back(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    shop = Address.parse("shop@swans.test")
    assert not await _may(door, ann, "shop@swans.test")
    await door.identities.grant(ann, shop, CLI)
    assert await _may(door, ann, "Shop@swans.test")
    await door.identities.revoke(ann, shop, CLI)
    assert not await _may(door, ann, "shop@swans.test")
    with pytest.raises(NotFound):
        await door.identities.revoke(ann, shop, CLI)


async def test_identities_are_listed_with_the_own_address_first(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    await _alias(door, "info@geese.test", "ann@geese.test")
    await _alias(door, "team@geese.test", "ann@geese.test", "zoe@swans.test")
    await door.identities.grant(ann, Address.parse("a@swans.test"), CLI)
    listed = await door.identities.list_identities(ann)
    assert list(map(str, listed)) == ["ann@geese.test", "info@geese.test", "a@swans.test"]
    assert await door.identities.list_identities(AccountId(99)) == []
    assert not await _may(door, AccountId(99), "ann@geese.test")
