"""Receipts: how a client's resend is known, so that a message it never heard our 250 for is stored once.

A receipt names an envelope and the octets as they came. What we add ourselves (Received, Message-ID) is not in it:
that differs each time. RFC 5321 §6.1 leaves the choice to the server; here the duplicate is taken away.
"""

from __future__ import annotations

__all__ = ["RECEIPT_LIFETIME", "Receipt", "envelope_digest"]

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from hongyan.addresses import Address
from hongyan.types import AccountId

RECEIPT_LIFETIME: Final = timedelta(minutes=10)
"""A client that never saw our 250 sends again within this time."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an envelope with these octets was taken: the same again before `expires` is not stored twice."""

    digest: bytes
    now: int
    expires: int

    @classmethod
    def given(cls, digest: bytes, now: int) -> Receipt:
        """Return a receipt that is given now, for as long as receipts last."""
        return cls(digest, now, now + int(RECEIPT_LIFETIME.total_seconds()))


def envelope_digest(
    account: AccountId | None, reverse_path: Address | None, forward_paths: Iterable[str], content_digest: bytes
) -> bytes:
    """Return what names an envelope with its octets, given their digest. The order of forward-paths does not count."""
    digest = sha256()
    for part in (str(account or ""), str(reverse_path or ""), *sorted(set(forward_paths))):
        octets = part.encode()
        digest.update(len(octets).to_bytes(4, "big"))
        digest.update(octets)
    digest.update(content_digest)
    return digest.digest()
