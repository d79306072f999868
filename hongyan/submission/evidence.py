"""What speaks for a stolen account besides its messages: how deliveries go, and where logins come from.

Both are noted without waiting, by the queue and by the door, and written and judged soon after, in the background.
When that fails it is logged, and the next note is judged: a database that is away holds nobody.
"""

from __future__ import annotations

__all__ = ["Evidence"]

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from hongyan import telemetry
from hongyan.accounts.cache import Cache
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.limits.places import Locator
from hongyan.limits.sending import OUTCOMES_KEPT, SendingOptions, judge_outcomes, judge_places
from hongyan.queue.bounces import Ended
from hongyan.store.sending import SendingStore
from hongyan.submission.holds import Holds
from hongyan.types import AccountId

log = telemetry.logger("submission")

_PAUSE: Final = 1.0  # seconds in which notes gather
_MOST: Final = 10_000  # accounts with notes that wait; further ones are not noted
_MOST_PLACES: Final = 50  # of an account; the newest are kept
_KNOWN: Final = 50_000  # places that are known to be noted


class Evidence:
    """Gathers evidence; `run` writes and judges it."""

    def __init__(
        self, store: SendingStore, holds: Holds, locator: Locator, clock: Clock, options: SendingOptions
    ) -> None:
        self._store = store
        self._holds = holds
        self._locator = locator
        self._clock = clock
        self._options = options
        self._outcomes: dict[AccountId, str] = {}
        self._places: dict[AccountId, dict[str, None]] = {}
        self._known: Cache[tuple[AccountId, str], bool] = Cache(_KNOWN)
        self._noted = asyncio.Event()

    async def ended(self, ends: Sequence[Ended]) -> None:
        """Deliveries elsewhere have ended (`queue.bounces.BounceSink`). Of interest is what a user sent."""
        for end in ends:
            account, mark = end.account, _mark(end)
            if account is not None and mark and self._is_wanted(account, self._outcomes):
                self._outcomes[account] = (self._outcomes.get(account, "") + mark)[-OUTCOMES_KEPT:]
                self._noted.set()

    def note_login(self, account: AccountId, peer: str) -> None:
        """Somebody has logged in."""
        if not self._is_wanted(account, self._places):
            return
        place = self._locator.locate(peer)
        if place is None or self._known.find((account, place)):
            return
        places = self._places.setdefault(account, {})
        if len(places) < _MOST_PLACES:
            places[place] = None
            self._noted.set()

    async def run(self) -> None:
        """Write and judge what was noted, again and again, until cancelled."""
        while True:
            await self._noted.wait()
            await asyncio.sleep(_PAUSE)
            await self.flush()

    async def flush(self) -> None:
        """Write and judge what was noted."""
        self._noted.clear()
        outcomes, self._outcomes = self._outcomes, {}
        places, self._places = self._places, {}
        for account, marks in outcomes.items():
            try:
                await self._judge_outcomes(account, marks)
            except ServerFault as fault:
                log.warning("evidence-unwritten", account=int(account), kind="outcomes", cause=fault.cause)
        for account, found in places.items():
            try:
                for place in found:
                    await self._judge_place(account, place)
            except ServerFault as fault:
                log.warning("evidence-unwritten", account=int(account), kind="places", cause=fault.cause)

    def _is_wanted(self, account: AccountId, waiting: Mapping[AccountId, object]) -> bool:
        return self._options.enabled and self._options.hold and (account in waiting or len(waiting) < _MOST)

    async def _judge_outcomes(self, account: AccountId, marks: str) -> None:
        state = await self._store.note_outcomes(account, marks, keep=OUTCOMES_KEPT)
        suspicion = judge_outcomes(state, self._options, self._clock.now())
        if suspicion is not None and state.hold is None:
            await self._holds.suspect(account, suspicion)

    async def _judge_place(self, account: AccountId, place: str) -> None:
        now = self._clock.now()
        places = await self._store.note_place(account, place, now, keep=_MOST_PLACES)
        self._known.keep((account, place), True, self._known.generation)
        state = await self._store.find_sender(account)
        suspicion = judge_places(state, places, self._options, now, countries=self._locator.knows_countries)
        if suspicion is not None and state.hold is None:
            await self._holds.suspect(account, suspicion)


def _mark(end: Ended) -> str:
    """Return `d` for a delivery, `h` for an address that does not exist, nothing for what says neither."""
    if end.bounce is None:
        return "d"
    return "h" if end.bounce.is_hard else ""
