"""One question to the recursive resolvers: UDP, TCP when the answer is cut, the next server when one fails.

The AD bit counts as DNSSEC's word only from a server on loopback or one that the operator trusts:
anybody on the way from a distant server can set it (RFC 6698 §A.3).
"""

from __future__ import annotations

__all__ = ["DnsOptions", "DnsReply", "NameServer", "ServerFailure", "ask", "read_reply", "system_servers"]

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype

from hongyan.errors import ConfigurationError
from hongyan.mailauth.resolver import Dnssec, DnsTemporary
from hongyan.options import option

_DNS_PORT: Final = 53
_UDP_PAYLOAD: Final = 1232
"""What fits a packet on nearly every path (DNS Flag Day 2020): nothing is fragmented."""

# "[IPv6]" or IPv4, each with a port or without, or IPv6 alone.
_SERVER = re.compile(r"(?:\[([^\[\]]+)\]|([0-9.]+))(?::([0-9]{1,5}))?|([^\[\]]*:[^\[\]]*)")

# Extended DNS errors that speak of signatures (RFC 8914 §4.7-4.13).
_BOGUS_ERRORS = frozenset(range(6, 13))


@dataclass(frozen=True, slots=True)
class DnsOptions:
    """The section `[dns]`."""

    enabled: bool = option(
        True, "Ask the DNS. Without it every question fails at once, for a server that is cut off from the world."
    )
    servers: tuple[str, ...] = option(
        (), "HOST:PORT of recursive resolvers, in the order to ask; empty: those of /etc/resolv.conf."
    )
    trusted: bool = option(
        False, "Believe these servers when they say that DNSSEC holds; one on loopback is always believed."
    )
    timeout: float = option(3.0, "How long a server is waited for before the next is asked.", unit="seconds")
    rounds: int = option(2, "How often all servers are asked before a question is given up.")
    cache_entries: int = option(20_000, "Answers that are remembered.")
    stale: int = option(
        0, "How long an answer may still be used after its time when nobody answers (RFC 8767); 0: never.", unit="s"
    )
    concurrency: int = option(200, "Questions that are under way at the same time.")

    def __post_init__(self) -> None:
        if self.stale < 0:
            raise ValueError("stale is not negative")
        if self.timeout <= 0 or self.rounds < 1 or self.cache_entries < 0 or self.concurrency < 1:
            raise ValueError("time-out, rounds and concurrency are positive")
        for server in self.servers:
            NameServer.parse(server, trusted=self.trusted)


@dataclass(frozen=True, slots=True)
class NameServer:
    """A recursive resolver."""

    host: str
    port: int
    trusted: bool

    @staticmethod
    def parse(text: str, *, trusted: bool = False) -> NameServer:
        """Read "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353"."""
        match = _SERVER.fullmatch(text)
        try:
            if match is None:
                raise ValueError
            address = ip_address(match[1] or match[2] or match[4])
        except ValueError:
            raise ConfigurationError(f"{text!r} is not the address of a DNS server, as in 192.0.2.1:53") from None
        number = int(match[3] or _DNS_PORT)
        if not 0 < number < 65536:
            raise ConfigurationError(f"{text!r} has no valid port")
        return NameServer(str(address), number, trusted or address.is_loopback)


@dataclass(frozen=True, slots=True)
class DnsReply:
    """What a server said. Without records: `domain_exists` parts "no data" from NXDOMAIN."""

    records: tuple[dns.rdata.Rdata, ...]
    name: str
    domain_exists: bool
    dnssec: Dnssec
    ttl: int


def system_servers(path: Path = Path("/etc/resolv.conf"), *, trusted: bool = False) -> list[NameServer]:
    """Return the servers that this machine is set to ask."""
    servers = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            try:
                servers.append(NameServer.parse(words[1], trusted=trusted))
            except ConfigurationError:
                continue
    return servers or [NameServer("127.0.0.1", _DNS_PORT, trusted=True)]


async def ask(
    name: dns.name.Name,
    kind: dns.rdatatype.RdataType,
    servers: Sequence[NameServer],
    timeout: float,
    tell: Callable[[NameServer, str], None],
) -> DnsReply:
    """Return the first good answer. Raises `DnsTemporary`.

    `tell` hears of each server that was asked, and why it failed; nothing, if it answered. SERVFAIL is a failure
    only where another server answers: else it is the domain's own, and no stranger's domain must bring our servers
    into disrepute.
    """
    question = f"{name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(kind)}"
    # AD in a question asks for AD in the answer without the signatures themselves (RFC 6840 §5.7).
    query = dns.message.make_query(name, kind, use_edns=0, payload=_UDP_PAYLOAD, flags=dns.flags.RD | dns.flags.AD)
    unable: list[NameServer] = []
    cause = "no server answered"
    for server in servers:
        try:
            response = await _exchange(query, server, timeout)
            if response.rcode() == dns.rcode.SERVFAIL and not _is_bogus(response):
                unable.append(server)
                cause = "SERVFAIL"
                continue
            reply = read_reply(response, question, server)
        except (ServerFailure, dns.exception.DNSException, OSError, EOFError, TimeoutError) as error:
            cause = str(error) or type(error).__name__
            tell(server, cause)
        except DnsTemporary:
            tell(server, "")
            raise
        else:
            tell(server, "")
            for other in unable:
                tell(other, "SERVFAIL where another answers")
            return reply
    raise DnsTemporary(question, cause)


async def _exchange(query: dns.message.Message, server: NameServer, timeout: float) -> dns.message.Message:
    async with asyncio.timeout(timeout):
        try:
            return await dns.asyncquery.udp(
                query,
                server.host,
                port=server.port,
                ignore_unexpected=True,
                ignore_errors=True,  # A forged packet must not end the wait for the right one.
                raise_on_truncation=True,
            )
        except dns.message.Truncated:
            return await dns.asyncquery.tcp(query, server.host, port=server.port)


class ServerFailure(Exception):
    """The server cannot or will not answer; another one may."""


def read_reply(response: dns.message.Message, question: str, server: NameServer) -> DnsReply:
    rcode = response.rcode()
    if rcode == dns.rcode.SERVFAIL and _is_bogus(response):
        # Another server that does not validate would hand the forgery on.
        raise DnsTemporary(question, "DNSSEC validation failed", dnssec=Dnssec.BOGUS)
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or not isinstance(response, dns.message.QueryMessage):
        raise ServerFailure(dns.rcode.to_text(rcode))
    chain = response.resolve_chaining()
    authentic = server.trusted and bool(response.flags & dns.flags.AD)
    return DnsReply(
        records=tuple(chain.answer or ()),
        name=chain.canonical_name.to_text(omit_final_dot=True).lower(),
        domain_exists=rcode == dns.rcode.NOERROR,
        dnssec=Dnssec.SECURE if authentic else Dnssec.INSECURE,
        ttl=int(chain.minimum_ttl),
    )


def _is_bogus(response: dns.message.Message) -> bool:
    return any(isinstance(option, dns.edns.EDEOption) and option.code in _BOGUS_ERRORS for option in response.options)
