"""Listeners from the configuration: sockets are bound first, and served when everything behind them stands."""

from __future__ import annotations

__all__ = ["Front", "make_listeners"]

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hongyan.assembly.services import Services
from hongyan.clock import Clock, Random
from hongyan.config import SERVICES, Config, ListenOptions, Service
from hongyan.errors import ConfigurationError
from hongyan.inbound.transaction import InboundTransaction
from hongyan.servers.admission import Admission
from hongyan.servers.arrival import Arrival, ConnectionIds, Endpoint, Served
from hongyan.servers.connection import Connection, Driver
from hongyan.servers.imap.handlers import HANDLERS
from hongyan.servers.imap.session import ImapSession
from hongyan.servers.listener import Listener
from hongyan.servers.pop3 import Pop3Services, Pop3Session
from hongyan.servers.privileges import drop_privileges
from hongyan.servers.proxy import ProxyPolicy
from hongyan.servers.session import Session
from hongyan.servers.smtp import SmtpSession
from hongyan.servers.sockets import bind, endpoint_of
from hongyan.servers.tls import Handshakes
from hongyan.servers.wheel import Wheel
from hongyan.submission.transaction import SubmissionTransaction
from hongyan.web.app import make_web
from hongyan.wire.smtp.offer import Offer

_IMPLICIT_TLS = frozenset({"submissions", "imaps", "pop3s", "https"})
_KINDS: dict[Service, str] = {
    "smtp": "smtp",
    "submission": "submission",
    "submissions": "submission",
    "imap": "imap",
    "imaps": "imap",
    "pop3": "pop3",
    "pop3s": "pop3",
    "http": "http",
    "https": "http",
}
_MECHANISMS = ("SCRAM-SHA-256", "PLAIN", "LOGIN")

_FAREWELLS: dict[str, Callable[[str], bytes]] = {
    "smtp": lambda sentence: f"421 4.7.0 {sentence}\r\n".encode(),
    "submission": lambda sentence: f"421 4.7.0 {sentence}\r\n".encode(),
    "imap": lambda sentence: f"* BYE [UNAVAILABLE] {sentence}\r\n".encode(),
    "pop3": lambda sentence: f"-ERR [SYS/TEMP] {sentence}\r\n".encode(),
}
"""How each protocol says that it takes no more connections just now."""

Serve = Callable[[Arrival], Served]


def make_listeners(config: Config) -> Front:
    """Bind every port and give up root. Raises `ConfigurationError` when one cannot be bound."""
    bound: dict[Service, list[socket.socket]] = {}
    front = Front(bound)
    try:
        for service, options in config.listen.items():
            bound[service] = bind(options.hosts, options.port)
    except OSError as error:
        front.close_sockets()
        port = options.port or SERVICES[service]
        raise ConfigurationError(f"Port {port} for {service} cannot be bound: {error.strerror}.") from error
    if config.server.user:
        drop_privileges(config.server.user)
    return front


@dataclass(slots=True)
class Front:
    """What the world connects to."""

    sockets: dict[Service, list[socket.socket]]
    listeners: list[Listener] = field(default_factory=list)

    @property
    def endpoints(self) -> Mapping[Service, Endpoint]:
        """The first address of each service."""
        return {service: endpoint_of(bound[0].getsockname()) for service, bound in self.sockets.items()}

    def close_sockets(self) -> None:
        """Give the ports back."""
        for bound in self.sockets.values():
            for listening in bound:
                listening.close()

    async def open(self, config: Config, services: Services, wheel: Wheel, clock: Clock, random: Random) -> None:
        """Begin to serve on every port."""
        makers = _Makers(config, services, wheel, clock, random)
        for service, options in config.listen.items():
            listener = makers.listener(service, options, self.sockets[service])
            await listener.open()
            self.listeners.append(listener)
        makers.tell_health(self.listeners)

    async def drain(self, seconds: float) -> None:
        """Stop accepting and let connections end."""
        await asyncio.gather(*(listener.drain(seconds) for listener in self.listeners))


class _Makers:
    """Makes listeners, and what serves their connections."""

    def __init__(self, config: Config, services: Services, wheel: Wheel, clock: Clock, random: Random) -> None:
        self._config = config
        self._services = services
        self._handshakes = Handshakes(config.tls)
        self._driver = Driver(wheel, self._handshakes, config.connections)
        self._ids = ConnectionIds(random)
        is_banned = services.entrance.bans.is_shut_out
        self._admissions = {
            kind: Admission(getattr(config.admission, kind), clock, is_banned) for kind in set(_KINDS.values())
        }
        self._web = make_web(config, services, clock)

    def listener(self, service: Service, options: ListenOptions, sockets: list[socket.socket]) -> Listener:
        certificates = self._services.certificates
        if service in _IMPLICIT_TLS and certificates is None:
            raise ConfigurationError(f"{service} needs a certificate: name one under [[certificates]].")
        wants_tls = certificates is not None and service != "http"
        return Listener(
            service,
            sockets,
            self._serve(service),
            admission=self._admissions[_KINDS[service]],
            handshakes=self._handshakes,
            ids=self._ids,
            find_context=certificates.context_finder(options.tls_floor) if certificates and wants_tls else None,
            implicit_tls=service in _IMPLICIT_TLS,
            proxy=ProxyPolicy(options.proxy) if options.proxy.networks else None,
            farewell=_FAREWELLS.get(_KINDS[service]),
        )

    def tell_health(self, listeners: list[Listener]) -> None:
        """Let the web's health check look at all of them."""
        self._web.watch(listeners)

    def _serve(self, service: Service) -> Serve:
        match _KINDS[service]:
            case "smtp":
                return self._serve_by(self._inbound())
            case "submission":
                return self._serve_by(self._submission())
            case "imap":
                imap = self._services.imap
                return self._serve_by(lambda connection: ImapSession(imap, connection, HANDLERS))
            case "pop3":
                return self._serve_by(self._pop3())
            case _:
                return self._web.serve

    def _serve_by(self, make_session: Callable[[Connection], Session]) -> Serve:
        driver = self._driver
        return lambda arrival: Connection(driver, arrival, make_session)

    def _inbound(self) -> Callable[[Connection], SmtpSession]:
        options, inbound = self._config.smtp, self._services.inbound
        offer = self._offer(dsn=False)

        def make(connection: Connection) -> SmtpSession:
            return SmtpSession(
                connection,
                offer,
                options,
                lambda of: InboundTransaction(inbound, of.peer.host, of.cid),
                None,
                None,
            )

        return make

    def _submission(self) -> Callable[[Connection], SmtpSession]:
        options, submission, entrance = self._config.smtp, self._services.submission, self._services.entrance
        plain = self._config.login.plaintext_on_loopback
        offer = self._offer(dsn=True, auth=True, plain=plain)

        def make(connection: Connection) -> SmtpSession:
            return SmtpSession(
                connection,
                offer,
                options,
                lambda of: SubmissionTransaction(submission, of.peer.host, of.cid),
                entrance.door,
                entrance.revocations,
            )

        return make

    def _offer(self, *, dsn: bool, auth: bool = False, plain: bool = False) -> Offer:
        options = self._config.smtp
        return Offer(
            hostname=self._config.server.hostname,
            max_message=options.max_message,
            max_recipients=options.max_recipients,
            max_messages=options.max_messages,
            starttls=self._services.certificates is not None,
            requires_tls=auth and not plain,
            auth=_MECHANISMS if auth else (),
            requires_auth=auth,
            auth_without_tls=plain,
            dsn=dsn,
        )

    def _pop3(self) -> Callable[[Connection], Pop3Session]:
        entrance = self._services.entrance
        pop3 = Pop3Services(self._services.mail, entrance.door, entrance.revocations, self._config.pop3)
        return lambda connection: Pop3Session(pop3, connection)
