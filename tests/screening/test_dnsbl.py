"""DNS block lists: what an answer means, who is asked, and which lists are not believed."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from hongyan.addresses import Address
from hongyan.mailauth.authentication import Authentication
from hongyan.screening.dnsbl import BlockList, Health, Reading, judge_health, name_of, read_answer, tried_with
from hongyan.screening.dnsbl_service import DnsblCheck, DnsblOptions, Listings
from hongyan.screening.examined import Examined
from hongyan.screening.verdict import Disposition
from hongyan.telemetry.metrics import REGISTRY
from hongyan.types import AccountId
from tests.support.clock import FakeClock
from tests.support.resolver import FakeResolver

PEER = "192.0.2.99"
ONE, TWO = "one.lists.test", "two.lists.test"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.99", "99.2.0.192.one.lists.test"),
        ("::ffff:192.0.2.99", "99.2.0.192.one.lists.test"),
        # RFC 5782 §2.4
        (
            "2001:db8:1:2:3:4:567:89ab",
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.one.lists.test",
        ),
    ],
)
def test_an_address_is_turned_round_before_its_zone(address: str, name: str) -> None:
    assert name_of(ip_address(address), "one.lists.test.") == name


def test_the_test_points_of_ipv6_are_asked_for_as_ipv6() -> None:
    listed, unlisted = tried_with(ipv6=True)
    assert name_of(listed, ONE).startswith("2.0.0.0.0.0.f.7.f.f.f.f.0.")
    assert name_of(unlisted, ONE).startswith("1.0.0.0.0.0.f.7.f.f.f.f.0.")


@pytest.mark.parametrize(
    ("records", "reading"),
    [
        ([], Reading.CLEAN),
        (["127.0.0.2"], Reading.LISTED),
        (["127.0.0.10"], Reading.CLEAN),
        (["127.0.0.10", "127.0.0.7"], Reading.LISTED),
        (["127.255.255.254"], Reading.UNUSABLE),
        (["203.0.113.9"], Reading.UNUSABLE),
        (["127.0.0.2", "203.0.113.9"], Reading.UNUSABLE),
    ],
)
def test_an_answer_is_read_by_its_codes(records: list[str], reading: Reading) -> None:
    entry = BlockList(zone=ONE, codes=("127.0.0.2", "127.0.0.4/30"))
    assert read_answer(entry, [ip_address(record) for record in records]) is reading


@pytest.mark.parametrize(
    ("has_to", "must_not", "health"),
    [
        ("127.0.0.2", "", Health.GOOD),
        ("", "", Health.SILENT),
        ("127.0.0.2", "127.0.0.2", Health.LISTS_ALL),
        ("127.255.255.254", "127.255.255.254", Health.REFUSES),
        ("203.0.113.9", "203.0.113.9", Health.REFUSES),
    ],
)
def test_a_list_is_believed_by_its_test_points(has_to: str, must_not: str, health: Health) -> None:
    answers = [[ip_address(text)] if text else [] for text in (has_to, must_not)]
    assert judge_health(*answers) is health


class World:
    """Lists in a DNS of the test's own."""

    def __init__(self, *lists: BlockList, **options: float) -> None:
        self.clock = FakeClock()
        self.resolver = FakeResolver()
        self.listings = Listings(DnsblOptions(lists=lists, **options), self.resolver, self.clock)  # type: ignore[arg-type]
        for entry in lists:
            self.list(entry.zone, "127.0.0.2")
            self.resolver.add_address(name_of(tried_with(ipv6=True)[0], entry.zone), "127.0.0.2")

    def list(self, zone: str, host: str, code: str = "127.0.0.2") -> None:
        self.resolver.add_address(name_of(ip_address(host), zone), code)

    async def judge(self, host: str = PEER) -> list[tuple[Disposition, str]]:
        self.listings.begin(host)
        check = DnsblCheck(self.listings)
        assert check.overdue() == ()
        return [(finding.disposition, finding.text) for finding in await check.judge(message(host))]


def message(peer: str) -> Examined:
    return Examined(
        mid="m",
        peer=peer,
        helo="mx.elsewhere.test",
        reverse_path=None,
        accounts={AccountId(1): Address.parse("ann@hongyan.test")},
        octets=b"",
        body=0,
        authentication=Authentication(),
        encrypted=True,
    )


async def test_what_the_listings_weigh_decides() -> None:
    world = World(BlockList(zone=ONE, weight=1.0), BlockList(zone=TWO, weight=1.5))
    assert await world.judge() == []
    world.list(ONE, "192.0.2.1")
    assert await world.judge("192.0.2.1") == [(Disposition.JUNK, f"192.0.2.1 is listed by {ONE}")]
    world.list(ONE, "192.0.2.2")
    world.list(TWO, "192.0.2.2")
    assert await world.judge("192.0.2.2") == [(Disposition.REJECT, f"192.0.2.2 is listed by {ONE}, {TWO}")]


async def test_ipv6_addresses_are_asked_about_where_the_list_knows_them() -> None:
    world = World(BlockList(zone=ONE), BlockList(zone=TWO, ipv6=False))
    for zone in (ONE, TWO):
        world.list(zone, "2001:db8::1")
    assert await world.judge("2001:db8::1") == [(Disposition.JUNK, f"2001:db8::1 is listed by {ONE}")]


def tries(health: Health) -> float:
    """How often a list was found to be so, as the metrics tell it."""
    return REGISTRY.get_sample_value("hongyan_dnsbl_tried_total", {"zone": ONE, "health": health.value}) or 0.0


@pytest.mark.parametrize("code", ["127.0.0.2", "127.255.255.254", "203.0.113.9"])
async def test_a_list_that_answers_everything_is_switched_off_and_tried_again_later(code: str) -> None:
    world = World(BlockList(zone=ONE, weight=5.0))
    world.list(ONE, "127.0.0.1", code)
    world.list(ONE, PEER)
    before = tries(Health.LISTS_ALL), tries(Health.REFUSES)
    assert await world.judge() == []
    after = tries(Health.LISTS_ALL), tries(Health.REFUSES)
    assert sum(after) == sum(before) + 1
    del world.resolver.records["A", name_of(ip_address("127.0.0.1"), ONE)]
    world.clock.advance(3600)
    assert await world.judge() == []
    world.clock.advance(6 * 3600)
    assert len(await world.judge()) == 1


async def test_a_list_that_begins_to_refuse_is_switched_off_at_once() -> None:
    world = World(BlockList(zone=ONE, weight=5.0))
    assert await world.judge("192.0.2.1") == []
    world.list(ONE, "192.0.2.2", "127.255.255.254")
    before = tries(Health.REFUSES)
    assert await world.judge("192.0.2.2") == []
    assert tries(Health.REFUSES) == before + 1
    world.list(ONE, PEER)
    assert await world.judge() == []


async def test_answers_are_kept_for_a_time() -> None:
    world = World(BlockList(zone=ONE))
    await world.judge()
    asked = len(world.resolver.asked)
    await world.judge()
    assert len(world.resolver.asked) == asked
    world.list(ONE, PEER)
    world.clock.advance(1800)
    assert len(await world.judge()) == 1


async def test_a_list_that_cannot_be_asked_has_said_nothing() -> None:
    world = World(BlockList(zone=ONE), BlockList(zone=TWO))
    world.resolver.failing.add(name_of(ip_address("127.0.0.2"), ONE))
    world.list(ONE, PEER)
    world.list(TWO, PEER)
    assert await world.judge() == [(Disposition.JUNK, f"{PEER} is listed by {TWO}")]


async def test_who_was_not_asked_about_is_not_judged_and_nobody_is_asked_without_lists() -> None:
    world = World(BlockList(zone=ONE))
    world.list(ONE, PEER)
    assert await DnsblCheck(world.listings).judge(message(PEER)) == ()
    empty = World()
    assert await empty.judge() == []
    assert empty.resolver.asked == []
    await world.listings.close()


def test_impossible_settings_are_refused() -> None:
    for entry in ({"zone": ""}, {"zone": ONE, "weight": 0.0}, {"zone": ONE, "codes": ("192.0.2.1",)}):
        with pytest.raises(ValueError, match="block list"):
            BlockList(**entry)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="refuse"):
        DnsblOptions(junk=3.0)
