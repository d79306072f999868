"""What a message adds to the report on its author's domain (RFC 9990 §3.1.1). Pure."""

from __future__ import annotations

__all__ = ["Evaluation", "evaluate"]

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from hongyan.addresses import Address
from hongyan.mailauth.authentication import Authentication
from hongyan.mailauth.dkim import DkimResult, DkimStatus
from hongyan.mailauth.dmarc import DmarcResult, Mechanism
from hongyan.mailauth.dmarc_record import DmarcRecord
from hongyan.mailauth.reports.aggregate import (
    AggregateRow,
    Applied,
    DkimEvidence,
    Override,
    PublishedPolicy,
    SpfEvidence,
)
from hongyan.mailauth.spf import SpfIdentity

_MOST_SIGNATURES = 10
_LONGEST = 253


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One message as its author's domain will hear of it."""

    policy: PublishedPolicy
    addresses: tuple[tuple[str, int], ...]
    """Where the domain wants reports, each with the octets it takes at most (0: any)."""
    row: AggregateRow


def evaluate(
    found: Authentication, peer: str, reverse_path: Address | None, applied: Applied, overrides: Sequence[Override] = ()
) -> Evaluation | None:
    """Return what is to be reported of a message that `peer`, an IP address, brought; None, if nobody asked for it."""
    dmarc = found.dmarc
    if dmarc is None or dmarc.record is None or not dmarc.record.report_addresses:
        return None
    row = AggregateRow(
        source=ip_address(peer).compressed,
        applied=applied,
        dkim_aligned=Mechanism.DKIM in dmarc.aligned_by,
        spf_aligned=Mechanism.SPF in dmarc.aligned_by,
        overrides=tuple(overrides),
        header_from=dmarc.domain,
        envelope_from="" if reverse_path is None else reverse_path.domain.text,
        dkim=_signatures(found.signatures, dmarc),
        spf=_spf(found),
    )
    record = dmarc.record
    addresses = tuple(zip(record.report_addresses, record.report_limits, strict=True))
    return Evaluation(_policy(dmarc.policy_domain or dmarc.domain, record), addresses, row)


def _policy(domain: str, record: DmarcRecord) -> PublishedPolicy:
    subdomain = record.subdomain_policy
    return PublishedPolicy(
        domain=domain,
        policy=record.policy.value,
        subdomain_policy="" if subdomain is None else subdomain.value,
        nonexistent_policy="" if record.nonexistent_policy is None else record.nonexistent_policy.value,
        dkim_alignment=record.dkim_alignment.value,
        spf_alignment=record.spf_alignment.value,
        failure_options=":".join(sorted(record.failure_options)) if record.failure_addresses else "",
        testing=record.testing,
    )


def _signatures(signatures: Sequence[DkimResult], dmarc: DmarcResult) -> tuple[DkimEvidence, ...]:
    """Return the signatures, those that say most first (RFC 9990 §3.1.3)."""

    def weight(one: DkimResult) -> int:
        if one.status is not DkimStatus.PASS:
            return 3
        domain = one.domain.lower()
        if domain == dmarc.domain:
            return 0
        organization = dmarc.organizational_domain
        return 1 if organization and (domain == organization or domain.endswith(f".{organization}")) else 2

    named = sorted((one for one in signatures if one.domain), key=weight)
    told = (DkimEvidence(one.domain.lower()[:_LONGEST], one.selector[:_LONGEST], one.status.value) for one in named)
    return tuple(dict.fromkeys(told))[:_MOST_SIGNATURES]


def _spf(found: Authentication) -> SpfEvidence | None:
    """Return the result for MAIL FROM: of HELO alone DMARC takes no note (RFC 9990 §3.1.1.13)."""
    if found.spf is None or found.spf.identity is not SpfIdentity.MAIL_FROM:
        return None
    return SpfEvidence(found.spf.domain.lower()[:_LONGEST], found.spf.status.value)
