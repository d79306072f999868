"""SPF records: which of the TXT records of a domain is one, and what it says (RFC 7208 §4.5, §4.6, §12).

The whole record is read before anything is evaluated: a fault anywhere makes all of it void (§4.6).
Records are of strangers. One that is longer than `MAX_RECORD` is not read at all.
"""

from __future__ import annotations

__all__ = [
    "MAX_RECORD",
    "A",
    "All",
    "Directive",
    "Exists",
    "Include",
    "Mechanism",
    "Mx",
    "Network",
    "Ptr",
    "SpfRecord",
    "SpfRecordFault",
    "SpfStatus",
    "is_spf_record",
    "parse_record",
    "printable",
]

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from hongyan.errors import PeerFault
from hongyan.mailauth.resolver import IPAddress
from hongyan.mailauth.spf_macros import MacroFault, MacroString, parse_domain_spec, parse_macro_string

MAX_RECORD: Final = 4096
"""Octets of a record. RFC 7208 §3.4 wants them to fit into an answer of 512; eight times that is read."""

_REMEMBERED_OCTETS = 512
"""Records up to this length are remembered as read, the last 256 of them: those of large providers come again and
again, as do their networks. Longer ones are rare, and could fill the memory."""

_VERSION = b"v=spf1"
_VISIBLE = re.compile(rb"[ -~]*")
# directive = [ qualifier ] mechanism;  modifier = name "=" …;  name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)")
_DIRECTIVE = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9_.-]*)(.*)")
# dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ], each "/" and a number without leading zeros
_DUAL_CIDR = re.compile(r"(.*?)(?:/([0-9]+))?(?://([0-9]+))?")
_PREFIX_LENGTH = re.compile(r"0|[1-9][0-9]{0,2}")
_UNSAFE = re.compile(r'[^!-~]|[()"\\]')
_LONGEST_QUOTE = 80


class SpfStatus(StrEnum):
    """What a check comes to (RFC 7208 §2.6)."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


_QUALIFIERS = {
    "": SpfStatus.PASS,
    "+": SpfStatus.PASS,
    "-": SpfStatus.FAIL,
    "~": SpfStatus.SOFTFAIL,
    "?": SpfStatus.NEUTRAL,
}


class SpfRecordFault(PeerFault):
    """The record cannot be read; `cause` says why, in ASCII."""


@dataclass(frozen=True, slots=True)
class All:
    """Matches always (RFC 7208 §5.1)."""


@dataclass(frozen=True, slots=True)
class Include:
    """Matches if another domain's record lets the client pass (RFC 7208 §5.2)."""

    target: MacroString


@dataclass(frozen=True, slots=True)
class A:
    """Matches the addresses of a name (RFC 7208 §5.3). Without a target it is the domain itself."""

    target: MacroString | None
    prefix4: int
    prefix6: int


@dataclass(frozen=True, slots=True)
class Mx:
    """Matches the addresses of a domain's mail exchangers (RFC 7208 §5.4)."""

    target: MacroString | None
    prefix4: int
    prefix6: int


@dataclass(frozen=True, slots=True)
class Ptr:
    """Matches a client whose own, confirmed name is in a domain (RFC 7208 §5.5)."""

    target: MacroString | None


@dataclass(frozen=True, slots=True)
class Network:
    """Matches addresses as they stand: ip4 and ip6 (RFC 7208 §5.6).

    Kept as numbers: records of large providers list dozens of networks, and each is compared.
    """

    version: int
    prefix: int
    """The leading bits that have to agree."""
    ignored: int
    """How many bits follow these."""

    @staticmethod
    def of(address: IPAddress, length: int) -> Network:
        """Return the network of an address whose first `length` bits count."""
        ignored = address.max_prefixlen - length
        return Network(address.version, int(address) >> ignored, ignored)


@dataclass(frozen=True, slots=True)
class Exists:
    """Matches if a name has any IPv4 address (RFC 7208 §5.7)."""

    target: MacroString


Mechanism = All | Include | A | Mx | Ptr | Network | Exists


@dataclass(frozen=True, slots=True)
class Directive:
    """A mechanism and what follows from its match."""

    status: SpfStatus
    """What its qualifier says."""
    mechanism: Mechanism
    text: str
    """As the record has it, without the qualifier; visible ASCII."""


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """What a domain says of who may send for it."""

    directives: tuple[Directive, ...]
    redirect: MacroString | None = None
    explanation: MacroString | None = None
    """exp=: the name of the explanation."""


def is_spf_record(octets: bytes) -> bool:
    """Whether a TXT record is an SPF record: the version, then a space or nothing (RFC 7208 §4.5)."""
    return octets[:6].lower() == _VERSION and octets[6:7] in (b"", b" ")


def parse_record(octets: bytes) -> SpfRecord:
    """Return what an SPF record says. Raises `SpfRecordFault`."""
    if not is_spf_record(octets):
        raise SpfRecordFault(cause="not an SPF record")
    if len(octets) > MAX_RECORD:
        raise SpfRecordFault(cause=f"the record is longer than {MAX_RECORD} octets")
    if not _VISIBLE.fullmatch(octets):
        raise SpfRecordFault(cause="the record is not visible ASCII")
    return _remembered_record(octets) if len(octets) <= _REMEMBERED_OCTETS else _read_record(octets)


def _read_record(octets: bytes) -> SpfRecord:
    directives = []
    modifiers: dict[str, MacroString] = {}
    for term in octets[len(_VERSION) :].decode("ascii").split():
        try:
            modifier = _MODIFIER.fullmatch(term)
            if modifier:
                _read_modifier(modifier[1].lower(), modifier[2], modifiers)
            else:
                directives.append(_read_directive(term))
        except (SpfRecordFault, MacroFault) as fault:
            raise SpfRecordFault(cause=f"{printable(term)}: {fault.cause}") from None
    return SpfRecord(tuple(directives), modifiers.get("redirect"), modifiers.get("exp"))


_remembered_record = lru_cache(maxsize=256)(_read_record)


def printable(text: str) -> str:
    """Return a stranger's text for a reason: visible ASCII that ends no comment and no quotation, of bounded length."""
    safe = _UNSAFE.sub("?", text[:_LONGEST_QUOTE])
    return f"{safe}..." if len(text) > _LONGEST_QUOTE else safe


def _read_modifier(name: str, value: str, modifiers: dict[str, MacroString]) -> None:
    if name not in ("redirect", "exp"):
        parse_macro_string(value, is_explanation=True)  # RFC 7208 §6: ignored, but for its syntax
        return
    if name in modifiers:
        raise SpfRecordFault(cause="it stands twice in the record")
    modifiers[name] = parse_domain_spec(value)


def _read_directive(term: str) -> Directive:
    directive = _DIRECTIVE.fullmatch(term)
    if not directive:
        raise SpfRecordFault(cause="neither a mechanism nor a modifier")
    qualifier, name, rest = directive.groups()
    return Directive(_QUALIFIERS[qualifier], _read_mechanism(name.lower(), rest), name + rest)


def _read_mechanism(name: str, rest: str) -> Mechanism:
    match name:
        case "all":
            if rest:
                raise SpfRecordFault(cause="it takes no argument")
            return All()
        case "include":
            return Include(_required_target(rest))
        case "exists":
            return Exists(_required_target(rest))
        case "a":
            return A(*_read_target_and_prefixes(rest))
        case "mx":
            return Mx(*_read_target_and_prefixes(rest))
        case "ptr":
            return Ptr(_required_target(rest) if rest else None)
        case "ip4" | "ip6":
            return _read_network(name, rest)
        case _:
            raise SpfRecordFault(cause="unknown mechanism")


def _required_target(rest: str) -> MacroString:
    if not rest.startswith(":"):
        raise SpfRecordFault(cause="a colon and a name are missing")
    return parse_domain_spec(rest[1:])


def _read_target_and_prefixes(rest: str) -> tuple[MacroString | None, int, int]:
    parts = _DUAL_CIDR.fullmatch(rest)
    if not parts:
        raise SpfRecordFault(cause="it cannot be read")
    name, prefix4, prefix6 = parts.groups()
    lengths = _read_prefix(prefix4, 32), _read_prefix(prefix6, 128)
    if not name:
        return None, *lengths
    if _is_address(name[1:]):
        raise SpfRecordFault(cause="an address where a name belongs; ip4: and ip6: take addresses")
    return _required_target(name), *lengths


def _read_prefix(digits: str | None, longest: int) -> int:
    if digits is None:
        return longest
    if not _PREFIX_LENGTH.fullmatch(digits) or int(digits) > longest:
        raise SpfRecordFault(cause=f"the prefix length is not a number up to {longest}")
    return int(digits)


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _read_network(name: str, rest: str) -> Network:
    if not rest.startswith(":"):
        raise SpfRecordFault(cause="a colon and an address are missing")
    text, slash, digits = rest[1:].partition("/")
    try:
        address = IPv4Address(text) if name == "ip4" else _ip6_address(text)
    except AddressValueError:
        raise SpfRecordFault(cause="the address cannot be read") from None
    return Network.of(address, _read_prefix(digits if slash else None, address.max_prefixlen))


def _ip6_address(text: str) -> IPv6Address:
    if "%" in text:
        raise AddressValueError("a scope")  # Python reads "fe80::1%eth0"; ip6-network has no such thing.
    return IPv6Address(text)
