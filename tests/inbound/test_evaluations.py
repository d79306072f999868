"""What the owner of a domain is told of a message: what was found, what was done, and why it was not what he wants."""

from __future__ import annotations

import pytest

from hongyan.addresses import Address, Domain
from hongyan.inbound.checks import Examination
from hongyan.inbound.evaluations import evaluate_arrival
from hongyan.mailauth.authentication import Authentication
from hongyan.mailauth.dkim import DkimResult, DkimStatus
from hongyan.mailauth.dmarc import DmarcResult, DmarcStatus, Mechanism
from hongyan.mailauth.dmarc_record import Policy, parse_dmarc_record
from hongyan.mailauth.reports.aggregate import Applied, OverrideType
from hongyan.mailauth.reports.evaluation import Evaluation
from hongyan.screening.verdict import Disposition, Finding, Verdict
from hongyan.wire.smtp.replies import Reply

HEADER = b"From: a@geese.test\r\nSubject: Hello\r\n\r\n"
REFUSAL = Reply(550, "5.7.26", ("no",))


def evaluate(
    status: DmarcStatus,
    record: str = "p=reject",
    *,
    found: Disposition | None = None,
    reason: str = "policy-reject",
    disposition: Policy = Policy.REJECT,
    refused: bool = False,
    header: bytes = HEADER,
    sender: str | None = "x@mail.geese.test",
    rua: str = "mailto:r@geese.test",
    signatures: tuple[DkimResult, ...] = (),
) -> Evaluation | None:
    policy = parse_dmarc_record(f"v=DMARC1; {record}{f'; rua={rua}' if rua else ''}".encode())
    assert policy is not None
    dmarc = DmarcResult(
        status=status,
        reason="",
        domain="geese.test",
        policy=policy.policy,
        disposition=disposition,
        policy_domain="geese.test",
        organizational_domain="geese.test",
        record=policy,
        aligned_by=(Mechanism.DKIM,) if status is DmarcStatus.PASS else (),
    )
    findings = ()
    if found is not None:
        reply = REFUSAL if found is Disposition.REJECT else None
        findings = (Finding(check="dmarc", reason=reason, disposition=found, text="", reply=reply),)
    authentication = Authentication(authors=(Domain("geese.test"),), dmarc=dmarc, signatures=signatures)
    examination = Examination(authentication, Verdict(findings), b"", ())
    address = None if sender is None else Address.parse(sender)
    return evaluate_arrival(examination, "192.0.2.1", address, header, refused=refused)


def told(evaluation: Evaluation | None) -> tuple[Applied, list[OverrideType]]:
    assert evaluation is not None
    return evaluation.row.applied, [one.type for one in evaluation.row.overrides]


def test_a_refused_forgery_is_told_as_the_policy_wants_it() -> None:
    assert told(evaluate(DmarcStatus.FAIL, found=Disposition.REJECT, refused=True)) == (Applied.REJECT, [])


def test_a_message_that_passes_is_told_too() -> None:
    evaluation = evaluate(DmarcStatus.PASS)
    assert told(evaluation) == (Applied.PASS, [])
    assert evaluation is not None
    assert (evaluation.row.dkim_aligned, evaluation.row.spf_aligned) == (True, False)
    assert told(evaluate(DmarcStatus.PASS, "p=none")) == (Applied.NONE, [])


@pytest.mark.parametrize(
    ("found", "reason", "override"),
    [
        (Disposition.ACCEPT, "trusted-sealer", OverrideType.TRUSTED_FORWARDER),
        (Disposition.ACCEPT, "policy-noted", OverrideType.LOCAL_POLICY),
        (None, "", OverrideType.LOCAL_POLICY),
    ],
)
def test_who_did_not_follow_the_policy_says_why(found: Disposition | None, reason: str, override: OverrideType) -> None:
    assert told(evaluate(DmarcStatus.FAIL, found=found, reason=reason)) == (Applied.NONE, [override])


def test_junk_in_the_place_of_a_refusal_is_told_with_the_reason() -> None:
    expected = (Applied.QUARANTINE, [OverrideType.LOCAL_POLICY])
    assert told(evaluate(DmarcStatus.FAIL, found=Disposition.JUNK)) == expected


def test_a_policy_that_is_being_tried_is_named_as_the_reason() -> None:
    tried = evaluate(DmarcStatus.FAIL, "p=reject; t=y", found=Disposition.JUNK, disposition=Policy.QUARANTINE)
    assert told(tried) == (Applied.QUARANTINE, [OverrideType.POLICY_TEST_MODE])


def test_who_asks_for_no_report_is_not_counted() -> None:
    assert evaluate(DmarcStatus.FAIL, rua="") is None


def test_the_null_reverse_path_is_told_as_empty() -> None:
    evaluation = evaluate(DmarcStatus.FAIL, sender=None)
    assert evaluation is not None
    assert evaluation.row.envelope_from == ""


def test_a_report_that_passes_is_not_counted_and_a_forged_one_is() -> None:
    header = b"From: a@geese.test\r\nSubject: Report Domain: x.test Submitter: geese.test\r\n\r\n"
    assert evaluate(DmarcStatus.PASS, header=header) is None
    assert evaluate(DmarcStatus.FAIL, header=header) is not None


def test_the_signatures_that_say_most_come_first_and_are_bounded() -> None:
    failed = [DkimResult(status=DkimStatus.FAIL, reason="", domain=f"{n}.test", selector="s") for n in range(50)]
    passed = DkimResult(status=DkimStatus.PASS, reason="", domain="list.test", selector="l")
    own = DkimResult(status=DkimStatus.PASS, reason="", domain="Geese.test", selector="g")
    evaluation = evaluate(DmarcStatus.PASS, signatures=(*failed, passed, own))
    assert evaluation is not None
    assert [one.domain for one in evaluation.row.dkim[:2]] == ["geese.test", "list.test"]
    assert len(evaluation.row.dkim) == 10
