"""Does it look like spam? The statistical filter asked about a message that comes in.

It only ever files in Junk, and says nothing before it has learnt enough. Its judgement is each account's own, for what
one takes for spam is another's newsletter. The reasons are the words that spoke for it: they stand in the finding, and
so in log and timeline. No field is added to the message: whoever writes a message could write that field too.
"""

from __future__ import annotations

__all__ = ["SpamCheck", "show_token"]

import asyncio
from collections.abc import Sequence
from typing import Final

from hongyan import telemetry
from hongyan.errors import ServerFault
from hongyan.screening.examined import Examined
from hongyan.screening.spam_filter import Judgement, SpamFilter
from hongyan.screening.tokens import Tokens, origin_tokens, read_tokens
from hongyan.screening.verdict import Disposition, Finding
from hongyan.types import AccountId

_NAME: Final = "spam"
_IN_A_THREAD: Final = 8 * 1024  # octets of a message whose words would keep the loop busy too long
_MOST_PERSONAL: Final = 100  # recipients of one message whose own tables are asked
_REASONS_TOLD: Final = 5
_KINDS: Final = {
    "a": "authentication",
    "c": "charset",
    "f": "sender",
    "m": "program",
    "n": "name",
    "r": "reply-to",
    "s": "subject",
    "t": "type",
    "u": "link",
    "x": "file",
}

log = telemetry.logger("spam")


class SpamCheck:
    """`screening.examined.MessageCheck`: asks the filter for each recipient."""

    def __init__(self, spam_filter: SpamFilter) -> None:
        self._filter = spam_filter

    @property
    def name(self) -> str:
        return _NAME

    async def judge(self, message: Examined) -> Sequence[Finding]:
        origin = origin_tokens(message.authentication)
        if len(message.octets) < _IN_A_THREAD:
            tokens = read_tokens(message.octets, origin, message.anatomy)
        else:
            tokens = await asyncio.to_thread(read_tokens, message.octets, origin, message.anatomy)
        try:
            findings = await self._ask(tokens, list(message.accounts))
        except ServerFault as fault:
            log.warning("not-judged", mid=message.mid, cause=fault.cause)
            return ()
        for found in findings:
            if found.disposition is Disposition.JUNK:
                account = None if found.account is None else int(found.account)
                log.info("looks-like-spam", mid=message.mid, account=account, why=found.text)
        return findings

    def overdue(self) -> Sequence[Finding]:
        return ()

    async def _ask(self, tokens: Tokens, accounts: Sequence[AccountId]) -> Sequence[Finding]:
        personal = [account for account in accounts[:_MOST_PERSONAL] if await self._filter.has_own(account)]
        common = await self._filter.judge(tokens)
        if not personal:
            return self._findings(common, None)
        found: list[Finding] = []
        for account in accounts:
            judgement = await self._filter.judge(tokens, account) if account in personal else common
            found += self._findings(judgement, account)
        return found

    def _findings(self, judgement: Judgement, account: AccountId | None) -> Sequence[Finding]:
        if not judgement.enough:
            return ()
        value = judgement.score.value
        is_junk = value >= self._filter.options.junk_from
        words = ", ".join(show_token(token) for token, _ in judgement.score.reasons[:_REASONS_TOLD])
        finding = Finding(
            check=_NAME,
            reason="looks-like-spam" if is_junk else "looks-wanted",
            disposition=Disposition.JUNK if is_junk else Disposition.ACCEPT,
            text=f"score {value:.2f}: {words}" if words else f"score {value:.2f}",
            account=account,
            score=value,
        )
        return (finding,)


def show_token(token: str, *, plain: bool = True) -> str:
    """Return a token for people, without what is not printable: `subject:winner`, `link:example.com`.

    With `plain` it is ASCII.

    >>> show_token("s:winner"), show_token("*no-date"), show_token("\u53d1\u7968")
    ('subject:winner', 'no-date', '\\\\u53d1\\\\u7968')
    """
    kind, colon, word = token.partition(":")
    if token.startswith("*"):
        token = token[1:]
    elif colon and kind in _KINDS:
        token = f"{_KINDS[kind]}:{word}"
    told = token.encode("ascii", "backslashreplace").decode() if plain else token
    return "".join(letter if letter.isprintable() and letter not in ",;" else "?" for letter in told)
