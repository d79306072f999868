"""The certificates that a server showed in the handshake, as it showed them: the one place that asks `ssl` for them.

DANE-TA needs the whole chain, unverified (RFC 7672 §3.1.2). Python has a public way to it from 3.13 on; before, the
same call is there, and private (decision 21).
"""

from __future__ import annotations

__all__ = ["peer_chain"]

import ssl
from collections.abc import Sequence
from typing import Any, Final

_DER: Final = 2  # `_ssl.ENCODING_DER`


def peer_chain(connection: ssl.SSLObject | ssl.SSLSocket) -> Sequence[bytes]:
    """Return the server's certificates in DER, its own first; none before the handshake."""
    public = getattr(connection, "get_unverified_chain", None)
    if public is not None:  # Python 3.13: octets
        return tuple(public() or ())
    within: Any = connection._sslobj  # type: ignore[union-attr]  # noqa: SLF001 - nothing else gives the chain
    shown = within.get_unverified_chain() if within is not None else None
    return tuple(certificate.public_bytes(_DER) for certificate in shown or ())
