"""Judges what tells others that mail is really a domain's: SPF, DKIM, DMARC."""

from __future__ import annotations

__all__ = ["judge_dkim", "judge_dmarc", "judge_spf"]

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from hongyan.domains.dkim_keys import DkimRecord
from hongyan.domains.dns_records import DomainFacts, Kind
from hongyan.domains.findings import Aspect, Finding, Severity, error, good, note, unknown, warning
from hongyan.domains.survey import Survey
from hongyan.mailauth.dkim_record import KeyFault, KeyRecord, parse_key_record
from hongyan.mailauth.dmarc_record import DmarcRecord, Policy, parse_dmarc_record
from hongyan.mailauth.spf_record import SpfStatus, is_spf_record
from hongyan.mailauth.tags import TagListFault

_GOOD_RSA_BITS = 2048
_MIN_RSA_BITS = 1024
_MANY_TERMS = 8
_MAX_TERMS = 10
_USABLE = (Severity.GOOD, Severity.NOTE, Severity.WARNING)


def judge_spf(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """SPF: one record, within its limits, that allows each of our addresses and not everybody (RFC 7208)."""
    domain = facts.domain.text
    values = survey.view.best(domain, Kind.TXT).values
    if values is None:
        yield unknown(Aspect.SPF, f"The SPF record of {domain} could not be looked up.")
        return
    records = [value for value in values if is_spf_record(value.encode())]
    if not records:
        yield error(Aspect.SPF, f"{domain} has no SPF record.", "Add the record that `hongyan domain dns` prints.")
        return
    if len(records) > 1:  # RFC 7208 §4.5
        yield error(Aspect.SPF, f"{domain} has {len(records)} SPF records, and none counts.", "Join them to one.")
        return
    faults = [*_everybody(records[0]), *_coverage(survey)]
    yield from faults
    if not faults:
        yield good(Aspect.SPF, f"The SPF record of {domain} allows our addresses.")


def _everybody(record: str) -> Iterator[Finding]:
    terms = record.lower().split()[1:]
    if {"all", "+all"} & set(terms):
        yield error(Aspect.SPF, "The SPF record allows everybody.", "Let it end with -all or ~all.")
    elif not any(term in ("-all", "~all") or term.startswith("redirect=") for term in terms):
        yield warning(Aspect.SPF, "The SPF record forbids nobody.", "Let it end with -all or ~all.")


def _coverage(survey: Survey) -> Iterator[Finding]:
    """Each address that mail leaves from passes; what is wrong with the record itself is told once."""
    told = set()
    for address, result in survey.spf.items():
        match result.status:
            case SpfStatus.PASS:
                if result.lookups >= _MANY_TERMS:
                    told.add(
                        note(
                            Aspect.SPF,
                            f"The SPF record takes {result.lookups} of {_MAX_TERMS} look-ups.",
                            "Leave out what is no longer used: beyond ten the record is void.",
                        )
                    )
            case SpfStatus.TEMPERROR:
                told.add(unknown(Aspect.SPF, f"The SPF record could not be followed: {result.reason}."))
            case SpfStatus.PERMERROR:
                told.add(
                    error(
                        Aspect.SPF,
                        f"The SPF record is void: {result.reason}.",
                        "Mend it; at most ten of its terms may ask the DNS.",
                    )
                )
            case _:
                told.add(
                    error(
                        Aspect.SPF,
                        f"The SPF record does not allow {address}, from which mail leaves.",
                        f"Add ip{address.version}:{address} to it, or mx.",
                    )
                )
    yield from sorted(told, key=lambda finding: finding.sentence)


def judge_dkim(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """DKIM: each key that signs is published as it is; others only await or leave their turn (RFC 6376 §3.6)."""
    if not facts.dkim:
        yield error(Aspect.DKIM, f"No DKIM key signs for {facts.domain}.", "Make one: `hongyan domain rotate` does so.")
        return
    judged = [_judge_key(record, survey) for record in facts.dkim]
    has_good = any(finding.severity in _USABLE for finding in judged)
    for finding in judged:
        if has_good and finding.severity is Severity.ERROR:
            # One signature that holds is enough: of two keys one may be missing.
            yield warning(finding.aspect, finding.sentence, finding.remedy)
        else:
            yield finding
    for record in facts.dkim_next:
        finding = _judge_key(record, survey)
        if finding.severity is Severity.ERROR:
            yield note(Aspect.DKIM, f"The next DKIM key {record.name} is not published yet.", "Add the record.")


def _judge_key(record: DkimRecord, survey: Survey) -> Finding:
    name = record.name
    values = survey.view.best(name, Kind.TXT).values
    if values is None:
        return unknown(Aspect.DKIM, f"The DKIM record {name} could not be looked up.")
    fault = ""
    for value in values:
        try:
            found = parse_key_record(value.encode())
        except KeyFault as reason:
            fault = reason.cause
        except TagListFault:
            continue
        else:
            return _judge_found(record, found)
    if fault == "key revoked":
        return error(Aspect.DKIM, f"The DKIM key {name} is revoked.", "Replace the record by the one wanted.")
    if fault:
        return error(Aspect.DKIM, f"The DKIM record {name} is of no use: {fault}.", "Replace the record.")
    return error(Aspect.DKIM, f"The DKIM record {name} is missing.", "Add the record that `hongyan domain dns` prints.")


def _judge_found(record: DkimRecord, found: KeyRecord) -> Finding:
    name = record.name
    if found.public != parse_key_record(record.text.encode()).public:
        return error(Aspect.DKIM, f"The DKIM record {name} holds another key.", "Replace the record.")
    bits = found.public.key_size if isinstance(found.public, RSAPublicKey) else _GOOD_RSA_BITS
    if bits < _MIN_RSA_BITS:  # RFC 8301 §3.2
        return error(Aspect.DKIM, f"The DKIM key {name} has only {bits} bits.", "Rotate it: `hongyan domain rotate`.")
    if bits < _GOOD_RSA_BITS:
        return warning(Aspect.DKIM, f"The DKIM key {name} has only {bits} bits.", "Rotate it: `hongyan domain rotate`.")
    if found.testing:
        return warning(Aspect.DKIM, f"The DKIM record {name} says that it is a test.", "Take t=y out of it.")
    return good(Aspect.DKIM, f"The DKIM key {name} is published.")


def judge_dmarc(facts: DomainFacts, survey: Survey) -> Iterator[Finding]:
    """DMARC: one record with a policy, and somebody who hears of it (RFC 9989 §4.7)."""
    domain = facts.domain.text
    values = survey.view.best(f"_dmarc.{domain}", Kind.TXT).values
    if values is None:
        yield unknown(Aspect.DMARC, f"The DMARC record of {domain} could not be looked up.")
        return
    records = [record for record in (parse_dmarc_record(value.encode()) for value in values) if record is not None]
    if not records:
        yield error(Aspect.DMARC, f"{domain} has no DMARC record.", "Add the record that `hongyan domain dns` prints.")
    elif len(records) > 1:
        yield error(Aspect.DMARC, f"{domain} has {len(records)} DMARC records, and none counts.", "Leave one.")
    else:
        yield from _judge_policy(domain, records[0])


def _judge_policy(domain: str, record: DmarcRecord) -> Iterator[Finding]:
    if not record.is_usable:
        yield error(
            Aspect.DMARC, f"The DMARC record of {domain} has no policy that can be read.", "Replace the record."
        )
        return
    if not record.report_addresses:
        yield note(Aspect.DMARC, "Nobody is sent DMARC reports.", "Add rua=mailto: with an address of yours.")
    if record.policy is Policy.NONE or record.testing:
        yield warning(
            Aspect.DMARC,
            f"The DMARC policy of {domain} forbids nothing.",
            "Make it p=quarantine, and p=reject when all goes well.",
        )
    else:
        yield good(Aspect.DMARC, f"The DMARC policy of {domain} is {record.policy.value}.")
