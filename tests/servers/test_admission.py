"""Who is let in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.limits.networks import network_of
from hongyan.servers import admission
from hongyan.servers.admission import Admission, AdmissionOptions
from tests.support.clock import FakeClock


def enter(door: Admission, host: str) -> str:
    refusal = door.enter(host, network_of(host))
    return refusal.reason if refusal else "in"


def test_one_address_has_so_many_connections_and_others_have_theirs(clock: FakeClock) -> None:
    door = Admission(AdmissionOptions(connections_per_network=2), clock)
    assert [enter(door, "192.0.2.1") for _ in range(3)] == ["in", "in", "network"]
    assert enter(door, "192.0.2.2") == "in"
    door.leave(network_of("192.0.2.1"))
    assert enter(door, "192.0.2.1") == "in"


def test_an_ipv6_64_counts_as_one_address(clock: FakeClock) -> None:
    door = Admission(AdmissionOptions(connections_per_network=2), clock)
    hosts = ["2001:db8::1", "2001:db8::ffff:0:1", "2001:db8:0:0:1::", "2001:db8:0:1::1"]
    assert [enter(door, host) for host in hosts] == ["in", "in", "network", "in"]


def test_the_51st_connection_of_a_minute_is_refused_until_the_minute_slides_on(clock: FakeClock) -> None:
    door = Admission(AdmissionOptions(connections_per_network=1000, new_per_minute=50), clock)
    for _ in range(25):
        assert enter(door, "192.0.2.1") == "in"
    clock.advance(30)
    assert [enter(door, "192.0.2.1") for _ in range(26)] == ["in"] * 25 + ["rate"]
    assert enter(door, "192.0.2.9") == "in"
    clock.advance(29.9)
    assert enter(door, "192.0.2.1") == "rate"
    clock.advance(0.1)
    assert [enter(door, "192.0.2.1") for _ in range(26)] == ["in"] * 25 + ["rate"]


def test_connections_that_ended_count_against_the_minute(clock: FakeClock) -> None:
    door = Admission(AdmissionOptions(new_per_minute=3), clock)
    network = network_of("192.0.2.1")
    for _ in range(3):
        assert enter(door, "192.0.2.1") == "in"
        door.leave(network)
    assert enter(door, "192.0.2.1") == "rate"


def test_a_polite_word_is_not_wasted_on_a_flood(clock: FakeClock) -> None:
    door = Admission(AdmissionOptions(connections_per_network=1000, new_per_minute=2), clock)
    refusals = [door.enter("192.0.2.1", network_of("192.0.2.1")) for _ in range(6)]
    assert [bool(refusal and refusal.sentence) for refusal in refusals] == [False, False, True, True, False, False]


def test_exempt_networks_have_no_limits_of_their_own(clock: FakeClock) -> None:
    options = AdmissionOptions(
        connections=10, reserve=0, connections_per_network=1, new_per_minute=1, exempt=("198.51.100.0/24", "fd00::/8")
    )
    door = Admission(options, clock)
    assert [enter(door, host) for host in ["198.51.100.7"] * 5 + ["fd00::1"] * 5] == ["in"] * 10
    assert enter(door, "198.51.100.7") == "full"


def test_the_last_places_are_for_those_who_have_logged_in_before(clock: FakeClock) -> None:
    door = Admission(AdmissionOptions(connections=10, reserve=0.3), clock)
    door.know(network_of("192.0.2.1"))
    assert [enter(door, f"198.51.100.{n}") for n in range(8)] == ["in"] * 7 + ["full"]
    assert [enter(door, "192.0.2.1") for _ in range(4)] == ["in", "in", "in", "full"]


def test_the_banned_are_not_even_spoken_to(clock: FakeClock) -> None:
    door = Admission(AdmissionOptions(), clock, lambda host: host == "192.0.2.66")
    refusal = door.enter("192.0.2.66", network_of("192.0.2.66"))
    assert refusal is not None
    assert (refusal.reason, refusal.sentence) == ("banned", "")
    assert enter(door, "192.0.2.1") == "in"


def test_memory_is_bounded(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_MAX_REMEMBERED", 100)
    door = Admission(AdmissionOptions(new_per_minute=5), clock)
    for n in range(1000):
        host = f"10.0.{n // 250}.{n % 250}"
        assert enter(door, host) == "in"
        door.leave(network_of(host))
        door.know(network_of(host))
    assert len(door._visitors) <= 100
    assert len(door._known) == 100
    assert door.open == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=200))
def test_the_count_is_that_of_those_who_are_in(steps: list[tuple[int, bool]]) -> None:
    door = Admission(AdmissionOptions(connections=5, reserve=0, connections_per_network=2), FakeClock())
    inside = [0] * 4
    for who, comes in steps:
        host = f"192.0.2.{who}"
        if not comes and inside[who]:
            door.leave(network_of(host))
            inside[who] -= 1
        elif comes:
            result = enter(door, host)
            assert result == ("full" if sum(inside) == 5 else "network" if inside[who] == 2 else "in")
            inside[who] += result == "in"
        assert door.open == sum(inside)


@pytest.mark.parametrize(
    "wrong", [{"connections": 0}, {"reserve": 1.0}, {"new_per_minute": -1}, {"exempt": ("10.0.0.1/8",)}]
)
def test_impossible_limits_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"limits|reserve|host bits"):
        AdmissionOptions(**wrong)
