"""Known good senders pass: findings do not count for accounts that know the sender."""

from __future__ import annotations

from hongyan.screening.pardon import pardon
from hongyan.screening.verdict import Disposition, Finding
from hongyan.types import AccountId

ANN, BEN = AccountId(1), AccountId(2)


def finding(account: AccountId | None = None) -> Finding:
    return Finding(check="spam", reason="score", disposition=Disposition.JUNK, text="spam", account=account)


def test_without_friends_nothing_changes() -> None:
    findings = (finding(), finding(ANN))
    assert pardon(findings, [ANN, BEN], set()) is findings


def test_what_counted_for_everybody_counts_for_those_who_do_not_know_the_sender() -> None:
    assert pardon([finding()], [ANN, BEN], {ANN}) == [finding(BEN)]
    assert pardon([finding()], [ANN, BEN], {ANN, BEN}) == []


def test_a_friends_own_finding_is_left_out_and_that_of_another_stays() -> None:
    assert pardon([finding(ANN), finding(BEN)], [ANN, BEN], {ANN}) == [finding(BEN)]
