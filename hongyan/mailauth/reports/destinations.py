"""Where reports on a domain go: the URIs it publishes, and whether whoever is named there agrees (RFC 9990 §4).

An address elsewhere than in the domain's own organization is written to only if its domain says so in the DNS; else
whoever publishes a record could have others flooded. TLS reports have no such rule (RFC 8460 §3).
"""

from __future__ import annotations

__all__ = ["MAX_DESTINATIONS", "Destination", "find_consenting", "find_tls_destinations", "parse_destination"]

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from hongyan.addresses import Address, AddressFault, Domain
from hongyan.mailauth.dmarc_record import parse_dmarc_record
from hongyan.mailauth.dmarc_tree import DmarcTree
from hongyan.mailauth.resolver import DnsNotFound, Resolver

MAX_DESTINATIONS: Final = 3
"""How many places one report goes to: a receiver may have its limit (RFC 9990 §3.5)."""

_MAX_NAME = 253
_MAX_RECORD = 4096
_TLS_VERSION = re.compile(rb"v=TLSRPTv1[ \t]*(?:;|\Z)")


@dataclass(frozen=True, slots=True)
class Destination:
    """An address to write to, or a host and path to post to."""

    host: str
    address: Address | None = None
    path: str = ""
    limit: int = 0
    """Octets that it takes at most; 0: as many as come."""


def parse_destination(uri: str, limit: int = 0) -> Destination | None:
    """Return what a mailto: or https: URI names; None for any other, and for one that cannot be used."""
    try:
        if uri[:7].lower() == "mailto:":
            address = Address.parse(unquote(uri[7:].partition("?")[0], errors="strict"))
            return None if address.domain.is_literal else Destination(address.domain.text, address, limit=limit)
        parts = urlsplit(uri)
        if parts.scheme.lower() != "https" or not parts.hostname or parts.username is not None:
            return None
        if parts.port not in (None, 443):
            return None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        domain = Domain.parse(parts.hostname)
        return None if domain.is_literal else Destination(domain.text, path=path, limit=limit)
    except (AddressFault, ValueError):
        return None


async def find_consenting(
    policy_domain: str, destinations: Iterable[Destination], resolver: Resolver
) -> Sequence[Destination]:
    """Return those destinations that a DMARC report on a domain may go to (RFC 9990 §4). Raises `DnsTemporary`."""
    tree = DmarcTree(resolver)
    organization = await tree.organizational_domain(policy_domain)
    found: dict[Destination, None] = {}
    for one in destinations:
        if len(found) >= MAX_DESTINATIONS:
            break
        if one.host == policy_domain or await tree.organizational_domain(one.host) == organization:
            found[one] = None
        else:
            found.update(dict.fromkeys(await _ask_consent(policy_domain, one, resolver)))
    return list(found)[:MAX_DESTINATIONS]


async def _ask_consent(policy_domain: str, destination: Destination, resolver: Resolver) -> Sequence[Destination]:
    name = f"{policy_domain}._report._dmarc.{destination.host}"
    if len(name) > _MAX_NAME:
        return ()
    try:
        answer = await resolver.txt(name)
    except DnsNotFound:
        return ()
    records = [record for octets in answer.records if (record := parse_dmarc_record(octets[:_MAX_RECORD])) is not None]
    if not records:
        return ()
    instead = [
        parse_destination(uri, limit)
        for record in records
        for uri, limit in zip(record.report_addresses, record.report_limits, strict=True)
    ]
    if not instead:
        return (destination,)
    # Whoever is asked may name another address of its own, and nobody else (RFC 9990 §4, step 9).
    if any(one is None or one.host != destination.host for one in instead):
        return ()
    return [one for one in instead if one is not None]


async def find_tls_destinations(domain: str, resolver: Resolver) -> Sequence[Destination]:
    """Return where TLS reports on a domain go (RFC 8460 §3); nowhere, unless it says so. Raises `DnsTemporary`."""
    try:
        answer = await resolver.txt(f"_smtp._tls.{domain}")
    except DnsNotFound:
        return ()
    records = [octets for octets in answer.records if _TLS_VERSION.match(octets) and len(octets) <= _MAX_RECORD]
    if len(records) != 1:  # RFC 8460 §3: with several, none counts
        return ()
    found: dict[Destination, None] = {}
    for field in records[0].decode("ascii", "replace").split(";"):
        name, equals, value = field.partition("=")
        if equals and name.strip().lower() == "rua":
            for uri in value.split(",")[:MAX_DESTINATIONS]:
                destination = parse_destination(uri.strip())
                if destination is not None:
                    found[destination] = None
    return list(found)[:MAX_DESTINATIONS]
