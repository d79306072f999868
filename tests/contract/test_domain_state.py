"""What is known of our domains' DNS: what every SQL engine owes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Domain
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.domain_state import SqlDomainState
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.units import SqlDatabase
from hongyan.errors import NotFound
from hongyan.store.audit import AuditEntry
from hongyan.store.domain_state import DkimKey, KeyState, OwnRecord, ReadinessEntry, Waiver
from hongyan.store.domains import DomainSettings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GEESE, SWANS = Domain.parse("geese.test"), Domain.parse("swans.test")


class Shop:
    def __init__(self, database: SqlDatabase) -> None:
        self.domains = SqlDomains(database)
        self.state = SqlDomainState(database)
        self.audit = SqlAudit(database)
        self.log = SqlDirectory(database)
        self._entries = 0

    def act(self) -> AuditEntry:
        self._entries += 1
        return AuditEntry(self._entries, NOW, "cli:test:done", None, "cli")


@pytest.fixture
async def shop(sql_database: SqlDatabase) -> Shop:  # type: ignore[override]  # another shop than that of mail
    made = Shop(sql_database)
    for domain in (GEESE, SWANS):
        await made.domains.add_domain(DomainSettings(domain, NOW), audit=made.act())
    return made


async def test_a_new_domain_is_looked_at_at_once_and_by_one_alone(shop: Shop) -> None:
    assert await shop.state.claim_due(NOW, NOW + HOUR, 10) == [GEESE, SWANS]
    assert await shop.state.claim_due(NOW, NOW + HOUR, 10) == []
    assert await shop.state.list_readiness() == []  # claimed, and nobody has looked yet
    assert await shop.state.claim_due(NOW + HOUR, NOW + 2 * HOUR, 1) != []
    assert len(await shop.state.claim_due(NOW + HOUR, NOW + 2 * HOUR, 10)) == 1


async def test_what_a_look_said_is_kept_and_told_to_all_when_it_changed(shop: Shop) -> None:
    await shop.state.claim_due(NOW, NOW + HOUR, 10)
    entry = ReadinessEntry(GEESE, {"spf": "wrong", "mx": "right"}, NOW, 2, "spf")
    before = await shop.log.directory_position()
    await shop.state.put_readiness(entry, NOW + 2 * HOUR, changed=False)
    assert await shop.state.list_readiness() == [entry]
    assert await shop.log.directory_position() == before
    await shop.state.put_readiness(replace(entry, unchanged=0), NOW + 2 * HOUR, changed=True)
    assert await shop.log.directory_position() > before
    assert GEESE not in await shop.state.claim_due(NOW + HOUR, NOW + HOUR, 10)
    await shop.state.set_due(GEESE, NOW)
    assert GEESE in await shop.state.claim_due(NOW, NOW + HOUR, 10)


async def test_a_waiver_has_a_reason_and_can_be_taken_back(shop: Shop) -> None:
    waiver = Waiver(GEESE, "ptr", "The provider will not.", "ann@geese.test", NOW)
    await shop.state.put_waiver(waiver, audit=shop.act())
    await shop.state.put_waiver(replace(waiver, reason="雁"), audit=shop.act())
    assert await shop.state.list_waivers() == [replace(waiver, reason="雁")]
    await shop.state.remove_waiver(GEESE, "ptr", audit=shop.act())
    assert await shop.state.list_waivers() == []
    with pytest.raises(NotFound):
        await shop.state.remove_waiver(GEESE, "ptr", audit=shop.act())
    with pytest.raises(NotFound):
        await shop.state.put_waiver(replace(waiver, domain=Domain("ducks.test")), audit=shop.act())


async def test_records_of_ours_are_remembered_by_their_value(shop: Shop) -> None:
    record = OwnRecord(GEESE, "_dmarc.geese.test", "TXT", "v=DMARC1; p=reject")
    await shop.state.add_record(record, NOW)
    await shop.state.add_record(record, NOW)
    assert await shop.state.list_records(GEESE) == [record]
    assert await shop.state.list_records(SWANS) == []
    await shop.state.remove_record(record)
    assert await shop.state.list_records(GEESE) == []


async def test_keys_change_their_states_together(shop: Shop) -> None:
    old = DkimKey(GEESE, "202601r", "rsa", KeyState.ACTIVE, NOW, NOW)
    new = DkimKey(GEESE, "202607r", "rsa", KeyState.PENDING, NOW + HOUR, NOW + HOUR)
    await shop.state.put_keys([new, old], audit=[shop.act()])
    assert await shop.state.list_keys() == [old, new]
    moved = [replace(new, state=KeyState.ACTIVE), replace(old, state=KeyState.RETIRING, since=NOW + HOUR)]
    before = await shop.log.directory_position()
    await shop.state.put_keys(moved, audit=[shop.act()])
    assert {key.selector: key.state for key in await shop.state.list_keys()} == {
        "202601r": KeyState.RETIRING,
        "202607r": KeyState.ACTIVE,
    }
    assert await shop.log.directory_position() > before


async def test_a_domain_that_goes_takes_along_what_was_known_of_it(shop: Shop) -> None:
    await shop.state.claim_due(NOW, NOW + HOUR, 10)
    await shop.state.put_waiver(Waiver(GEESE, "ptr", "So.", "cli", NOW), audit=shop.act())
    await shop.state.put_keys([DkimKey(GEESE, "s", "rsa", KeyState.ACTIVE, NOW, NOW)], audit=[])
    await shop.state.add_record(OwnRecord(GEESE, "a", "TXT", "b"), NOW)
    await shop.domains.remove_domain(GEESE, audit=shop.act())
    assert await shop.state.list_waivers() == []
    assert await shop.state.list_keys() == []
    assert await shop.state.list_records(GEESE) == []
    assert await shop.state.claim_due(NOW + HOUR, NOW + HOUR, 10) == [SWANS]
