"""How the protocols serve single accounts."""

from __future__ import annotations

import pytest

from hongyan.accounts.settings import Deleted, Fetched, Pop3Policy, Settings
from hongyan.audit.events import CLI
from hongyan.errors import NotFound
from hongyan.types import AccountId
from tests.support.door import Door


def _settings(door: Door, default: Pop3Policy | None = None) -> Settings:
    settings = Settings(door.settings_store, default or Pop3Policy(), door.audit, door.watch.changed)
    door.watch.listen(settings)
    return settings


async def test_an_account_without_settings_is_served_as_all_are(door: Door) -> None:
    account = (await door.add("ann@geese.test")).account.account_id
    default = Pop3Policy(90, Fetched.SEEN, 0, Deleted.TRASH)
    assert (await _settings(door, default).find(account)).pop3 == default


async def test_what_is_set_holds_alone_and_is_forgotten_by_a_reset(door: Door) -> None:
    account = (await door.add("ann@geese.test")).account.account_id
    settings = _settings(door, Pop3Policy(days=90))
    done = await settings.set_pop3(account, fetched=Fetched.DELETE, keep_days=7, actor=CLI)
    assert done.pop3 == Pop3Policy(90, Fetched.DELETE, 7) == (await settings.find(account)).pop3
    await settings.set_pop3(account, days=30, actor=CLI)
    assert (await settings.find(account)).pop3 == Pop3Policy(30, Fetched.DELETE, 7)
    await settings.set_pop3(account, reset=True, deleted=Deleted.TRASH, actor=CLI)
    assert (await settings.find(account)).pop3 == Pop3Policy(days=90, deleted=Deleted.TRASH)


async def test_capabilities_are_switched_off_and_on(door: Door) -> None:
    account = (await door.add("ann@geese.test")).account.account_id
    settings = _settings(door)
    await settings.switch_off(account, frozenset({"MOVE", "IDLE"}), CLI)
    assert (await settings.find(account)).switched_off == {"MOVE", "IDLE"}
    await settings.switch_off(account, frozenset(), CLI)
    assert (await settings.find(account)).switched_off == frozenset()
    assert await door.settings_store.read_settings(account) == {}


async def test_settings_are_of_one_account_and_another_process_learns_of_them(door: Door) -> None:
    ann = (await door.add("ann@geese.test")).account.account_id
    bob = (await door.add("bob@geese.test")).account.account_id
    here, there = _settings(door), _settings(door)
    assert (await there.find(ann)).pop3.days == 0
    await here.set_pop3(ann, days=30, actor=CLI)
    assert (await there.find(ann)).pop3.days == 30
    assert (await there.find(bob)).pop3.days == 0


async def test_nobody_has_no_settings(door: Door) -> None:
    with pytest.raises(NotFound):
        await _settings(door).set_pop3(AccountId(99), days=1, actor=CLI)
    assert await door.settings_store.read_settings(AccountId(99)) == {}
