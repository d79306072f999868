"""Which TLS each host is held to: facts from the DNS, policies and memory, and the order among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.mailauth.mta_sts import StsMode, StsPolicy
from hongyan.mailauth.resolver import TlsaRecord
from hongyan.queue.causes import Cause
from hongyan.queue.lookup import Router
from hongyan.queue.route import Hop, RemoteRoute, RouteOptions
from hongyan.queue.security import Demander, TlsLevel, TlsPolicy
from hongyan.queue.tls_memory import Observation, observe
from hongyan.store.transport import KeptLevel
from tests.queue.test_route import OurDomains
from tests.support.clock import FakeRandom
from tests.support.resolver import FakeResolver

DOMAIN, MX = "example.net", "mx.example.net"
RECORD = TlsaRecord(3, 1, 1, bytes(32))
ENFORCED = StsPolicy(StsMode.ENFORCE, (MX,), 86_400)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)


class Known:
    """A policy and a level for every domain."""

    def __init__(self, policy: StsPolicy | None = None, level: TlsLevel = TlsLevel.PLAIN) -> None:
        self._policy, self._level = policy, level

    async def find(self, domain: str) -> StsPolicy | None:
        return self._policy

    async def level(self, domain: str) -> TlsLevel:
        return self._level


def dns(*, signed: bool = True) -> FakeResolver:
    made = FakeResolver().add_mx(DOMAIN, (10, MX)).add_address(MX, "9.9.9.9").add_tlsa(f"_25._tcp.{MX}", RECORD)
    if signed:
        made.secure |= {DOMAIN, MX, f"_25._tcp.{MX}"}
    return made


async def hop(resolver: FakeResolver, known: Known | None = None, *, obeys_dane: bool = True) -> Hop:
    known = known or Known()
    router = Router(
        resolver, OurDomains(), FakeRandom(), RouteOptions(), policies=known, levels=known, obeys_dane=obeys_dane
    )
    found = await router.route(DOMAIN)
    assert isinstance(found, RemoteRoute)
    return found.hops[0]


async def test_records_count_where_dnssec_vouches_for_all_that_leads_to_them() -> None:
    found = await hop(dns())
    assert (found.demand.policy, found.demand.tlsa, found.demand.names) == (TlsPolicy.DANE, (RECORD,), (MX, DOMAIN))
    assert found.is_vouched
    for unsigned in (DOMAIN, MX, f"_25._tcp.{MX}"):
        resolver = dns()
        resolver.secure.discard(unsigned)
        assert (await hop(resolver)).demand.policy is TlsPolicy.OPPORTUNISTIC
    assert (await hop(dns(), obeys_dane=False)).demand.policy is TlsPolicy.OPPORTUNISTIC


async def test_a_host_that_is_not_signed_is_not_asked_for_records() -> None:
    resolver = dns()
    resolver.secure.discard(MX)
    await hop(resolver)
    assert ("TLSA", f"_25._tcp.{MX}") not in resolver.asked


@pytest.mark.parametrize("kind", ["failing", "bogus"])
async def test_records_that_cannot_be_had_stop_mail_to_the_host(kind: str) -> None:
    resolver = dns()
    getattr(resolver, kind).add(f"_25._tcp.{MX}")
    assert (await hop(resolver, Known(ENFORCED))).refusal is Cause.DANE_UNAVAILABLE


async def test_records_without_use_still_demand_tls() -> None:
    resolver = dns()
    resolver.records["TLSA", f"_25._tcp.{MX}"] = [TlsaRecord(1, 1, 1, bytes(32))]
    found = await hop(resolver)
    assert (found.demand.policy, found.demand.demander) == (TlsPolicy.REQUIRED, Demander.DANE)


async def test_an_alias_has_the_records_of_what_it_stands_for_then_its_own() -> None:
    resolver = (
        FakeResolver().add_mx(DOMAIN, (10, MX)).add_cname(MX, "real.example").add_address("real.example", "9.9.9.9")
    )
    resolver.add_tlsa(f"_25._tcp.{MX}", RECORD)
    resolver.secure |= {DOMAIN, MX, "real.example", f"_25._tcp.{MX}"}
    assert (await hop(resolver)).demand.names == (MX, DOMAIN)
    resolver.secure.discard("real.example")
    assert (await hop(resolver)).demand.names == (MX, DOMAIN)
    resolver.add_tlsa("_25._tcp.real.example", RECORD)
    resolver.secure |= {"real.example", "_25._tcp.real.example"}
    assert (await hop(resolver)).demand.names == ("real.example", DOMAIN)


async def test_dane_comes_before_a_policy_and_a_policy_before_memory() -> None:
    known = Known(ENFORCED, TlsLevel.VERIFIED)
    assert (await hop(dns(), known)).demand.demander is Demander.DANE
    by_policy = await hop(dns(signed=False), known)
    assert (by_policy.demand.policy, by_policy.demand.demander) == (TlsPolicy.VERIFIED, Demander.MTA_STS)
    assert by_policy.is_vouched
    by_memory = await hop(dns(signed=False), Known(None, TlsLevel.VERIFIED))
    assert (by_memory.demand.policy, by_memory.demand.demander) == (TlsPolicy.VERIFIED, Demander.MEMORY)
    assert not by_memory.is_vouched


async def test_a_policy_that_names_other_hosts_stops_mail_to_this_one() -> None:
    other = StsPolicy(StsMode.ENFORCE, ("other.example",), 86_400)
    assert (await hop(dns(signed=False), Known(other))).refusal is Cause.STS_HOST_NOT_NAMED
    testing = StsPolicy(StsMode.TESTING, ("other.example",), 86_400)
    found = await hop(dns(signed=False), Known(testing))
    assert (found.refusal, found.demand.policy, found.demand.sts) == (None, TlsPolicy.OPPORTUNISTIC, testing)


# -- memory ------------------------------------------------------------------------------------------------------------


def see(*seen: tuple[TlsLevel, timedelta], is_vouched: bool = False) -> KeptLevel | None:
    known: KeptLevel | None = None
    for level, after in seen:
        observation = Observation(DOMAIN, level, is_vouched)
        known = observe(known, observation, NOW + after, confirm=DAY, keep=30 * DAY) or known
    return known


def test_one_look_at_a_stranger_nails_a_domain_to_nothing() -> None:
    for level in TlsLevel:
        known = see((level, 0 * DAY), (level, 0.9 * DAY))
        assert known is None or known.level == TlsLevel.PLAIN


def test_what_lasts_is_remembered() -> None:
    known = see((TlsLevel.TLS, 0 * DAY), (TlsLevel.TLS, DAY))
    assert known is not None
    assert known.level == TlsLevel.TLS


def test_what_had_a_break_has_to_last_again() -> None:
    known = see((TlsLevel.TLS, 0 * DAY), (TlsLevel.PLAIN, 0.5 * DAY), (TlsLevel.TLS, DAY))
    assert known is not None
    assert known.level == TlsLevel.PLAIN


def test_the_domain_itself_vouches_at_once_but_only_for_certificates() -> None:
    verified = see((TlsLevel.VERIFIED, 0 * DAY), is_vouched=True)
    assert verified is not None
    assert verified.level == TlsLevel.VERIFIED
    unverified = see((TlsLevel.TLS, 0 * DAY), is_vouched=True)
    assert unverified is not None
    assert unverified.level == TlsLevel.PLAIN


@given(st.lists(st.tuples(st.sampled_from(TlsLevel), st.integers(0, 40))), st.booleans())
def test_no_level_sinks_before_its_time(steps: list[tuple[TlsLevel, int]], is_vouched: bool) -> None:
    known: KeptLevel | None = None
    now = NOW
    for level, hours in steps:
        now += timedelta(hours=hours)
        new = observe(known, Observation(DOMAIN, level, is_vouched), now, confirm=DAY, keep=30 * DAY)
        if known is not None and now - known.seen_at <= 30 * DAY:
            assert new is not None
            assert TlsLevel(new.level).rank >= TlsLevel(known.level).rank
        known = new
