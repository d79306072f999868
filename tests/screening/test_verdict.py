"""The verdict: the strictest finding decides, for everybody or for one account."""

from __future__ import annotations

import pytest

from hongyan.screening.verdict import Disposition, Finding, Verdict
from hongyan.types import AccountId
from hongyan.wire.smtp import replies

ANN, BEN = AccountId(1), AccountId(2)


def finding(disposition: Disposition, account: AccountId | None = None, check: str = "some") -> Finding:
    reply = replies.MESSAGE_MALFORMED if disposition.is_refusal else None
    return Finding(check=check, reason="why", disposition=disposition, text="why", reply=reply, account=account)


def test_without_findings_a_message_is_accepted() -> None:
    assert Verdict().disposition(ANN) is Disposition.ACCEPT
    assert Verdict().refusal([ANN]) is None


def test_the_strictest_finding_decides_and_of_equals_the_first() -> None:
    verdict = Verdict(
        (
            finding(Disposition.JUNK, check="first"),
            finding(Disposition.ACCEPT, check="mild"),
            finding(Disposition.JUNK, check="second"),
        )
    )
    decisive = verdict.decisive()
    assert decisive is not None
    assert decisive.check == "first"


def test_a_finding_of_one_account_counts_for_that_account_alone() -> None:
    verdict = Verdict((finding(Disposition.JUNK, ANN),))
    assert verdict.disposition(ANN) is Disposition.JUNK
    assert verdict.disposition(BEN) is Disposition.ACCEPT
    assert verdict.disposition() is Disposition.ACCEPT


def test_what_everybody_refuses_is_refused() -> None:
    assert Verdict((finding(Disposition.REJECT),)).refusal([ANN, BEN]) is replies.MESSAGE_MALFORMED
    assert Verdict((finding(Disposition.DEFER),)).refusal([]) is replies.MESSAGE_MALFORMED


def test_what_one_of_two_refuses_is_taken_and_goes_to_junk_there() -> None:
    verdict = Verdict((finding(Disposition.REJECT, ANN),))
    assert verdict.refusal([ANN]) is not None
    assert verdict.refusal([ANN, BEN]) is None
    assert verdict.disposition_of_copy(ANN) is Disposition.JUNK
    assert verdict.disposition_of_copy(BEN) is Disposition.ACCEPT


def test_what_all_accounts_refuse_is_refused_by_the_mildest() -> None:
    later = Finding(
        check="greylist",
        reason="first",
        disposition=Disposition.DEFER,
        text="x",
        reply=replies.SERVER_ERROR,
        account=BEN,
    )
    assert Verdict((finding(Disposition.REJECT, ANN), later)).refusal([ANN, BEN]) is replies.SERVER_ERROR


def test_a_refusal_without_a_reply_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="told why"):
        Finding(check="a", reason="b", disposition=Disposition.REJECT, text="c")
