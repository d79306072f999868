"""Listeners from the configuration: what the world connects to, and what serves each connection."""

from __future__ import annotations

__all__ = ["Front"]

import asyncio
from collections.abc import Callable, Mapping

from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services
from hongyan.assembly.sockets import Sockets
from hongyan.assembly.web import make_web
from hongyan.config import ListenOptions, Service
from hongyan.domains.certificates import Certificates
from hongyan.errors import ConfigurationError
from hongyan.inbound.transaction import InboundTransaction
from hongyan.servers.admission import Admission
from hongyan.servers.arrival import Arrival, ConnectionIds, Endpoint, Served
from hongyan.servers.connection import Connection
from hongyan.servers.driver import Driver
from hongyan.servers.imap.handlers import HANDLERS
from hongyan.servers.imap.session import ImapSession
from hongyan.servers.listener import Listener
from hongyan.servers.pop3 import Pop3Services, Pop3Session
from hongyan.servers.proxy import ProxyPolicy
from hongyan.servers.session import Session
from hongyan.servers.smtp import SmtpSession
from hongyan.servers.sockets import endpoint_of
from hongyan.servers.tls import Handshakes
from hongyan.submission.transaction import SubmissionTransaction
from hongyan.web.connection import HttpService
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
    "http": HttpService.farewell,
}
"""How each protocol says that it takes no more connections just now."""


class Front:
    """What the world connects to."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._listeners: dict[Service, Listener] = {}

    @property
    def endpoints(self) -> Mapping[Service, Endpoint]:
        """The first address of each service."""
        return {service: endpoint_of(bound[0].getsockname()) for service, bound in self._sockets.items()}

    def is_serving(self, service: Service) -> bool:
        """Whether a service accepts connections."""
        listener = self._listeners.get(service)
        return listener is not None and listener.serving

    async def open(self, ground: Ground, services: Services, certificates: Certificates | None) -> None:
        """Begin to serve on every port."""
        makers = _Makers(ground, services, certificates, self)
        for service, options in ground.config.listen.items():
            listener = makers.listener(service, options, self._sockets)
            await listener.open()
            self._listeners[service] = listener

    async def drain(self, seconds: float) -> None:
        """Stop accepting and let connections end."""
        await asyncio.gather(*(listener.drain(seconds) for listener in self._listeners.values()))


class _Makers:
    """Makes listeners, and what serves their connections."""

    def __init__(self, ground: Ground, services: Services, certificates: Certificates | None, front: Front) -> None:
        config = ground.config
        self._config = config
        self._services = services
        self._certificates = certificates
        self._handshakes = Handshakes(config.tls)
        self._driver = Driver(ground.wheel, self._handshakes, config.connections)
        self._ids = ConnectionIds(ground.random)
        is_banned = services.entrance.bans.is_shut_out
        self._admissions = {
            kind: Admission(getattr(config.admission, kind), ground.clock, is_banned) for kind in set(_KINDS.values())
        }
        self._web = make_web(ground, services.directory.domains, front.is_serving)

    def listener(self, service: Service, options: ListenOptions, sockets: Sockets) -> Listener:
        certificates = self._certificates
        if service in _IMPLICIT_TLS and certificates is None:
            raise ConfigurationError(f"{service} begins with TLS and there is no certificate. Add [[certificates]].")
        wants_tls = certificates is not None and service != "http"
        return Listener(
            service,
            sockets[service],
            self._serve(service),
            admission=self._admissions[_KINDS[service]],
            handshakes=self._handshakes,
            ids=self._ids,
            find_context=certificates.context_finder(options.tls_floor) if certificates and wants_tls else None,
            implicit_tls=service in _IMPLICIT_TLS,
            proxy=ProxyPolicy(options.proxy) if options.proxy.networks else None,
            farewell=_FAREWELLS[_KINDS[service]],
        )

    def _serve(self, service: Service) -> Callable[[Arrival], Served]:
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

    def _serve_by(self, make_session: Callable[[Connection], Session]) -> Callable[[Arrival], Served]:
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
        offer = self._offer(dsn=True, auth=True, plain=self._config.login.plaintext_on_loopback)

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
            starttls=self._certificates is not None,
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
