"""Which TLSA records a mail exchanger has, as far as DNSSEC vouches for all that leads to them (RFC 7672 §2.2.2).

Where the name of the host is an alias, the records of what it stands for count first, then its own. A host whose
addresses are not signed is not asked about: the servers of such zones fail at questions for TLSA, and no failure of
theirs may stop mail (§2.1.3).
"""

from __future__ import annotations

__all__ = ["AliasResolver", "find_tlsa"]

from typing import Final, Protocol

from hongyan.mailauth.dane import tlsa_name
from hongyan.mailauth.resolver import Answer, DnsNotFound, Dnssec, DnsTemporary, IPAddress, Resolver
from hongyan.queue.security import NO_TLSA, TlsaFacts, TlsaState

_PORT: Final = 25


class AliasResolver(Resolver, Protocol):
    """A resolver that tells an alias from what it stands for."""

    async def cname(self, name: str) -> Answer[str]:
        """Return what a name is an alias of: its own CNAME record, not followed."""
        ...


async def find_tlsa(resolver: AliasResolver, host: str, addresses: Answer[IPAddress]) -> TlsaFacts:
    """Return the records of a host whose name DNSSEC vouches for. `addresses` is the answer for its addresses."""
    is_alias = addresses.name != host
    if addresses.dnssec is Dnssec.SECURE:
        facts = await _ask(resolver, addresses.name)
        return await _ask(resolver, host) if is_alias and facts.state is TlsaState.NONE else facts
    if is_alias:
        return await _ask_of_alias(resolver, host)
    return NO_TLSA


async def _ask_of_alias(resolver: AliasResolver, host: str) -> TlsaFacts:
    """What the alias stands for is not signed; the alias itself may be."""
    try:
        alias = await resolver.cname(host)
    except DnsNotFound:
        return NO_TLSA
    except DnsTemporary:
        return TlsaFacts(TlsaState.FAILED, host)
    return await _ask(resolver, host) if alias.dnssec is Dnssec.SECURE else NO_TLSA


async def _ask(resolver: Resolver, base: str) -> TlsaFacts:
    try:
        answer = await resolver.tlsa(tlsa_name(base, _PORT))
    except DnsNotFound:
        return NO_TLSA
    except DnsTemporary:
        return TlsaFacts(TlsaState.FAILED, base)
    if answer.dnssec is not Dnssec.SECURE:
        return NO_TLSA
    return TlsaFacts(TlsaState.FOUND, base, answer.records)
