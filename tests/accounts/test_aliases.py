"""Whose is an address: exact, subaddress, alias, role, catch-all, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hongyan.accounts.aliases import MAX_EXPANSION, LocalRecipient, Refusal, Resolution, Via
from hongyan.addresses import Address, Domain
from hongyan.audit.events import CLI
from hongyan.errors import AlreadyExists, NotFound
from hongyan.store.accounts import Role, Service
from hongyan.store.aliases import Alias
from tests.support.clock import FakeClock
from tests.support.door import Door, OpenDoor

_DOMAIN = Domain.parse("geese.test")


def _address(text: str) -> Address:
    return Address.parse(text if "@" in text else f"{text}@geese.test")


async def _alias(door: Door, name: str, *targets: str) -> None:
    await door.aliases.put(Alias(_address(name), tuple(map(_address, targets)), False), CLI)


async def _resolve(door: Door, name: str) -> Resolution:
    """Resolve twice: what is kept must be what was found."""
    fresh = await door.aliases.resolve(_address(name))
    assert await door.aliases.resolve(_address(name)) == fresh
    assert door.aliases.find(_address(name)) == fresh
    return fresh


def _names(resolution: Resolution) -> list[str]:
    return [str(recipient.address) for recipient in resolution.recipients]


async def test_an_address_as_written_is_its_accounts_in_any_case(door: Door) -> None:
    ann = await door.add("Ann@geese.test")
    recipient = LocalRecipient(ann.account.account_id, ann.account.address)
    for spelling in ("ann@geese.test", "ANN@GEESE.TEST", '"ann"@geese.test'):
        assert await _resolve(door, spelling) == Resolution((recipient,), via=Via.EXACT)


async def test_a_subaddress_is_its_bases_and_keeps_its_detail(door: Door) -> None:
    ann = await door.add("ann@geese.test")
    found = await _resolve(door, "ann+news+daily")
    assert found.via is Via.SUBADDRESS
    assert found.recipients == (LocalRecipient(ann.account.account_id, ann.account.address, "news+daily"),)
    assert (await _resolve(door, "bob+news")).refusal is Refusal.UNKNOWN


async def test_an_address_with_a_plus_of_its_own_comes_before_its_base(door: Door) -> None:
    await door.add("ann@geese.test")
    boss = await door.add("ann+boss@geese.test")
    assert (await _resolve(door, "ann+boss")).recipients[0].account == boss.account.account_id


async def test_separators_are_the_domains(door: Door) -> None:
    await door.add("ann@geese.test")
    await door.domains.set_separators(_DOMAIN, "-", CLI)
    assert (await _resolve(door, "ann-news")).via is Via.SUBADDRESS
    assert (await _resolve(door, "ann+news")).refusal is Refusal.UNKNOWN
    await door.domains.set_separators(_DOMAIN, "", CLI)
    assert (await _resolve(door, "ann-news")).refusal is Refusal.UNKNOWN


async def test_strangers_domains_are_not_local(door: Door) -> None:
    assert (await _resolve(door, "ann@swans.test")).refusal is Refusal.NOT_LOCAL
    assert (await _resolve(door, "ann@[192.0.2.1]")).refusal is Refusal.NOT_LOCAL
    assert (await _resolve(door, '"ann@geese.test"@swans.test')).refusal is Refusal.NOT_LOCAL
    assert (await _resolve(door, "ann%swans.test")).refusal is Refusal.UNKNOWN


async def test_an_alias_leads_to_accounts_and_elsewhere_each_once(door: Door) -> None:
    await door.add("ann@geese.test")
    await door.add("bob@geese.test")
    await _alias(door, "team", "ann", "bob", "zoe@swans.test")
    await _alias(door, "all", "team", "ann+all", "zoe@swans.test")
    found = await _resolve(door, "all")
    assert found.via is Via.ALIAS
    assert sorted(_names(found)) == ["ann@geese.test", "bob@geese.test"]
    assert found.external == (_address("zoe@swans.test"),)


async def test_the_detail_of_an_alias_goes_with_it_unless_the_target_has_one(door: Door) -> None:
    await door.add("ann@geese.test")
    await _alias(door, "sales", "ann")
    await _alias(door, "shop", "ann+orders")
    assert (await _resolve(door, "sales+today")).recipients[0].detail == "today"
    assert (await _resolve(door, "shop+today")).recipients[0].detail == "orders"


async def test_loops_end_by_themselves(door: Door) -> None:
    await door.add("ann@geese.test")
    await _alias(door, "a", "b")
    await _alias(door, "b", "c")
    await _alias(door, "c", "a")
    assert (await _resolve(door, "a")).refusal is Refusal.LOOP
    await _alias(door, "c", "a", "ann")
    assert _names(await _resolve(door, "a")) == ["ann@geese.test"]


async def test_aliases_behind_aliases_are_bounded(door: Door) -> None:
    await door.add("ann@geese.test")
    await _alias(door, "n0", "ann")
    for number in range(1, 14):
        await _alias(door, f"n{number}", f"n{number - 1}")
    assert _names(await _resolve(door, "n9")) == ["ann@geese.test"]
    assert (await _resolve(door, "n13")).refusal is Refusal.TOO_MANY


async def test_an_expansion_is_bounded(door: Door) -> None:
    for group in range(3):
        await _alias(door, f"g{group}", *(f"m{group}-{number}@swans.test" for number in range(MAX_EXPANSION // 2)))
    await _alias(door, "most", "g0")
    await _alias(door, "all", "g0", "g1", "g2")
    assert len((await _resolve(door, "most")).external) == MAX_EXPANSION // 2
    assert (await _resolve(door, "all")).refusal is Refusal.TOO_MANY


async def test_suspended_members_of_a_group_are_passed_over(door: Door) -> None:
    ann, _bob = await door.add("ann@geese.test"), await door.add("bob@geese.test")
    await _alias(door, "team", "ann", "bob")
    await _resolve(door, "ann")
    await door.accounts.suspend(ann.account.account_id, CLI)
    assert (await _resolve(door, "ann")).refusal is Refusal.DISABLED
    assert (await _resolve(door, "ann+x")).refusal is Refusal.DISABLED
    assert _names(await _resolve(door, "team")) == ["bob@geese.test"]
    await door.accounts.activate(ann.account.account_id, CLI)
    assert _names(await _resolve(door, "ann")) == ["ann@geese.test"]


async def test_postmaster_and_abuse_are_the_admins(door: Door) -> None:
    root = await door.add("root@geese.test", role=Role.ADMIN)
    recipients = (LocalRecipient(root.account.account_id, root.account.address),)
    for name in ("postmaster", "Abuse", "POSTMASTER"):
        assert await _resolve(door, name) == Resolution(recipients, via=Via.ROLE)
    bare = await door.aliases.resolve(None)
    assert bare == Resolution(recipients, via=Via.ROLE)
    assert door.aliases.find(None) == bare


async def test_a_role_that_somebody_has_is_theirs_and_no_catch_alls(door: Door) -> None:
    await door.add("root@geese.test", role=Role.ADMIN)
    await door.add("ann@geese.test")
    await door.domains.set_catch_all(_DOMAIN, _address("ann"), CLI)
    assert _names(await _resolve(door, "abuse")) == ["root@geese.test"]
    await _alias(door, "abuse", "ann")
    assert _names(await _resolve(door, "abuse")) == ["ann@geese.test"]


async def test_a_catch_all_takes_what_nobody_has(door: Door) -> None:
    await door.add("ann@geese.test")
    assert (await _resolve(door, "nobody")).refusal is Refusal.UNKNOWN
    await door.domains.set_catch_all(_DOMAIN, _address("ann+rest"), CLI)
    found = await _resolve(door, "nobody")
    assert (found.via, _names(found), found.recipients[0].detail) == (Via.CATCH_ALL, ["ann@geese.test"], "rest")
    await door.domains.set_catch_all(_DOMAIN, _address("gone"), CLI)
    assert (await _resolve(door, "nobody")).refusal is Refusal.LOOP
    await door.domains.set_catch_all(_DOMAIN, None, CLI)
    assert (await _resolve(door, "nobody")).refusal is Refusal.UNKNOWN


async def test_full_accounts_are_refused_in_time_and_taken_again_later(door: Door, clock: FakeClock) -> None:
    ann = await door.add("ann@geese.test")
    await _alias(door, "team", "ann", "bob")
    assert (await _resolve(door, "ann")).refusal is None
    account = ann.account.account_id
    await door.quotas.set_limits(account, limit_octets=0, limit_messages=1, actor=CLI)
    assert (await _resolve(door, "ann")).refusal is None
    await door.fill(account)
    clock.advance(60)
    assert (await _resolve(door, "ann")).refusal is Refusal.OVER_QUOTA
    assert (await _resolve(door, "team")).refusal is Refusal.OVER_QUOTA
    await door.add("bob@geese.test")
    assert sorted(_names(await _resolve(door, "team"))) == ["ann@geese.test", "bob@geese.test"]
    await door.quotas.set_limits(account, limit_octets=0, limit_messages=0, actor=CLI)
    assert (await _resolve(door, "ann")).refusal is None


async def test_what_another_process_changes_is_known_after_the_log_was_read(doors: OpenDoor) -> None:
    here, there = await doors(), await doors()
    await here.add("ann@geese.test")
    assert (await _resolve(there, "bob")).refusal is Refusal.UNKNOWN
    await _alias(here, "bob", "ann")
    await there.watch.catch_up()
    assert _names(await _resolve(there, "bob")) == ["ann@geese.test"]
    await here.domains.add(Domain.parse("swans.test"), CLI)
    await there.watch.catch_up()
    assert (await _resolve(there, "x@swans.test")).refusal is Refusal.UNKNOWN


async def test_aliases_are_put_listed_and_removed(door: Door) -> None:
    await door.add("ann@geese.test")
    await _alias(door, "sales", "ann")
    (alias,) = await door.aliases.list_aliases(domain=_DOMAIN)
    assert await door.aliases.get(_address("SALES")) == alias
    await door.aliases.remove(_address("sales"), CLI)
    with pytest.raises(NotFound):
        await door.aliases.get(_address("sales"))
    with pytest.raises(NotFound):
        await door.aliases.get(_address("ann"))
    with pytest.raises(AlreadyExists):
        await _alias(door, "ann", "bob")
    await door.add("sales@geese.test")


def test_an_alias_has_targets_and_names_each_once() -> None:
    with pytest.raises(ValueError, match="between 1"):
        Alias(_address("a"), (), False)
    with pytest.raises(ValueError, match="once"):
        Alias(_address("a"), (_address("b"), _address("B")), False)


_GRAPHS = st.dictionaries(
    st.sampled_from("abcdefgh"), st.sets(st.sampled_from([*"abcdefgh", "ann", "bob", "x@swans.test"]), min_size=1)
)


@given(graph=_GRAPHS, start=st.sampled_from("abcdefgh"))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_web_of_aliases_resolves_to_what_can_be_reached(door: Door, graph: dict, start: str) -> None:
    if await door.accounts.find(_address("ann")) is None:
        await door.add("ann@geese.test", services=frozenset({Service.IMAP}))
        await door.add("bob@geese.test")
    for alias in await door.aliases.list_aliases():
        if await _exists(door, alias.address.local_part):  # It may have gone with its last target.
            await door.aliases.remove(alias.address, CLI)
    for name, targets in graph.items():
        await _alias(door, name, *sorted(targets))
    reached, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += graph.get(name, ())
    found = await door.aliases.resolve(_address(start))
    assert {name.partition("@")[0] for name in _names(found)} == reached & {"ann", "bob"}
    assert set(map(str, found.external)) == reached & {"x@swans.test"}


async def _exists(door: Door, name: str) -> bool:
    try:
        await door.aliases.get(_address(name))
    except NotFound:
        return False
    return True
