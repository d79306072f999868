"""Is this machine fit to send and take mail? Each check looks at one thing that keeps mail from flowing.

What fails here fails later as mail that is refused or lost, and is hard to find then. A check never raises: that
nobody answers is what it looks for.
"""

from __future__ import annotations

__all__ = ["Finding", "Machine", "Status", "check_machine"]

import asyncio
import contextlib
import errno
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from hongyan.clients.own_addresses import find_own_addresses
from hongyan.clients.port_probe import has_way_out
from hongyan.clients.resolver import DnsResolver
from hongyan.errors import ConfigurationError
from hongyan.mailauth.resolver import DnsFault, Dnssec, DnsTemporary, IPAddress
from hongyan.servers.sockets import bind

_SIGNED = "org"  # a zone that DNSSEC signs
_BIG_DOMAINS = ("gmail.com", "outlook.com", "qq.com")  # whose servers take mail from everybody
_PATIENCE = 10.0  # seconds for another host to answer


class Status(StrEnum):
    """How a check ended."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    """Mail flows, but less well than it could."""
    BAD = "bad"
    """Mail does not flow, or is taken for spam."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do about it."""

    check: str
    status: Status
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine as the checks see it."""

    hostname: str
    resolver: DnsResolver
    hosts_file: Path = Path("/etc/hosts")
    ports: Sequence[int] = (25, 465, 587, 993)
    big_domains: Sequence[str] = _BIG_DOMAINS
    patience: float = _PATIENCE
    find_own_addresses: Callable[[], Sequence[IPAddress]] = find_own_addresses


async def check_machine(machine: Machine) -> Sequence[Finding]:
    """Make all checks, those that wait side by side."""
    checks: Sequence[Callable[[Machine], Awaitable[Finding]]] = (
        _check_resolver,
        _check_hosts_file,
        _check_addresses,
        _check_reverse,
        _check_port_25_out,
        _check_ports_in,
    )
    return await asyncio.gather(*(check(machine) for check in checks))


async def _check_resolver(machine: Machine) -> Finding:
    try:
        answer = await machine.resolver.records(_SIGNED, "SOA")
    except DnsTemporary:
        return Finding(
            "resolver",
            Status.BAD,
            "No DNS server answers.",
            "See which servers /etc/resolv.conf names, and whether they can be reached.",
        )
    except DnsFault:
        return Finding(
            "resolver",
            Status.BAD,
            "The DNS server gives wrong answers.",
            "Use another one; best is one on this machine.",
        )
    if answer.dnssec is not Dnssec.SECURE:
        return Finding(
            "resolver",
            Status.DOUBTFUL,
            "The DNS server does not vouch for DNSSEC, or is not on this machine: DANE cannot protect outgoing mail.",
            "Install a validating resolver here, such as unbound, and name it in /etc/resolv.conf.",
        )
    return Finding("resolver", Status.GOOD, "The DNS server answers, and checks DNSSEC.")


async def _check_hosts_file(machine: Machine) -> Finding:
    """A name that leads to loopback makes programs here believe that mail from here is not from the host."""
    text = await asyncio.to_thread(_read, machine.hosts_file)
    for number, line in enumerate(text.splitlines(), 1):
        address, *names = line.partition("#")[0].split() or [""]
        if machine.hostname not in (name.lower().rstrip(".") for name in names):
            continue
        with contextlib.suppress(ValueError):
            if ip_address(address).is_loopback:
                return Finding(
                    "hosts",
                    Status.BAD,
                    f"{machine.hosts_file} leads {machine.hostname} to {address}.",
                    f"Take the name out of line {number}, or give it the host's public address.",
                )
    return Finding("hosts", Status.GOOD, f"{machine.hosts_file} does not lead the host's name to this machine itself.")


async def _check_addresses(machine: Machine) -> Finding:
    """The host's name leads to an address, and connections from here come from it."""
    try:
        found = set((await machine.resolver.addresses(machine.hostname)).records)
    except DnsFault:
        return Finding(
            "address",
            Status.BAD,
            f"The DNS knows no address of {machine.hostname}.",
            "Add A and AAAA records for it, or name another host with --hostname.",
        )
    own = set(machine.find_own_addresses())
    if not own:
        return Finding(
            "address", Status.BAD, "This machine has no way to the Internet.", "See its addresses and routes."
        )
    if found & own:
        return Finding("address", Status.GOOD, f"{machine.hostname} leads to this machine.")
    shown = ", ".join(sorted(map(str, own)))
    if all(address.is_private for address in own):
        return Finding(
            "address",
            Status.DOUBTFUL,
            f"This machine has a private address ({shown}): whether {machine.hostname} leads to it cannot be seen.",
            "See that the router hands port 25 and the others over to this machine.",
        )
    return Finding(
        "address",
        Status.BAD,
        f"{machine.hostname} leads elsewhere: this machine has {shown}.",
        "Mend the A and AAAA records.",
    )


async def _check_reverse(machine: Machine) -> Finding:
    """Forward and reverse DNS agree: without that many servers take no mail."""
    try:
        addresses = (await machine.resolver.addresses(machine.hostname)).records
    except DnsFault:
        return Finding("reverse", Status.BAD, "Without an address there is no reverse DNS.", "Mend the address first.")
    for address in addresses:
        try:
            names = (await machine.resolver.ptr(address)).records
        except DnsFault:
            names = ()
        if machine.hostname not in names:
            said = f"The reverse DNS of {address} says {names[0] if names else 'nothing'}."
            return Finding(
                "reverse",
                Status.BAD,
                said,
                f"Have whoever gave you the address set its PTR record to {machine.hostname}.",
            )
    return Finding("reverse", Status.GOOD, "Forward and reverse DNS agree.")


async def _check_port_25_out(machine: Machine) -> Finding:
    """Many networks let no mail out. One big server that answers is enough."""
    if await has_way_out(machine.resolver, machine.big_domains, machine.patience):
        return Finding("port 25", Status.GOOD, "Other servers can be reached on port 25.")
    return Finding(
        "port 25",
        Status.BAD,
        "No other server can be reached on port 25.",
        "Ask your provider to open outgoing port 25, or set route.smart_host to a relay.",
    )


async def _check_ports_in(machine: Machine) -> Finding:
    """Nobody else has our ports."""
    for port in machine.ports:
        try:
            for listening in bind(("0.0.0.0",), port):
                listening.close()
        except ConfigurationError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
                return Finding(
                    "ports",
                    Status.BAD,
                    f"Another program has port {port}.",
                    f"`ss -ltnp 'sport = :{port}'` names it: stop it, and see that it does not start again.",
                )
    return Finding("ports", Status.GOOD, "The ports are free.")


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
