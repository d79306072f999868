"""The sender rewriting scheme: reverse-paths of what is forwarded, so that SPF passes where it goes. Pure.

A forward that keeps its sender comes from a server that the sender's domain never named. With the scheme it comes from
ours: SRS0=HHHH=TT=domain=local@ours, signed and dated, and a bounce finds its way back by it. An address that another
forwarder has rewritten becomes SRS1=HHHH=host=…@ours, which leads back to that forwarder and no further.

The addresses are those of libsrs2 and postsrsd: HMAC-SHA1 over timestamp, domain and local part in lower case, in
base64, cut short; the day modulo 1024 in base32. Twenty bits would be few for a secret and are enough for an address
that also has to be recent: who guesses reaches one mailbox with one bounce.
"""

from __future__ import annotations

__all__ = ["MAX_AGE", "Srs", "SrsFault", "is_srs"]

import base64
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Final

from hongyan.addresses import Address, AddressFault, Domain
from hongyan.errors import PeerFault

MAX_AGE: Final = timedelta(days=21)
"""How long a rewritten address takes bounces: longer than anybody keeps a message in a queue."""

_HASH: Final = 6
"""Characters of the signature, of 6 bits; four, as others make them, are accepted for what others made with our key."""

_LEAST_HASH: Final = 4
_MAX_LOCAL: Final = 64  # RFC 5321 §4.5.3.1.1
_DAYS: Final = 1024
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

# SRS0=HHHH=TT=domain=local; the separator after the first word may be =, + or -.
_SRS0 = re.compile(r"SRS0[=+-]([A-Za-z0-9+/.]{4,28})=([A-Z2-7a-z]{2})=([^=@\s]{1,255})=(.{1,255})", re.IGNORECASE)
# SRS1=HHHH=host==HHHH=TT=domain=local
_SRS1 = re.compile(r"SRS1[=+-]([A-Za-z0-9+/.]{4,28})=([^=@\s]{1,255})=([=+-].{1,255})", re.IGNORECASE)


class SrsFault(PeerFault):
    """The address is no rewritten one of ours, or too old."""


def is_srs(local_part: str) -> bool:
    """Whether a local part has the form of a rewritten address."""
    return local_part[:5].upper() in ("SRS0=", "SRS0+", "SRS0-", "SRS1=", "SRS1+", "SRS1-")


class Srs:
    """Rewrites with a secret. The first key signs; all are believed, so that a key can be changed."""

    def __init__(self, domain: Domain, keys: Sequence[bytes]) -> None:
        """`domain` is ours, and takes mail."""
        if not keys or not all(keys):
            raise ValueError("rewriting needs a secret")
        self.domain = domain
        self._keys = tuple(keys)

    def forward(self, sender: Address, now: datetime) -> Address:
        """Return the reverse-path under which mail from `sender` is sent on.

        Raises `SrsFault` for one that cannot be written in 64 octets or ASCII: it is sent on as it is.
        """
        if sender.domain == self.domain and is_srs(sender.local_part):
            return sender
        if (match := _SRS0.fullmatch(sender.local_part)) is not None:
            host, rest = sender.domain.text, "=" + sender.local_part[5:]
            local = f"SRS1={self._sign(host, rest)}={host}={rest}"
        elif (match := _SRS1.fullmatch(sender.local_part)) is not None:
            host, rest = _address("x", match[2]).domain.text, match[3]
            local = f"SRS1={self._sign(host, rest)}={host}={rest}"
        else:
            stamp, host = _stamp(now), sender.domain.text
            local = f"SRS0={self._sign(stamp, host, sender.local_part)}={stamp}={host}={sender.local_part}"
        if len(local) > _MAX_LOCAL or not local.isascii():
            raise SrsFault(cause=f"{sender} cannot be rewritten")
        return Address(local, self.domain)

    def reverse(self, address: Address, now: datetime) -> Address:
        """Return where a bounce to a rewritten address goes. Raises `SrsFault` unless we made it, and lately."""
        local = address.local_part
        if (match := _SRS0.fullmatch(local)) is not None:
            signature, stamp, host, original = match.groups()
            self._check(signature, stamp, host, original)
            if not _is_recent(stamp, now):
                raise SrsFault(cause=f"{address} is too old")
            return _address(original, host)
        if (match := _SRS1.fullmatch(local)) is not None:
            signature, host, rest = match.groups()
            self._check(signature, host, rest)
            return _address(f"SRS0{rest}", host)
        raise SrsFault(cause=f"{address} is not rewritten")

    def _sign(self, *parts: str) -> str:
        return _signature(self._keys[0], parts)[:_HASH]

    def _check(self, signature: str, *parts: str) -> None:
        given = signature.casefold().encode()  # Some servers fold local parts to lower case.
        length = len(given)
        fits = [hmac.compare_digest(_signature(key, parts)[:length].casefold().encode(), given) for key in self._keys]
        if not length >= _LEAST_HASH or not any(fits):
            raise SrsFault(cause="a rewritten address is not signed by us")


def _signature(key: bytes, parts: Sequence[str]) -> str:
    digest = hmac.new(key, digestmod=sha1)  # The scheme's; HMAC does not rest on what SHA-1 has lost.
    for part in parts:
        digest.update(part.lower().encode())
    return base64.b64encode(digest.digest()).decode("ascii")


def _day(now: datetime) -> int:
    return int(now.timestamp()) // 86400 % _DAYS


def _stamp(now: datetime) -> str:
    day = _day(now)
    return _BASE32[day >> 5] + _BASE32[day & 31]


def _is_recent(stamp: str, now: datetime) -> bool:
    high, low = (_BASE32.index(character) for character in stamp.upper())
    age = (_day(now) - (high << 5 | low)) % _DAYS
    return age <= MAX_AGE.days or age == _DAYS - 1  # tomorrow's, by a clock that runs ahead


def _address(local_part: str, host: str) -> Address:
    try:
        return Address(local_part, Domain.parse(host))
    except AddressFault as fault:
        raise SrsFault(cause=f"{local_part}@{host}") from fault
