"""What is made of a message's origin: the policy of DMARC, a fail of SPF, a From that nobody can answer. Pure.

A domain owner's policy is carried out (RFC 9989 §5.3), with three exceptions that keep honest mail alive: relays of
ours are not judged by what reached them, sealers whom the operator trusts may say that a message was sound when they
got it (RFC 8617 §7.2.1), and mail to postmaster alone goes to Junk instead of back, so that whoever is locked out can
say so (RFC 5321 §4.5.1).
"""

from __future__ import annotations

__all__ = ["OriginOptions", "judge_origin"]

from dataclasses import dataclass, replace
from typing import Literal

from hongyan.addresses import AddressFault, Domain
from hongyan.limits.networks import parse_networks
from hongyan.mailauth.arc import ArcResult, ArcStatus
from hongyan.mailauth.authentication import Authentication
from hongyan.mailauth.author import UnfitAuthor
from hongyan.mailauth.dkim import DkimStatus
from hongyan.mailauth.dmarc import DmarcResult, DmarcStatus, Policy
from hongyan.mailauth.spf import SpfResult
from hongyan.mailauth.spf_record import SpfStatus
from hongyan.message.authres import parse_authentication_results
from hongyan.options import option
from hongyan.screening.verdict import Disposition, Finding
from hongyan.wire.smtp.replies import Reply

_LONGEST = 400
"""Octets of a reply's text. The rest of a stranger's explanation is left out."""


@dataclass(frozen=True, slots=True)
class OriginOptions:
    """The section `[origin]`: who sent this?"""

    check: bool = option(True, "Check SPF, DKIM, ARC and DMARC of mail from other servers.")
    seconds: float = option(
        20.0, "How long DNS may be asked about one message (RFC 7208 §4.6.4: 20 at least).", unit="s"
    )
    dmarc: Literal["enforce", "junk", "note"] = option(
        "enforce", "What a failed DMARC policy leads to: as its owner wishes, Junk at most, or only a note."
    )
    spf_fail: Literal["reject", "junk", "note"] = option(
        "junk", "What a fail (-all) of SPF leads to, when neither DKIM nor DMARC vouches for the message."
    )
    trusted_networks: tuple[str, ...] = option(
        (), "Networks of relays of ours, such as a backup MX: SPF is not asked of them, and no policy is enforced."
    )
    trusted_sealers: tuple[str, ...] = option(
        (), "Domains of forwarders and lists whose ARC seals are believed when DMARC fails."
    )

    def __post_init__(self) -> None:
        if not 20 <= self.seconds <= 120:
            raise ValueError("seconds is between 20 and 120")
        parse_networks(self.trusted_networks)
        for sealer in self.trusted_sealers:
            try:
                Domain.parse(sealer)
            except AddressFault:
                raise ValueError(f"{sealer!r} among trusted_sealers is no domain") from None


def judge_origin(found: Authentication, options: OriginOptions, *, to_postmaster: bool = False) -> tuple[Finding, ...]:
    """Return what speaks against a message. `to_postmaster`: it is for nobody else."""
    findings = [one for one in (_judge_author(found), _judge_dmarc(found, options), _judge_spf(found, options)) if one]
    if to_postmaster:
        findings = [_milder(one) if one.check != "author" else one for one in findings]
    return tuple(findings)


def _judge_author(found: Authentication) -> Finding | None:
    authors = found.authors
    if not isinstance(authors, UnfitAuthor):
        return None
    reply = Reply(550, "5.7.1", (f"{authors.sentence} (RFC 5322, RFC 9989)",))
    return Finding(
        check="author",
        reason=authors.name.lower().replace("_", "-"),
        disposition=Disposition.REJECT,
        text=authors.sentence,
        reply=reply,
    )


def _judge_dmarc(found: Authentication, options: OriginOptions) -> Finding | None:
    dmarc = found.dmarc
    if dmarc is None or dmarc.status is not DmarcStatus.FAIL or dmarc.disposition is Policy.NONE:
        return None
    if _is_vouched_for(found.arc, dmarc, options):
        return Finding(
            check="dmarc",
            reason="trusted-sealer",
            disposition=Disposition.ACCEPT,
            text=f"DMARC fails for {dmarc.domain}, but a trusted sealer saw it pass",
        )
    text = f"DMARC: the policy of {dmarc.policy_domain or dmarc.domain} is {dmarc.disposition}"
    if options.dmarc == "note":
        return Finding(check="dmarc", reason="policy-noted", disposition=Disposition.ACCEPT, text=text)
    if dmarc.disposition is Policy.REJECT and options.dmarc == "enforce":
        sentence = f"Neither SPF nor DKIM vouches for {dmarc.domain}, and its DMARC policy refuses such mail"
        reply = Reply(550, "5.7.26", (sentence[:_LONGEST],))
        return Finding(check="dmarc", reason="policy-reject", disposition=Disposition.REJECT, text=text, reply=reply)
    return Finding(check="dmarc", reason="policy-quarantine", disposition=Disposition.JUNK, text=text)


def _is_vouched_for(arc: ArcResult | None, dmarc: DmarcResult, options: OriginOptions) -> bool:
    """Whether a chain of sealers that are all trusted says that DMARC passed when the first of them got the message."""
    if arc is None or arc.status is not ArcStatus.PASS or not options.trusted_sealers:
        return False
    trusted = {Domain.parse(sealer).text for sealer in options.trusted_sealers}
    if not trusted.issuperset(arc.domains):
        return False
    seen = parse_authentication_results(arc.hops[0].results)
    if seen is None:
        return False
    for result in seen.results:
        if result.method == "dmarc" and result.result == "pass":
            named = [item.value.lower() for item in result.properties if (item.ptype, item.name) == ("header", "from")]
            return named in ([], [dmarc.domain])
    return False


def _judge_spf(found: Authentication, options: OriginOptions) -> Finding | None:
    spf = found.spf
    if spf is None or spf.status is not SpfStatus.FAIL or options.spf_fail == "note":
        return None
    if found.dmarc is not None and found.dmarc.status is DmarcStatus.PASS:
        return None
    if any(signature.status is DkimStatus.PASS for signature in found.signatures):
        return None
    text = f"SPF: {spf.reason}"
    if options.spf_fail == "reject":
        reply = Reply(550, "5.7.23", (_explain(spf),))
        return Finding(check="spf", reason="fail", disposition=Disposition.REJECT, text=text, reply=reply)
    return Finding(check="spf", reason="fail", disposition=Disposition.JUNK, text=text)


def _explain(spf: SpfResult) -> str:
    sentence = f"SPF: {spf.reason}"
    if spf.explanation:
        sentence += f"; {spf.domain} explains: {spf.explanation}"  # RFC 7208 §6.2 wants it marked as theirs
    return sentence[:_LONGEST]


def _milder(finding: Finding) -> Finding:
    if finding.disposition is not Disposition.REJECT:
        return finding
    return replace(finding, disposition=Disposition.JUNK, reply=None)
