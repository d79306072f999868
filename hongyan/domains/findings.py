"""What is right and wrong with the DNS of a domain, and how each fault is mended. Pure: a comparison over facts.

A finding is about one aspect. ERROR: mail is lost, refused or taken for spam; WARNING: it is worse off than it need be;
NOTE: worth knowing. UNKNOWN is neither good nor bad: nobody could say.
"""

from __future__ import annotations

__all__ = ["Aspect", "Finding", "Severity", "error", "good", "note", "unknown", "warning"]

from dataclasses import dataclass
from enum import StrEnum


class Aspect(StrEnum):
    """What a finding is about."""

    HOST = "host"
    PTR = "ptr"
    MX = "mx"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    MTA_STS = "mta-sts"
    TLSA = "tlsa"
    CAA = "caa"
    DNSSEC = "dnssec"
    BLOCKLIST = "blocklist"
    TTL = "ttl"
    SERVERS = "servers"
    PORT = "port"
    RESOLVER = "resolver"


class Severity(StrEnum):
    """How bad it is."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, and what to do about it."""

    aspect: Aspect
    severity: Severity
    sentence: str
    remedy: str = ""


def good(aspect: Aspect, sentence: str) -> Finding:
    """Return a finding that needs no remedy."""
    return Finding(aspect, Severity.GOOD, sentence)


def note(aspect: Aspect, sentence: str, remedy: str = "") -> Finding:
    """Return something worth knowing."""
    return Finding(aspect, Severity.NOTE, sentence, remedy)


def warning(aspect: Aspect, sentence: str, remedy: str) -> Finding:
    """Return something that makes mail worse off than it need be."""
    return Finding(aspect, Severity.WARNING, sentence, remedy)


def error(aspect: Aspect, sentence: str, remedy: str) -> Finding:
    """Return something by which mail is lost, refused or taken for spam."""
    return Finding(aspect, Severity.ERROR, sentence, remedy)


def unknown(aspect: Aspect, sentence: str) -> Finding:
    """Return something that nobody could say."""
    return Finding(aspect, Severity.UNKNOWN, sentence, "Try again later. See that the name servers can be reached.")
