"""The nine states of a message, from the steps of its timeline."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hongyan.audit.states import DeliveryState, delivery_state
from hongyan.store.timelines import Direction, NewTimelineEntry, Step
from hongyan.types import AccountId


def state_of(*words: str, direction: Direction = Direction.OUTGOING) -> DeliveryState:
    """Return the state after these steps; "delivered:junk" names the folder."""
    steps = []
    for word in words:
        step, _, folder = word.partition(":")
        at = datetime(2026, 1, 1, tzinfo=UTC)
        steps.append(
            NewTimelineEntry(account=AccountId(1), direction=direction, mid="m", step=Step(step), at=at, folder=folder)
        )
    return delivery_state(steps)


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ("", "sending"),
        ("accepted", "sending"),
        ("accepted relayed", "sent"),
        ("accepted delivered:inbox", "delivered-to-inbox"),
        ("accepted delivered:junk", "delivered-to-junk"),
        ("accepted delivered:folder", "delivered-to-folder"),
        ("accepted deferred", "deferred"),
        ("accepted deferred notified", "deferred"),
        ("accepted deferred relayed notified", "sent"),
        ("accepted refused notified", "bounced"),
        ("accepted relayed bounced", "bounced"),
        ("accepted failed", "failed"),
        ("accepted deferred expired", "failed"),
        ("accepted cancelled", "failed"),
        ("accepted held", "blocked"),
        ("accepted blocked", "blocked"),
        ("accepted held released", "sending"),
    ],
)
def test_the_last_step_of_delivery_decides(steps: str, state: str) -> None:
    assert state_of(*steps.split()) == state


def test_who_is_refused_at_our_door_is_blocked_and_not_bounced() -> None:
    assert state_of("refused", direction=Direction.INCOMING) is DeliveryState.BLOCKED


def test_there_are_nine_and_two_of_them_are_not_the_last() -> None:
    assert [state.value for state in DeliveryState] == [
        "sending",
        "sent",
        "delivered-to-inbox",
        "delivered-to-junk",
        "delivered-to-folder",
        "deferred",
        "bounced",
        "failed",
        "blocked",
    ]
    assert [state.value for state in DeliveryState if not state.is_final] == ["sending", "deferred"]
