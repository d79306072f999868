"""DMARC aggregate reports as values: what a receiver saw in a domain's name within a day (RFC 9990 §3.1)."""

from __future__ import annotations

__all__ = [
    "AggregateReport",
    "AggregateRow",
    "Applied",
    "DkimEvidence",
    "Override",
    "OverrideType",
    "PublishedPolicy",
    "SpfEvidence",
]

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Applied(StrEnum):
    """What was done with messages (ActionDispositionType)."""

    NONE = "none"
    PASS = "pass"  # noqa: S105
    QUARANTINE = "quarantine"
    REJECT = "reject"


class OverrideType(StrEnum):
    """Why the policy was not applied as published (RFC 9990 §3.1.6); the last two are those of RFC 7489 alone."""

    LOCAL_POLICY = "local_policy"
    MAILING_LIST = "mailing_list"
    OTHER = "other"
    POLICY_TEST_MODE = "policy_test_mode"
    TRUSTED_FORWARDER = "trusted_forwarder"
    FORWARDED = "forwarded"
    SAMPLED_OUT = "sampled_out"


@dataclass(frozen=True, slots=True)
class Override:
    """One reason, with a comment that may be empty."""

    type: OverrideType
    comment: str = ""


@dataclass(frozen=True, slots=True)
class DkimEvidence:
    """The result of one signature, in the words of RFC 8601 §2.7.1."""

    domain: str
    selector: str
    result: str


@dataclass(frozen=True, slots=True)
class SpfEvidence:
    """The result of SPF, in the words of RFC 8601 §2.7.2."""

    domain: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPolicy:
    """The policy record as the reporter found it. Of others' reports, words that are not known are empty."""

    domain: str
    """Where it is published: the policy domain."""
    policy: str
    subdomain_policy: str = ""
    nonexistent_policy: str = ""
    dkim_alignment: str = "r"
    spf_alignment: str = "r"
    failure_options: str = ""
    testing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateRow:
    """Messages that are alike in all that a report tells of them."""

    source: str
    """The client's IP address, in its shortest form."""
    count: int = 1
    applied: Applied = Applied.NONE
    dkim_aligned: bool = False
    spf_aligned: bool = False
    overrides: tuple[Override, ...] = ()
    header_from: str = ""
    envelope_from: str | None = None
    """The domain of MAIL FROM; empty for the null reverse-path, None where it is not told."""
    dkim: tuple[DkimEvidence, ...] = ()
    spf: SpfEvidence | None = None

    @property
    def is_aligned(self) -> bool:
        """Whether DMARC passed."""
        return self.dkim_aligned or self.spf_aligned


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateReport:
    """A report: who tells, about which time and policy, and what was seen."""

    organization: str
    contact: str
    report_id: str
    begin: datetime
    end: datetime
    policy: PublishedPolicy
    rows: tuple[AggregateRow, ...]
    generator: str = ""
