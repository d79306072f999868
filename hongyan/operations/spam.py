"""The spam filter: what it has learnt, teaching it, and why a message looks as it does. Messages travel as base64."""

from __future__ import annotations

__all__ = ["spam_operations"]

import asyncio
import base64
import binascii
from collections.abc import Mapping

from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.errors import NotFound, Refused
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.screening.spam import show_token
from hongyan.screening.spam_filter import Vote
from hongyan.screening.tokens import Tokens, read_tokens
from hongyan.types import AccountId

_MOST_ACCOUNTS = 100  # that are listed


def spam_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on the spam filter, by name."""
    group = _Spam(services)
    return {
        "spam.status": group.status,
        "spam.train": group.train,
        "spam.forget": group.forget,
        "spam.explain": group.explain,
    }


class _Spam:
    def __init__(self, services: Services) -> None:
        self._filter = services.screening.spam
        self._store = services.screening.spam_store
        self._consumers = services.screening.consumers
        self._accounts = services.directory.accounts

    async def status(self, caller: Caller) -> Document:  # noqa: ARG002
        """Tell what the server and the accounts have learnt, and from which score on mail is junk."""
        counts = await self._filter.server_counts()
        options = self._filter.options
        accounts = []
        for one in await self._store.list_trained(limit=_MOST_ACCOUNTS):
            account = await self._accounts.find_by_id(one.account)
            if account is not None:
                accounts.append({"address": str(account.address), "ham": one.ham, "spam": one.spam})
        return {
            "enabled": options.enabled,
            "junk_from": options.junk_from,
            "least_ham": options.least_ham,
            "least_spam": options.least_spam,
            "ham": counts.ham,
            "spam": counts.spam,
            "places_used": await asyncio.to_thread(lambda: counts.used),
            "accounts": accounts,
            "waiting": self._consumers.waiting,
        }

    async def train(self, caller: Caller, *, messages: list[str], spam: bool) -> Document:  # noqa: ARG002
        """Teach the server's table messages that are wanted or not, each once; it counts for all accounts."""
        votes = [Vote(await _tokens(message), spam) for message in messages]
        return {"learnt": await self._filter.train(votes)}

    async def forget(self, caller: Caller, *, address: str, dry_run: bool = False) -> Document:  # noqa: ARG002
        """Forget what an account has taught its own filter."""
        account = await self._account(address)
        if not await self._filter.has_own(account):
            raise NotFound("That account has taught the filter nothing.")
        if dry_run:
            return {"dry_run": True}
        await self._filter.forget(account)
        return {"forgotten": address}

    async def explain(self, caller: Caller, *, message: str, address: str | None = None) -> Document:  # noqa: ARG002
        """Judge a message, for an account or for the server as a whole, and say by which words."""
        account = None if address is None else await self._account(address)
        judgement = await self._filter.judge(await _tokens(message), account)
        value = judgement.score.value
        return {
            "score": round(value, 4),
            "enough": judgement.enough,
            "junk": judgement.enough and value >= self._filter.options.junk_from,
            "junk_from": self._filter.options.junk_from,
            "reasons": [
                {"word": show_token(token, plain=False), "belief": round(belief, 4)}
                for token, belief in judgement.score.reasons
            ],
        }

    async def _account(self, address: str) -> AccountId:
        return (await self._accounts.get(Address.parse(address))).account_id


async def _tokens(message: str) -> Tokens:
    try:
        octets = base64.b64decode(message, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("A message travels as base64.") from None
    return await asyncio.to_thread(read_tokens, octets)
