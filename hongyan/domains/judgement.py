"""All findings about a domain, and whether it is ready to send. Pure.

A domain is ready when nothing is wrong with what other servers judge its mail by: SPF, DKIM, DMARC, MX and PTR. An
operator may waive one with a reason. What nobody could say keeps the word of the last time: no domain stops sending
because a name server is away for a moment.
"""

from __future__ import annotations

__all__ = ["REQUIRED", "AspectState", "Readiness", "judge", "judge_readiness"]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hongyan.domains.dns_records import DomainFacts
from hongyan.domains.findings import Aspect, Finding, Severity
from hongyan.domains.host_findings import judge_blocklists, judge_host, judge_mx, judge_reverse
from hongyan.domains.origin_findings import judge_dkim, judge_dmarc, judge_spf
from hongyan.domains.survey import Survey
from hongyan.domains.transport_findings import judge_caa, judge_dns, judge_mta_sts, judge_tlsa

REQUIRED = (Aspect.SPF, Aspect.DKIM, Aspect.DMARC, Aspect.MX, Aspect.PTR)


class AspectState(StrEnum):
    """How an aspect stands."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """Nobody could say, neither now nor before."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How the required aspects stand, and which of them were waived."""

    states: Mapping[Aspect, AspectState] = field(default_factory=dict)
    waived: frozenset[Aspect] = frozenset()

    @property
    def missing(self) -> Sequence[Aspect]:
        """What keeps the domain from being ready, in a fixed order."""
        return [
            aspect
            for aspect in REQUIRED
            if self.states.get(aspect) is not AspectState.RIGHT and aspect not in self.waived
        ]

    @property
    def wrong(self) -> Sequence[Aspect]:
        """What is known to be wrong, and was not waived."""
        return [aspect for aspect in self.missing if self.states.get(aspect) is AspectState.WRONG]

    @property
    def is_ready(self) -> bool:
        return not self.missing


def judge(facts: DomainFacts, survey: Survey) -> Sequence[Finding]:
    """Return all findings, by aspect."""
    return (
        *judge_host(facts, survey),
        *judge_reverse(facts, survey),
        *judge_mx(facts, survey),
        *judge_spf(facts, survey),
        *judge_dkim(facts, survey),
        *judge_dmarc(facts, survey),
        *judge_mta_sts(facts, survey),
        *judge_tlsa(facts, survey),
        *judge_caa(facts, survey),
        *judge_dns(facts, survey),
        *judge_blocklists(survey),
    )


def judge_readiness(
    findings: Sequence[Finding], former: Mapping[Aspect, AspectState], waived: Collection[Aspect] = ()
) -> Readiness:
    """Return how the required aspects stand after these findings."""
    states = {}
    for aspect in REQUIRED:
        severities = {finding.severity for finding in findings if finding.aspect is aspect}
        if Severity.ERROR in severities:
            states[aspect] = AspectState.WRONG
        elif Severity.UNKNOWN in severities or not severities:
            states[aspect] = former.get(aspect, AspectState.UNKNOWN)
        else:
            states[aspect] = AspectState.RIGHT
    return Readiness(states, frozenset(waived))
