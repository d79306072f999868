"""DMARC: is the domain that readers see in From vouched for by SPF or DKIM, and if not, what does its owner want?

RFC 9989. Nothing is raised: a message has one `DmarcResult` for each domain of its authors, and the worst counts
(§11.5). A question that DNS could not answer never makes mail fail (§5.3.6). Strangers decide how many questions are
asked, so they are few: eight for a domain, what several share is asked once, and a domain that cannot be aligned
with the author's is not looked up at all.
"""

from __future__ import annotations

__all__ = ["AlignmentMode", "DmarcResult", "DmarcStatus", "Identifiers", "Mechanism", "Policy", "check_dmarc"]

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hongyan.addresses import Domain
from hongyan.mailauth.dkim import DkimResult, DkimStatus
from hongyan.mailauth.dmarc_record import AlignmentMode, DmarcRecord, Policy, Psd
from hongyan.mailauth.dmarc_tree import DmarcTree, Node, organizational_domain
from hongyan.mailauth.resolver import DnsTemporary, Resolver


class DmarcStatus(StrEnum):
    """The words of RFC 9989 §9.2."""

    NONE = "none"
    """No policy is published for the domain."""
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    TEMPERROR = "temperror"
    """The DNS could not say; later it may."""
    PERMERROR = "permerror"
    """The policy published cannot be read."""


class Mechanism(StrEnum):
    """What vouches for a domain."""

    SPF = "spf"
    DKIM = "dkim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifiers:
    """The domains that vouch for a message, and those of which nobody could say whether they do.

    SPF speaks of the domain of MAIL FROM, never of what HELO named alone (RFC 9989 §4.4.2).
    """

    spf: str | None = None
    """MAIL FROM's domain, where SPF passed."""
    spf_unsure: str | None = None
    """MAIL FROM's domain, where SPF ended in temperror."""
    dkim: tuple[str, ...] = ()
    """The domains whose signatures passed."""
    dkim_unsure: tuple[str, ...] = ()
    """The domains whose signatures ended in temperror."""

    @staticmethod
    def of(
        spf_domain: str | None, signatures: Iterable[DkimResult], *, spf_unsure_domain: str | None = None
    ) -> Identifiers:
        """Pick what counts out of the results of SPF and DKIM."""
        dkim: dict[DkimStatus, dict[str, None]] = {DkimStatus.PASS: {}, DkimStatus.TEMPERROR: {}}
        for signature in signatures:
            if signature.status in dkim and signature.domain:
                dkim[signature.status][signature.domain.lower()] = None
        return Identifiers(
            spf=spf_domain.lower() if spf_domain else None,
            spf_unsure=spf_unsure_domain.lower() if spf_unsure_domain else None,
            dkim=tuple(dkim[DkimStatus.PASS]),
            dkim_unsure=tuple(dkim[DkimStatus.TEMPERROR]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcResult:
    """What DMARC says of one author's domain."""

    status: DmarcStatus
    reason: str
    """One ASCII sentence part for the comment of Authentication-Results."""
    domain: str
    """The author's domain, as A-labels; empty where the message named none."""
    policy: Policy = Policy.NONE
    """What the owner has published for this domain."""
    disposition: Policy = Policy.NONE
    """What is to be done: the policy if the message fails, one milder if the owner is testing, else nothing."""
    policy_domain: str = ""
    """Where the policy is published: the author's domain, the organizational one, or a public suffix."""
    organizational_domain: str = ""
    """Empty where DNS did not say and it did not matter."""
    record: DmarcRecord | None = None
    aligned_by: tuple[Mechanism, ...] = ()

    @property
    def badness(self) -> int:
        """Orders results from good to bad: what fails by its policy, then what could not be decided, then the rest."""
        match self.status:
            case DmarcStatus.PASS:
                return 0
            case DmarcStatus.NONE:
                return 1
            case DmarcStatus.FAIL if self.disposition is Policy.NONE:
                return 2
            case DmarcStatus.PERMERROR:
                return 3
            case DmarcStatus.TEMPERROR:
                return 4
            case DmarcStatus.FAIL:
                return 4 + self.disposition.strictness


@dataclass(frozen=True, slots=True)
class _Found:
    """The policy that applies to a domain (RFC 9989 §4.10.1)."""

    node: Node
    nodes: tuple[Node, ...] | None
    """What the walk from the author's domain found; None where DNS did not say all of it."""


async def check_dmarc(authors: Sequence[Domain], identifiers: Identifiers, resolver: Resolver) -> DmarcResult:
    """Return the worst result among the domains of a message's authors (RFC 9989 §11.5).

    `author.read_author` finds them; it refuses messages that name none, or too many.
    """
    tree = DmarcTree(resolver)
    results = [await _check(author.text, identifiers, tree) for author in dict.fromkeys(authors)]
    if not results:
        return DmarcResult(status=DmarcStatus.NONE, reason="no author domain", domain="")
    return max(results, key=lambda result: result.badness)


async def _check(author: str, identifiers: Identifiers, tree: DmarcTree) -> DmarcResult:
    result = DmarcResult(status=DmarcStatus.NONE, reason="no policy published", domain=author)
    if author.startswith("["):
        return replace(result, reason="an address literal has no policy")
    try:
        found = await _find_policy(author, tree)
    except DnsTemporary:
        return replace(result, status=DmarcStatus.TEMPERROR, reason="policy unavailable")
    if found is None:
        return replace(result, organizational_domain=author)
    domain, record = found.node
    organization = "" if found.nodes is None else organizational_domain(author, found.nodes)
    result = replace(result, policy_domain=domain, organizational_domain=organization, record=record)
    if not record.is_usable:
        return replace(result, status=DmarcStatus.PERMERROR, reason="the policy cannot be read")
    return await _apply(result, record, identifiers, tree)


async def _find_policy(author: str, tree: DmarcTree) -> _Found | None:
    """Return the record of the author's domain, of its organization, or of the public suffix, in this order.

    Raises `DnsTemporary` where it takes more of the tree than the DNS tells.
    """
    own = await tree.record(author)
    try:
        nodes = await tree.walk(author)
    except DnsTemporary:
        if own is None:
            raise
        return _Found(Node(author, own), None)
    if own is not None:
        return _Found(Node(author, own), tuple(nodes))
    organization = organizational_domain(author, nodes)
    for node in nodes:
        if node.domain == organization or node.record.psd is Psd.YES:
            return _Found(node, tuple(nodes))
    return None


async def _apply(result: DmarcResult, record: DmarcRecord, identifiers: Identifiers, tree: DmarcTree) -> DmarcResult:
    """Decide, now that a policy is known: pass, fail, or not to be said."""
    alignment = _Alignment(result.domain, result.organizational_domain, tree)
    aligned: list[Mechanism] = []
    if await alignment.any((identifiers.spf,), record.spf_alignment):
        aligned.append(Mechanism.SPF)
    if await alignment.any(identifiers.dkim, record.dkim_alignment):
        aligned.append(Mechanism.DKIM)
    try:
        policy = await _published_policy(result, record, tree)
    except DnsTemporary:
        # Whether np= or sp= applies. The stricter is not guessed.
        policy = None
    result = replace(result, policy=policy or Policy.NONE)
    if aligned:
        reason = "aligned by " + " and ".join(mechanism.name for mechanism in aligned)
        return replace(result, status=DmarcStatus.PASS, reason=reason, aligned_by=tuple(aligned))
    if policy is None or alignment.is_unsure:
        return replace(result, status=DmarcStatus.TEMPERROR, reason="a domain could not be looked up")
    if await alignment.any((identifiers.spf_unsure,), record.spf_alignment) or alignment.is_unsure:
        return replace(result, status=DmarcStatus.TEMPERROR, reason="SPF could not be checked")
    if await alignment.any(identifiers.dkim_unsure, record.dkim_alignment) or alignment.is_unsure:
        return replace(result, status=DmarcStatus.TEMPERROR, reason="a signature could not be checked")
    disposition = policy.milder if record.testing else policy
    vouched = identifiers.spf is not None or identifiers.dkim
    reason = "no aligned domain" if vouched else "neither SPF nor DKIM passed"
    return replace(result, status=DmarcStatus.FAIL, reason=reason, disposition=disposition)


async def _published_policy(result: DmarcResult, record: DmarcRecord, tree: DmarcTree) -> Policy:
    """Return p=, sp= or np=. Raises `DnsTemporary` where that depends on whether the domain exists."""
    below = result.policy_domain != result.domain
    existing = record.policy_for(below=below, exists=True)
    missing = record.policy_for(below=below, exists=False)
    if existing is missing:
        return existing
    return existing if await tree.exists(result.domain) else missing


class _Alignment:
    """Compares domains with the author's (RFC 9989 §4.10.2)."""

    __slots__ = ("_author", "_organization", "_tree", "is_unsure")

    def __init__(self, author: str, organization: str, tree: DmarcTree) -> None:
        self._author = author
        self._organization = organization
        self._tree = tree
        self.is_unsure = False
        """A domain might be aligned, and the DNS did not say."""

    async def any(self, domains: Iterable[str | None], mode: AlignmentMode) -> bool:
        """Say whether one of the domains is aligned."""
        candidates = [domain for domain in domains if domain]
        if self._author in candidates:
            return True
        if mode is AlignmentMode.STRICT:
            return False
        for domain in candidates:
            if await self._has_same_organization(domain):
                return True
        return False

    async def _has_same_organization(self, domain: str) -> bool:
        if not self._organization:
            # The walk from the author's domain failed. Only domains under one top can belong together.
            self.is_unsure |= domain.rpartition(".")[2] == self._author.rpartition(".")[2]
            return False
        # An organizational domain is the domain itself or one above it: others need no look-up.
        if domain != self._organization and not domain.endswith(f".{self._organization}"):
            return False
        try:
            return await self._tree.organizational_domain(domain) == self._organization
        except DnsTemporary:
            self.is_unsure = True
            return False
