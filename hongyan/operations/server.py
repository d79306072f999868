"""The server as others meet it: each own port from its public addresses, the way out, the resolvers that are asked."""

from __future__ import annotations

__all__ = ["judge_port", "judge_resolvers", "server_operations"]

import asyncio
import ssl
from collections.abc import Iterator, Mapping, Sequence

from hongyan.assembly.services import Services
from hongyan.clients.dns_query import NameServer, system_servers
from hongyan.clients.port_probe import PortFacts, Reach, has_way_out, probe_port
from hongyan.config import SERVICES, Config
from hongyan.domains.findings import Aspect, Finding, error, good, note, warning
from hongyan.domains.tls_profiles import CERTIFICATE_SERVICES
from hongyan.mailauth.resolver import IPAddress
from hongyan.operations.calling import Caller, Document, Operation

_PATIENCE = 10.0  # seconds
_BIG_DOMAINS = ("gmail.com", "outlook.com", "qq.com")  # whose servers take mail from everybody
_GREETINGS: Mapping[str, bytes] = {
    "smtp": b"220",
    "submission": b"220",
    "submissions": b"220",
    "imap": b"* OK",
    "imaps": b"* OK",
    "pop3": b"+OK",
    "pop3s": b"+OK",
}
_PUBLIC_RESOLVERS = frozenset(
    {
        "1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220",
        "114.114.114.114", "114.114.115.115", "119.29.29.29", "180.76.76.76", "223.5.5.5", "223.6.6.6",
        "2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111", "2606:4700:4700::1001", "2620:fe::fe",
        "2400:3200::1",
    }
)  # fmt: skip


def server_operations(services: Services, config: Config) -> Mapping[str, Operation]:
    """Return the operations on the server itself, by name."""
    return {"server.check": _Server(services, config).check}


class _Server:
    def __init__(self, services: Services, config: Config) -> None:
        self._services = services
        self._config = config

    async def check(self, caller: Caller) -> Document:
        """Connect to each own port at each public address, and out to others; say what stands in the way."""
        addresses = await self._services.domain_care.facts.host_addresses()
        ports, way_out = await asyncio.gather(self._probe(addresses, caller), self._find_way_out())
        findings = [
            *([] if addresses else [_no_address(self._config.server.hostname)]),
            *(judge_port(facts, self._config.server.hostname) for facts in ports),
            *way_out,
            *judge_resolvers(self._resolvers()),
        ]
        return {
            "hostname": self._config.server.hostname,
            "addresses": [str(address) for address in addresses],
            "trouble": any(finding.severity == "error" for finding in findings),
            "findings": [
                {
                    "aspect": finding.aspect.value,
                    "severity": finding.severity.value,
                    "sentence": finding.sentence,
                    "remedy": finding.remedy,
                }
                for finding in findings
            ],
        }

    async def _probe(self, addresses: Sequence[IPAddress], caller: Caller) -> Sequence[PortFacts]:
        hostname = self._config.server.hostname
        context = await asyncio.to_thread(ssl.create_default_context)
        probes = [
            probe_port(
                service,
                address,
                options.port or SERVICES[service],
                hostname,
                tls=context,
                patience=_PATIENCE,
            )
            for service, options in self._config.listen.items()
            if service not in CERTIFICATE_SERVICES  # they say nothing to whoever shows none
            for address in addresses
        ]
        caller.tell(0, len(probes))
        found = await asyncio.gather(*probes)
        caller.tell(len(probes), len(probes))
        return found

    async def _find_way_out(self) -> Sequence[Finding]:
        route = self._config.route
        if route.hold or route.smart_host:
            return [note(Aspect.PORT, "Mail leaves by a relay, or not at all: port 25 of others was not tried.")]
        if await has_way_out(self._services.outgoing.resolver, _BIG_DOMAINS, _PATIENCE):
            return [good(Aspect.PORT, "Other servers can be reached on port 25.")]
        return [
            error(
                Aspect.PORT,
                "No other server can be reached on port 25.",
                "Many cloud providers block port 25 on the way out: have it opened, or set route.smart_host.",
            )
        ]

    def _resolvers(self) -> Sequence[NameServer]:
        if not self._config.dns.enabled:
            return ()
        named = [NameServer.parse(server) for server in self._config.dns.servers]
        return named or system_servers()


def _no_address(hostname: str) -> Finding:
    return error(Aspect.HOST, f"The DNS knows no address of {hostname}.", "Add A and AAAA records for it.")


def judge_port(facts: PortFacts, hostname: str) -> Finding:
    """Say what others meet at one of our ports, and what stands in the way."""
    at = f"{facts.service} at {facts.address} port {facts.port}"
    match facts.reach:
        case Reach.SILENT:
            return error(Aspect.PORT, f"{at} does not answer.", _open_port(facts))
        case Reach.REFUSED:
            return error(
                Aspect.PORT,
                f"{at} is refused.",
                "Nothing listens there, or a firewall refuses: see [listen], and `ss -ltn` on the machine.",
            )
        case Reach.UNREACHABLE:
            return error(
                Aspect.PORT,
                f"{at} cannot be reached from here.",
                "See the machine's addresses and routes of that kind.",
            )
        case _:
            return _judge_answer(facts, hostname, at)


def _open_port(facts: PortFacts) -> str:
    if facts.service == "submissions":
        return (
            "Open the port in the provider's security group and in the firewall. Until then mail programs can use"
            " submission on port 587 with STARTTLS."
        )
    if facts.service == "smtp":
        return "Open the port in the provider's security group and in the firewall; some open 25 only when asked."
    return (
        "Open the port in the provider's security group and in the firewall. Behind a router that does not lead back"
        " others may get in all the same: try from elsewhere."
    )


def _judge_answer(facts: PortFacts, hostname: str, at: str) -> Finding:
    if facts.tls_fault and facts.service == "smtp":
        # Most servers take any certificate on port 25 (RFC 7435), those that keep to MTA-STS or DANE do not.
        return warning(
            Aspect.PORT,
            f"{at} has no certificate that is valid for {hostname}: {facts.tls_fault}.",
            "Servers that keep to an MTA-STS policy do not deliver to it: see `hongyan certificate list`.",
        )
    if facts.tls_fault:
        return error(
            Aspect.PORT,
            f"{at} has no certificate that is valid for {hostname}: {facts.tls_fault}.",
            "See `hongyan certificate list`, and name the host in the certificate.",
        )
    wanted = _GREETINGS.get(facts.service, b"")
    if not facts.greeting.startswith(wanted):
        return error(
            Aspect.PORT,
            f"{at} answers, but not as it should.",
            "Another program or a provider's proxy answers there: see who listens, and what stands before the server.",
        )
    if facts.lacks_starttls:
        return error(
            Aspect.PORT,
            f"{at} does not begin TLS when it is asked to.",
            "See whether a certificate is configured, and whether a firewall takes STARTTLS out of what is said.",
        )
    return good(Aspect.PORT, f"{at} answers.")


def judge_resolvers(servers: Sequence[NameServer]) -> Iterator[Finding]:
    """Public resolvers are no good for a mail server: blocklists refuse them, and they vouch for nothing."""
    public = [server.host for server in servers if server.host in _PUBLIC_RESOLVERS]
    if public:
        yield warning(
            Aspect.RESOLVER,
            f"The resolver {public[0]} is a public one: Spamhaus and other blocklists refuse to answer it.",
            "Ask a resolver on this machine, such as unbound.",
        )
    elif servers:
        yield good(Aspect.RESOLVER, "No public resolver is asked.")
