"""What is told to the owner of a domain about a message in its name: what was found, and what was done (RFC 9990).

A message that brings a report itself and passes is not told of: two servers would report on one another's reports for
ever.
"""

from __future__ import annotations

__all__ = ["DmarcEvaluations", "evaluate_arrival"]

from typing import Protocol

from hongyan.addresses import Address
from hongyan.inbound.checks import Examination
from hongyan.mailauth.dmarc import DmarcResult, DmarcStatus
from hongyan.mailauth.dmarc_record import Policy
from hongyan.mailauth.reports.aggregate import Applied, Override, OverrideType
from hongyan.mailauth.reports.evaluation import Evaluation, evaluate
from hongyan.mailauth.reports.mailed import looks_like_report
from hongyan.screening.verdict import Disposition, Finding, Verdict

_APPLIED = {
    Disposition.REJECT: Applied.REJECT,
    Disposition.QUARANTINE: Applied.QUARANTINE,
    Disposition.JUNK: Applied.QUARANTINE,
}


class DmarcEvaluations(Protocol):
    """Takes what is to be reported. It must not wait: it is called before the answer to the message."""

    def note(self, evaluation: Evaluation) -> None:
        """Take one message."""
        ...


def evaluate_arrival(
    found: Examination, peer: str, reverse_path: Address | None, header: bytes, *, refused: bool
) -> Evaluation | None:
    """Return what is to be reported of a message that came in; None, if nobody asked for it."""
    dmarc = found.authentication.dmarc
    if dmarc is None or dmarc.record is None or not dmarc.record.report_addresses:
        return None
    if dmarc.status is DmarcStatus.PASS and looks_like_report(header):
        return None
    applied, overrides = _applied(dmarc, found.verdict, refused=refused)
    return evaluate(found.authentication, peer, reverse_path, applied, overrides)


def _applied(dmarc: DmarcResult, verdict: Verdict, *, refused: bool) -> tuple[Applied, tuple[Override, ...]]:
    """Return what was done because of DMARC, and why it was not what the owner wants."""
    if dmarc.status is DmarcStatus.PASS:
        return (Applied.NONE if dmarc.policy is Policy.NONE else Applied.PASS), ()
    if dmarc.status is not DmarcStatus.FAIL:
        return Applied.NONE, ()
    finding = next((one for one in verdict.findings if one.check == "dmarc"), None)
    applied = Applied.NONE if finding is None else _APPLIED.get(finding.disposition, Applied.NONE)
    if applied is Applied.REJECT and not refused:
        applied = Applied.NONE
    if applied.value == dmarc.policy.value:
        return applied, ()
    return applied, (_override(dmarc, applied, finding),)


def _override(dmarc: DmarcResult, applied: Applied, finding: Finding | None) -> Override:
    if dmarc.disposition is not dmarc.policy and applied.value == dmarc.disposition.value:
        return Override(OverrideType.POLICY_TEST_MODE)
    if finding is not None and finding.reason == "trusted-sealer":
        return Override(OverrideType.TRUSTED_FORWARDER, "a trusted sealer saw it pass")
    return Override(OverrideType.LOCAL_POLICY)
