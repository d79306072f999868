"""The DMARC policy record: what the owner of a domain wants done with mail that is not theirs (RFC 9989 §4.7, §4.8).

Only the version must be right; whatever else is broken counts as not there, and unknown tags are passed over. So
records of RFC 7489 are read too: of `pct`, `rf` and `ri` nothing is left, and a size behind a report address is kept
beside it. A record whose policy cannot be read is a request for reports if it names an address, and else of no use.
"""

from __future__ import annotations

__all__ = ["AlignmentMode", "DmarcRecord", "Policy", "Psd", "parse_dmarc_record"]

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Final, TypeVar

MAX_TAGS: Final = 64
MAX_REPORT_ADDRESSES: Final = 20

_WSP = " \t"
# dmarc-version = "v" equals %s"DMARC1"
_REMEMBERED_OCTETS = 512
_VERSION = re.compile(rb"[ \t]*[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_MAILTO = re.compile(r"mailto:[!-~]+@[A-Za-z0-9._-]+(?:\?[!-~]*)?", re.IGNORECASE)
# obs-dmarc-report-size = "!" 1*DIGIT [ "k" / "m" / "g" / "t" ]
_REPORT_SIZE = re.compile(r"![0-9]+[kmgt]?\Z", re.IGNORECASE)
_SIZES: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_MAX_SIZE = 999_999_999

_Choice = TypeVar("_Choice", bound=Enum)


class Policy(StrEnum):
    """What is to be done with mail that fails, from mild to strict."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def strictness(self) -> int:
        return _STRICTNESS[self]

    @property
    def milder(self) -> Policy:
        """The policy one level below, which t=y asks for (RFC 9989 §4.7)."""
        return Policy.QUARANTINE if self is Policy.REJECT else Policy.NONE


_STRICTNESS: Final = {Policy.NONE: 0, Policy.QUARANTINE: 1, Policy.REJECT: 2}


class AlignmentMode(Enum):
    """How near an authenticated domain must be to the author's (RFC 9989 §3.2.10)."""

    RELAXED = "r"
    """Both have the same organizational domain."""
    STRICT = "s"
    """Both are the same."""


class Psd(Enum):
    """Whose domain is it?"""

    YES = "y"
    """A public suffix, below which others register theirs."""
    NO = "n"
    """An organizational domain."""
    UNKNOWN = "u"


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRecord:
    """A policy record. An absent tag has its default."""

    policy: Policy = Policy.NONE
    """p=, for the domain and all below that no other tag speaks of."""
    subdomain_policy: Policy | None = None
    """sp=, for domains below that exist."""
    nonexistent_policy: Policy | None = None
    """np=, for domains below that do not exist."""
    dkim_alignment: AlignmentMode = AlignmentMode.RELAXED
    spf_alignment: AlignmentMode = AlignmentMode.RELAXED
    psd: Psd = Psd.UNKNOWN
    testing: bool = False
    """t=y: the owner is trying the policy out, and wants the one below it."""
    report_addresses: tuple[str, ...] = ()
    """rua=, URIs for aggregate reports."""
    report_limits: tuple[int, ...] = ()
    """How many octets each of them takes at most, in their order (RFC 7489 §6.2); 0: that is not said."""
    failure_addresses: tuple[str, ...] = ()
    """ruf=, URIs for reports on single messages."""
    failure_options: frozenset[str] = frozenset("0")
    """fo=, of which failures they are to tell; of no meaning without ruf=."""
    is_usable: bool = True
    """False: the policy cannot be read and no report is asked for, so the record applies to nothing (§4.10.1)."""

    def policy_for(self, *, below: bool, exists: bool) -> Policy:
        """Return the policy for the record's own domain, or for one `below` it (RFC 9989 §4.10.1)."""
        if not below:
            return self.policy
        if not exists and self.nonexistent_policy is not None:
            return self.nonexistent_policy
        return self.policy if self.subdomain_policy is None else self.subdomain_policy


def parse_dmarc_record(octets: bytes) -> DmarcRecord | None:
    """Return the policy that a TXT record holds, or None for one that is no DMARC record. Raises nothing."""
    version = _VERSION.match(octets)
    if version is None:
        return None
    tags = octets[version.end() :]
    return _remembered_record(tags) if len(tags) <= _REMEMBERED_OCTETS else _read_record(tags)


def _read_record(octets: bytes) -> DmarcRecord:
    tags = _tags(octets)
    report_limits = _addresses(tags.get("rua", ""))
    report_addresses = tuple(report_limits)
    policies = {name: _choice(Policy, tags[name]) for name in ("p", "sp", "np") if name in tags}
    unreadable = None in policies.values()
    if unreadable:
        # RFC 9989 §4.10.1: as if p=none stood there alone, provided somebody wants to hear of it.
        policies = {}
    return DmarcRecord(
        # RFC 9989 §4.7: p= may be left out, as if it were "none".
        policy=policies.get("p") or Policy.NONE,
        subdomain_policy=policies.get("sp"),
        nonexistent_policy=policies.get("np"),
        dkim_alignment=_choice(AlignmentMode, tags.get("adkim", "r")) or AlignmentMode.RELAXED,
        spf_alignment=_choice(AlignmentMode, tags.get("aspf", "r")) or AlignmentMode.RELAXED,
        psd=_choice(Psd, tags.get("psd", "u")) or Psd.UNKNOWN,
        testing=tags.get("t", "").lower() == "y",
        report_addresses=report_addresses,
        report_limits=tuple(report_limits.values()),
        failure_addresses=tuple(_addresses(tags.get("ruf", ""))),
        failure_options=_failure_options(tags.get("fo", "")),
        is_usable=bool(report_addresses) or not unreadable,
    )


_remembered_record = lru_cache(maxsize=256)(_read_record)
"""The same domains write again and again."""


def _tags(octets: bytes) -> dict[str, str]:
    """Return values by name in lower case. Of a tag that comes twice the first counts; what is no tag is left out."""
    tags: dict[str, str] = {}
    # The names are ASCII; any octet beyond it makes a value that no tag may have.
    for spec in octets.decode("latin-1").split(";", MAX_TAGS)[:MAX_TAGS]:
        name, equals, value = spec.partition("=")
        if equals:
            tags.setdefault(name.strip(_WSP).lower(), value.strip(_WSP))
    return tags


def _choice(kind: type[_Choice], value: str) -> _Choice | None:
    try:
        return kind(value.lower())
    except ValueError:
        return None


def _addresses(value: str) -> dict[str, int]:
    """Return the URIs that can be one with the octets they take; of mailto: those with an address, once each."""
    uris: dict[str, int] = {}
    for written in value.split(",", MAX_REPORT_ADDRESSES)[:MAX_REPORT_ADDRESSES]:
        uri = written.strip(_WSP)
        size = _REPORT_SIZE.search(uri)
        uri = uri[: size.start()] if size else uri
        fits = _MAILTO if uri[:7].lower() == "mailto:" else _URI
        if fits.fullmatch(uri):
            uris[uri] = _octets(size[0][1:].lower()) if size else 0
    return uris


def _octets(size: str) -> int:
    factor = _SIZES.get(size[-1], 1)
    digits = size.rstrip("kmgt")
    return min(int(digits) if len(digits) < 10 else _MAX_SIZE, _MAX_SIZE) * factor


def _failure_options(value: str) -> frozenset[str]:
    options = frozenset(option.strip(_WSP).lower() for option in value.split(":")) & frozenset("01ds")
    return options or frozenset("0")
