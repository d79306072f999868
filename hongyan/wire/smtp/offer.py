"""What a listener offers and demands, and how EHLO says so (RFC 5321 §4.1.1.1)."""

from __future__ import annotations

__all__ = ["Offer", "greeting", "hello_reply", "offered_parameters"]

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from hongyan.wire.smtp.parameters import (
    AUTH_PARAMETERS,
    DSN_PARAMETERS,
    FUTURE_RELEASE_PARAMETERS,
    MAIL_PARAMETERS,
    REQUIRETLS_PARAMETERS,
    VERP_PARAMETERS,
)
from hongyan.wire.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class Offer:
    """What a listener offers and demands. Port 25 has no `auth`; submission `requires_tls` and `requires_auth`."""

    hostname: str
    max_message: int = 50 << 20
    max_recipients: int = 1000
    max_messages: int = 1000
    max_faults: int = 20
    max_idle_commands: int = 100
    starttls: bool = False
    requires_tls: bool = False
    auth: tuple[str, ...] = ()
    requires_auth: bool = False
    auth_without_tls: bool = False
    dsn: bool = False
    requiretls: bool = False
    future_release: int = 0
    """Seconds for which a message may be kept back (RFC 4865); 0: not offered."""
    future_release_until: datetime | None = None
    """The same as a moment, UTC; None with 0."""
    verp: bool = False
    """XVERP: a reverse-path for each recipient."""
    notice: str = ""
    """What is added to the greeting."""

    def offers_auth(self, *, tls: bool) -> bool:
        """Whether AUTH is shown: never where a password could be read on the way (RFC 4954 §4)."""
        return bool(self.auth) and (tls or self.auth_without_tls)


@lru_cache(maxsize=64)
def offered_parameters(offer: Offer, *, tls: bool) -> frozenset[str]:
    """Return the keywords of parameters that MAIL and RCPT may have."""
    parameters = MAIL_PARAMETERS
    if offer.dsn:
        parameters |= DSN_PARAMETERS
    if offer.future_release:
        parameters |= FUTURE_RELEASE_PARAMETERS
    if offer.verp:
        parameters |= VERP_PARAMETERS
    if offer.offers_auth(tls=tls):
        parameters |= AUTH_PARAMETERS
    if offer.requiretls and tls:
        parameters |= REQUIRETLS_PARAMETERS
    return parameters


@lru_cache(maxsize=64)
def greeting(offer: Offer) -> Reply:
    """Return what the server says first (RFC 5321 §3.1)."""
    return Reply(220, "", (f"{offer.hostname} ESMTP {offer.notice}".rstrip(),))


@lru_cache(maxsize=64)
def hello_reply(offer: Offer, *, tls: bool, extended: bool) -> Reply:
    """Return the answer to EHLO, or to HELO if not `extended`."""
    if not extended:
        return Reply(250, "", (offer.hostname,))
    lines = [
        offer.hostname,
        "PIPELINING",
        f"SIZE {offer.max_message}",
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "ENHANCEDSTATUSCODES",
        f"LIMITS MAILMAX={offer.max_messages} RCPTMAX={offer.max_recipients}",
    ]
    if offer.starttls and not tls:
        lines.append("STARTTLS")
    if offer.offers_auth(tls=tls):
        lines.append("AUTH " + " ".join(offer.auth))
    if offer.dsn:
        lines.append("DSN")
    if offer.future_release and offer.future_release_until is not None:
        until = offer.future_release_until.strftime("%Y-%m-%dT%H:%M:%SZ")
        lines.append(f"FUTURERELEASE {offer.future_release} {until}")
    if offer.verp:
        lines.append("XVERP")
    if offer.requiretls and tls:
        lines.append("REQUIRETLS")
    return Reply(250, "", tuple(lines))
