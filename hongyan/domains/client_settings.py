"""What mail programs have to know of a domain: which services run where, and how each is secured. One truth, told in
the forms of `client_documents`, `apple_profile` and `dns_records`.

Nothing here depends on an account: an answer says the same for each address of a domain, whether or not there is one.
"""

from __future__ import annotations

__all__ = ["ClientSettings", "Listening", "Security", "find_domain", "listening_of", "pacc_of_ports", "rank"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hongyan.store.accounts import Service


class Security(StrEnum):
    """How a connection is encrypted."""

    TLS = "tls"
    """From the first octet (RFC 8314 §3)."""
    STARTTLS = "starttls"
    """After a command of the protocol."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A listener that accepts connections of mail programs now."""

    service: Service
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What is told of one domain. The best way of each service comes first; `jmap` is a URL, empty if there is none."""

    domain: str
    hostname: str
    ways: tuple[Listening, ...]
    jmap: str = ""

    def best(self, service: Service) -> Listening | None:
        """Return the way that a program should take, None if the service is not offered."""
        return next((way for way in self.ways if way.service is service), None)


_LISTENERS: Final[Mapping[str, tuple[Service, Security]]] = {
    "imaps": (Service.IMAP, Security.TLS),
    "imap": (Service.IMAP, Security.STARTTLS),
    "submissions": (Service.SMTP, Security.TLS),
    "submission": (Service.SMTP, Security.STARTTLS),
    "pop3s": (Service.POP3, Security.TLS),
    "pop3": (Service.POP3, Security.STARTTLS),
}
_USUAL: Final = {"imaps": 993, "submissions": 465, "pop3s": 995}
_HTTPS: Final = 443
_ORDER: Final = (Service.IMAP, Service.SMTP, Service.POP3)
_LABELS: Final = ("autoconfig.", "autodiscover.", "ua-auto-config.")


def listening_of(ports: Mapping[str, int]) -> Sequence[Listening]:
    """Return what mail programs may use of the listeners, by name and port; the best way of each service first."""
    ways = (
        Listening(service, ports[name], security) for name, (service, security) in _LISTENERS.items() if name in ports
    )
    return sorted(ways, key=rank)


def rank(way: Listening) -> tuple[int, bool, int]:
    """Order ways as programs ask for services; TLS from the first octet before STARTTLS (RFC 8314 §3)."""
    return _ORDER.index(way.service), way.security is not Security.TLS, way.port


def pacc_of_ports(domain: str, hostname: str, ports: Mapping[str, int], *, jmap: bool) -> ClientSettings | None:
    """Return what PACC can say: services with TLS on the ports that the world expects; None without HTTPS there."""
    if ports.get("https") != _HTTPS:
        return None
    ways = listening_of({name: port for name, port in ports.items() if _USUAL.get(name) == port})
    return ClientSettings(domain, hostname, tuple(ways), f"https://{hostname}/.well-known/jmap" if jmap else "")


def find_domain(host: str) -> str:
    """Return the domain whose settings are asked for at a host: autoconfig.DOMAIN and its like, or DOMAIN itself."""
    host = host.lower().rstrip(".")
    return next((host.removeprefix(label) for label in _LABELS if host.startswith(label)), host)
