"""Servers take turns, and one that fails does not spoil the run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bench.clients import Endpoint, Unexpected
from bench.laps import Lap
from bench.meters import ProcessTree, memory_of, parse_stat
from bench.rounds import Rounds
from bench.server import Endpoints, Server
from bench.terms import Terms
from bench.work.piece import Work, together

AT = Endpoint("127.0.0.1", 1)


class Product:
    """Runs without a process."""

    index_seconds = 0.0
    version = "Product 1"

    def start(self) -> Endpoints:
        return Endpoints(AT, AT, AT, AT, "hongyan.test")

    restart = start

    def stop(self) -> None: ...

    def require_running(self) -> None: ...


def servers(*names: str) -> list[Server]:
    return [Server(name, Product(), ProcessTree()) for name in names]


def rounds(running: Sequence[Server], repeat: int) -> Rounds:
    return Rounds(Terms(scale=1.0, big=1000, idle=10, seed=1), running, repeat, print)


async def test_the_order_of_the_servers_turns_with_each_round() -> None:
    order = []

    async def lap(server: Server, _lap: Lap) -> None:
        order.append(server.name)

    measurement = await rounds(servers("a", "b"), 4).measure(Work("x", "command", lap))
    assert "".join(order) == "abbaabba"
    assert [len(laps) for laps in measurement.laps.values()] == [4, 4]
    assert measurement.is_right


async def test_work_may_ask_for_fewer_rounds() -> None:
    async def lap(_server: Server, _lap: Lap) -> None: ...

    measurement = await rounds(servers("a"), 4).measure(Work("x", "command", lap, rounds=1))
    assert len(measurement.laps["a"]) == 1


async def test_a_server_that_fails_is_left_out_and_the_other_goes_on() -> None:
    async def lap(server: Server, _lap: Lap) -> None:
        if server.name == "a":
            raise Unexpected("connection lost")

    measurement = await rounds(servers("a", "b"), 2).measure(Work("x", "command", lap))
    assert measurement.laps["a"] == [None, None]
    assert len(measurement.done("b")) == 2
    assert measurement.failures == {"a": "Unexpected: connection lost"}
    assert measurement.paired("a", "b") == []
    assert not measurement.is_right


async def test_the_clock_reads_time_and_meters() -> None:
    (server,) = servers("a")
    lap = Lap(server)
    async with lap.clock():
        lap.operations = 10
    assert lap.wall > 0
    assert lap.rate > 0
    assert lap.cpu_ms == 0
    assert lap.speed > 0


async def test_the_first_failure_of_many_is_told_when_all_are_done() -> None:
    done = []

    async def client(number: int) -> None:
        if number == 1:
            raise Unexpected("refused")
        done.append(number)

    with pytest.raises(Unexpected, match="refused"):
        await together(client(number) for number in range(4))
    assert done == [0, 2, 3]


def test_a_process_may_have_any_name() -> None:
    stat = b"77 (a) b (c) S 5 77 77 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 5 6"
    assert parse_stat(stat) == (5, 70)


def test_a_process_that_is_gone_has_no_memory() -> None:
    assert memory_of([2**22 + 1]).processes == 0
