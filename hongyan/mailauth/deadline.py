"""A resolver that is asked only until a deadline: beyond it every question is a temporary failure.

All checks of one message share one, so that they end together, however many questions strangers make them ask. A
question that was begun in time is answered in the time that the resolver itself allows for it.
"""

from __future__ import annotations

__all__ = ["UntilDeadline"]

from typing import Literal

from hongyan.clock import Clock
from hongyan.mailauth.resolver import Answer, DnsTemporary, IPAddress, MxRecord, Resolver, TlsaRecord


class UntilDeadline:
    """Hands questions on to a resolver while there is time. `deadline` is on the clock's monotonic time."""

    __slots__ = ("_clock", "_deadline", "_resolver")

    def __init__(self, resolver: Resolver, clock: Clock, deadline: float) -> None:
        self._resolver = resolver
        self._clock = clock
        self._deadline = deadline

    async def txt(self, name: str) -> Answer[bytes]:
        self._require_time(name)
        return await self._resolver.txt(name)

    async def mx(self, name: str) -> Answer[MxRecord]:
        self._require_time(name)
        return await self._resolver.mx(name)

    async def addresses(self, name: str, *, version: Literal[4, 6] | None = None) -> Answer[IPAddress]:
        self._require_time(name)
        return await self._resolver.addresses(name, version=version)

    async def ptr(self, address: IPAddress) -> Answer[str]:
        self._require_time(address.reverse_pointer)
        return await self._resolver.ptr(address)

    async def tlsa(self, name: str) -> Answer[TlsaRecord]:
        self._require_time(name)
        return await self._resolver.tlsa(name)

    def _require_time(self, question: str) -> None:
        if self._clock.monotonic() >= self._deadline:
            raise DnsTemporary(question, "there is no time left to ask")
