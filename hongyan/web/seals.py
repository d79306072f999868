"""URLs that carry their own permission: for pictures in a frame that has no origin, and so sends no cookie.

A seal is a keyed hash over what it is for and until when. The key lives as long as the process: a page that is older
is simply asked for anew.
"""

from __future__ import annotations

__all__ = ["Seals"]

import hmac
from collections.abc import Sequence

from hongyan.clock import Clock, Random

_SECONDS = 3600
_DIGITS = 43


class Seals:
    """Seals, and looks whether a seal is whole."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._key = random.token(32)

    def seal(self, purpose: str, *values: str) -> tuple[int, str]:
        """Return until when, and the seal."""
        # By the hour, so that the same picture has the same URL for a while and a browser asks once.
        until = (int(self._clock.now().timestamp()) // _SECONDS + 2) * _SECONDS
        return until, self._digest(purpose, until, values)

    def is_whole(self, seal: str, until: int, purpose: str, *values: str) -> bool:
        """Whether this was sealed here, for this, and its time has not passed."""
        in_time = until > self._clock.now().timestamp()
        return in_time and hmac.compare_digest(seal.encode(), self._digest(purpose, until, values).encode())

    def _digest(self, purpose: str, until: int, values: Sequence[str]) -> str:
        said = "\0".join((purpose, str(until), *values)).encode("utf-8", "replace")
        return hmac.digest(self._key, said, "sha256").hex()[:_DIGITS]
