"""What we found out about a message's origin, in the words of Authentication-Results (RFC 8601, RFC 8617 §7)."""

from __future__ import annotations

__all__ = ["describe_origin"]

from collections.abc import Iterator

from hongyan.addresses import Address
from hongyan.mailauth.arc import ArcResult, ArcStatus
from hongyan.mailauth.authentication import Authentication
from hongyan.mailauth.dkim import DkimResult
from hongyan.mailauth.dmarc import DmarcStatus
from hongyan.mailauth.spf_record import SpfStatus
from hongyan.message.authres import (
    AuthenticationResults,
    MethodResult,
    Property,
    dkim_result,
    dmarc_result,
    spf_result,
)


def describe_origin(
    authserv_id: str, found: Authentication, *, sender: Address | None, helo: str
) -> AuthenticationResults:
    """Return what Authentication-Results says. `sender` is the reverse-path, None the null one."""
    return AuthenticationResults(authserv_id, tuple(_results(found, sender, helo)))


def _results(found: Authentication, sender: Address | None, helo: str) -> Iterator[MethodResult]:
    if (spf := found.spf) is not None:
        mail_from = "" if sender is None else str(sender)
        yield spf_result(spf.status, mail_from=mail_from, helo="" if mail_from else helo, comment=spf.reason)
    if (spf := found.helo) is not None and spf.status is not SpfStatus.NONE:
        yield spf_result(spf.status, helo=helo, comment=spf.reason)
    for signature in found.signatures:
        yield _dkim(signature)
    if not found.signatures:
        yield dkim_result("none")
    if (arc := found.arc) is not None and arc.status is not ArcStatus.NONE:
        yield _arc(arc)
    if (dmarc := found.dmarc) is not None:
        policy = dmarc.policy if dmarc.status is DmarcStatus.FAIL else ""
        yield dmarc_result(dmarc.status, domain=dmarc.domain, policy=policy, comment=dmarc.reason)


def _dkim(signature: DkimResult) -> MethodResult:
    return dkim_result(
        signature.status,
        domain=signature.domain,
        identity=signature.identity,
        selector=signature.selector,
        algorithm=signature.algorithm,
        signature_start=signature.signature_start,
        comment=signature.reason,
    )


def _arc(arc: ArcResult) -> MethodResult:
    properties: tuple[Property, ...] = ()
    if arc.status is ArcStatus.PASS:
        properties = (Property("header", "oldest-pass", str(arc.oldest_pass)),)
    comment = arc.reason or ", ".join(arc.domains)[:200]
    return MethodResult(method="arc", result=arc.status, comment=comment, properties=properties)
