"""TLS reports: values, and the JSON documents that hold them (RFC 8460 §4).

What others send is bounded before it is read: octets, policies, failures and the length of every text.
"""

from __future__ import annotations

__all__ = ["MAX_OCTETS", "TlsFailure", "TlsPolicyResults", "TlsReport", "read_tls_report", "write_tls_report"]

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hongyan.mailauth.reports.fault import ReportFault

MAX_OCTETS: Final = 2 << 20
"""Of a document."""

_MAX_POLICIES = 1000
_MAX_FAILURES = 10_000
_MAX_LINES = 100  # of a policy's own words
_MAX_TEXT = 500
_MAX_COUNT = 10**12
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

_Json = object


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFailure:
    """Sessions that failed alike (RFC 8460 §4.4)."""

    result: str
    """A word of RFC 8460 §4.3."""
    count: int = 1
    source: str = ""
    """The address that the sender connected from."""
    host: str = ""
    """The mail exchanger."""
    address: str = ""
    """Its address."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicyResults:
    """What happened under one policy."""

    type: str
    """`tlsa`, `sts` or `no-policy-found`."""
    domain: str
    lines: tuple[str, ...] = ()
    """The policy in its own words."""
    hosts: tuple[str, ...] = ()
    """The hosts that an MTA-STS policy names."""
    succeeded: int = 0
    failed: int = 0
    failures: tuple[TlsFailure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsReport:
    """Who tells, about which time, and what happened."""

    organization: str
    contact: str
    report_id: str
    begin: datetime
    end: datetime
    policies: tuple[TlsPolicyResults, ...]


def write_tls_report(report: TlsReport) -> bytes:
    """Return the document."""
    told = {
        "organization-name": report.organization,
        "date-range": {"start-datetime": _moment(report.begin), "end-datetime": _moment(report.end)},
        "contact-info": report.contact,
        "report-id": report.report_id,
        "policies": [_write_policy(policy) for policy in report.policies],
    }
    return json.dumps(told, ensure_ascii=True, indent=1).encode("ascii")


def _write_policy(results: TlsPolicyResults) -> Mapping[str, _Json]:
    policy: dict[str, _Json] = {"policy-type": results.type}
    if results.lines:
        policy["policy-string"] = list(results.lines)
    policy["policy-domain"] = results.domain
    if results.hosts:
        policy["mx-host"] = list(results.hosts)
    told: dict[str, _Json] = {
        "policy": policy,
        "summary": {
            "total-successful-session-count": results.succeeded,
            "total-failure-session-count": results.failed,
        },
    }
    if results.failures:
        told["failure-details"] = [_write_failure(failure) for failure in results.failures]
    return told


def _write_failure(failure: TlsFailure) -> Mapping[str, _Json]:
    told: dict[str, _Json] = {"result-type": failure.result}
    optional = {
        "sending-mta-ip": failure.source,
        "receiving-mx-hostname": failure.host,
        "receiving-ip": failure.address,
        "failure-reason-code": failure.reason,
    }
    told.update((name, value) for name, value in optional.items() if value)
    told["failed-session-count"] = failure.count
    return told


def read_tls_report(octets: bytes) -> TlsReport:
    """Return the report that a document holds. Raises `ReportFault`."""
    if len(octets) > MAX_OCTETS:
        raise ReportFault("the document is too large")
    try:
        told = json.loads(octets.decode("utf-8-sig", "replace"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ReportFault("it is no JSON") from error
    document = _object(told)
    period = _object(document.get("date-range"))
    begin, end = _read_moment(period.get("start-datetime")), _read_moment(period.get("end-datetime"))
    report_id = _text(document.get("report-id"))
    policies = tuple(map(_read_policy, _list(document.get("policies"), _MAX_POLICIES)))
    if begin is None or end is None or end < begin or not report_id or not policies:
        raise ReportFault("its period, its id or its policies cannot be read")
    return TlsReport(
        organization=_text(document.get("organization-name")),
        contact=_text(document.get("contact-info")),
        report_id=report_id,
        begin=begin,
        end=end,
        policies=policies,
    )


def _refuse(name: str) -> object:
    raise ValueError(name)


def _read_policy(told: _Json) -> TlsPolicyResults:
    item = _object(told)
    policy, summary = _object(item.get("policy")), _object(item.get("summary"))
    lines, hosts = policy.get("policy-string"), policy.get("mx-host")
    details = _list(item.get("failure-details"), _MAX_FAILURES)
    return TlsPolicyResults(
        type=_text(policy.get("policy-type")).lower(),
        domain=_text(policy.get("policy-domain")).lower().rstrip(". "),
        lines=tuple(_text(line) for line in _list(lines, _MAX_LINES)),
        # Some write one host as a text where RFC 8460 §4.4 has an array.
        hosts=(_text(hosts),) if isinstance(hosts, str) else tuple(_text(one) for one in _list(hosts, _MAX_LINES)),
        succeeded=_count(summary.get("total-successful-session-count")),
        failed=_count(summary.get("total-failure-session-count")),
        failures=tuple(map(_read_failure, details)),
    )


def _read_failure(told: _Json) -> TlsFailure:
    item = _object(told)
    return TlsFailure(
        result=_text(item.get("result-type")).lower(),
        count=_count(item.get("failed-session-count")),
        source=_text(item.get("sending-mta-ip")),
        host=_text(item.get("receiving-mx-hostname")).lower(),
        address=_text(item.get("receiving-ip")),
        reason=_text(item.get("failure-reason-code")),
    )


def _object(told: _Json) -> Mapping[str, _Json]:
    return told if isinstance(told, dict) else {}


def _list(told: _Json, most: int) -> Sequence[_Json]:
    return told[:most] if isinstance(told, list) else ()


def _text(told: _Json) -> str:
    return _CONTROLS.sub(" ", told[:_MAX_TEXT]).strip() if isinstance(told, str) else ""


def _count(told: _Json) -> int:
    return min(told, _MAX_COUNT) if isinstance(told, int) and told > 0 else 0


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _read_moment(told: _Json) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text(told).upper())
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
