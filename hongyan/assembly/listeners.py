"""Listeners from the configuration: what the world connects to, and what serves each connection."""

from __future__ import annotations

__all__ = ["Front"]

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from hongyan.assembly.client_settings import SettingsOfDomains
from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services
from hongyan.assembly.sockets import Sockets
from hongyan.assembly.web import make_web
from hongyan.assembly.web_api import WebEntrance, make_api
from hongyan.config import ListenOptions, Service
from hongyan.domains.certificates import Certificates
from hongyan.domains.tls_profiles import CERTIFICATE_SERVICES, profile_of
from hongyan.errors import ConfigurationError
from hongyan.inbound.transaction import InboundTransaction
from hongyan.limits.smtp_rates import OFFENCES
from hongyan.servers.admission import Admission
from hongyan.servers.arrival import Arrival, ConnectionIds, Endpoint, Served
from hongyan.servers.connection import Connection
from hongyan.servers.driver import Driver
from hongyan.servers.imap.handlers import HANDLERS
from hongyan.servers.imap.session import ImapSession
from hongyan.servers.listener import Listener
from hongyan.servers.login_delays import LoginDelays
from hongyan.servers.pop3 import Pop3Services, Pop3Session
from hongyan.servers.proxy import ProxyPolicy
from hongyan.servers.sasl import Door
from hongyan.servers.session import Session
from hongyan.servers.smtp import SmtpSession, Transaction
from hongyan.servers.smtp_visit import VisitTransaction
from hongyan.servers.sockets import endpoint_of
from hongyan.servers.tls import Handshakes
from hongyan.submission.transaction import SubmissionTransaction
from hongyan.web.api.operated import OperationsPort
from hongyan.web.connection import HttpService
from hongyan.web.problems import Say
from hongyan.wire.smtp.offer import Offer

_IMPLICIT_TLS = frozenset({"submissions", "imaps", "pop3s", "https", *CERTIFICATE_SERVICES})
_KINDS: dict[Service, str] = {
    "smtp": "smtp",
    "submission": "submission",
    "submissions": "submission",
    "imap": "imap",
    "imaps": "imap",
    "pop3": "pop3",
    "pop3s": "pop3",
    "submissions-certificate": "submission",
    "imaps-certificate": "imap",
    "pop3s-certificate": "pop3",
    "http": "http",
    "https": "http",
}
_OLD_MECHANISMS = ("LOGIN",)  # of SMTP, beside those of the door

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

    def serving(self) -> Mapping[Service, Endpoint]:
        """The first address of each service that accepts connections."""
        return {service: endpoint for service, endpoint in self.endpoints.items() if self.is_serving(service)}

    async def open(
        self,
        ground: Ground,
        services: Services,
        certificates: Certificates | None,
        say: Say,
        operations: OperationsPort,
    ) -> None:
        """Begin to serve on every port. `say` translates what the web says, `operations` are for its admins."""
        settings = SettingsOfDomains(ground.config, services, self.serving)
        entrance = WebEntrance(self.serving, say, operations, settings, certificates)
        makers = _Makers(ground, services, certificates, self, entrance)
        for service, options in ground.config.listen.items():
            listener = makers.listener(service, options, self._sockets)
            await listener.open()
            self._listeners[service] = listener

    async def drain(self, seconds: float) -> None:
        """Stop accepting and let connections end."""
        await asyncio.gather(*(listener.drain(seconds) for listener in self._listeners.values()))


class _Makers:
    """Makes listeners, and what serves their connections."""

    def __init__(
        self,
        ground: Ground,
        services: Services,
        certificates: Certificates | None,
        front: Front,
        entrance: WebEntrance,
    ) -> None:
        config = ground.config
        self._config = config
        self._services = services
        self._certificates = certificates
        self._handshakes = Handshakes(config.tls)
        self._driver = Driver(ground.wheel, self._handshakes, config.connections)
        self._ids = ConnectionIds(ground.random)
        bans = services.entrance.bans
        self._admissions = {
            kind: Admission(
                getattr(config.admission, kind),
                ground.clock,
                bans.is_shut_out if kind == "smtp" else partial(bans.is_shut_out, spared=OFFENCES),
            )
            for kind in set(_KINDS.values())
        }
        self._web = make_web(
            ground, services, front.is_serving, entrance.settings, make_api(ground, services, entrance).web_routes()
        )

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
            find_context=certificates.context_finder(profile_of(service, options.tls))
            if certificates and wants_tls
            else None,
            implicit_tls=service in _IMPLICIT_TLS,
            proxy=ProxyPolicy(options.proxy) if options.proxy.networks else None,
            farewell=_FAREWELLS[_KINDS[service]],
            lifecycle=self._services.lifecycles.each.get(service),
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
        options, inbound, gate = self._config.smtp, self._services.inbound, self._services.gatehouse.gate
        offer = self._offer(dsn=False)

        def make(connection: Connection) -> SmtpSession:
            visit = gate.visit(connection.peer.host, connection.local.host, connection.cid)

            def begin(of: Connection) -> Transaction:
                transaction = InboundTransaction(inbound, of.peer.host, of.cid)
                return transaction if visit is None else VisitTransaction(transaction, visit, transaction.turned_away)

            return SmtpSession(connection, _with_notice(offer, connection), options, begin, None, None, visit)

        return make

    def _submission(self) -> Callable[[Connection], SmtpSession]:
        options, submission, entrance = self._config.smtp, self._services.submission, self._services.entrance
        offer = self._offer(dsn=True, auth=True, plain=self._config.login.plaintext_on_loopback)
        offer = replace(offer, verp=submission.offers_verp)
        longest = submission.future_release

        def make(connection: Connection) -> SmtpSession:
            mechanisms = (*entrance.door.mechanisms_for(connection), *_OLD_MECHANISMS)
            mine = offer if mechanisms == offer.auth else replace(offer, auth=mechanisms)
            return SmtpSession(
                connection,
                _with_notice(_offer_future_release(mine, longest, submission.clock.now()), connection),
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
            auth=(*Door.mechanisms, *_OLD_MECHANISMS) if auth else (),
            requires_auth=auth,
            auth_without_tls=plain,
            dsn=dsn,
            requiretls=True,
        )

    def _pop3(self) -> Callable[[Connection], Pop3Session]:
        entrance = self._services.entrance
        pop3 = Pop3Services(
            self._services.mail,
            entrance.door,
            self._services.directory.settings,
            entrance.revocations,
            self._config.pop3,
            LoginDelays(self._config.pop3.login_delay, self._services.submission.clock),
            self._services.directory.audit,
        )
        return lambda connection: Pop3Session(pop3, connection)


def _with_notice(offer: Offer, connection: Connection) -> Offer:
    """Say in the greeting what the listener has to tell."""
    notice = connection.arrival.notice
    return replace(offer, notice=notice) if notice else offer


def _offer_future_release(offer: Offer, longest: timedelta, now: datetime) -> Offer:
    """Say until when a message may be kept back; full hours, so that an hour's connections share their offer."""
    if not longest:
        return offer
    until = (now + longest).replace(minute=0, second=0, microsecond=0)
    return replace(offer, future_release=int(longest.total_seconds()), future_release_until=until)
