"""What is counted, as text: alike is what reads alike. Only this module writes and reads it."""

from __future__ import annotations

__all__ = ["about_dmarc", "dmarc_facts", "read_about_dmarc", "read_dmarc_rows", "read_tls_results", "tls_facts"]

import json
from collections.abc import Iterable, Sequence

from hongyan.mailauth.reports.aggregate import (
    AggregateRow,
    Applied,
    DkimEvidence,
    Override,
    OverrideType,
    PublishedPolicy,
    SpfEvidence,
)
from hongyan.mailauth.reports.evaluation import Evaluation
from hongyan.mailauth.reports.tls import TlsFailure, TlsPolicyResults
from hongyan.queue.tls_results import TlsResult


def about_dmarc(evaluation: Evaluation) -> str:
    """Return what holds for all messages of a domain: its policy, and where its reports go."""
    policy = evaluation.policy
    told = [
        policy.domain,
        policy.policy,
        policy.subdomain_policy,
        policy.nonexistent_policy,
        policy.dkim_alignment,
        policy.spf_alignment,
        policy.failure_options,
        policy.testing,
    ]
    return _write([told, evaluation.addresses])


def read_about_dmarc(about: str) -> tuple[PublishedPolicy, Sequence[tuple[str, int]]]:
    """Return the policy, and where reports go with the octets that are taken there."""
    policy, addresses = json.loads(about)
    domain, main, subdomain, nonexistent, dkim, spf, failure_options, testing = policy
    published = PublishedPolicy(
        domain=domain,
        policy=main,
        subdomain_policy=subdomain,
        nonexistent_policy=nonexistent,
        dkim_alignment=dkim,
        spf_alignment=spf,
        failure_options=failure_options,
        testing=testing,
    )
    return published, [(uri, limit) for uri, limit in addresses]


def dmarc_facts(row: AggregateRow) -> str:
    """Return what makes a message like others, without its count."""
    return _write(
        [
            row.source,
            row.applied.value,
            row.dkim_aligned,
            row.spf_aligned,
            [(one.type.value, one.comment) for one in row.overrides],
            row.header_from,
            row.envelope_from,
            [(one.domain, one.selector, one.result) for one in row.dkim],
            None if row.spf is None else (row.spf.domain, row.spf.result),
        ]
    )


def read_dmarc_rows(facts: Iterable[tuple[str, int]]) -> tuple[AggregateRow, ...]:
    """Return the rows of a report from facts and how often each was seen."""
    return tuple(_read_row(text, count) for text, count in facts)


def _read_row(text: str, count: int) -> AggregateRow:
    source, applied, dkim_aligned, spf_aligned, overrides, header_from, envelope_from, dkim, spf = json.loads(text)
    return AggregateRow(
        source=source,
        count=count,
        applied=Applied(applied),
        dkim_aligned=dkim_aligned,
        spf_aligned=spf_aligned,
        overrides=tuple(Override(OverrideType(kind), comment) for kind, comment in overrides),
        header_from=header_from,
        envelope_from=envelope_from,
        dkim=tuple(DkimEvidence(*one) for one in dkim),
        spf=None if spf is None else SpfEvidence(*spf),
    )


def tls_facts(result: TlsResult) -> str:
    """Return what makes a session like others."""
    failure = None
    if result.failure is not None:
        failure = [result.failure.value, result.source, result.host, result.address, result.reason]
    return _write([result.policy_type.value, result.policy, result.patterns, failure])


def read_tls_results(domain: str, facts: Iterable[tuple[str, int]]) -> tuple[TlsPolicyResults, ...]:
    """Return what happened under each policy of a domain (RFC 8460 §4.4)."""
    succeeded: dict[str, int] = {}
    failures: dict[str, list[TlsFailure]] = {}
    for text, count in facts:
        kind, lines, hosts, failure = json.loads(text)
        policy = _write([kind, lines, hosts])
        succeeded.setdefault(policy, 0)
        if failure is None:
            succeeded[policy] += count
        else:
            result, source, host, address, reason = failure
            told = TlsFailure(result=result, count=count, source=source, host=host, address=address, reason=reason)
            failures.setdefault(policy, []).append(told)
    return tuple(_policy_results(domain, one, succeeded[one], failures.get(one, ())) for one in succeeded)


def _policy_results(domain: str, policy: str, succeeded: int, failures: Sequence[TlsFailure]) -> TlsPolicyResults:
    kind, lines, hosts = json.loads(policy)
    return TlsPolicyResults(
        type=kind,
        domain=domain,
        lines=tuple(lines),
        hosts=tuple(hosts),
        succeeded=succeeded,
        failed=sum(failure.count for failure in failures),
        failures=tuple(failures),
    )


def _write(told: object) -> str:
    return json.dumps(told, ensure_ascii=True, separators=(",", ":"))
