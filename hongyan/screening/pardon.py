"""Known good senders pass every check but that for viruses: findings do not count for accounts that know the sender."""

from __future__ import annotations

__all__ = ["Pardoned", "pardon"]

from collections.abc import Collection, Sequence
from dataclasses import replace

from hongyan.screening.examined import Examined, MessageCheck
from hongyan.screening.reputation import Reputation, Standing, sender_of
from hongyan.screening.verdict import Finding
from hongyan.types import AccountId


class Pardoned:
    """A check whose findings are left out for accounts that know the sender as good."""

    def __init__(self, check: MessageCheck, reputation: Reputation) -> None:
        self._check = check
        self._reputation = reputation

    @property
    def name(self) -> str:
        return self._check.name

    async def judge(self, message: Examined) -> Sequence[Finding]:
        findings = await self._check.judge(message)
        if not findings:
            return findings
        sender = sender_of(message.peer, message.reverse_path, message.authentication)
        friends = set()
        for account in message.accounts:
            opinion = await self._reputation.opinion(account, sender)
            if opinion.standing is Standing.GOOD and opinion.is_personal:
                friends.add(account)
        return pardon(findings, message.accounts, friends)

    def overdue(self) -> Sequence[Finding]:
        return self._check.overdue()


def pardon(
    findings: Sequence[Finding], accounts: Collection[AccountId], friends: Collection[AccountId]
) -> Sequence[Finding]:
    """Return the findings that are left. Pure. What counted for everybody counts for each account that is no friend."""
    if not friends:
        return findings
    others = [account for account in accounts if account not in friends]
    left: list[Finding] = []
    for finding in findings:
        if finding.account is None:
            left.extend(replace(finding, account=account) for account in others)
        elif finding.account not in friends:
            left.append(finding)
    return left
