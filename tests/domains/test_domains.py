"""Which domains are ours."""

from __future__ import annotations

import pytest

from hongyan.addresses import Address, Domain
from hongyan.audit.events import CLI
from hongyan.errors import AlreadyExists, NotFound, Refused
from tests.support.door import Door, OpenDoor

_GEESE = Domain.parse("geese.test")
_SWANS = Domain.parse("swans.test")


async def test_a_domain_is_served_from_when_it_is_added_until_it_is_removed(door: Door) -> None:
    assert door.domains.is_local(Domain.parse("GEESE.test"))
    assert not door.domains.is_local(_SWANS)
    await door.domains.add(_SWANS, CLI)
    assert door.domains.is_local(_SWANS)
    assert [settings.domain for settings in door.domains.list_domains()] == [_GEESE, _SWANS]
    with pytest.raises(AlreadyExists):
        await door.domains.add(_SWANS, CLI)
    await door.domains.remove(_SWANS, CLI)
    assert door.domains.find(_SWANS) is None
    with pytest.raises(NotFound):
        await door.domains.remove(_SWANS, CLI)
    events = [entry.event for entry in await door.audit.query(event_prefix="directory:domain:")]
    assert events == ["directory:domain:removed", "directory:domain:added", "directory:domain:added"]


async def test_a_domain_with_addresses_stays(door: Door) -> None:
    await door.add("ann@geese.test")
    with pytest.raises(Refused):
        await door.domains.remove(_GEESE, CLI)


async def test_settings_are_kept_and_known_elsewhere(doors: OpenDoor) -> None:
    here, there = await doors(), await doors()
    target = Address.parse("ann@swans.test")
    await here.domains.set_catch_all(_GEESE, target, CLI)
    await here.domains.set_separators(_GEESE, "-", CLI)
    await there.watch.catch_up()
    settings = there.domains.find(_GEESE)
    assert settings is not None
    assert (settings.catch_all, settings.separators) == (target, "-")
    with pytest.raises(NotFound):
        await here.domains.set_catch_all(_SWANS, None, CLI)
    with pytest.raises(ValueError, match="subaddress"):
        await here.domains.set_separators(_GEESE, "ab", CLI)
