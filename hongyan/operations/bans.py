"""Bans: who is refused, why, until when. They live with the running server."""

from __future__ import annotations

__all__ = ["ban_operations"]

from collections.abc import Mapping
from ipaddress import ip_network

from hongyan.assembly.services import Services
from hongyan.errors import NotFound, Refused
from hongyan.limits.bans import Ban
from hongyan.operations.calling import Caller, Document, Operation


def ban_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on bans, by name."""
    group = _Bans(services)
    return {"ban.list": group.list_bans, "ban.lift": group.lift}


class _Bans:
    def __init__(self, services: Services) -> None:
        self._bans = services.entrance.bans

    async def list_bans(self, caller: Caller) -> Document:  # noqa: ARG002
        """Return the bans in force, the newest first."""
        return {"bans": [_shown(ban) for ban in self._bans.list_bans()]}

    async def lift(self, caller: Caller, *, host: str, dry_run: bool = False) -> Document:
        """Lift the bans of the network in which an address lies."""
        _require_address(host)
        if dry_run:
            meant = self._bans.bans_of(host)
            if not meant:
                raise NotFound("That address is not banned.")
            return {"bans": [_shown(ban) for ban in meant], "dry_run": True}
        return {"bans": [_shown(ban) for ban in await self._bans.lift(host, caller.actor)]}


def _require_address(host: str) -> None:
    try:
        ip_network(host, strict=False)
    except ValueError:
        raise Refused("A ban is lifted by an IP address.") from None


def _shown(ban: Ban) -> Document:
    return {
        "network": ban.network,
        "name": ban.name,
        "rule": ban.rule,
        "why": ban.why,
        "since": ban.since.isoformat(),
        "until": ban.until.isoformat(),
        "refused": ban.refused,
    }
