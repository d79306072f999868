"""What the reports on one domain say together: how much mail passed, who sent the rest, why, and what helps. Pure."""

from __future__ import annotations

__all__ = [
    "Advice",
    "DmarcSummary",
    "Source",
    "TlsSummary",
    "TlsTrouble",
    "Trouble",
    "summarize_dmarc",
    "summarize_tls",
]

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from hongyan.mailauth.reports.aggregate import AggregateReport, AggregateRow
from hongyan.mailauth.reports.tls import TlsReport


@dataclass(frozen=True, slots=True)
class Advice:
    """What went wrong in plain words, and what helps."""

    sentence: str
    remedy: str


class Trouble(StrEnum):
    """Why DMARC failed."""

    BROKEN_SIGNATURE = "broken-signature"
    """There was a signature of the domain, and it did not hold."""
    FOREIGN_SIGNATURE = "foreign-signature"
    """Somebody else's signature held, or SPF passed for somebody else's domain."""
    UNVOUCHED = "unvouched"
    """Nobody vouched for it."""

    @property
    def advice(self) -> Advice:
        return _ADVICE[self]


_ADVICE = {
    Trouble.BROKEN_SIGNATURE: Advice(
        "Your signature was there and did not hold.",
        "If the address is yours, compare the DKIM key in the DNS (hongyan domain check). If not, it is a mailing list"
        " or a forwarder that changes messages: nothing can be done here.",
    ),
    Trouble.FOREIGN_SIGNATURE: Advice(
        "Another domain vouched for it, not yours.",
        "If it is a service that writes in your name, let it sign with a DKIM key of your domain. If not, it is"
        " forwarded or forged: a policy of reject keeps it away.",
    ),
    Trouble.UNVOUCHED: Advice(
        "Nobody vouched for it.",
        "If the server is yours, name it in SPF and let it sign. If not, it is forged: a policy of reject keeps it"
        " away.",
    ),
}


@dataclass(slots=True)
class Source:
    """A server that sent mail in the domain's name."""

    address: str
    messages: int = 0
    passed: int = 0
    by_spf: int = 0
    by_dkim: int = 0
    quarantined: int = 0
    rejected: int = 0
    troubles: dict[Trouble, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        return self.messages - self.passed

    @property
    def trouble(self) -> Trouble | None:
        """What most of its failed messages suffer from."""
        return max(self.troubles, key=lambda one: self.troubles[one], default=None)


@dataclass(frozen=True, slots=True)
class DmarcSummary:
    """What DMARC reports tell of a domain."""

    messages: int
    passed: int
    sources: tuple[Source, ...]
    """Those with most failures first, then those with most messages."""


def summarize_dmarc(reports: Iterable[AggregateReport]) -> DmarcSummary:
    """Add reports up."""
    sources: dict[str, Source] = {}
    for report in reports:
        for row in report.rows:
            _count(sources.setdefault(row.source, Source(row.source)), row, report.policy.domain)
    ordered = sorted(sources.values(), key=lambda one: (-one.failed, -one.messages, one.address))
    passed, messages = sum(one.passed for one in ordered), sum(one.messages for one in ordered)
    return DmarcSummary(messages, passed, tuple(ordered))


def _count(source: Source, row: AggregateRow, domain: str) -> None:
    source.messages += row.count
    source.passed += row.count if row.is_aligned else 0
    source.by_spf += row.count if row.spf_aligned else 0
    source.by_dkim += row.count if row.dkim_aligned else 0
    source.quarantined += row.count if row.applied.value == "quarantine" else 0
    source.rejected += row.count if row.applied.value == "reject" else 0
    if not row.is_aligned:
        trouble = _find_trouble(row, domain)
        source.troubles[trouble] = source.troubles.get(trouble, 0) + row.count


def _find_trouble(row: AggregateRow, domain: str) -> Trouble:
    for signature in row.dkim:
        if signature.result != "pass" and (signature.domain == domain or signature.domain.endswith(f".{domain}")):
            return Trouble.BROKEN_SIGNATURE
    vouched = any(signature.result == "pass" for signature in row.dkim)
    if vouched or (row.spf is not None and row.spf.result == "pass"):
        return Trouble.FOREIGN_SIGNATURE
    return Trouble.UNVOUCHED


@dataclass(frozen=True, slots=True)
class TlsTrouble:
    """Sessions with a host that failed alike, under one kind of policy (RFC 8460 §4.3, §4.4)."""

    policy: str
    """`tlsa`, `sts` or `no-policy-found`."""
    result: str
    host: str
    sessions: int

    @property
    def advice(self) -> Advice:
        """What it means, and what helps."""
        if self.policy == "tlsa" and self.result == _GENERAL:  # There is no word for a certificate that does not fit.
            return _TLS_ADVICE["tlsa-invalid"]
        return _TLS_ADVICE.get(self.result, _UNKNOWN)


@dataclass(frozen=True, slots=True)
class TlsSummary:
    """What TLS reports tell of a domain."""

    sessions: int
    failed: int
    failures: tuple[TlsTrouble, ...]
    """Added up by policy, result and host, those with most sessions first."""


def summarize_tls(reports: Iterable[TlsReport]) -> TlsSummary:
    """Add reports up."""
    succeeded = failed = 0
    counts: dict[tuple[str, str, str], int] = {}
    for report in reports:
        for policy in report.policies:
            succeeded += policy.succeeded
            failed += policy.failed
            for failure in policy.failures:
                key = (policy.type, failure.result, failure.host)
                counts[key] = counts.get(key, 0) + failure.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return TlsSummary(succeeded + failed, failed, tuple(TlsTrouble(*key, count) for key, count in ordered))


_GENERAL = "validation-failure"
_RENEW = "Look at the certificate with hongyan certificate list, and at its names."
_TLSA = "Compare the TLSA records with what hongyan domain dns prints, and publish the next key before it is used."
_STS = "Look whether https://mta-sts under your domain answers; hongyan domain check fetches the policy as others do."
_TLS_ADVICE = {
    "starttls-not-supported": Advice(
        "A host of yours did not offer STARTTLS.", "Give it a certificate, or see what stands between it and the world."
    ),
    "certificate-host-mismatch": Advice("The certificate names another host.", _RENEW),
    "certificate-expired": Advice("The certificate has expired.", _RENEW),
    "certificate-not-trusted": Advice("Nobody who is trusted has signed the certificate.", _RENEW),
    _GENERAL: Advice("TLS failed for another reason.", "Look at the log of that time."),
    "tlsa-invalid": Advice("The certificate does not fit the TLSA records.", _TLSA),
    "dnssec-invalid": Advice("DNSSEC signatures do not hold.", "Have your DNS provider look at the zone's signatures."),
    "dane-required": Advice("The sender demands DANE, and there are no usable TLSA records.", _TLSA),
    "sts-policy-fetch-error": Advice("The MTA-STS policy could not be fetched.", _STS),
    "sts-policy-invalid": Advice("The MTA-STS policy cannot be read.", _STS),
    "sts-webpki-invalid": Advice("The certificate of the MTA-STS policy's host does not hold.", _STS),
}
_UNKNOWN = Advice("TLS failed in a way that is not known here.", "Look at the log of that time.")
