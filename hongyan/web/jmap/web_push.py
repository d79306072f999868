"""Who is to be pushed to, and when (RFC 8620 §7.2): each push subscription follows its account's feed.

What nobody has heard yet is never a queue: when its turn comes, a subscription is told how its account stands then, as
far as that differs from what was told last. What was told is stored before it is said and taken back if it fails, so
that of several processes one pushes, and a process that begins tells what was missed. Only a machine that dies in the
midst of a push may lose it: clients look for themselves when they come (RFC 8620 §7).

Before each push the subscription is read again: it must be there, not have expired, and the login that made it must
still hold. A push service that is slow or refuses is asked less and less often, and no account has more than two
pushes under way.
"""

from __future__ import annotations

__all__ = ["WebPush", "write_states"]

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NoReturn

from hongyan import telemetry
from hongyan.clock import Clock, Random
from hongyan.errors import HongyanError, NotFound
from hongyan.notify.feeds import Feeds, States
from hongyan.store.accounts import Service
from hongyan.store.push_subscriptions import PushSubscription, PushSubscriptionStore
from hongyan.telemetry import metrics
from hongyan.types import AccountId, CredentialId
from hongyan.web.jmap.push_delivery import PushDelivery, PushFate
from hongyan.wire.jmap.push import select_states

_WORKERS: Final = 16
_OF_AN_ACCOUNT: Final = 2
"""Pushes under way at once: of all, and of one account."""

_REFRESH: Final = 60.0
"""Seconds after which what other processes have verified or removed is known here."""

_SHARE: Final = 8.0
"""A push service that took a second for a push has so many seconds of peace: slow ones hold up nobody."""

_FIRST_PAUSE: Final = 15.0
_LONGEST_PAUSE: Final = 3600.0
"""Seconds to wait after a failure; each one doubles them."""

_LONGEST_WAIT: Final = 24 * 3600.0
"""Seconds that a push service may ask us to wait."""

_VERIFICATIONS: Final = 4
"""Tries to push a code."""

log = telemetry.logger("jmap")

Key = tuple[AccountId, str]
Holds = Callable[[CredentialId, Service], Awaitable[bool]]


class WebPush:
    """Pushes to all subscriptions."""

    def __init__(
        self,
        store: PushSubscriptionStore,
        feeds: Feeds,
        delivery: PushDelivery,
        holds: Holds,
        clock: Clock,
        random: Random,
        apart: float,
    ) -> None:
        """`holds` says whether a login is still let in; `apart` seconds lie between two pushes to one URL."""
        self._store = store
        self._feeds = feeds
        self._delivery = delivery
        self._holds = holds
        self._clock = clock
        self._random = random
        self._apart = apart
        self._lines: dict[Key, _Line] = {}
        self._ready: dict[_Line, None] = {}
        self._later: dict[_Line, None] = {}
        self._busy: Counter[AccountId] = Counter()
        self._stirred = asyncio.Event()

    @property
    def followed(self) -> int:
        """How many subscriptions follow their accounts, or wait to be verified."""
        return len(self._lines)

    # -- who is pushed to

    def verify(self, account: AccountId, subscription_id: str) -> None:
        """Push the code to a new subscription."""
        key = account, subscription_id
        line = self._lines[key] = _Line(key, self._stir)
        self._stir(line)

    async def follow(self, account: AccountId, subscription_id: str) -> None:
        """Push changes of the account to a subscription from now on, and what it has not been told."""
        key = account, subscription_id
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line(key, self._stir)
        if line.is_verified:
            return
        line.is_verified, line.failures, line.due_at = True, 0, 0.0
        try:
            states = await self._feeds.follow(account, line)
        except NotFound:
            self.forget(account, subscription_id)
            return
        except BaseException:
            self.forget(account, subscription_id)
            raise
        line.states = line.states or states
        self._stir(line)

    def forget(self, account: AccountId, subscription_id: str) -> None:
        """Push nothing more to a subscription. A second time does nothing."""
        line = self._lines.pop((account, subscription_id), None)
        if line is not None:
            line.is_over = True
            self._ready.pop(line, None)
            self._later.pop(line, None)
            self._feeds.leave(account, line)

    async def refresh(self) -> None:
        """Follow those that are verified by now, and no others."""
        stored = frozenset(await self._store.list_all(verified=True))
        for key in [key for key, line in self._lines.items() if line.is_verified and key not in stored]:
            self.forget(*key)
        for key in stored:
            await self.follow(*key)

    async def forget_old(self) -> int:
        """Remove what has expired, and what was made by a login that is over; return how many."""
        gone = await self._store.expire_subscriptions(self._clock.now())
        for key in await self._store.list_all():
            known = await self._store.find_subscription(*key)
            if known is not None and not await self._holds(known.credential, known.service):
                await self._remove(key)
                gone += 1
        return gone

    # -- when

    def tick(self) -> None:
        """To be called each second: those whose pause is over have their turn."""
        now = self._clock.monotonic()
        for line in [line for line in self._later if line.due_at <= now]:
            del self._later[line]
            self._stir(line)

    async def run(self) -> None:
        """Push where something has changed, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._refresh_again_and_again())
            for _ in range(_WORKERS):
                group.create_task(self._work())

    def _stir(self, line: _Line) -> None:
        line.is_stirred = True
        if line.is_over or line.is_busy or line in self._ready or line in self._later:
            return
        if line.due_at > self._clock.monotonic():
            self._later[line] = None
        else:
            self._ready[line] = None
            self._stirred.set()

    async def _refresh_again_and_again(self) -> NoReturn:
        while True:
            try:
                await self.refresh()
            except HongyanError as error:
                log.warning("push-subscriptions-unreadable", error=error)
            await asyncio.sleep(_REFRESH)

    async def _work(self) -> NoReturn:
        while True:
            line = await self._next()
            account = line.key[0]
            line.is_busy, line.is_stirred = True, False
            try:
                await self._serve(line)
            except HongyanError as error:
                log.warning("push-put-off", account=account, error=error)
                self._put_off(line, 0.0)
            except Exception as error:  # noqa: BLE001 - the top of a job
                metrics.panic_total.labels("jmap").inc()
                log.error("panic", error=error, account=account)
                self._put_off(line, 0.0)
            finally:
                self._release(line)

    # -- one turn

    async def _serve(self, line: _Line) -> None:
        known = await self._store.find_subscription(*line.key)
        if known is None:
            self.forget(*line.key)
        elif known.has_expired(self._clock.now()) or not await self._holds(known.credential, known.service):
            await self._remove(line.key)
        elif not known.is_verified:
            await self._verify(line, known)
        else:
            await self._tell(line, known)

    async def _verify(self, line: _Line, known: PushSubscription) -> None:
        if line.is_verified:
            line.is_stirred = True  # its code came back since it was read
            return
        if line.failures >= _VERIFICATIONS:
            self.forget(*line.key)
            return
        fate, retry_after = await self._timed(line, self._delivery.verify(known))
        if fate is PushFate.GONE:
            await self._remove(line.key)
        elif fate is PushFate.FAILED:
            self._put_off(line, retry_after)
        elif not line.is_verified:
            self.forget(*line.key)

    async def _tell(self, line: _Line, known: PushSubscription) -> None:
        now = line.states or {}
        told: Mapping[str, str] = json.loads(known.told or "{}")
        wanted = select_states(now, known.types)
        changed = {name: state for name, state in wanted.items() if told.get(name) != state}
        if not changed:
            return
        after = write_states(now)
        if not await self._store.claim_push(*line.key, known.told, after):
            line.due_at, line.is_stirred = self._clock.monotonic() + 1.0, True  # another process was sooner
            return
        fate, retry_after = PushFate.FAILED, 0.0
        try:
            fate, retry_after = await self._timed(line, self._delivery.tell(known, changed))
        finally:
            if fate is PushFate.FAILED:
                await self._store.claim_push(*line.key, after, known.told)
        if fate is PushFate.GONE:
            await self._remove(line.key)
        elif fate is PushFate.FAILED:
            self._put_off(line, retry_after)

    async def _timed(self, line: _Line, push: Awaitable[tuple[PushFate, float]]) -> tuple[PushFate, float]:
        began = self._clock.monotonic()
        fate, retry_after = await push
        ended = self._clock.monotonic()
        line.due_at = ended + max(self._apart, _SHARE * (ended - began))
        if fate is PushFate.TAKEN:
            line.failures = 0
        return fate, retry_after

    def _put_off(self, line: _Line, retry_after: float) -> None:
        line.failures += 1
        doubled = min(_FIRST_PAUSE * 2 ** min(line.failures - 1, 10), _LONGEST_PAUSE) * self._random.jitter(0.2)
        pause = max(doubled, min(retry_after, _LONGEST_WAIT))
        line.due_at = max(line.due_at, self._clock.monotonic() + pause)
        line.is_stirred = True

    async def _remove(self, key: Key) -> None:
        await self._store.remove_subscription(*key)
        self.forget(*key)
        log.info("push-subscription-ended", account=key[0])

    # -- turns

    async def _next(self) -> _Line:
        """Return whose turn it is, and count it as under way."""
        while True:
            for line in self._ready:
                if self._busy[line.key[0]] < _OF_AN_ACCOUNT:
                    del self._ready[line]
                    self._busy[line.key[0]] += 1
                    return line
            self._stirred.clear()
            await self._stirred.wait()

    def _release(self, line: _Line) -> None:
        account = line.key[0]
        self._busy[account] -= 1
        if not self._busy[account]:
            del self._busy[account]
        line.is_busy = False
        if line.is_stirred:
            self._stir(line)
        self._stirred.set()


class _Line:
    """A subscription that is pushed to, or about to be verified: `notify.feeds.Follower`."""

    __slots__ = ("_stir", "due_at", "failures", "is_busy", "is_over", "is_stirred", "is_verified", "key", "states")

    def __init__(self, key: Key, stir: Callable[[_Line], None]) -> None:
        self._stir = stir
        self.key = key
        self.states: States | None = None
        self.is_verified = False
        self.is_busy = False
        self.is_stirred = False
        self.is_over = False
        self.failures = 0
        self.due_at = 0.0

    def states_changed(self, states: States) -> None:
        """The account stands so now."""
        self.states = states
        self._stir(self)


def write_states(states: States) -> str:
    """Return states as they are stored."""
    return json.dumps(dict(states), sort_keys=True)
