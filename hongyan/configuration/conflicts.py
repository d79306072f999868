"""Settings that are each possible and cannot be together, and what should give an operator pause."""

from __future__ import annotations

__all__ = ["find_conflicts", "find_doubts"]

from collections.abc import Iterator, Sequence

from hongyan.config import SERVICES, Config, Service
from hongyan.configuration.values import WrongValue
from hongyan.limits.networks import is_loopback

_TLS_FROM_THE_START: Sequence[Service] = (
    "submissions",
    "imaps",
    "pop3s",
    "submissions-certificate",
    "imaps-certificate",
    "pop3s-certificate",
    "https",
)
_WITH_LOGINS: Sequence[Service] = ("submission", "imap", "pop3")


def find_conflicts(config: Config) -> Iterator[WrongValue]:
    """Yield what makes a start impossible."""
    yield from _without_certificates(config)
    yield from _same_ports(config)
    yield from _unprovable(config)
    if "smtp" in config.listen and config.listen["smtp"].tls == "modern":
        yield WrongValue(
            ("listen", "smtp", "tls"),
            "On port 25 TLS 1.3 cannot be asked for: servers that lack it would send in the clear (RFC 7435). Let"
            " MTA-STS and DANE ask for TLS, and leave listen.smtp.tls out.",
        )


def find_doubts(config: Config) -> Iterator[WrongValue]:
    """Yield what a server can run with and an operator rarely wants."""
    if not config.listen:
        yield WrongValue(("listen",), "Nothing is listened for. Add [listen.smtp] and [listen.imaps].")
    elif "." not in config.server.hostname and any(
        not is_loopback(host) for options in config.listen.values() for host in options.hosts
    ):
        yield WrongValue(
            ("server", "hostname"),
            f'Other servers do not find the name "{config.server.hostname}". Set server.hostname to the name in DNS.',
        )
    if config.listen and "smtp" not in config.listen:
        yield WrongValue(("listen",), "No mail comes in from other servers. Add [listen.smtp].")
    for service, options in config.listen.items():
        if options.tls == "legacy":
            yield WrongValue(
                ("listen", service, "tls"),
                f"{service} takes TLS 1.0 and 1.1, which RFC 8996 forbids: whoever listens may read along."
                " Give old devices a listener of their own, on addresses that nobody else reaches.",
            )
    if not config.limits.enabled:
        yield WrongValue(("limits", "enabled"), "Failed logins are not limited. That is for load tests only.")


def _without_certificates(config: Config) -> Iterator[WrongValue]:
    if config.certificates or config.acme.enabled:
        return
    for service in config.listen:
        if service in _TLS_FROM_THE_START:
            yield WrongValue(
                ("listen", service), f"{service} begins with TLS and there is no certificate. Add [[certificates]]."
            )
        elif service in _WITH_LOGINS and not config.login.plaintext_on_loopback:
            yield WrongValue(
                ("listen", service),
                f"Nobody can log in to {service}: logins are taken under TLS only, and there is no certificate."
                " Add [[certificates]].",
            )


def _unprovable(config: Config) -> Iterator[WrongValue]:
    """Yield what keeps an authority from seeing that names are ours."""
    if not config.acme.enabled:
        return
    if config.acme.challenge == "http-01" and "http" not in config.listen:
        yield WrongValue(
            ("acme", "challenge"),
            "The authority asks on port 80 (http-01), and nobody listens there. Add [listen.http], or set"
            ' acme.challenge to "dns-01".',
        )
    if config.acme.challenge == "dns-01" and not config.dns_update:
        yield WrongValue(
            ("acme", "challenge"),
            "Proof by DNS (dns-01) needs a key that may change the zone. Add [[dns_update]], or set acme.challenge to"
            ' "http-01".',
        )


def _same_ports(config: Config) -> Iterator[WrongValue]:
    taken: dict[tuple[str, int], Service] = {}
    for service, options in config.listen.items():
        port = options.port or SERVICES[service]
        for host in options.hosts:
            other = taken.setdefault((host, port), service)
            if other != service:
                yield WrongValue(
                    ("listen", service), f"{service} and {other} both listen on port {port}. Give one another port."
                )
