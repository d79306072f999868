"""The worker: due, claim, transport, settle.

One loop claims what is due and starts as many deliveries as its limits allow; it sleeps until the
next recipient comes due, somebody enqueues (`wake`), or a minute is over. What it claims is under a
lease that is renewed while it works; what a killed process leaves behind is claimed again after
its next start (`recover`) or when the lease has run out.

The one moment at which mail can be doubled lies between the 250 of the next host and the commit of
`settle`; nothing but the settling stands between them, and it is tried until it succeeds.
"""

from __future__ import annotations

__all__ = ["NoticeMaker", "QueueOptions", "QueueWorker"]

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

from hongyan import telemetry
from hongyan.clock import Random
from hongyan.errors import ServerFault
from hongyan.message.trace import MAX_HOPS, count_hops
from hongyan.options import option
from hongyan.queue.causes import Cause
from hongyan.queue.lanes import Lane, Lanes
from hongyan.queue.lookup import Router
from hongyan.queue.outcome import Notice, Outcome, Result, Stage, conclude
from hongyan.queue.route import LocalRoute, RemoteRoute, Unroutable
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.queue.transport import BlobContent, Content, Delivery, Transport
from hongyan.store.blobs import BlobStore
from hongyan.store.queue import (
    Claim,
    Lease,
    LeaseLost,
    NewMessage,
    QueuedMessage,
    QueueStore,
    RecipientState,
    Settlement,
)
from hongyan.telemetry import metrics

_LOOK: Final = 60.0
"""Seconds after which the worker looks by itself: a hint that was lost costs time, never mail."""

_BREATH: Final = 0.05
"""Seconds between looks when another node was quicker."""

_PAUSES: Final = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds between tries when the store fails."""

_UNREACHABLE = frozenset({Stage.ROUTE, Stage.CONNECT, Stage.GREETING, Stage.HELLO, Stage.TLS, Stage.LOGIN})

_log = telemetry.logger("queue")


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """The section `[queue]`."""

    concurrency: int = option(100, "Deliveries to other hosts that run at the same time.")
    per_destination: int = option(5, "Deliveries to one destination that run at the same time.")
    local_concurrency: int = option(20, "Deliveries into the mailboxes of one domain that run at the same time.")
    batch: int = option(100, "Recipients of one destination that are claimed at a time.")
    lease: int = option(10, "After how long another node takes over what a dead one was at.", unit="minutes")
    notices_per_hour: int = option(100, "Notifications that one address is sent within an hour; those beyond are not.")

    def __post_init__(self) -> None:
        limits = (self.concurrency, self.per_destination, self.local_concurrency, self.batch, self.lease)
        if min(*limits, self.notices_per_hour) < 1:
            raise ValueError("limits of the queue are 1 or more")


class NoticeMaker(Protocol):
    """Makes notifications (DSNs)."""

    async def make(
        self, message: QueuedMessage, notices: Sequence[Notice], content: Content | None
    ) -> NewMessage | None:
        """Return one notification for all notices, or None if none is to be sent."""
        ...


class QueueWorker:
    """Delivers what is queued. `run` it in one task; `wake` it when something was enqueued; `stop` it to drain."""

    def __init__(
        self,
        store: QueueStore,
        blobs: BlobStore,
        router: Router,
        *,
        local: Transport[LocalRoute],
        remote: Transport[RemoteRoute],
        notices: NoticeMaker,
        clock: SteadyClock,
        random: Random,
        schedule: Schedule,
        options: QueueOptions,
        owner: str,
    ) -> None:
        """`owner` names this process in leases: the same after a restart, and no other's."""
        self._store = store
        self._blobs = blobs
        self._router = router
        self._local = local
        self._remote = remote
        self._notices = notices
        self._clock = clock
        self._random = random
        self._schedule = schedule
        self._options = options
        self._owner = owner
        self._lanes = Lanes(options.concurrency)
        self._hints: set[str] = set()
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self, destinations: Iterable[str] = ()) -> None:
        """Something may be due. Destinations that are named are looked at first, the local ones at once."""
        self._hints.update(destinations)
        self._woken.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is under way has ended."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Deliver until stopped. Cancelled, it leaves its leases to the next start."""
        now = self._clock.now()
        recovered = await self._store.recover(self._owner, now, self._schedule.latest(now))
        if recovered:
            _log.info("recovered", recipients=recovered)
        async with asyncio.TaskGroup() as tasks:
            housekeeping = tasks.create_task(self._keep_house())
            await self._dispatch(tasks)
            housekeeping.cancel()

    # -- Claiming ------------------------------------------------------------------------------------------------------

    async def _dispatch(self, tasks: asyncio.TaskGroup) -> None:
        failures = 0
        while not self._stopping:
            self._woken.clear()
            try:
                claimed = await self._claim_due()
                for lane in self._lanes.start():
                    tasks.create_task(self._serve(lane))
                if not claimed:
                    await self._sleep(await self._pause())
                failures = 0
            except ServerFault as fault:
                _log.error("claim-failed", error=fault)
                await self._sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1
        await self._give_back()

    async def _claim_due(self) -> bool:
        now = self._clock.now()
        wanted = dict.fromkeys(await self._wanted_destinations(), self._options.batch)
        if not wanted:
            return False
        claims = await self._store.claim(wanted, self._lease(), now)
        for claim in claims:
            lane = self._lanes.find(claim.destination) or await self._new_lane(claim.destination)
            self._lanes.add(lane, [claim])
        return bool(claims)

    async def _wanted_destinations(self) -> list[str]:
        full = self._lanes.full
        hinted, self._hints = self._hints - full, set()
        wanted = {destination: None for destination in hinted if await self._router.is_local(destination)}
        room = self._lanes.room
        if room:
            due = await self._store.due_destinations(self._clock.now(), limit=room, excluding=full)
            wanted.update(dict.fromkeys(due))
        return list(wanted)

    async def _new_lane(self, destination: str) -> Lane:
        is_local = await self._router.is_local(destination)
        limit = self._options.local_concurrency if is_local else self._options.per_destination
        return Lane(destination, is_local=is_local, limit=limit)

    async def _pause(self) -> float:
        """Return for how long there is nothing to do."""
        if not self._lanes.room:
            return _LOOK
        now = self._clock.now()
        due = await self._store.next_due(now, excluding=self._lanes.full)
        return _LOOK if due is None else min(max((due - now).total_seconds(), _BREATH), _LOOK)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _give_back(self) -> None:
        for claim in self._lanes.take_waiting():
            try:
                await self._store.give_back(claim.message.id, _numbers(claim), self._owner)
            except ServerFault as fault:
                _log.error("give-back-failed", error=fault)  # The next start ends the lease.

    def _lease(self) -> Lease:
        return Lease(self._owner, self._clock.now() + timedelta(minutes=self._options.lease))

    # -- Delivering ----------------------------------------------------------------------------------------------------

    async def _serve(self, lane: Lane) -> None:
        """Deliver the claims of a lane, one after the other."""
        try:
            while lane.may_continue:
                claim = lane.waiting.popleft()
                lane.running.append(claim)
                try:
                    await self._handle(claim, lane)
                except Exception as error:  # noqa: BLE001 - the top of a job: the lease ends by itself, and others go on
                    _log.error("crashed", error=error, queue_id=claim.message.id)
                    metrics.panic_total.labels("queue").inc()
                finally:
                    lane.running.remove(claim)
        finally:
            self._lanes.end(lane)
            self._woken.set()

    async def _handle(self, claim: Claim, lane: Lane) -> None:
        with telemetry.bind(mid=claim.message.trace_id, queue_id=claim.message.id):
            started = self._clock.monotonic()
            content, outcomes = await self._attempt(claim, lane)
            seconds = self._clock.monotonic() - started
            settled, notices = conclude(claim, outcomes, self._schedule, self._clock.now(), self._random)
            notice = await self._make_notice(claim, notices, content)
            await self._settle(
                Settlement(
                    message=claim.message.id,
                    lease=self._lease(),
                    recipients=settled,
                    notices=() if notice is None else (notice,),
                )
            )
            _tell(claim, outcomes, seconds, is_local=lane.is_local)
            if notice is not None:
                self.wake(recipient.destination for recipient in notice.recipients)

    async def _attempt(self, claim: Claim, lane: Lane) -> tuple[Content | None, Mapping[int, Outcome]]:
        """Return the message's content, if it could be read, and an outcome for every recipient of the claim."""
        content: Content | None = None
        try:
            content = await BlobContent.open(self._blobs, claim.message)
            outcomes = await self._deliver(claim, lane, content)
        except ServerFault as fault:
            _log.error("delivery-failed-here", error=fault)
            cause = Cause.CONTENT_UNREADABLE if content is None else Cause.FAILED_HERE
            outcomes = _all(claim, Outcome.from_cause(cause, Stage.ROUTE))
        except Exception as error:  # noqa: BLE001 - a message that trips us is tried again later, like any other
            _log.error("delivery-crashed", error=error)
            metrics.panic_total.labels("queue").inc()
            outcomes = {}
        forgotten = Outcome.from_cause(Cause.FAILED_HERE, Stage.ROUTE)
        return content, {number: outcomes.get(number, forgotten) for number in _numbers(claim)}

    async def _deliver(self, claim: Claim, lane: Lane, content: Content) -> Mapping[int, Outcome]:
        if count_hops(content.header) > MAX_HOPS:
            return _all(claim, Outcome.from_cause(Cause.TOO_MANY_HOPS, Stage.ROUTE))
        if lane.down is not None:
            return _all(claim, lane.down)
        route = await self._router.route(claim.destination)
        delivery = Delivery(claim.message, claim.recipients, content)
        match route:
            case LocalRoute():
                return await self._local.deliver(delivery, route)
            case RemoteRoute():
                outcomes = await self._remote.deliver(delivery, route)
            case Unroutable():
                outcomes = _all(claim, Outcome.from_cause(route.cause, Stage.ROUTE, detail=route.detail))
        lane.learn(_why_unreachable(outcomes))
        return outcomes

    async def _make_notice(self, claim: Claim, notices: Sequence[Notice], content: Content | None) -> NewMessage | None:
        if not notices:
            return None
        try:
            return await self._notices.make(claim.message, notices, content)
        except ServerFault as fault:
            # Without the original's octets a notice can still be made; anything else is our fault, and mail goes on.
            _log.error("notice-failed", error=fault)
            return await self._notices.make(claim.message, notices, None)

    async def _settle(self, settlement: Settlement) -> None:
        """Store outcomes, again and again until it succeeds: a delivery that is forgotten is made twice."""
        failures = 0
        while settlement.recipients:
            try:
                await self._store.settle(settlement)
                return
            except LeaseLost as lost:
                _log.warning("lease-lost", error=lost)
                settlement = _deliveries_of(settlement)
            except ServerFault as fault:
                _log.error("settle-failed", error=fault)
                await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
                failures += 1

    # -- Housekeeping --------------------------------------------------------------------------------------------------

    async def _keep_house(self) -> None:
        """Renew leases well before they end, and count what waits."""
        pause = min(_LOOK, self._options.lease * 60 / 3)
        while True:
            try:
                await self._store.renew(self._lanes.messages, self._lease(), self._clock.now())
                await self._store.forget_receipts(self._clock.now())
                counts = await self._store.counts()
                metrics.queue_messages.set(counts.recipients.get(RecipientState.READY, 0))
                metrics.queue_hold.set(counts.recipients.get(RecipientState.HELD, 0))
            except ServerFault as fault:
                _log.error("housekeeping-failed", error=fault)
            await asyncio.sleep(pause)


def _numbers(claim: Claim) -> list[int]:
    return [recipient.number for recipient in claim.recipients]


def _all(claim: Claim, outcome: Outcome) -> Mapping[int, Outcome]:
    return dict.fromkeys(_numbers(claim), outcome)


def _why_unreachable(outcomes: Mapping[int, Outcome]) -> Outcome | None:
    """Return why nothing reaches the destination, if every recipient was deferred before MAIL."""
    every = list(outcomes.values())
    if every and all(outcome.result is Result.DEFERRED and outcome.stage in _UNREACHABLE for outcome in every):
        return every[0]
    return None


def _deliveries_of(settlement: Settlement) -> Settlement:
    delivered = tuple(one for one in settlement.recipients if one.state is RecipientState.DELIVERED)
    return replace(settlement, lease=None, recipients=delivered, notices=())


def _tell(claim: Claim, outcomes: Mapping[int, Outcome], seconds: float, *, is_local: bool) -> None:
    transport = "local" if is_local else "smtp"
    for recipient in claim.recipients:
        outcome = outcomes[recipient.number]
        attempt = recipient.attempts + 1
        tls = "yes" if outcome.is_encrypted else "no"
        metrics.queue_delivery_duration_seconds.labels(
            str(min(attempt, 10)), transport, tls, outcome.result.value
        ).observe(seconds)
        _log.info(
            outcome.result.value,
            recipient=recipient.address,
            attempt=attempt,
            status=outcome.status,
            remote=outcome.remote,
            stage=outcome.stage.value,
            tls=outcome.is_encrypted,
            reply=outcome.text,
            seconds=round(seconds, 3),
        )
