"""Addresses that are not written to because they bounced: listed, and let go."""

from __future__ import annotations

__all__ = ["suppression_operations"]

from collections.abc import Mapping

from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.errors import NotFound
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.store.suppressions import Suppression


def suppression_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on suppressions, by name."""
    group = _Suppressions(services)
    return {"suppression.list": group.list_all, "suppression.remove": group.remove}


class _Suppressions:
    def __init__(self, services: Services) -> None:
        self._suppressions = services.outgoing.suppressions
        self._accounts = services.directory.accounts

    async def list_all(self, caller: Caller, *, limit: int = 100) -> Document:  # noqa: ARG002
        """Return what is suppressed, the newest first."""
        return {"suppressions": [await self._shown(one) for one in await self._suppressions.list_suppressed(limit)]}

    async def remove(self, caller: Caller, *, address: str, account: str | None = None) -> Document:  # noqa: ARG002
        """Let an address be written to again, by one account or by all."""
        whose = None if account is None else (await self._accounts.get(Address.parse(account))).account_id
        removed = await self._suppressions.remove(Address.parse(address), whose, everywhere=account is None)
        if not removed:
            raise NotFound("That address is not suppressed.")
        return {"removed": removed}

    async def _shown(self, one: Suppression) -> Document:
        account = None if one.account is None else await self._accounts.find_by_id(one.account)
        return {
            "address": str(one.address),
            "account": None if account is None else str(account.address),
            "bounces": one.bounces,
            "since": one.since.isoformat(),
            "until": one.until.isoformat(),
            "status": one.status,
            "text": one.text,
        }
