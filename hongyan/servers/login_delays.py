"""How long an account waits from one login to the next, where the operator asks for it (RFC 2449 §6.5)."""

from __future__ import annotations

__all__ = ["LoginDelays"]

from typing import Final

from hongyan.clock import Clock
from hongyan.types import AccountId

_MOST: Final = 100_000  # accounts that are remembered; the ones that logged in longest ago are forgotten


class LoginDelays:
    """Remembers when each account last came in."""

    def __init__(self, seconds: int, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._last: dict[AccountId, float] = {}

    def admit(self, account: AccountId) -> bool:
        """Say whether the account may come in now; if so, its wait begins anew."""
        if not self._seconds:
            return True
        now = self._clock.monotonic()
        last = self._last.pop(account, None)
        is_early = last is not None and now - last < self._seconds
        self._last[account] = last if is_early and last is not None else now
        if len(self._last) > _MOST:
            del self._last[next(iter(self._last))]
        return not is_early
