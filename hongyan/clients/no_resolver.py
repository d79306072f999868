"""A DNS that nobody asks: every question fails at once, and for now.

A server without a way into the world (the one of `make run`, a machine that is cut off) would else wait for time-outs
at each message that it checks. "For now" and not "no such record": mail is not refused for what nobody could look up.
"""

from __future__ import annotations

__all__ = ["NoResolver"]

from typing import Literal, NoReturn

from hongyan.mailauth.resolver import (
    LOCALHOST,
    Answer,
    Dnssec,
    DnsTemporary,
    IPAddress,
    MxRecord,
    TlsaRecord,
    is_localhost,
)

_TTL = 5


class NoResolver:
    """`clients.resolver.RecordResolver` that knows nothing but localhost."""

    async def txt(self, name: str) -> Answer[bytes]:
        _refuse(name, "TXT")

    async def mx(self, name: str) -> Answer[MxRecord]:
        _refuse(name, "MX")

    async def cname(self, name: str) -> Answer[str]:
        _refuse(name, "CNAME")

    async def tlsa(self, name: str) -> Answer[TlsaRecord]:
        _refuse(name, "TLSA")

    async def ptr(self, address: IPAddress) -> Answer[str]:
        _refuse(address.reverse_pointer, "PTR")

    async def records(self, name: str, kind: str) -> Answer[str]:
        _refuse(name, kind)

    async def addresses(self, name: str, *, version: Literal[4, 6] | None = None) -> Answer[IPAddress]:
        if not is_localhost(name):
            _refuse(name, "A")
        found = tuple(address for address in LOCALHOST if version in (None, address.version))
        return Answer(found, name.lower(), Dnssec.INSECURE, _TTL)


def _refuse(name: str, kind: str) -> NoReturn:
    raise DnsTemporary(f"{name} {kind}", "the DNS is not asked here ([dns] enabled)")
