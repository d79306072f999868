"""What `store.transport.TransportStore` keeps of other domains' transport security, on each engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.engines.sql.transport import SqlTransport
from hongyan.engines.sql.units import SqlDatabase
from hongyan.queue.security import TlsLevel
from hongyan.store.transport import KeptLevel, KeptPolicy, TransportStore

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TEXT = b"version: STSv1\r\nmode: enforce\r\nmx: mx.geese.test\r\nmax_age: 604800\r\n\0\xff"
POLICY = KeptPolicy("geese.test", "20261123", TEXT, NOW, NOW + 7 * DAY, NOW)
LEVEL = KeptLevel("geese.test", TlsLevel.TLS, TlsLevel.VERIFIED, NOW - DAY, NOW)


@pytest.fixture
def kept(sql_database: SqlDatabase) -> TransportStore:
    return SqlTransport(sql_database)


async def test_a_policy_is_kept_octet_for_octet_until_there_is_another(kept: TransportStore) -> None:
    assert await kept.find_policy("geese.test") is None
    await kept.put_policy(POLICY)
    assert await kept.find_policy("geese.test") == POLICY
    newer = replace(POLICY, identity="2", text=b"", fetched_at=NOW + DAY, expires_at=NOW + 2 * DAY, used_at=NOW + DAY)
    await kept.put_policy(newer)
    assert await kept.find_policy("geese.test") == newer
    assert await kept.find_policy("mx.geese.test") is None
    assert await kept.list_policies() == [newer]


async def test_policies_come_in_the_order_in_which_they_expire(kept: TransportStore) -> None:
    policies = [replace(POLICY, domain=f"{days}.test", expires_at=NOW + days * DAY) for days in (3, 1, 2)]
    for policy in policies:
        await kept.put_policy(policy)
    assert [one.domain for one in await kept.list_policies()] == ["1.test", "2.test", "3.test"]
    assert [one.domain for one in await kept.list_policies(limit=2)] == ["1.test", "2.test"]
    assert [one.domain for one in await kept.list_policies(expiring_before=NOW + 2 * DAY)] == ["1.test"]


async def test_a_level_is_kept_until_there_is_another(kept: TransportStore) -> None:
    assert await kept.find_level("geese.test") is None
    for level in (LEVEL, replace(LEVEL, level=TlsLevel.VERIFIED, candidate_since=NOW, seen_at=NOW + DAY)):
        await kept.put_level(level)
        assert await kept.find_level("geese.test") == level
    await kept.put_level(replace(LEVEL, domain="foxes.test"))
    assert [one.domain for one in await kept.list_levels()] == ["foxes.test", "geese.test"]
    assert [one.domain for one in await kept.list_levels(limit=1)] == ["foxes.test"]


async def test_what_is_kept_of_a_domain_is_forgotten_as_a_whole_and_of_no_other(kept: TransportStore) -> None:
    for domain in ("geese.test", "foxes.test"):
        await kept.put_policy(replace(POLICY, domain=domain))
        await kept.put_level(replace(LEVEL, domain=domain))
    await kept.put_level(replace(LEVEL, domain="level.test"))
    assert await kept.forget("geese.test")
    assert (await kept.find_policy("geese.test"), await kept.find_level("geese.test")) == (None, None)
    assert not await kept.forget("geese.test")
    assert await kept.forget("level.test")
    assert await kept.find_policy("foxes.test") is not None
    assert await kept.find_level("foxes.test") is not None


async def test_what_ran_out_is_removed(kept: TransportStore) -> None:
    for days in (1, 2):
        await kept.put_policy(replace(POLICY, domain=f"{days}.test", expires_at=NOW + days * DAY))
        await kept.put_level(replace(LEVEL, domain=f"{days}.test", seen_at=NOW + days * DAY))
    assert await kept.expire(policies_before=NOW + DAY, levels_before=NOW + DAY) == 0
    assert await kept.expire(policies_before=NOW + 2 * DAY, levels_before=NOW) == 1
    assert await kept.expire(policies_before=NOW, levels_before=NOW + 3 * DAY) == 2
    assert [one.domain for one in await kept.list_policies()] == ["2.test"]
    assert await kept.list_levels() == []


async def test_a_domain_is_whatever_octets_a_zone_may_hold(kept: TransportStore) -> None:
    for domain in ("xn--fiqs8s.test", "_dmarc.geese.test", "a'b.test", "x" * 63 + ".test"):
        await kept.put_level(replace(LEVEL, domain=domain))
        found = await kept.find_level(domain)
        assert found is not None
        assert found.domain == domain
