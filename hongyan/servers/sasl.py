"""How a mail program logs in, whatever protocol it speaks: from SASL steps to the one door of `auth`.

A `Dialogue` is one exchange. Each step returns a challenge to be sent, or the principal; it raises `LoginRefused`
or `SaslFault`. Nothing of it is offered where a password could be read on the way.
"""

from __future__ import annotations

__all__ = ["MAX_SASL_LINE", "Dialogue", "Door", "LoginPeer"]

from typing import Protocol

from hongyan.auth.login import LoginDoor
from hongyan.auth.principal import EXTERNAL, LoginAttempt, LoginReason, LoginRefused, Principal, ScramOffer
from hongyan.clock import Random
from hongyan.limits.networks import is_loopback
from hongyan.secret import Secret
from hongyan.servers.arrival import Endpoint
from hongyan.servers.tls import TlsInfo
from hongyan.store.accounts import Service
from hongyan.wire import sasl

MAX_SASL_LINE = 12288
"""Octets of one line of an exchange (RFC 4954 §4)."""

_NONCE_OCTETS = 18


class LoginPeer(Protocol):
    """What the door wants to know of a connection."""

    @property
    def peer(self) -> Endpoint: ...
    @property
    def tls(self) -> TlsInfo | None: ...


class Door:
    """Begins exchanges for connections."""

    mechanisms = ("SCRAM-SHA-256", "PLAIN")
    """What is offered by every protocol; LOGIN too by SMTP, where older programs know nothing else."""

    def __init__(self, login: LoginDoor, random: Random, *, plaintext_on_loopback: bool = False) -> None:
        self._login = login
        self._random = random
        self._plaintext_on_loopback = plaintext_on_loopback

    def is_open(self, peer: LoginPeer) -> bool:
        """Whether a login may be offered on this connection as it is now."""
        return peer.tls is not None or (self._plaintext_on_loopback and is_loopback(peer.peer.host))

    def mechanisms_for(self, peer: LoginPeer) -> tuple[str, ...]:
        """Return what is offered on this connection: EXTERNAL only where TLS has brought a certificate of ours."""
        return (EXTERNAL, *self.mechanisms) if _certificate(peer) is not None else self.mechanisms

    def begin(self, mechanism: str, service: Service, peer: LoginPeer, client: str = "") -> Dialogue | None:
        """Return a new exchange, or None for a mechanism that is not known, or not for this connection."""
        if mechanism.upper() == EXTERNAL and _certificate(peer) is None:
            return None
        exchange = sasl.begin(mechanism, self._random.token(_NONCE_OCTETS).hex().encode())
        if exchange is None:
            return None
        return Dialogue(self._login, exchange, mechanism.upper(), service, peer, client)

    async def check(
        self, name: str, secret: Secret, service: Service, peer: LoginPeer, *, mechanism: str, client: str = ""
    ) -> Principal:
        """Let in by name and secret, as the protocols' own commands do. Raises `LoginRefused`."""
        return await self._login.authenticate(_attempt(name, secret, service, peer, mechanism, client))


class Dialogue:
    """One exchange of one connection."""

    __slots__ = ("_client", "_exchange", "_login", "_mechanism", "_offer", "_peer", "_principal", "_service")

    def __init__(
        self, login: LoginDoor, exchange: sasl.Exchange, mechanism: str, service: Service, peer: LoginPeer, client: str
    ) -> None:
        self._login = login
        self._exchange = exchange
        self._mechanism = mechanism
        self._service = service
        self._peer = peer
        self._client = client
        self._principal: Principal | None = None
        self._offer = ScramOffer(sasl.ScramVerifiers(b"", sasl.SCRAM_ITERATIONS, ()), ())

    async def start(self, initial_response: bytes | None) -> bytes | Principal:
        """Begin, with the decoded initial response where the client sent one."""
        return await self._follow(self._exchange.start(initial_response))

    async def respond(self, response: bytes) -> bytes | Principal:
        """Take the decoded answer to the last challenge."""
        return await self._follow(self._exchange.respond(response))

    async def _follow(self, step: sasl.Step) -> bytes | Principal:
        """Do what the mechanism asks for until it speaks to the client or is done."""
        while True:
            match step:
                case sasl.Challenge(octets):
                    return octets
                case sasl.NeedVerifiers(username):
                    self._offer = await self._login.offer_scram(self._attempt(username))
                    step = step.supply(self._offer.verifiers)
                case sasl.PasswordOffered(username, authorization_id, password):
                    _require_same(username, authorization_id)
                    self._principal = await self._login.authenticate(self._attempt(username, Secret(password)))
                    step = self._exchange.accept()
                case sasl.IdentityOffered(authorization_id):
                    certificate = _certificate(self._peer) or b""  # `begin` saw to it
                    attempt = self._attempt(authorization_id or "")
                    self._principal = await self._login.authenticate_certificate(attempt, certificate)
                    step = self._exchange.accept()
                case sasl.ProofOffered(username, authorization_id, matched):
                    _require_same(username, authorization_id)
                    self._principal = await self._login.complete_scram(self._attempt(username), self._offer, matched)
                    step = self._exchange.accept()
                case sasl.Accepted():
                    if self._principal is None:
                        raise sasl.SaslFault("The exchange ended before anything was proven")
                    return self._principal

    def _attempt(self, name: str, secret: Secret | None = None) -> LoginAttempt:
        return _attempt(name, secret, self._service, self._peer, self._mechanism, self._client)


def _attempt(
    name: str, secret: Secret | None, service: Service, peer: LoginPeer, mechanism: str, client: str
) -> LoginAttempt:
    return LoginAttempt(
        service=service,
        name=name,
        secret=secret,
        peer=peer.peer.host,
        tls=peer.tls.version if peer.tls is not None else None,
        mechanism=mechanism,
        client=client,
    )


def _certificate(peer: LoginPeer) -> bytes | None:
    return peer.tls.certificate if peer.tls is not None else None


def _require_same(username: str, authorization_id: str | None) -> None:
    """Nobody acts for somebody else here (RFC 4616 §2)."""
    if authorization_id and authorization_id != username:
        raise LoginRefused(
            LoginReason.WRONG_SECRET, "Nobody may log in for somebody else here; leave the authorization identity out."
        )
