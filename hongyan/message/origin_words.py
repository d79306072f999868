"""What the checks of origin said of a message, in the words of one question: is it from whom it says?

Only the field that this server wrote is read: others with its name were taken out on arrival
(`message.authres_claims`).
"""

from __future__ import annotations

__all__ = ["Origin", "OriginVerdict", "read_origin"]

from dataclasses import dataclass
from enum import StrEnum

from hongyan.message.authres import MethodResult, parse_authentication_results
from hongyan.message.headers import iterate_fields

_FAILURES = frozenset({"fail", "permerror", "policy"})


class OriginVerdict(StrEnum):
    """How sure it is that a message comes from the domain that it says."""

    VERIFIED = "verified"
    FAILED = "failed"
    """The domain's owner can be asked, and says no."""
    UNKNOWN = "unknown"
    """Nothing proves it, and nothing speaks against it."""
    UNCHECKED = "unchecked"
    """It did not come from outside, or nothing was looked at."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The verdict, the domain that it is about, and each method's result."""

    verdict: OriginVerdict
    domain: str = ""
    results: tuple[tuple[str, str], ...] = ()


def read_origin(header: bytes, authserv_id: str) -> Origin:
    """Return what this server's Authentication-Results (RFC 8601) of a message say."""
    for name, value in iterate_fields(header):
        if name.lower() != b"authentication-results":
            continue
        found = parse_authentication_results(value)
        if found is not None and found.authserv_id.lower() == authserv_id.lower():
            return _judge(found.results)
    return Origin(OriginVerdict.UNCHECKED)


def _judge(results: tuple[MethodResult, ...]) -> Origin:
    said = tuple((one.method, one.result) for one in results)
    dmarc = next((one for one in results if one.method == "dmarc"), None)
    if dmarc is None:
        return Origin(OriginVerdict.UNKNOWN if said else OriginVerdict.UNCHECKED, "", said)
    domain = next((one.value for one in dmarc.properties if one.name in ("from", "header.from")), "")
    if dmarc.result == "pass":
        return Origin(OriginVerdict.VERIFIED, domain, said)
    return Origin(OriginVerdict.FAILED if dmarc.result in _FAILURES else OriginVerdict.UNKNOWN, domain, said)
