"""Accounts are changed, suspended and listed; the last admin stays; acts are written down."""

from __future__ import annotations

import pytest

from hongyan.accounts.quotas import Quotas
from hongyan.addresses import Address
from hongyan.audit.events import CLI, Actor
from hongyan.errors import NotFound, Refused
from hongyan.store.accounts import AccountChange, AccountState, Role, Service
from hongyan.store.domains import DomainSettings
from hongyan.types import AccountId
from tests.support.door import Door


async def test_the_last_admin_stays_one(door: Door) -> None:
    root = (await door.add("root@geese.test", role=Role.ADMIN)).account.account_id
    for change in (AccountChange(state=AccountState.SUSPENDED), AccountChange(role=Role.USER)):
        with pytest.raises(Refused):
            await door.accounts.change(root, change, CLI)
    with pytest.raises(Refused):
        await door.provisioner.remove(root, CLI)
    await door.add("ann@geese.test", role=Role.ADMIN)
    assert (await door.accounts.suspend(root, CLI)).state is AccountState.SUSPENDED


async def test_services_are_switched_one_by_one(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account
    assert ann.services == {Service.IMAP, Service.SMTP, Service.WEB}
    changed = await door.accounts.switch_service(ann.account_id, Service.POP3, on=True, actor=CLI)
    assert changed.services == {*Service}
    changed = await door.accounts.switch_service(ann.account_id, Service.IMAP, on=False, actor=CLI)
    assert changed.services == {Service.POP3, Service.SMTP, Service.WEB}
    with pytest.raises(NotFound):
        await door.accounts.switch_service(AccountId(99), Service.IMAP, on=True, actor=CLI)


async def test_every_act_says_who_did_it(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account
    await door.accounts.change(ann.account_id, AccountChange(name="Ann"), Actor("root@geese.test", "192.0.2.9"))
    act, created = await door.audit.query(account=ann.account_id)
    assert (act.event, act.actor, act.peer) == ("directory:account:changed", "root@geese.test", "192.0.2.9")
    assert act.detail == {"name": "Ann"}
    assert (created.event, created.actor, created.detail["address"]) == (
        "directory:account:created",
        "cli",
        "ann@geese.test",
    )


async def test_accounts_are_found_by_address(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account
    assert await door.accounts.get(Address.parse("Ann@Geese.test")) == ann
    assert await door.accounts.find_by_id(ann.account_id) == ann
    assert await door.accounts.list_accounts() == [ann]
    with pytest.raises(NotFound):
        await door.accounts.get(Address.parse("bob@geese.test"))


async def test_limits_of_quota_are_not_negative(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account
    with pytest.raises(ValueError, match="negative"):
        await door.quotas.set_limits(ann.account_id, limit_octets=-1, limit_messages=0, actor=CLI)
    await door.quotas.set_limits(ann.account_id, limit_octets=7, limit_messages=3, actor=CLI)
    quota = await door.quotas.quota(ann.account_id)
    assert (quota.limit_octets, quota.limit_messages) == (7, 3)


async def test_an_account_that_is_gone_is_full(door: Door) -> None:
    assert isinstance(door.quotas, Quotas)
    assert await door.quotas.is_full(AccountId(99))


def test_a_domain_to_serve_has_a_name_and_plain_separators(clock: object) -> None:
    address = Address.parse("a@[192.0.2.1]")
    with pytest.raises(ValueError, match="literal"):
        DomainSettings(address.domain, clock.now())  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="subaddress"):
        DomainSettings(Address.parse("a@b.test").domain, clock.now(), separators="a")  # type: ignore[attr-defined]
