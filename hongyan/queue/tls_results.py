"""How TLS went, session by session: what reports to other domains are made of (RFC 8460).

`TlsResults` is declared for whoever keeps them until a report is due. `CountedTlsResults` keeps nothing and counts.
"""

from __future__ import annotations

__all__ = ["CountedTlsResults", "PolicyType", "ResultType", "TlsResult", "TlsResults", "policy_lines", "policy_type"]

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hongyan.mailauth.mta_sts import StsPolicy
from hongyan.mailauth.resolver import TlsaRecord
from hongyan.queue.security import Demand, Demander
from hongyan.telemetry import metrics


class PolicyType(StrEnum):
    """Which policy was applied (RFC 8460 §4.4)."""

    TLSA = "tlsa"
    STS = "sts"
    NONE = "no-policy-found"


class ResultType(StrEnum):
    """What went wrong (RFC 8460 §4.3)."""

    STARTTLS_NOT_SUPPORTED = "starttls-not-supported"
    CERTIFICATE_HOST_MISMATCH = "certificate-host-mismatch"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    VALIDATION_FAILURE = "validation-failure"
    TLSA_INVALID = "tlsa-invalid"
    DNSSEC_INVALID = "dnssec-invalid"
    DANE_REQUIRED = "dane-required"
    STS_POLICY_FETCH_ERROR = "sts-policy-fetch-error"
    STS_POLICY_INVALID = "sts-policy-invalid"
    STS_WEBPKI_INVALID = "sts-webpki-invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsResult:
    """One session with a host of a domain, or one policy that could not be had. `failure` None: it went well."""

    at: datetime
    domain: str
    """The domain that the mail was for, which is the domain of the policy."""
    policy_type: PolicyType
    policy: tuple[str, ...] = ()
    """The policy's own words, line by line (`policy-string`)."""
    patterns: tuple[str, ...] = ()
    """The hosts that an MTA-STS policy names (`mx-host`)."""
    host: str = ""
    """The mail exchanger; empty where none was asked."""
    address: str = ""
    """The address that was connected to."""
    source: str = ""
    """The address that the connection came from."""
    failure: ResultType | None = None
    reason: str = ""
    """A few words of ours (`failure-reason-code`): nothing that a stranger wrote."""


class TlsResults(Protocol):
    """Takes results. It must not wait: it is called between connection and message."""

    def note(self, result: TlsResult) -> None:
        """Take one result."""
        ...


class CountedTlsResults:
    """Counts results, and hands them on to whoever keeps them."""

    def __init__(self) -> None:
        self._kept_by: list[TlsResults] = []

    def keep_by(self, keeper: TlsResults) -> None:
        """Hand on all results that come from now on."""
        self._kept_by.append(keeper)

    def note(self, result: TlsResult) -> None:
        failure = "" if result.failure is None else result.failure.value
        metrics.tls_results_total.labels(result.policy_type.value, failure).inc()
        for keeper in self._kept_by:
            keeper.note(result)


def policy_type(demand: Demand) -> PolicyType:
    """Return which policy a demand comes from."""
    if demand.demander is Demander.DANE:
        return PolicyType.TLSA
    return PolicyType.NONE if demand.sts is None else PolicyType.STS


def policy_lines(demand: Demand) -> tuple[str, ...]:
    """Return the words of the policy that a demand comes from (RFC 8460 §4.4)."""
    if demand.demander is Demander.DANE:
        return tuple(map(_tlsa_line, demand.tlsa))
    return () if demand.sts is None else sts_lines(demand.sts)


def sts_lines(policy: StsPolicy) -> tuple[str, ...]:
    """Return a policy as its host would write it (RFC 8461 §3.2)."""
    hosts = (f"mx: {host}" for host in policy.hosts)
    return ("version: STSv1", f"mode: {policy.mode.value}", *hosts, f"max_age: {policy.max_age}")


def _tlsa_line(record: TlsaRecord) -> str:
    return f"{record.usage} {record.selector} {record.matching_type} {record.data.hex().upper()}"
