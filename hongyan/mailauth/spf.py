"""SPF: may this address send mail for that domain (RFC 7208, with RFC 8616 §4 for what is not ASCII)?

`check_mail_from` asks for the envelope sender, `check_helo` for the name in HELO. Neither raises for
what a stranger wrote or what the DNS does: each gives an `SpfResult` with one of the seven words of
RFC 7208 §2.6 and a reason.

A check costs what its `Inquiry` allows: so many terms and questions, and none after its deadline. How
long one question may take is up to the resolver.
"""

from __future__ import annotations

__all__ = [
    "MAX_EXPLANATION",
    "Inquiry",
    "SpfIdentity",
    "SpfLimits",
    "SpfResult",
    "SpfStatus",
    "check_helo",
    "check_host",
    "check_mail_from",
]

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address

from hongyan.addresses import Address, AddressFault, Domain
from hongyan.mailauth.resolver import IPAddress
from hongyan.mailauth.spf_evaluation import MAX_EXPLANATION, Evaluation
from hongyan.mailauth.spf_macros import is_askable
from hongyan.mailauth.spf_questions import Inquiry, SpfEnded, SpfLimits
from hongyan.mailauth.spf_record import SpfStatus, printable


class SpfIdentity(StrEnum):
    """Which name was checked: a word of Received-SPF (RFC 7208 §9.1), and after "smtp." one of RFC 8601 §2.7.2."""

    HELO = "helo"
    MAIL_FROM = "mailfrom"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfResult:
    """What a domain says of a client. Received-SPF and Authentication-Results can be written from it."""

    status: SpfStatus
    identity: SpfIdentity
    domain: str
    """Whose record was asked for, as A-labels; empty if the identity names no domain that can have one."""
    reason: str
    """One ASCII sentence part for a comment or a log, without parentheses, quotation marks and backslashes."""
    mechanism: str = ""
    """The term that matched, without its qualifier, made safe as the reason. Empty if none did: the "default"."""
    explanation: str = ""
    """What the domain tells those it rejects, after a fail. A stranger's words: printable ASCII, of bounded length."""
    lookups: int = 0
    """Terms that asked the DNS."""
    void_lookups: int = 0
    """Of these, terms that asked in vain."""


_REASONS = {
    SpfStatus.NONE: "{} has no SPF record",
    SpfStatus.NEUTRAL: "{} says nothing of this address",
    SpfStatus.PASS: "{} lets this address send",
    SpfStatus.FAIL: "{} does not let this address send",
    SpfStatus.SOFTFAIL: "{} does not expect this address to send",
}


async def check_mail_from(address: IPAddress, sender: Address | None, helo: str, inquiry: Inquiry) -> SpfResult:
    """Check the envelope sender. For the null reverse-path it is postmaster at the HELO name (RFC 7208 §2.4)."""
    if sender is None:
        return await check_host(address, helo, f"postmaster@{helo}", inquiry, helo=helo)
    domain = sender.domain.text
    return await check_host(address, domain, f"{sender.local_part}@{domain}", inquiry, helo=helo)


async def check_helo(address: IPAddress, helo: str, inquiry: Inquiry) -> SpfResult:
    """Check the name in HELO or EHLO (RFC 7208 §2.3)."""
    return await check_host(address, helo, f"postmaster@{helo}", inquiry, helo=helo, identity=SpfIdentity.HELO)


async def check_host(
    address: IPAddress,
    domain: str,
    sender: str,
    inquiry: Inquiry,
    *,
    helo: str = "unknown",
    identity: SpfIdentity = SpfIdentity.MAIL_FROM,
) -> SpfResult:
    """Ask what `domain` says of a client at `address` that sends as `sender` (RFC 7208 §4)."""
    name = _checkable(domain)
    if not name:
        reason = "the identity is no domain that can have a record"
        return SpfResult(status=SpfStatus.NONE, identity=identity, domain="", reason=reason)
    if isinstance(address, IPv6Address):
        # RFC 7208 §5: a mapped address is one of IPv4. The zone of a link-local one says nothing to the DNS.
        address = address.ipv4_mapped or IPv6Address(int(address))
    evaluation = Evaluation(address, sender, helo, inquiry)
    mechanism = explanation = ""
    try:
        found = await evaluation.evaluate(name)
    except SpfEnded as ended:
        status, reason = ended.status, ended.reason
    else:
        status, mechanism = found.status, found.mechanism
        reason = _REASONS[status].format(printable(found.domain))
        if status is SpfStatus.FAIL and inquiry.explains:
            explanation = await evaluation.explain(found)
    return SpfResult(
        status=status,
        identity=identity,
        domain=name,
        reason=reason,
        mechanism=mechanism,
        explanation=explanation,
        lookups=evaluation.questions.terms,
        void_lookups=evaluation.questions.voids,
    )


def _checkable(domain: str) -> str:
    """Return a domain as A-labels, or nothing for what has no record: a literal, a single label (RFC 7208 §4.3)."""
    try:
        parsed = Domain.parse(domain.removesuffix("."))
    except AddressFault:
        return ""
    return parsed.text if not parsed.is_literal and is_askable(parsed.text) else ""
