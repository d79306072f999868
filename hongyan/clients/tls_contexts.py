"""How TLS is done towards other servers: with certificates unchecked, and with certificates for the host's name."""

from __future__ import annotations

__all__ = ["TlsContexts", "trust_of_the_machine"]

import ssl
from dataclasses import dataclass
from functools import lru_cache

from hongyan.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class TlsContexts:
    """`verified` None: what this machine trusts. That takes long to read (0.1 s), and is read when it is first needed.

    `authorities` is a file of authorities to trust besides.
    """

    opportunistic: ssl.SSLContext
    verified: ssl.SSLContext | None = None
    authorities: str = ""

    @staticmethod
    def system(authorities: str = "") -> TlsContexts:
        """Trust what this machine trusts, and what the file holds. Raises `ConfigurationError` if it cannot be read."""
        opportunistic = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        opportunistic.check_hostname = False
        opportunistic.verify_mode = ssl.CERT_NONE
        opportunistic.minimum_version = ssl.TLSVersion.TLSv1_2
        if authorities:
            _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), authorities)
        return TlsContexts(opportunistic, authorities=authorities)

    def find(self, *, verified: bool) -> ssl.SSLContext:
        """Return what a handshake is done with."""
        return (self.verified or trust_of_the_machine(self.authorities)) if verified else self.opportunistic


@lru_cache(maxsize=8)
def trust_of_the_machine(authorities: str = "") -> ssl.SSLContext:
    """Return what trusts whom this machine trusts, and the authorities in a file."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities:
        _load(context, authorities)
    return context


def _load(context: ssl.SSLContext, authorities: str) -> None:
    try:
        context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"outgoing_tls.authorities: {authorities} holds no certificates ({error}).") from error
