"""What the name in EHLO tells of who says it (RFC 5321 §4.1.1.1, §4.1.4). Pure.

A name that does not fit refuses nobody: RFC 5321 §4.1.4 forbids it, and honest hosts have odd names. It only adds to
what makes a first contact suspicious. Who calls himself by our own name or address lies, and may be refused.
"""

from __future__ import annotations

__all__ = ["HeloFacts", "Oddity", "judge_helo"]

from dataclasses import dataclass
from ipaddress import ip_address

from hongyan.addresses import AddressFault, Domain


@dataclass(frozen=True, slots=True)
class HeloFacts:
    """The name as it was said, in lower case, and who is who."""

    name: str
    peer: str
    """The client's IP address."""
    own_name: str
    own_address: str
    """The address of ours that it came to."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """What is odd about a name: a word, and how odd, from 0 (nothing) to 1."""

    reason: str = "plain"
    score: float = 0.0
    is_own: bool = False


def judge_helo(facts: HeloFacts) -> Oddity:
    """Return what is odd about a name."""
    name = facts.name.rstrip(".")
    if name == facts.own_name:
        return Oddity("own-name", 1.0, is_own=True)
    if name.startswith("["):
        return _judge_literal(name, facts)
    if _is_address(name):
        return Oddity("bare-address", 0.6)  # RFC 5321 §4.1.3 wants brackets
    if name in _LOCAL or name.endswith((".local", ".localdomain", ".lan", ".internal")):
        return Oddity("local-name", 0.4)
    if "." not in name:
        return Oddity("short-name", 0.4)
    return Oddity()


_LOCAL = frozenset({"localhost", "localhost.localdomain"})


def _judge_literal(name: str, facts: HeloFacts) -> Oddity:
    try:
        address = Domain.parse(name).address
    except AddressFault:
        return Oddity("bad-literal", 0.6)
    if address is None:
        return Oddity("bad-literal", 0.6)
    if str(address) == facts.own_address and facts.own_address != facts.peer:
        return Oddity("own-address", 1.0, is_own=True)
    return Oddity("literal", 0.2) if str(address) == facts.peer else Oddity("foreign-literal", 0.6)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
