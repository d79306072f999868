"""The key by which push services know this server (RFC 8292), and the capability that tells it (RFC 9749).

A push service binds a subscription to the key that it was made for. So keys have numbers, each subscription remembers
its own, and another number leaves the old ones as they are (decision 43).
"""

from __future__ import annotations

__all__ = ["WEBPUSH_VAPID", "VapidKeys", "webpush_vapid_capability"]

import base64
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from hongyan.web.jmap.call import Capability
from hongyan.wire.web_push import make_private_key, public_octets

WEBPUSH_VAPID = "urn:ietf:params:jmap:webpush-vapid"


class VapidKeys:
    """Our keys, by number."""

    def __init__(self, derive: Callable[[str], bytes], number: int) -> None:
        """`derive` gives 32 secret octets for a purpose; `number` is that of the key for what is new."""
        self.number = number
        self._derive = derive
        self._find = cache(self._make)

    def find(self, number: int) -> EllipticCurvePrivateKey:
        """Return the key of a number."""
        return self._find(number)

    @property
    def public(self) -> str:
        """The key for what is new, its public half, as browsers want it."""
        return base64.urlsafe_b64encode(public_octets(self.find(self.number))).decode().rstrip("=")

    def _make(self, number: int) -> EllipticCurvePrivateKey:
        return make_private_key(b"".join(self._derive(f"vapid {number} {half}") for half in range(2)))


def webpush_vapid_capability(keys: VapidKeys) -> Capability:
    """Return the capability (RFC 9749 §3). Another key is another state of the session (RFC 9749 §5)."""
    return Capability(WEBPUSH_VAPID, {}, {"applicationServerKey": keys.public})
