"""Where a message stands for one recipient: nine states, derived from the steps of its timeline. Pure.

The last step that says something of delivery decides; what only accompanies it (a notification that was sent) does
not. The three `delivered` are for recipients here: of mail that another server took nobody knows where it was filed.
"""

from __future__ import annotations

__all__ = ["DeliveryState", "delivery_state"]

from collections.abc import Iterable
from enum import StrEnum

from hongyan.store.timelines import Direction, NewTimelineEntry, Step


class DeliveryState(StrEnum):
    """Where a message stands. The values are part of the API and stay the same."""

    SENDING = "sending"
    """We have it, and try for the first time or are about to."""
    SENT = "sent"
    """The receiving server took it."""
    DELIVERED_TO_INBOX = "delivered-to-inbox"
    DELIVERED_TO_JUNK = "delivered-to-junk"
    DELIVERED_TO_FOLDER = "delivered-to-folder"
    DEFERRED = "deferred"
    """A try was put off; there will be another."""
    BOUNCED = "bounced"
    """The receiving server refused it for good, at once or by a notification."""
    FAILED = "failed"
    """This server gave it up, or its sender took it back."""
    BLOCKED = "blocked"
    """A rule of this server refused it, or keeps it until an operator lets it go."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more is to be expected but a bounce of what was sent."""
        return self not in (DeliveryState.SENDING, DeliveryState.DEFERRED)


_FOLDERS = {"inbox": DeliveryState.DELIVERED_TO_INBOX, "junk": DeliveryState.DELIVERED_TO_JUNK}

_STATES = {
    Step.ACCEPTED: DeliveryState.SENDING,
    Step.RELEASED: DeliveryState.SENDING,
    Step.HELD: DeliveryState.BLOCKED,
    Step.BLOCKED: DeliveryState.BLOCKED,
    Step.DEFERRED: DeliveryState.DEFERRED,
    Step.RELAYED: DeliveryState.SENT,
    Step.REFUSED: DeliveryState.BOUNCED,
    Step.BOUNCED: DeliveryState.BOUNCED,
    Step.FAILED: DeliveryState.FAILED,
    Step.EXPIRED: DeliveryState.FAILED,
    Step.CANCELLED: DeliveryState.FAILED,
}


def delivery_state(steps: Iterable[NewTimelineEntry]) -> DeliveryState:
    """Return the state after these steps of one message for one recipient, in the order in which they happened."""
    state = DeliveryState.SENDING
    for step in steps:
        if step.step is Step.DELIVERED:
            state = _FOLDERS.get(step.folder, DeliveryState.DELIVERED_TO_FOLDER)
        elif step.step is Step.REFUSED and step.direction is Direction.INCOMING:
            state = DeliveryState.BLOCKED
        else:
            state = _STATES.get(step.step, state)
    return state
