"""The trail of acts: ids that grow, details without end, and an end of keeping."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hongyan.audit.events import CLI, SERVER, Actor, AuditEvent
from hongyan.audit.log import AuditLog, AuditOptions
from hongyan.types import AccountId
from tests.support.clock import FakeClock, FakeRandom
from tests.support.door import Door


def test_events_are_named_by_source_subject_and_action() -> None:
    for event in AuditEvent:
        assert len(event.split(":")) == 3
        assert all(word.isidentifier() for word in event.split(":"))


async def test_ids_grow_even_when_the_clock_is_set_back(door: Door, clock: FakeClock) -> None:
    first = door.audit.entry(AuditEvent.BAN_LIFTED, CLI)
    clock.set(clock.now() - timedelta(days=1))
    later = [door.audit.entry(AuditEvent.BAN_LIFTED, SERVER) for _ in range(50)]
    ids = [entry.entry_id for entry in (first, *later)]
    assert ids == sorted(set(ids))
    assert max(ids) < 1 << 62


async def test_two_processes_do_not_meet(door: Door, clock: FakeClock) -> None:
    logs = [AuditLog(door.audit_store, clock, FakeRandom(seed), AuditOptions()) for seed in (1, 2)]
    ids = {log.entry(AuditEvent.BAN_LIFTED, CLI).entry_id for log in logs}
    assert len(ids) == 2


async def test_entries_are_stored_queried_and_dropped_in_time(door: Door, clock: FakeClock) -> None:
    actor = Actor("root@geese.test", "192.0.2.1")
    await door.audit.append(door.audit.entry(AuditEvent.BAN_LIFTED, actor, account=AccountId(3), text="雁" * 3000))
    (entry,) = await door.audit.query(account=AccountId(3))
    assert (entry.actor, entry.peer, entry.detail) == ("root@geese.test", "192.0.2.1", {"text": "雁" * 2000})
    clock.advance(timedelta(days=399))
    assert await door.audit.expire() == 0
    clock.advance(timedelta(days=2))
    assert await door.audit.expire() >= 1
    assert await door.audit.query(account=AccountId(3)) == []


def test_the_trail_is_kept_for_a_while() -> None:
    with pytest.raises(ValueError, match="day"):
        AuditOptions(keep_acts=0)
