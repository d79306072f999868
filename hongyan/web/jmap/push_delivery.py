"""One push to one URL: what is said, how it is encrypted and signed, and what the answer means (RFC 8620 §7.2).

The URL is one that a stranger chose. Whoever carries a push there (`PushCarrier`) connects to public addresses alone,
believes certificates alone, follows no redirects, and has limits of size and time. Nothing of the answer but its status
and when to come again is looked at, and nothing of it is told to anybody.
"""

from __future__ import annotations

__all__ = ["PushAnswer", "PushCarrier", "PushDelivery", "PushFate", "find_push_target"]

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from hongyan.addresses import AddressFault, Domain
from hongyan.clock import Clock, Random
from hongyan.store.push_subscriptions import PushSubscription
from hongyan.telemetry import metrics
from hongyan.web.jmap.call import account_id_of
from hongyan.web.jmap.vapid import VapidKeys
from hongyan.wire.jmap.push import push_topic, push_verification, state_change
from hongyan.wire.web_push import SALT, encrypt_push, vapid_field

_LONGEST_URL: Final = 2048
_URL: Final = re.compile(r"https://([A-Za-z0-9.-]{1,253})(?::443)?(/[!-\"$-~]*)?", re.ASCII)
_DEADLINE: Final = 20.0
"""Seconds that a push service has."""

_TTL: Final = 24 * 3600
"""Seconds that a push waits for a device that is away; who is away longer looks for itself."""

_TOKEN_LASTS: Final = 12 * 3600
"""Seconds; RFC 8292 §2: a day at most."""

_NEW_MAIL: Final = "EmailDelivery"


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """The status of an answer, 0 without one, and after how many seconds to come again, 0 where that is not said."""

    status: int
    retry_after: float = 0.0


class PushCarrier(Protocol):
    """Carries octets to a host that strangers chose."""

    async def post(
        self, host: str, path: str, octets: bytes, fields: Sequence[tuple[str, str]], *, deadline: float
    ) -> PushAnswer:
        """Post JSON within `deadline` seconds and return what was answered; never raises for what the host does."""
        ...


class PushFate(StrEnum):
    """What became of a push."""

    TAKEN = "taken"
    GONE = "gone"
    """The push service knows the URL no longer."""
    FAILED = "failed"
    """It may go later."""


def find_push_target(url: str) -> tuple[str, str] | None:
    """Return host and path of a URL that may be pushed to: https, its own port, a host with a name, and nothing odd."""
    match = _URL.fullmatch(url) if len(url) <= _LONGEST_URL else None
    if match is None:
        return None
    try:
        host = Domain.parse(match[1])
    except AddressFault:
        return None
    return host.text, match[2] or "/"


class PushDelivery:
    """Pushes."""

    def __init__(self, carrier: PushCarrier, keys: VapidKeys, contact: str, clock: Clock, random: Random) -> None:
        """`contact` is a URI by which the operators of push services reach ours (RFC 8292 §2.1)."""
        self._carrier = carrier
        self._keys = keys
        self._contact = contact
        self._clock = clock
        self._random = random

    async def verify(self, to: PushSubscription) -> tuple[PushFate, float]:
        """Push the code that shows who reads at the URL; return what became of it, and when to come again."""
        return await self._push(to, push_verification(to.subscription_id, to.code), [("Urgency", "normal")])

    async def tell(self, to: PushSubscription, changed: Mapping[str, str]) -> tuple[PushFate, float]:
        """Push the states that changed; return what became of it, and when to come again."""
        urgency = "normal" if _NEW_MAIL in changed else "low"  # RFC 8030 §5.3
        fields = [("Urgency", urgency), ("Topic", push_topic(to.subscription_id, changed))]
        return await self._push(to, state_change(account_id_of(to.account), changed), fields)

    async def _push(
        self, to: PushSubscription, told: Mapping[str, object], fields: Sequence[tuple[str, str]]
    ) -> tuple[PushFate, float]:
        target = find_push_target(to.url)
        if target is None:
            return PushFate.GONE, 0.0
        host, path = target
        now = int(self._clock.timestamp())
        token = vapid_field(self._keys.find(to.key_number), f"https://{host}", self._contact, now + _TOKEN_LASTS)
        given = [("TTL", str(self._ttl(to, now))), ("Authorization", token), *fields]
        octets = json.dumps(told, separators=(",", ":")).encode()
        if to.keys is not None:
            sender, salt = generate_private_key(SECP256R1()), self._random.token(SALT)
            octets = encrypt_push(octets, to.keys.public_key, to.keys.secret, sender=sender, salt=salt)
            given.append(("Content-Encoding", "aes128gcm"))
        answer = await self._carrier.post(host, path, octets, given, deadline=_DEADLINE)
        fate = _fate_of(answer.status)
        metrics.push_total.labels(fate.value).inc()
        return fate, answer.retry_after

    @staticmethod
    def _ttl(to: PushSubscription, now: int) -> int:
        return _TTL if to.expires_at is None else max(0, min(_TTL, int(to.expires_at.timestamp()) - now))


def _fate_of(status: int) -> PushFate:
    if status // 100 == 2:
        return PushFate.TAKEN
    return PushFate.GONE if status in (404, 410) else PushFate.FAILED  # RFC 8030 §7.3
