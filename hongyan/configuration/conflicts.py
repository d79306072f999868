"""Settings that are each possible and cannot be together, and what should give an operator pause."""

from __future__ import annotations

__all__ = ["find_conflicts", "find_doubts"]

from collections.abc import Iterator, Sequence

from hongyan.config import SERVICES, Config, Service
from hongyan.configuration.values import WrongValue
from hongyan.limits.networks import is_loopback

_TLS_FROM_THE_START: Sequence[Service] = ("submissions", "imaps", "pop3s", "https")
_WITH_LOGINS: Sequence[Service] = ("submission", "imap", "pop3")


def find_conflicts(config: Config) -> Iterator[WrongValue]:
    """Yield what makes a start impossible."""
    yield from _without_certificates(config)
    yield from _same_ports(config)


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
    if not config.limits.enabled:
        yield WrongValue(("limits", "enabled"), "Failed logins are not limited. That is for load tests only.")


def _without_certificates(config: Config) -> Iterator[WrongValue]:
    if config.certificates:
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
