"""How a message came, as it lies in the database: JSON, since it is told whole or not at all."""

from __future__ import annotations

__all__ = ["from_passage", "to_passage"]

import json

from hongyan.message.hops import Hop
from hongyan.store.passages import Passage


def from_passage(passage: Passage | None) -> str:
    """Return the text that is stored; of none, nothing."""
    if passage is None:
        return ""
    stages = [round(seconds, 4) for seconds in (passage.transfer, passage.checks, passage.storing)]
    hops = [[hop.sent_by, hop.taken_by, hop.at] for hop in passage.hops]
    return json.dumps([passage.begun, stages, hops], separators=(",", ":"))


def to_passage(text: str) -> Passage | None:
    """Return what was stored."""
    if not text:
        return None
    begun, (transfer, checks, storing), hops = json.loads(text)
    way = tuple(Hop(sent_by, taken_by, at) for sent_by, taken_by, at in hops)
    return Passage(hops=way, begun=begun, transfer=transfer, checks=checks, storing=storing)
