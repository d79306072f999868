"""How much one of our accounts gets in an hour, whoever brings it: a flood from everywhere fills no mailbox."""

from __future__ import annotations

__all__ = ["InflowCheck"]

from collections.abc import Sequence

from hongyan.limits.smtp_rates import ACCOUNT_RULE, SmtpRates
from hongyan.screening.examined import Examined
from hongyan.screening.verdict import Disposition, Finding
from hongyan.wire.smtp.replies import Reply


class InflowCheck:
    """`screening.examined.MessageCheck`. Mail of peers that are exempt is not counted."""

    name = "rate"

    def __init__(self, rates: SmtpRates) -> None:
        self._rates = rates

    async def judge(self, message: Examined) -> Sequence[Finding]:
        if self._rates.is_exempt(message.peer):
            return ()
        found = []
        for account in message.accounts:
            broken = await self._rates.take_account(account)
            if broken is not None:
                text = f"The recipient gets more mail than usual; try again in {broken.minutes}"
                found.append(
                    Finding(
                        check=self.name,
                        reason=ACCOUNT_RULE,
                        disposition=Disposition.DEFER,
                        text=text,
                        reply=Reply(450, "4.2.1", (text,)),  # RFC 3463 §3.3: the mailbox takes nothing just now
                        account=account,
                    )
                )
        return found

    def overdue(self) -> Sequence[Finding]:
        return ()
