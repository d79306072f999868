"""What is to become of a message: single findings, and the verdict they make together. Pure.

Each check says what it found and what it would do (`Finding`); nobody acts on a finding by himself. The strictest
finding decides: for everybody, or for one account where the finding is that account's own.
"""

from __future__ import annotations

__all__ = ["Disposition", "Finding", "Verdict"]

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from hongyan.types import AccountId
from hongyan.wire.smtp.replies import Reply


class Disposition(IntEnum):
    """What is done with a message, from mild to strict."""

    ACCEPT = 0
    JUNK = 1
    """Taken, and filed in Junk."""
    QUARANTINE = 2
    """Taken, and held in the queue until an operator releases or drops it."""
    DEFER = 3
    """Refused for now (4xx)."""
    REJECT = 4
    """Refused for good (5xx)."""

    @property
    def is_refusal(self) -> bool:
        return self >= Disposition.DEFER


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check says."""

    check: str
    """Which check: "dmarc", "virus", "dnsbl" …; a word of logs, metrics and timelines."""
    reason: str
    """Why, as a word that stays the same from release to release: "policy-reject"."""
    disposition: Disposition
    text: str
    """One line of harmless ASCII for logs, timelines and comments: no stranger's words unless they were cleaned."""
    reply: Reply | None = None
    """What a refused sender is told."""
    account: AccountId | None = None
    """Whose finding it is; None: everybody's."""
    score: float = 0.0
    """How bad, where the check measures; shown, and summed by nobody but the check itself."""

    def __post_init__(self) -> None:
        if self.disposition.is_refusal and self.reply is None:
            raise ValueError("who is refused is told why")


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings about a message."""

    findings: tuple[Finding, ...] = ()

    def decisive(self, account: AccountId | None = None) -> Finding | None:
        """Return the strictest finding that counts for an account (None: those that count for everybody).

        Among equals the first one found decides.
        """
        return max(
            (one for one in self.findings if one.account is None or one.account == account),
            key=lambda one: one.disposition,
            default=None,
        )

    def disposition(self, account: AccountId | None = None) -> Disposition:
        """Return what is done with an account's copy."""
        finding = self.decisive(account)
        return Disposition.ACCEPT if finding is None else finding.disposition

    def refusal(self, accounts: Collection[AccountId]) -> Reply | None:
        """Return how the message is refused, or None if somebody gets it.

        There is one reply for all recipients. If only some accounts would refuse, their copies go to Junk
        (`disposition_of_copy`): a 250 that loses mail silently does not exist.
        """
        common = self.decisive()
        if common is not None and common.disposition.is_refusal:
            return common.reply
        if not accounts:
            return None
        refusing = [self.decisive(account) for account in accounts]
        if all(one is not None and one.disposition.is_refusal for one in refusing):
            mildest = min((one for one in refusing if one is not None), key=lambda one: one.disposition)
            return mildest.reply
        return None

    def disposition_of_copy(self, account: AccountId) -> Disposition:
        """Return what is done with an account's copy of a message that was not refused."""
        found = self.disposition(account)
        return Disposition.JUNK if found.is_refusal else found
