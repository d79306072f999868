"""From whom a stored message came, as its trace fields tell: for what its recipient does with it later. Pure.

Only what this server wrote is read: the fields before its own Received, and that field's first line.
"""

from __future__ import annotations

__all__ = ["Hindsight", "read_trace"]

import re
from dataclasses import dataclass
from typing import Final

from hongyan.addresses import Address, AddressFault
from hongyan.message.authres import MethodResult, parse_authentication_results
from hongyan.message.headers import pick_fields, split_fields

_PEER: Final = re.compile(rb"\nReceived: from [^\r\n]{1,300} \(\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]\)")
_FIELDS: Final = frozenset({b"return-path", b"authentication-results"})


@dataclass(frozen=True, slots=True)
class Hindsight:
    """Who is to be praised or blamed; what nobody vouched for is None."""

    sender: Address | None = None
    domain: str | None = None
    peer: str | None = None


def read_trace(prefix: bytes) -> Hindsight:
    """Return what the trace fields of a message say about where it came from."""
    prefix = b"\n" + prefix
    received = max(prefix.find(b"\nReceived:"), 0)
    ours, peer = prefix[1:received], _PEER.match(prefix, received)
    fields, _ = pick_fields(split_fields(ours), _FIELDS)
    told = fields.get(b"authentication-results")
    parsed = parse_authentication_results(told[0]) if told else None
    vouched = [] if parsed is None else [name for result in parsed.results if (name := _vouched(result))]
    sender = _parse(fields.get(b"return-path", [b""])[0].strip(b"<>").decode("utf-8", "replace"))
    if sender is not None and sender.domain.text not in vouched:
        sender = None
    domain = sender.domain.text if sender is not None else next(iter(vouched), None)
    return Hindsight(sender, domain, peer[1].decode() if peer else None)


def _vouched(result: MethodResult) -> str:
    """Return the domain that a method has vouched for, or nothing."""
    if result.result != "pass" or result.method not in ("spf", "dkim"):
        return ""
    wanted = ("smtp", "mailfrom") if result.method == "spf" else ("header", "d")
    values = (one.value for one in result.properties if (one.ptype, one.name) == wanted)
    return next(values, "").rpartition("@")[2].lower()


def _parse(text: str) -> Address | None:
    try:
        return Address.parse(text) if text else None
    except AddressFault:
        return None
