"""Changes records in a zone: dynamic updates (RFC 2136), signed by TSIG (RFC 8945), and seen on every server.

    updater = DnsUpdater(options, resolver)
    await updater.change([Change.add("_acme-challenge.example.org", "TXT", quote_text("token"))])
    await updater.wait_until_shown("_acme-challenge.example.org", "TXT", quote_text("token"))

The zone of a name is the one whose SOA answers for it. All changes of one zone travel in one message, which the
server carries out whole or not at all (RFC 2136 §3.7). An answer that is not signed by our key is no answer
(RFC 8945 §5.3).
"""

from __future__ import annotations

__all__ = ["Change", "DnsUpdateOptions", "DnsUpdater", "UpdateRefused", "Zone", "find_options"]

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rrset
import dns.tsig
import dns.update

from hongyan import telemetry
from hongyan.clients.dns_query import NameServer
from hongyan.clients.resolver import RecordResolver
from hongyan.clock import Clock
from hongyan.errors import ConfigurationError, Unavailable
from hongyan.mailauth.resolver import DnsFault
from hongyan.options import option

_MOST_SERVERS: Final = 16
"""Servers of a zone that are looked at."""

_LARGEST_KEY: Final = 4096

_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 15.0

log = telemetry.logger("dns")

Algorithm = Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"]


@dataclass(frozen=True, slots=True)
class DnsUpdateOptions:
    """One entry of `[[dns_update]]`: who may change which zones, and where."""

    zones: tuple[str, ...] = option((), "Zones that this key may change; empty: any that no other entry names.")
    server: str = option("", "HOST:PORT of the primary server, an IP address; empty: the one that the SOA names.")
    key_name: str = option("", "Name of the TSIG key.")
    key_file: str = option(
        "", "File with the secret of the TSIG key in base64, readable by Hongyan alone.", unit="path"
    )
    key_algorithm: Algorithm = option("hmac-sha256", "Algorithm of the TSIG key: hmac-sha256, -384 or -512.")
    shown_by: tuple[str, ...] = option(
        (), "HOST:PORT of the servers that have to show a change; empty: all that the zone names."
    )
    ttl: int = option(300, "How long others may remember a record that is written.", unit="s")
    timeout: float = option(10.0, "How long a server may take for an answer.", unit="s")
    patience: float = option(180.0, "How long the servers of a zone may take to show a change.", unit="s")

    def __post_init__(self) -> None:
        if not self.key_name or not self.key_file:
            raise ValueError("key_name and key_file are needed: nobody lets strangers change a zone")
        if min(self.ttl, self.timeout, self.patience) <= 0:
            raise ValueError("ttl, timeout and patience are positive")
        for server in (self.server, *self.shown_by):
            if server:
                NameServer.parse(server)
        for name in (self.key_name, *self.zones):
            _parse(name)


class UpdateRefused(Unavailable):
    """The server would not change the zone, or nobody can be found who could."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one set of records; values are as a zone file writes them.

    `add` keeps what is there, `replace` does not; `remove` takes the values away, or without any the whole set.
    """

    act: Literal["add", "replace", "remove"]
    name: str
    kind: str
    values: tuple[str, ...] = ()

    @staticmethod
    def add(name: str, kind: str, *values: str) -> Change:
        """Add values to a set of records."""
        return Change("add", name, kind, values)

    @staticmethod
    def replace(name: str, kind: str, *values: str) -> Change:
        """Let a set of records be these values and no others."""
        return Change("replace", name, kind, values)

    @staticmethod
    def remove(name: str, kind: str, *values: str) -> Change:
        """Remove values, or without any the whole set."""
        return Change("remove", name, kind, values)

    def __post_init__(self) -> None:
        if self.act != "remove" and not self.values:
            raise ValueError("there is nothing to write")
        _parse(self.name)
        _read_values(self.kind, self.values)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone, and the server that takes its changes."""

    name: dns.name.Name
    primary: NameServer


class DnsUpdater:
    """Changes the zones of one entry of the configuration."""

    def __init__(self, options: DnsUpdateOptions, resolver: RecordResolver, clock: Clock) -> None:
        self._options = options
        self._resolver = resolver
        self._clock = clock

    async def change(self, changes: Sequence[Change]) -> None:
        """Carry changes out, one message for each zone. Raises `UpdateRefused` or `Unavailable`."""
        key = await asyncio.to_thread(_read_key, self._options)
        by_zone: dict[Zone, list[Change]] = {}
        for change in changes:
            by_zone.setdefault(await self.find_zone(change.name), []).append(change)
        for zone, those in by_zone.items():
            await self._send(zone, those, key)

    async def find_zone(self, name: str) -> Zone:
        """Return the zone in which a name lies: the one nearest above it that has a SOA (RFC 1034 §4.2.1)."""
        asked = _parse(name)
        while asked != dns.name.root:
            answer = await self._ask(asked, dns.rdatatype.SOA)
            primary = _read_soa(answer, asked)
            if primary is not None:
                return Zone(asked, await self._primary(primary))
            asked = asked.parent()
        raise UpdateRefused(f"No zone answers for {name}.")

    async def wait_until_shown(self, name: str, kind: str, *values: str) -> None:
        """Return when every server of the zone shows these values. Raises `Unavailable` when they take too long."""
        wanted = _read_values(kind, values)
        asked, kind_wanted = _parse(name), dns.rdatatype.from_text(kind)
        late = await self._servers_of(name)
        until = self._clock.monotonic() + self._options.patience
        pause = _FIRST_WAIT
        while True:
            looks = await asyncio.gather(*(self._shows(server, asked, kind_wanted, wanted) for server in late))
            late = [server for server, shows in zip(late, looks, strict=True) if not shows]
            if not late:
                return
            if self._clock.monotonic() + pause > until:
                servers = ", ".join(server.host for server in late)
                raise Unavailable(f"Not every server of the zone shows the change of {name} {kind}: {servers}.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_WAIT)

    # -- changing

    async def _send(self, zone: Zone, changes: Sequence[Change], key: dns.tsig.Key) -> None:
        update = dns.update.UpdateMessage(zone.name)
        update.use_tsig(key)
        for change in changes:
            _put(update, change, self._options.ttl)
        try:
            async with asyncio.timeout(self._options.timeout):
                answer = await dns.asyncquery.tcp(update, zone.primary.host, port=zone.primary.port)
        except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.tsig.BadTime, dns.message.UnknownTSIGKey) as error:
            raise UpdateRefused(f"{_at(zone)}: the key {key.name} is not taken: {error}.") from error
        except (dns.exception.DNSException, OSError, EOFError, TimeoutError, ValueError) as error:
            raise Unavailable(f"{_at(zone)} gives no answer: {str(error) or type(error).__name__}.") from error
        if answer.rcode() != dns.rcode.NOERROR:
            raise UpdateRefused(f"{_at(zone)} refuses the change: {dns.rcode.to_text(answer.rcode())}.")
        log.info("zone-changed", zone=str(zone.name), server=str(zone.primary.host), changes=len(changes))

    async def _primary(self, host: str) -> NameServer:
        if self._options.server:
            return NameServer.parse(self._options.server)
        found = await self._addresses(host)
        if not found:
            raise UpdateRefused(f"The primary server {host} has no address.")
        return found[0]

    # -- looking

    async def _servers_of(self, name: str) -> list[NameServer]:
        if self._options.shown_by:
            return [NameServer.parse(server) for server in self._options.shown_by]
        zone = await self.find_zone(name)
        answer = await self._ask(zone.name, dns.rdatatype.NS)
        hosts = [str(record) for rrset in answer.answer for record in rrset if rrset.rdtype == dns.rdatatype.NS]
        found = [server for host in hosts[:_MOST_SERVERS] for server in (await self._addresses(host))[:1]]
        return found or [zone.primary]

    async def _shows(
        self, server: NameServer, name: dns.name.Name, kind: dns.rdatatype.RdataType, wanted: frozenset[str]
    ) -> bool | None:
        """Whether a server shows all (of none, any); None when it does not answer."""
        query = dns.message.make_query(name, kind, flags=0)
        try:
            async with asyncio.timeout(self._options.timeout):
                answer, _ = await dns.asyncquery.udp_with_fallback(query, server.host, port=server.port)
        except (dns.exception.DNSException, OSError, EOFError, TimeoutError):
            return None
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return None
        found = {str(record) for rrset in answer.answer if rrset.rdtype == kind for record in rrset}
        return wanted <= found if wanted else bool(found)

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        """Ask the primary where it is named, else the resolvers; they may remember what was."""
        if not self._options.server:
            return await self._ask_resolvers(name, kind)
        server = NameServer.parse(self._options.server)
        query = dns.message.make_query(name, kind)
        try:
            async with asyncio.timeout(self._options.timeout):
                answer, _ = await dns.asyncquery.udp_with_fallback(query, server.host, port=server.port)
        except (dns.exception.DNSException, OSError, EOFError, TimeoutError) as error:
            raise Unavailable(f"{server.host} does not answer: {str(error) or type(error).__name__}.") from error
        return answer

    async def _ask_resolvers(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        answer: dns.message.Message = dns.message.QueryMessage()
        try:
            found = await self._resolver.records(_written(name), dns.rdatatype.to_text(kind))
        except DnsFault:
            return answer
        if found.name == _written(name).lower():  # an alias has no zone of its own
            answer.answer.append(dns.rrset.from_text_list(name, 0, dns.rdataclass.IN, kind, list(found.records)))
        return answer

    async def _addresses(self, host: str) -> list[NameServer]:
        try:
            found = await self._resolver.addresses(host.rstrip("."))
        except DnsFault:
            return []
        return [NameServer(str(address), 53, trusted=False) for address in found.records]


def find_options(options: Iterable[DnsUpdateOptions], domain: str) -> DnsUpdateOptions | None:
    """Return the entry for a name: that of the nearest zone above it, then one that names no zone."""
    name = _parse(domain)
    named: Mapping[dns.name.Name, DnsUpdateOptions] = {
        _parse(zone): entry for entry in reversed(list(options)) for zone in entry.zones or (".",)
    }
    above = [zone for zone in named if name.is_subdomain(zone)]
    return named[max(above, key=len)] if above else None


def _put(update: dns.update.UpdateMessage, change: Change, ttl: int) -> None:
    name = _parse(change.name)
    match change.act:
        case "add":
            for value in change.values:
                update.add(name, ttl, change.kind, value)
        case "replace":
            update.delete(name, change.kind)
            for value in change.values:
                update.add(name, ttl, change.kind, value)
        case "remove":
            for value in change.values:
                update.delete(name, change.kind, value)
            if not change.values:
                update.delete(name, change.kind)


def _parse(name: str) -> dns.name.Name:
    """Return an absolute name. Raises `ConfigurationError`."""
    try:
        return dns.name.from_text(name, dns.name.root).canonicalize()
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ConfigurationError(f"{name!r} is no name of the DNS") from error


def _written(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)


def _read_values(kind: str, values: Iterable[str]) -> frozenset[str]:
    """Return values in the one form in which they compare. Raises `ConfigurationError`."""
    try:
        type_wanted = dns.rdatatype.from_text(kind)
        listed = list(values)
        rrset = dns.rrset.from_text_list(dns.name.root, 0, dns.rdataclass.IN, type_wanted, listed) if listed else ()
    except (dns.exception.DNSException, ValueError) as error:
        raise ConfigurationError(f"that is no record of the type {kind}: {error}") from error
    return frozenset(str(record) for record in rrset)


def _read_soa(answer: dns.message.Message, name: dns.name.Name) -> str | None:
    """Return the primary server of the zone `name`, if there is such a zone."""
    for rrset in answer.answer:
        if rrset.rdtype == dns.rdatatype.SOA and rrset.name == name:
            for record in rrset:
                if isinstance(record, dns.rdtypes.ANY.SOA.SOA):
                    return record.mname.to_text(omit_final_dot=True)
    return None


def _read_key(options: DnsUpdateOptions) -> dns.tsig.Key:
    try:
        with Path(options.key_file).open("rb") as file:
            text = file.read(_LARGEST_KEY)
        secret = b64decode(b"".join(text.split()), validate=True)
        if not secret:
            raise ValueError("it is empty")
    except OSError as error:
        raise UpdateRefused(f"{options.key_file} cannot be read: {error.strerror}.") from error
    except (binascii.Error, ValueError) as error:
        raise UpdateRefused(f"{options.key_file} holds no secret in base64: {error}.") from error
    return dns.tsig.Key(options.key_name, secret, options.key_algorithm)


def _at(zone: Zone) -> str:
    return f"{zone.primary.host}, for {_written(zone.name)},"
