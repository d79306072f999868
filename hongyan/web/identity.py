"""Who asks? Each way to say so is tried in turn: HTTP Basic, by the one door of all protocols (`auth.login`).

A program repeats its password with each request. What the door has let in is remembered for a while, by a keyed hash
of what was shown and the peer; it is registered as a live session, so that whoever is revoked is asked anew at once.
A wrong password is never remembered: each one passes the brakes and the audit.
"""

from __future__ import annotations

__all__ = ["PROXIED", "BasicWay", "Identities", "Unidentified", "Way"]

import base64
import binascii
import hmac
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from starlette.requests import Request

from hongyan.auth.login import LoginDoor
from hongyan.auth.principal import LoginAttempt, LoginReason, LoginRefused, Principal
from hongyan.auth.revocations import LiveSession, Revocations
from hongyan.clock import Clock, Random
from hongyan.secret import Secret
from hongyan.store.accounts import Service

PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "via")
"""Fields of requests that a proxy has handed on."""

_KEPT = 5_000
_MAX_HEADER = 2048
_MAX_CLIENT = 200
_REALM = 'Basic realm="Hongyan", charset="UTF-8"'  # RFC 7617 §2.1


class Unidentified(Exception):
    """Nobody is let in: with the status of the answer, a sentence for the peer, and when to try again."""

    def __init__(
        self, sentence: str, *, status: int = 401, retry_after: float | None = None, challenge: str | None = None
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.retry_after = retry_after
        self.challenge = challenge

    @property
    def headers(self) -> dict[str, str]:
        """Return the fields that go with the answer."""
        fields = {}
        if self.challenge is not None:
            fields["www-authenticate"] = self.challenge
        if self.retry_after is not None:
            fields["retry-after"] = str(max(1, round(self.retry_after)))
        return fields


class Way(Protocol):
    """One way to say who asks."""

    async def find(self, request: Request) -> Principal | None:
        """Return who it is, None if the request does not go this way. Raises `Unidentified`."""
        ...


class Identities:
    """Finds out who asks."""

    def __init__(self, ways: Sequence[Way]) -> None:
        self._ways = ways

    async def identify(self, request: Request) -> Principal:
        """Return who asks. Raises `Unidentified`."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            # A browser adds what it knows of us to whatever a stranger's page asks for (ASVS v5.0.0-3.5.1).
            raise Unidentified("Other sites may not ask.", status=403)
        for way in self._ways:
            principal = await way.find(request)
            if principal is not None:
                return principal
        # A script of our page asks for the login itself; at Basic the browser would ask by a dialog of its own.
        is_script = request.headers.get("sec-fetch-dest") == "empty"
        raise Unidentified("Log in first.", challenge="Bearer" if is_script else _REALM)


class BasicWay:
    """HTTP Basic (RFC 7617): the account's password, or an app password that opens IMAP (RFC 9698 §2).

    The latter gives a principal without `Service.WEB` among its scopes: it is for mail alone.
    """

    def __init__(
        self, door: LoginDoor, revocations: Revocations, clock: Clock, random: Random, remembered: float
    ) -> None:
        self._door = door
        self._revocations = revocations
        self._clock = clock
        self._random = random
        self._key = b""
        self._remembered = remembered
        self._known: OrderedDict[bytes, tuple[LiveSession, float]] = OrderedDict()

    async def find(self, request: Request) -> Principal | None:
        """Return whom the Authorization field names. Raises `Unidentified`."""
        fields = request.headers.getlist("authorization")
        if len(fields) != 1 or fields[0][:6].lower() != "basic ":
            return None
        peer = request.client.host if request.client else ""
        tls = request.scope["state"].get("tls")
        if tls is None and any(name in request.headers for name in PROXIED):
            raise Unidentified("This needs HTTPS.", status=403)  # loopback is where the proxy is, not the peer
        self._key = self._key or self._random.token(32)
        key = hmac.digest(self._key, f"{peer} {tls} {fields[0]}".encode(), "sha256")
        known = self._known.get(key)
        if known is not None and known[1] > self._clock.monotonic():
            return known[0].principal
        name, secret = _read_basic(fields[0])
        principal = await self._enter(
            LoginAttempt(
                service=Service.WEB,
                name=name,
                peer=peer,
                tls=tls,
                mechanism="BASIC",
                secret=secret,
                client=request.headers.get("user-agent", "")[:_MAX_CLIENT],
                admits=frozenset({Service.IMAP}),
            )
        )
        self._remember(key, principal)
        return principal

    async def _enter(self, attempt: LoginAttempt) -> Principal:
        try:
            return await self._door.authenticate(attempt)
        except LoginRefused as refused:
            if refused.reason is LoginReason.TLS_REQUIRED:
                raise Unidentified(refused.sentence, status=403) from None
            if refused.told.is_temporary:
                status = 429 if refused.told is LoginReason.TOO_MANY_FAILURES else 503
                raise Unidentified(refused.sentence, status=status, retry_after=refused.retry_after or 30) from None
            raise Unidentified(refused.sentence, challenge=_REALM) from None

    def _remember(self, key: bytes, principal: Principal) -> None:
        service = Service.WEB if Service.WEB in principal.scopes else Service.IMAP
        session = self._revocations.enter(principal, service, self._forgetter(key))
        if session is None:
            raise Unidentified("Log in again.", challenge=_REALM)
        self._forget(key)
        self._known[key] = session, self._clock.monotonic() + self._remembered
        while len(self._known) > _KEPT:
            self._forget(next(iter(self._known)))

    def _forgetter(self, key: bytes) -> Callable[[], None]:
        return lambda: self._forget(key)

    def _forget(self, key: bytes) -> None:
        known = self._known.pop(key, None)
        if known is not None:
            known[0].leave()


def _read_basic(field: str) -> tuple[str, Secret]:
    """Return name and password (RFC 7617 §2). Raises `Unidentified`."""
    try:
        if len(field) > _MAX_HEADER:
            raise ValueError
        octets = base64.b64decode(field[6:].strip(), validate=True)
        name, colon, secret = octets.partition(b":")
        if not colon:
            raise ValueError
        return name.decode("utf-8"), Secret(secret)
    except (binascii.Error, ValueError):
        raise Unidentified("The credentials cannot be read.", challenge=_REALM) from None
