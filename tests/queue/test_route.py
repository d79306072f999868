"""From a domain to hosts: facts from a DNS that the test writes, then the decision."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.errors import ConfigurationError
from hongyan.mailauth.resolver import MxRecord
from hongyan.queue.causes import Cause
from hongyan.queue.lookup import Router
from hongyan.queue.route import (
    Credentials,
    LocalRoute,
    RemoteRoute,
    Route,
    RouteOptions,
    SmartHost,
    Unroutable,
    order_exchanges,
)
from hongyan.queue.security import TlsPolicy
from hongyan.secret import Secret
from tests.support.clock import FakeRandom
from tests.support.resolver import FakeResolver


@dataclass
class OurDomains:
    names: tuple[str, ...] = ("ours.example",)

    async def is_local(self, domain: str) -> bool:
        return domain in self.names


def router(
    dns: FakeResolver,
    *,
    smart_host: SmartHost | None = None,
    seed: int = 1,
    own: tuple[str, ...] = (),
    **options: object,
) -> Router:
    return Router(
        dns,
        OurDomains(),
        FakeRandom(seed),
        RouteOptions(**options),  # type: ignore[arg-type]
        smart_host=smart_host,
        own_names={"mail.ours.example"},
        own_addresses=[ip_address(address) for address in own],
    )


async def route(dns: FakeResolver, destination: str = "example.net", **settings: object) -> Route:
    return await router(dns, **settings).route(destination)  # type: ignore[arg-type]


def hosts(found: Route) -> list[str]:
    assert isinstance(found, RemoteRoute), found
    return [hop.host for hop in found.hops]


def addresses(found: Route, hop: int = 0) -> list[str]:
    assert isinstance(found, RemoteRoute), found
    return [str(address) for address in found.hops[hop].addresses]


def cause(found: Route) -> Cause:
    assert isinstance(found, Unroutable), found
    return found.cause


def mail_servers(*exchanges: tuple[int, str]) -> FakeResolver:
    """A domain whose exchanges each have a public address."""
    dns = FakeResolver().add_mx("example.net", *exchanges)
    for number, (_, host) in enumerate(exchanges, 1):
        dns.add_address(host, f"8.8.8.{number}")
    return dns


async def test_our_domains_need_no_dns() -> None:
    dns = FakeResolver()
    assert await route(dns, "ours.example") == LocalRoute()
    assert dns.asked == []


async def test_exchanges_come_by_preference() -> None:
    dns = mail_servers((30, "c.example.net"), (10, "a.example.net"), (20, "b.example.net"))
    assert hosts(await route(dns)) == ["a.example.net", "b.example.net", "c.example.net"]


async def test_exchanges_of_one_preference_are_shuffled_evenly() -> None:
    dns = mail_servers((10, "a.example.net"), (10, "b.example.net"), (10, "c.example.net"), (5, "first.example.net"))
    orders = Counter([tuple(hosts(await route(dns, seed=seed))) for seed in range(600)])
    assert {order[0] for order in orders} == {"first.example.net"}
    assert len(orders) == 6
    assert all(60 < count < 140 for count in orders.values())


async def test_the_preferred_server_down_means_the_next() -> None:
    dns = mail_servers((10, "gone.example.net"), (20, "b.example.net"))
    del dns.records["A", "gone.example.net"]
    assert hosts(await route(dns)) == ["b.example.net"]


async def test_without_mx_the_domain_itself_takes_mail() -> None:
    dns = FakeResolver().add_address("example.net", "8.8.8.8")
    assert hosts(await route(dns)) == ["example.net"]


async def test_a_cname_is_followed() -> None:
    dns = mail_servers((10, "alias.example.net")).add_cname("www.example.net", "example.net")
    dns.records["CNAME", "alias.example.net"] = ["real.example.net"]
    del dns.records["A", "alias.example.net"]
    dns.add_address("real.example.net", "8.8.4.4")
    found = await route(dns, "www.example.net")
    assert (hosts(found), addresses(found)) == (["alias.example.net"], ["8.8.4.4"])


async def test_five_hosts_and_two_addresses_of_each_are_enough() -> None:
    dns = FakeResolver().add_mx("example.net", *((number, f"mx{number}.example.net") for number in range(40)))
    for number in range(40):
        dns.add_address(f"mx{number}.example.net", *(f"8.{number}.0.{last}" for last in range(1, 9)))
    found = await route(dns)
    assert hosts(found) == [f"mx{number}.example.net" for number in range(5)]
    assert all(len(addresses(found, hop)) == 2 for hop in range(5))
    asked = [name for kind, name in dns.asked if kind == "A" and name.endswith("example.net")]
    assert len(asked) == 10, "hosts that cannot be needed are not asked for"


@pytest.mark.parametrize(
    ("ip", "versions"), [("prefer6", [6, 4]), ("prefer4", [4, 6]), ("only6", [6, 6]), ("only4", [4, 4])]
)
async def test_ip_versions_take_turns(ip: str, versions: list[int]) -> None:
    dns = FakeResolver().add_address("example.net", "8.8.8.8", "8.8.4.4", "2001:4860::1", "2001:4860::2")
    assert [ip_address(address).version for address in addresses(await route(dns, ip=ip))] == versions


async def test_an_address_literal_is_its_own_route() -> None:
    assert addresses(await route(FakeResolver(), "[8.8.8.8]")) == ["8.8.8.8"]
    assert addresses(await route(FakeResolver(), "[IPv6:2001:4860::1]")) == ["2001:4860::1"]
    assert cause(await route(FakeResolver(), "[127.0.0.1]")) is Cause.UNREACHABLE_NETWORK


@pytest.mark.parametrize(
    ("dns", "expected"),
    [
        (FakeResolver(), Cause.NO_SUCH_DOMAIN),
        (FakeResolver().add_txt("example.net", "x"), Cause.NO_ADDRESS),
        (FakeResolver().add_mx("example.net", (0, "")), Cause.NULL_MX),
        (FakeResolver().add_mx("example.net", (10, "gone.example.net")), Cause.NO_ADDRESS),
        (FakeResolver(failing={"example.net"}), Cause.DNS_UNAVAILABLE),
        (FakeResolver(bogus={"example.net"}), Cause.DNS_UNAVAILABLE),
        (FakeResolver(failing={"mx.example.net"}).add_mx("example.net", (10, "mx.example.net")), Cause.DNS_UNAVAILABLE),
        (mail_servers((10, "mail.ours.example"), (20, "b.example.net")), Cause.LOOPS_TO_US),
        (mail_servers((10, "b.example.net"), (10, "mail.ours.example")), Cause.LOOPS_TO_US),
    ],
)
async def test_where_there_is_no_way_the_cause_is_told(dns: FakeResolver, expected: Cause) -> None:
    assert cause(await route(dns)) is expected


async def test_null_mx_beside_others_is_no_null_mx() -> None:
    dns = FakeResolver().add_mx("example.net", (0, ""), (10, "mx.example.net")).add_address("mx.example.net", "8.8.8.8")
    assert hosts(await route(dns)) == ["mx.example.net"]


async def test_a_temporary_failure_of_one_host_leaves_the_others() -> None:
    dns = mail_servers((10, "a.example.net"), (20, "b.example.net"))
    dns.failing.add("a.example.net")
    assert hosts(await route(dns)) == ["b.example.net"]


async def test_only_servers_before_this_one_are_tried() -> None:
    dns = mail_servers((5, "a.example.net"), (10, "mail.ours.example"), (10, "b.example.net"), (20, "c.example.net"))
    assert hosts(await route(dns)) == ["a.example.net"]


async def test_a_server_at_our_own_address_is_this_one_under_another_name() -> None:
    dns = mail_servers((5, "a.example.net"), (10, "alias.example.net"), (20, "c.example.net"))
    assert hosts(await route(dns, own=("8.8.8.2",))) == ["a.example.net"]
    assert cause(await route(dns, own=("8.8.8.1",))) is Cause.LOOPS_TO_US


async def test_mail_for_our_own_name_that_is_no_domain_of_ours_loops() -> None:
    dns = FakeResolver().add_address("mail.ours.example", "8.8.8.8")
    assert cause(await route(dns, "mail.ours.example")) is Cause.LOOPS_TO_US


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
    ],
)
async def test_private_addresses_are_left_alone_unless_allowed(address: str) -> None:
    dns = FakeResolver().add_mx("example.net", (10, "mx.example.net")).add_address("mx.example.net", address)
    assert cause(await route(dns)) is Cause.UNREACHABLE_NETWORK
    assert addresses(await route(dns, private_addresses=True)) == [str(ip_address(address))]


async def test_an_address_behind_nat64_is_public_if_what_it_embeds_is() -> None:
    dns = FakeResolver().add_address("example.net", "64:ff9b::808:808")
    assert addresses(await route(dns)) == ["64:ff9b::808:808"]


async def test_the_addresses_that_the_dns_knows_for_our_name_are_ours() -> None:
    dns = FakeResolver().add_address("mail.ours.example", "8.8.8.1").add_address("alias.example", "8.8.8.1")
    dns.add_mx(
        "example.net", (5, "mx.example.net"), (10, "alias.example"), (10, "equal.example"), (20, "behind.example")
    )
    for host, address in (("mx.example.net", "8.8.8.2"), ("equal.example", "8.8.8.3"), ("behind.example", "8.8.8.4")):
        dns.add_address(host, address)
    assert hosts(await route(dns)) == ["mx.example.net"]
    dns.failing.add("mail.ours.example")
    assert len(hosts(await route(dns))) == 4, "mail goes on when our own name cannot be found"


async def test_a_smart_host_takes_everything_but_our_own() -> None:
    dns = FakeResolver().add_address("relay.example", "10.1.2.3")
    relay = SmartHost("relay.example", 587, TlsPolicy.VERIFIED, Credentials("u", Secret("p")))
    found = await route(dns, "nowhere.example", smart_host=relay)
    assert isinstance(found, RemoteRoute)
    assert (found.name, found.hops[0].demand.policy, found.hops[0].port) == (
        "relay.example:587",
        TlsPolicy.VERIFIED,
        587,
    )
    assert addresses(found) == ["10.1.2.3"]
    assert "Secret" not in repr(found)
    assert await route(dns, "ours.example", smart_host=relay) == LocalRoute()


async def test_a_smart_host_that_cannot_be_found_costs_no_message() -> None:
    for dns in (FakeResolver(), FakeResolver(failing={"relay.example"})):
        found = cause(await route(dns, smart_host=SmartHost("relay.example")))
        assert found is Cause.RELAY_UNAVAILABLE
        assert not found.is_permanent


async def test_a_smart_host_may_be_an_address() -> None:
    found = await route(FakeResolver(), smart_host=SmartHost.parse("127.0.0.1:2500", TlsPolicy.NEVER))
    assert (addresses(found), hosts(found)) == (["127.0.0.1"], ["127.0.0.1"])


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("relay.example", "relay.example", 25),
        ("Relay.Example:587", "relay.example", 587),
        ("[::1]:2525", "::1", 2525),
        ("[::1]", "::1", 25),
        ("127.0.0.1:26", "127.0.0.1", 26),
    ],
)
def test_a_smart_host_is_read(text: str, host: str, port: int) -> None:
    smart_host = SmartHost.parse(text, TlsPolicy.NEVER)
    assert (smart_host.host, smart_host.port) == (host, port)


@pytest.mark.parametrize("text", ["", ":25", "a:b", "a:0", "a:65536", "a:1:2", "a b", "a/b", "::1"])
def test_what_is_no_smart_host_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        SmartHost.parse(text, TlsPolicy.NEVER)


exchanges = st.builds(MxRecord, st.integers(0, 5), st.sampled_from(["a", "b", "c", "d", "mail.ours.example"]))


@given(st.lists(exchanges, max_size=12), st.integers())
def test_ordering_keeps_everything_before_ourselves_and_nothing_else(records: list[MxRecord], seed: int) -> None:
    ordered, is_cut = order_exchanges(records, {"mail.ours.example"}, FakeRandom(seed))
    ours = [record.preference for record in records if record.exchange == "mail.ours.example"]
    limit = min(ours, default=99)
    assert is_cut is bool(ours)
    assert Counter(ordered) == Counter(record for record in records if record.preference < limit)
    assert [record.preference for record in ordered] == sorted(record.preference for record in ordered)
