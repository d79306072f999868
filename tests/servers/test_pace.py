"""How slowly a client may go: deadlines that no trickle of octets moves."""

from __future__ import annotations

import pytest

from hongyan.servers.pace import Pace, PaceOptions
from tests.support.sessions import FakeConnection


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection()


@pytest.fixture
def pace(connection: FakeConnection) -> Pace:
    return Pace(PaceOptions(), connection, 300.0)


def test_a_command_has_to_be_complete_in_time_however_it_trickles_in(pace: Pace, connection: FakeConnection) -> None:
    assert connection.deadline == 300
    connection.deadline = None
    for _ in range(1000):
        pace.heard(1)
    assert connection.deadline is None
    pace.obeyed()
    assert connection.deadline == 300


def test_commands_without_a_message_come_to_an_end(pace: Pace, connection: FakeConnection) -> None:
    connection.now = 1100.0
    pace.answered()
    assert connection.deadline == 100
    connection.now = 1250.0
    pace.obeyed()
    assert connection.deadline is not None
    assert connection.deadline < 0


def test_a_message_has_to_come_with_a_least_rate(pace: Pace, connection: FakeConnection) -> None:
    pace.message_begins()
    assert (connection.deadline, pace.timeout) == (180, 180)
    connection.deadline = None
    for _ in range(17_999):
        pace.heard(1)
    assert connection.deadline is None
    pace.heard(1)
    assert connection.deadline == 180


def test_a_message_has_to_come_within_a_total_time(pace: Pace, connection: FakeConnection) -> None:
    pace.message_begins()
    connection.now = 3500.0
    pace.heard(1 << 20)
    assert connection.deadline == 100


def test_several_chunks_are_one_message_and_the_next_has_all_the_time_again(
    pace: Pace, connection: FakeConnection
) -> None:
    pace.message_begins()
    connection.now = 1000.0
    pace.obeyed()  # a chunk that is not the last
    assert pace.message_is_coming
    assert connection.deadline == 180
    pace.answered()
    assert not pace.message_is_coming
    assert connection.deadline == 300
    connection.now = 2100.0
    pace.answered()
    assert connection.deadline == 100


def test_impossible_settings_are_refused() -> None:
    for wrong in ({"message_time": 10.0}, {"idle_session": 10.0}, {"message_rate": -1}):
        with pytest.raises(ValueError, match="at least"):
            PaceOptions(**wrong)  # type: ignore[arg-type]
