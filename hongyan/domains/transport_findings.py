"""Judges what makes transport safe, and the DNS itself: MTA-STS, DANE, CAA, DNSSEC, TTLs, servers that disagree."""

from __future__ import annotations

__all__ = ["caa_issuers", "judge_caa", "judge_dns", "judge_mta_sts", "judge_tlsa"]

from collections.abc import Iterable, Iterator, Sequence

from hongyan.domains.dns_check import Status, check_record
from hongyan.domains.dns_records import DomainFacts, Kind, key_digest, wanted_records
from hongyan.domains.findings import Aspect, Finding, error, good, note, unknown, warning
from hongyan.domains.survey import Survey
from hongyan.mailauth.resolver import Dnssec

_SHORT_TTL = 60  # seconds; below it each message costs us questions, and an outage of the DNS one of mail
_LONG_TTL = 2 * 86_400


def judge_mta_sts(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """MTA-STS: what is announced can be fetched, and names each of our exchangers (RFC 8461 §3.2, §4.1)."""
    if facts.mta_sts is None:
        yield note(
            Aspect.MTA_STS,
            "No MTA-STS policy is served.",
            "Set web.mta_sts to testing, and to enforce when all goes well.",
        )
        return
    domain = facts.domain.text
    for record in wanted_records(facts):
        if record.name == f"_mta-sts.{domain}":
            checked = check_record(record, survey.view.best(record.name, record.kind).values)
            if checked.status is not Status.GOOD:
                yield warning(Aspect.MTA_STS, f"The MTA-STS record of {domain} is {checked.status}.", checked.remedy)
                return
    yield from _judge_policy(facts, survey)


def _judge_policy(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    domain, fetched = facts.domain.text, survey.policy
    if fetched is None:
        yield unknown(Aspect.MTA_STS, f"The MTA-STS policy of {domain} was not fetched.")
        return
    if fetched.fault:
        yield error(
            Aspect.MTA_STS,
            f"The MTA-STS policy of {domain} cannot be fetched: {fetched.fault}.",
            f"See that mta-sts.{domain} leads here, and that the certificate is for that name too.",
        )
        return
    patterns = _patterns(fetched.text)
    for exchanger in survey.exchangers or ():
        if exchanger.name and not any(_fits(exchanger.name, pattern) for pattern in patterns):
            yield error(
                Aspect.MTA_STS,
                f"The MTA-STS policy of {domain} leaves out the mail exchanger {exchanger.name}.",
                "Take it out of the MX records, or name it in the policy: mail to it is refused.",
            )
            return
    yield good(Aspect.MTA_STS, f"The MTA-STS policy of {domain} is there for others.")


def _patterns(policy: str) -> Sequence[str]:
    fields = [line.partition(":") for line in policy.splitlines()]
    return [value.strip().lower() for key, _, value in fields if key.strip() == "mx"]


def _fits(name: str, pattern: str) -> bool:
    """RFC 8461 §4.1: a wildcard stands for the left-most label alone."""
    if pattern.startswith("*."):
        return name.partition(".")[2] == pattern[2:]
    return name == pattern


def judge_tlsa(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """DANE: a record that fits no certificate of ours turns mail away (RFC 7672 §2.1, §8.1)."""
    name = f"_25._tcp.{facts.hostname}"
    seen = survey.view.best(name, Kind.TLSA)
    if seen.values is None:
        yield unknown(Aspect.TLSA, f"The TLSA records of {facts.hostname} could not be looked up.")
        return
    is_signed = survey.view.own(name, Kind.TLSA).dnssec is Dnssec.SECURE
    if not seen.values:
        yield note(
            Aspect.TLSA,
            f"{facts.hostname} has no TLSA record.",
            "Add one where DNSSEC signs the zone: DANE needs both.",
        )
        return
    digests = {key_digest(certificate) for certificate in facts.certificates}
    published = {value.lower().split()[-1] for value in seen.values if value.startswith(("3 1 1 ", "2 1 1 "))}
    if digests and not digests & published:
        yield error(
            Aspect.TLSA,
            f"No TLSA record of {facts.hostname} fits its certificate: who obeys DANE sends no mail.",
            "Replace them by those that `hongyan domain dns` prints.",
        )
    elif not is_signed:
        yield note(Aspect.TLSA, "The TLSA records are not signed, so nobody obeys them.", "Have the zone signed.")
    else:
        yield good(Aspect.TLSA, "The TLSA records fit the certificate.")


def judge_caa(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """CAA: the nearest records above the host allow our authority (RFC 8659 §3, §4.2)."""
    labels = facts.hostname.split(".")
    for start in range(len(labels) - 1):
        name = ".".join(labels[start:])
        values = survey.view.best(name, Kind.CAA).values
        if values is None:
            yield unknown(Aspect.CAA, f"The CAA records of {name} could not be looked up.")
            return
        if values:
            yield _judge_issuers(facts, name, values)
            return
    yield note(Aspect.CAA, f"Any authority may issue certificates for {facts.hostname}.", "Add a CAA record.")


def _judge_issuers(facts: DomainFacts, name: str, values: Sequence[str]) -> Finding:
    issuers = caa_issuers(values)
    if issuers and not issuers & set(facts.authorities):
        return error(
            Aspect.CAA,
            f"The CAA records of {name} allow none of our authorities: the certificate cannot be renewed.",
            f"Add 0 issue {' or '.join(facts.authorities)}, or set domains.authorities.",
        )
    return good(Aspect.CAA, f"The CAA records of {name} allow our authority.")


def caa_issuers(values: Iterable[str]) -> set[str]:
    """Return the names in `0 issue "ca.example; account=1"`; "" where nobody may issue."""
    words = (value.split(None, 2) for value in values)
    return {
        value.strip('"').partition(";")[0].strip().lower()
        for _, tag, value in (each for each in words if len(each) == 3)
        if tag.lower() == "issue"
    }


def judge_dns(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """The DNS itself: is it signed, do all show the same, are the times to live of use?"""
    domain = facts.domain.text
    seen = survey.view.own(domain, Kind.MX)
    if seen.dnssec is Dnssec.SECURE:
        yield good(Aspect.DNSSEC, f"DNSSEC signs {domain}.")
    else:
        yield note(
            Aspect.DNSSEC,
            f"DNSSEC does not vouch for {domain}, or our resolver does not check it.",
            "Have the zone signed, and ask a resolver on this machine that validates.",
        )
    asked = dict.fromkeys((record.name, record.kind) for record in wanted_records(facts) if record.kind is not Kind.PTR)
    for name, kind in asked:
        others = survey.view.disagreeing(name, kind)
        if others:
            sources = ", ".join(seen.source for seen in others)
            yield warning(
                Aspect.SERVERS,
                f"{name} {kind} is something else at {sources}.",
                "Wait until what they remember has ended; see that all name servers have the newest zone.",
            )
        yield from _judge_ttl(survey, name, kind)


def _judge_ttl(survey: Survey, name: str, kind: Kind) -> Iterator[Finding]:
    seen = survey.view.best(name, kind)
    if not seen.is_authoritative or not seen.values:
        return  # What a resolver tells is only what is left of it.
    if seen.ttl < _SHORT_TTL:
        yield note(Aspect.TTL, f"{name} {kind} is remembered for only {seen.ttl} seconds.", "An hour is a good TTL.")
    elif seen.ttl > _LONG_TTL:
        yield note(Aspect.TTL, f"{name} {kind} is remembered for {seen.ttl} seconds.", "An hour is a good TTL.")
