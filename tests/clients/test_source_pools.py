"""From which of our addresses a message leaves, and how many a day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.clients.source_pools import WARM_UP, PoolOptions, SourcePools, _check_name
from hongyan.engines.sql.sending_addresses import SqlSendingAddresses
from hongyan.store.sending_addresses import AddressUse
from tests.support.clock import FakeClock
from tests.support.resolver import FakeResolver
from tests.support.storage import open_sqlite

ANN, BOB = Address.parse("ann@geese.test"), Address.parse("bob@ducks.test")


def test_the_first_pool_that_fits_sender_and_destination_takes_the_message() -> None:
    pools = SourcePools(
        {
            "bulk": PoolOptions(("127.0.0.2",), senders=("news@geese.test",)),
            "qq": PoolOptions(("127.0.0.3",), senders=("geese.test",), destinations=("qq.com",)),
            "rest": PoolOptions(("127.0.0.4",), senders=("geese.test",)),
        },
        "mx.geese.test",
        FakeClock(),
    )
    assert pools.choose(Address.parse("News@geese.test"), "qq.com", "qq.com") == "bulk"
    assert pools.choose(ANN, "vip.example", "qq.com") == "qq"
    assert pools.choose(ANN, "other.example", "other.example") == "rest"
    assert pools.choose(BOB, "qq.com", "qq.com") == pools.choose(None, "qq.com", "qq.com") == ""


def test_addresses_of_a_pool_take_turns_by_their_ip_version() -> None:
    options = PoolOptions(("127.0.0.2", "::1", "127.0.0.3"), names=("a.geese.test", "b.geese.test", "c.geese.test"))
    pools = SourcePools({"all": options}, "mx.geese.test", FakeClock())
    found = [pools.find("all", 4) for _ in range(4)]
    assert {str(one.address): one.name for one in found if one} == {
        "127.0.0.2": "a.geese.test",
        "127.0.0.3": "c.geese.test",
    }
    assert {str(one.address) for one in [pools.find("all", 6)] if one} == {"::1"}
    assert pools.find("", 4) is None


async def test_a_new_address_warms_up_by_the_schedule_and_a_restart_forgets_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    options = {"new": PoolOptions(("127.0.0.2",), warm_up=True)}
    async with open_sqlite(tmp_path) as storage:
        store = SqlSendingAddresses(storage.database)
        pools = SourcePools(options, "mx.geese.test", clock, store)
        for day, most in enumerate(WARM_UP[:3]):
            for _ in range(most):
                source = pools.find("new", 4)
                assert source is not None
                pools.sent(source)
            assert pools.find("new", 4) is None, day
            await pools.save()
            clock.advance(timedelta(days=1))
        (use,) = await store.read()
        assert (use.day - use.began, use.sent) == (2, WARM_UP[2])
        await store.put([AddressUse(use.address, use.began - len(WARM_UP), use.day, 10**6)])


@pytest.mark.parametrize(("names", "is_told"), [(("mx.geese.test",), False), (("other.test",), True), ((), True)])
async def test_an_address_without_its_name_is_told_at_the_start(
    names: tuple[str, ...], is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    resolver = FakeResolver()
    if names:
        resolver.add_ptr("127.0.0.2", *names)
    resolver.add_address("mx.geese.test", "127.0.0.2")
    pools = SourcePools({"all": PoolOptions(("127.0.0.2",))}, "mx.geese.test", FakeClock())
    source = pools.find("all", 4)
    assert source is not None
    await _check_name(source, resolver)
    assert ("sending-address-misnamed" in caplog.text) is is_told
    assert telemetry.logger("smtp-client") is not None


def test_the_addresses_that_mail_of_a_domain_may_leave_by_are_known_with_their_names() -> None:
    pools = SourcePools(
        {
            "bulk": PoolOptions(("192.0.2.2",), names=("News.geese.test",), senders=("news@geese.test",)),
            "ducks": PoolOptions(("192.0.2.3",), senders=("ducks.test",)),
            "rest": PoolOptions(("192.0.2.4",)),
        },
        "mx.geese.test",
        FakeClock(),
    )
    assert {str(at): name for at, name in pools.addresses_of(ANN.domain).items()} == {
        "192.0.2.2": "news.geese.test",
        "192.0.2.4": "mx.geese.test",
    }


def test_a_network_stands_for_its_hosts_each_under_a_name_of_its_own() -> None:
    options = PoolOptions(("192.0.2.0/24", "198.51.100.7", "2001:db8::/126"), names=("out-{address}.geese.test",))
    pools = SourcePools({"all": options}, "mx.geese.test", FakeClock())
    known = {str(at): name for at, name in pools.addresses_of(ANN.domain).items()}
    assert len(known) == 254 + 1 + 3
    assert known["192.0.2.254"] == "out-192-0-2-254.geese.test"
    assert known["198.51.100.7"] == "out-198-51-100-7.geese.test"
    assert known["2001:db8::1"] == "out-2001-0db8-0000-0000-0000-0000-0000-0001.geese.test"
    assert "192.0.2.0" not in known
    assert "192.0.2.255" not in known
    assert [str(one) for one in pools.networks_of(ANN.domain)] == ["192.0.2.0/24", "2001:db8::/126"]
    turns = [pools.find("all", 4) for _ in range(255)]
    assert len({one.address for one in turns if one}) == 255


@pytest.mark.parametrize(
    ("addresses", "names", "reason"),
    [
        (("10.0.0.0/19",), (), "at most 4096 addresses"),
        (("2001:db8::/64",), (), "at most 4096 addresses"),
        (("192.0.2.1/24",), (), "host bits"),
        (("192.0.2.0/30",), ("a.geese.test", "b.geese.test", "c.geese.test"), "as many names as addresses"),
        (("192.0.2.0/30",), ("{address}.bad_name!",), "no name of a host"),
    ],
)
def test_a_pool_that_makes_no_sense_is_refused_with_the_reason(
    addresses: tuple[str, ...], names: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        PoolOptions(addresses, names=names)
