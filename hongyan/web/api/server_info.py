"""What a mail program has to be told: hosts, ports, TLS and the user's name, as the listeners really run."""

from __future__ import annotations

__all__ = ["ServerInfoResource"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from hongyan.clock import Clock
from hongyan.domains.client_settings import Listening, Security, rank
from hongyan.store.accounts import Service
from hongyan.web.api.declared import Route, Visit
from hongyan.web.api.drawn import draw_code

_TAG: Final = "server information"
_DIGITS: Final = 12
_CHECK_MINUTES: Final = 15


@dataclass(frozen=True, slots=True)
class ServerShown:
    """One way to reach a service; `is_on`: whether the account may use it."""

    service: Service
    host: str
    port: int
    security: Security
    is_on: bool


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What to enter into a mail program; the password is an app password. The best way of each service comes first."""

    user_name: str
    servers: list[ServerShown]
    generated_at: datetime
    configuration: str
    """A hash of what is shown: another one means that something has changed."""
    qr_code: str
    """The best way of each service as a URI a line, and the user's name in each, drawn as an SVG."""
    check_minutes: int
    """How often a program that is not told of new mail does well to look for it."""


class ServerInfoResource:
    """`/server-info`."""

    def __init__(self, hostname: str, find_listening: Callable[[], Sequence[Listening]], clock: Clock) -> None:
        self._hostname = hostname
        self._find_listening = find_listening
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return what it answers."""
        return [Route(method="GET", path="/server-info", handler=self.show, scope="account:read", tag=_TAG)]

    async def show(self, visit: Visit) -> ServerInfo:
        """Show what to enter into a mail program."""
        account = visit.account
        servers = [
            ServerShown(each.service, self._hostname, each.port, each.security, each.service in account.services)
            for each in sorted(self._find_listening(), key=rank)
        ]
        said = "\n".join(f"{each.service.value} {each.host} {each.port} {each.security.value}" for each in servers)
        digest = sha256(f"{account.address}\n{said}".encode()).hexdigest()[:_DIGITS]
        return ServerInfo(
            str(account.address),
            servers,
            self._clock.now(),
            digest,
            draw_code(_uris(str(account.address), servers)),
            _CHECK_MINUTES,
        )


def _uris(user: str, servers: Sequence[ServerShown]) -> str:
    """Return the first way of each service that is on, one a line: imaps://ann%40example.org@mail.example.org:993."""
    best: dict[Service, str] = {}
    for each in servers:
        scheme = each.service.value + ("s" if each.security is Security.TLS else "")
        if each.is_on:
            best.setdefault(each.service, f"{scheme}://{quote(user, safe='')}@{each.host}:{each.port}")
    return "\n".join(best.values()) or user
