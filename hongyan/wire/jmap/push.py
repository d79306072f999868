"""What is pushed: changed states, and the events that carry them (RFC 8620 §7.1, §7.3)."""

from __future__ import annotations

__all__ = [
    "LEAST_PING",
    "MOST_PING",
    "EventWishes",
    "comment",
    "ping_event",
    "position_of",
    "push_topic",
    "push_verification",
    "read_wishes",
    "select_states",
    "state_change",
    "state_event",
]

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

LEAST_PING: Final = 30
MOST_PING: Final = 900
"""Seconds; RFC 8620 §7.3: the least is not over 30, the most not under 300."""

_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_MAX_TYPES = 100


@dataclass(frozen=True, slots=True)
class EventWishes:
    """What a client wants to hear. `types` None: all; `ping` in seconds, 0: none."""

    types: frozenset[str] | None
    closes: bool
    ping: int


def read_wishes(given: Mapping[str, str]) -> EventWishes:
    """Return what the variables of the event source's URL say. Raises `ValueError` with a sentence.

    A type that is not known here is one that never changes.
    """
    close_after = given.get("closeafter", "no")
    if close_after not in ("no", "state"):
        raise ValueError("closeafter is `state` or `no`.")
    ping = given.get("ping", "0")
    if _NUMBER.fullmatch(ping) is None:
        raise ValueError("ping is a number of seconds.")
    seconds = int(ping)
    return EventWishes(
        _read_types(given.get("types", "*")),
        close_after == "state",
        seconds and max(LEAST_PING, min(seconds, MOST_PING)),
    )


def _read_types(given: str) -> frozenset[str] | None:
    if given == "*":
        return None
    names = given.split(",", _MAX_TYPES)
    if len(names) > _MAX_TYPES:
        raise ValueError("types names too many of them.")
    return frozenset(names)


def select_states(states: Mapping[str, str], types: frozenset[str] | None) -> dict[str, str]:
    """Return the states of the types that are wanted."""
    return {name: state for name, state in states.items() if types is None or name in types}


def state_change(account_id: str, changed: Mapping[str, str]) -> dict[str, object]:
    """Return the StateChange object (RFC 8620 §7.1)."""
    return {"@type": "StateChange", "changed": {account_id: dict(changed)}}


def push_verification(subscription_id: str, code: str) -> dict[str, object]:
    """Return the PushVerification object (RFC 8620 §7.2.2)."""
    return {"@type": "PushVerification", "pushSubscriptionId": subscription_id, "verificationCode": code}


def push_topic(subscription_id: str, types: Iterable[str]) -> str:
    """Return the topic of a push about these types: the same again replaces it unread (RFC 8030 §5.4).

    A push about fewer types must not: what it does not name would be lost. Strangers read nothing out of it.
    """
    named = "\0".join([subscription_id, *sorted(types)])
    return base64.urlsafe_b64encode(hashlib.sha256(named.encode()).digest()[:24]).decode()


def position_of(states: Mapping[str, str]) -> str:
    """Return what stands for all of these states: the id of an event, the pushState of a socket (RFC 8887 §4.3.5.2)."""
    return hashlib.sha256(json.dumps(states, sort_keys=True).encode()).hexdigest()[:16]


def state_event(account_id: str, changed: Mapping[str, str], position: str) -> bytes:
    """Return the event that tells of changes; its id encodes the whole state that the client sees."""
    return _event("state", state_change(account_id, changed), position)


def ping_event(interval: int) -> bytes:
    """Return the event that says that the connection lives, and how often it does."""
    return _event("ping", {"interval": interval})


def comment() -> bytes:
    """Return what no client hears, but all networks on the way."""
    return b":\n\n"


def _event(name: str, data: Mapping[str, object], position: str = "") -> bytes:
    said = f"id: {position}\n" if position else ""
    return f"event: {name}\n{said}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
