"""The worker: due, claim, transport, settle.

One loop claims what is due and starts as many deliveries as its limits allow; it sleeps until the
next recipient comes due, somebody enqueues (`wake`), or a minute is over. What it claims is under a
lease that is renewed while it works; what a killed process leaves behind is claimed again after
its next start (`recover`) or when the lease has run out.

The one moment at which mail can be doubled lies between the 250 of the next host and the commit of
`settle`; nothing but the settling stands between them, and it is tried until it succeeds (`queue.settling`).
"""

from __future__ import annotations

__all__ = ["NoticeMaker", "QueueWorker"]

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

from hongyan import telemetry
from hongyan.clock import Random
from hongyan.errors import HongyanError, ServerFault
from hongyan.message.trace import MAX_HOPS, count_hops
from hongyan.queue.bounces import BounceSink, Sinks, ends_of
from hongyan.queue.causes import Cause
from hongyan.queue.destinations import DestinationOptions, Destinations
from hongyan.queue.lanes import Lane, Lanes, Place
from hongyan.queue.lookup import Router
from hongyan.queue.options import QueueOptions
from hongyan.queue.outcome import Notice, Outcome, Stage, conclude, find_obstacle, hold_untold
from hongyan.queue.providers import Doors, Providers
from hongyan.queue.route import LocalRoute, RemoteRoute, Unroutable
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.queue.security import waives
from hongyan.queue.settling import Pending, Settler
from hongyan.queue.timeline import attempt_steps
from hongyan.queue.transport import BlobContent, Content, Delivery, Transport
from hongyan.queue.verp import split_claim
from hongyan.store.blobs import BlobStore
from hongyan.store.queue import (
    Claim,
    Lease,
    NewMessage,
    QueuedMessage,
    QueueStore,
    RecipientState,
    Settled,
    Settlement,
)
from hongyan.telemetry import metrics

_LOOK: Final = 60.0
"""Seconds after which the worker looks by itself: a hint that was lost costs time, never mail."""

_BREATH: Final = 0.05
"""Seconds between looks when another node was quicker."""

_PAUSES: Final = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds between tries when the store fails."""

_LONG: Final = 10.0
"""Seconds after which a delivery stands aside, so that others may run."""

_log = telemetry.logger("queue")


class _NotNow(HongyanError):
    """The provider of a destination, which was not known before, takes no more at the moment."""


class _Untold(HongyanError):
    """The sender cannot be told."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a claim went."""

    outcomes: Mapping[int, Outcome]
    settled: Sequence[Settled]
    notice: NewMessage | None
    seconds: float


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
        rules: Mapping[str, DestinationOptions] | None = None,
        sink: BounceSink | None = None,
        senders_may_waive: bool = True,
    ) -> None:
        """`owner` names this process in leases: the same after a restart, and no other's.

        `rules` are what is set for single destinations; `sink` is told how deliveries elsewhere ended.
        `senders_may_waive` as `remote` has it.
        """
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
        self._sink = sink or Sinks()
        self._senders_may_waive = senders_may_waive
        self._destinations = Destinations(
            rules or {}, schedule, first=options.first_deliveries, most=options.per_provider
        )
        self._providers = Providers(self._destinations.limits)
        self._doors = Doors(tuple(60.0 * pause for pause in options.back_off))
        self._lanes = Lanes(options.concurrency, clock.monotonic)
        self._settler = Settler(store, random)
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
        self._lanes.take_waiting()  # of a run that fell over; its leases end here
        now = self._clock.now()
        latest = max(schedule.latest(now) for schedule in self._destinations.schedules)
        recovered = await self._store.recover(self._owner, now, latest)
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
                    tasks.create_task(self._serve(lane, tasks))
                if not claimed:
                    await self._sleep(await self._pause())
                failures = 0
            except Exception as error:  # noqa: BLE001 - the loop goes on, and deliveries under way with it
                _tell_fault("claim-failed", error)
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
            self._lanes.add(lane, split_claim(claim))
        return bool(claims)

    async def _wanted_destinations(self) -> list[str]:
        full = self._full
        hinted, self._hints = self._hints - full, set()
        wanted = {destination: None for destination in hinted if await self._router.is_local(destination)}
        room = self._lanes.room
        if room:
            due = await self._store.due_destinations(self._clock.now(), limit=room, excluding=full)
            wanted.update(dict.fromkeys(self._within_providers(due)))
        return list(wanted)

    @property
    def _full(self) -> frozenset[str]:
        return self._lanes.full | self._providers.full(self._clock.monotonic())

    def _within_providers(self, destinations: Iterable[str]) -> Iterator[str]:
        """Yield destinations, of each provider no more than it takes deliveries."""
        now = self._clock.monotonic()
        room: dict[str, int] = {}
        for destination in destinations:
            provider = self._providers.of(destination)
            left = room.setdefault(provider.name, provider.room(now))
            room[provider.name] = left - 1
            if left > 0:
                yield destination

    async def _new_lane(self, destination: str) -> Lane:
        is_local = await self._router.is_local(destination)
        limit = self._options.local_concurrency if is_local else self._options.per_destination
        provider = None if is_local else self._providers.of(destination)
        return Lane(destination, is_local=is_local, limit=limit, provider=provider)

    async def _pause(self) -> float:
        """Return for how long there is nothing to do."""
        if not self._lanes.room:
            return _LOOK
        now = self._clock.now()
        due = await self._store.next_due(now, excluding=self._full)
        waits = [_LOOK, self._providers.next_change(self._clock.monotonic())]
        if due is not None:
            waits.append((due - now).total_seconds())
        return max(min(wait for wait in waits if wait is not None), _BREATH)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _give_back(self) -> None:
        await self._return(self._lanes.take_waiting())

    async def _return(self, claims: Iterable[Claim]) -> None:
        """End the leases of claims that were not begun."""
        for claim in claims:
            try:
                await self._store.give_back(claim.message.id, _numbers(claim), self._owner)
            except ServerFault as fault:
                _log.error("give-back-failed", error=fault)  # The next start ends the lease.

    def _lease(self) -> Lease:
        return Lease(self._owner, self._clock.now() + timedelta(minutes=self._options.lease))

    # -- Delivering ----------------------------------------------------------------------------------------------------

    async def _serve(self, lane: Lane, tasks: asyncio.TaskGroup) -> None:
        """Deliver the claims of a lane, one after the other."""
        try:
            while lane.may_continue(self._clock.monotonic()):
                claim = lane.waiting.popleft()
                lane.running.append(claim)
                try:
                    await self._handle(claim, lane, tasks)
                except _NotNow:
                    await self._return([claim])
                    break
                except Exception as error:  # noqa: BLE001 - the top of a job: the lease ends by itself, and others go on
                    _tell_fault("crashed", error, queue_id=claim.message.id)
                finally:
                    lane.running.remove(claim)
            if lane.waiting and lane.active == 1 and lane.provider is not None:
                # The provider rests, or takes no more: others may claim what waits.
                await self._return(self._lanes.take_waiting(lane))
        finally:
            self._lanes.end(lane)
            self._woken.set()

    async def _handle(self, claim: Claim, lane: Lane, tasks: asyncio.TaskGroup) -> None:
        with telemetry.bind(mid=claim.message.trace_id, queue_id=claim.message.id):
            started = self._clock.monotonic()
            place = Place(self._lanes)
            timer = asyncio.get_running_loop().call_later(_LONG, self._stand_aside, place)
            try:
                content, outcomes = await self._attempt(claim, lane)
            finally:
                timer.cancel()
                place.come_back()
            seconds = self._clock.monotonic() - started
            provider = "" if lane.provider is None else lane.provider.name
            claim = self._destinations.bound(claim, provider)
            schedule = self._destinations.schedule(claim.destination, provider)
            settled, notices = conclude(claim, outcomes, schedule, self._clock.now(), self._random)
            try:
                notice = await self._make_notice(claim, notices, content)
            except _Untold:
                notice, settled, notices = None, hold_untold(settled, notices), ()
            pending = await self._settler.begin(
                Settlement(
                    message=claim.message.id,
                    lease=self._lease(),
                    recipients=settled,
                    notices=() if notice is None else (notice,),
                    timeline=attempt_steps(claim, outcomes, settled, () if notice is None else notices),
                )
            )
            ended = _Ended(outcomes, settled, notice, seconds)
            if pending is None:
                await self._end(claim, lane, ended)
            else:
                tasks.create_task(self._end_later(pending, claim, lane, ended))

    def _stand_aside(self, place: Place) -> None:
        place.step_aside()
        self._woken.set()

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
        except _NotNow:
            raise
        except Exception as error:  # noqa: BLE001 - a message that trips us is tried again later, like any other
            _tell_fault("delivery-crashed", error)
            outcomes = {}
        forgotten = Outcome.from_cause(Cause.FAILED_HERE, Stage.ROUTE)
        return content, {number: outcomes.get(number, forgotten) for number in _numbers(claim)}

    async def _deliver(self, claim: Claim, lane: Lane, content: Content) -> Mapping[int, Outcome]:
        if count_hops(content.header) > MAX_HOPS:
            return _all(claim, Outcome.from_cause(Cause.TOO_MANY_HOPS, Stage.ROUTE))
        delivery = Delivery(claim.message, claim.recipients, content)
        if lane.down is not None and not self._waives(lane.down, delivery):
            return _all(claim, lane.down)
        route = await self._router.route(claim.destination)
        match route:
            case LocalRoute():
                return await self._local.deliver(delivery, route)
            case RemoteRoute():
                return await self._deliver_remotely(delivery, route, lane)
            case Unroutable():
                outcomes = _all(claim, Outcome.from_cause(route.cause, Stage.ROUTE, detail=route.detail))
                lane.learn(find_obstacle(outcomes))
                return outcomes

    async def _deliver_remotely(self, delivery: Delivery, route: RemoteRoute, lane: Lane) -> Mapping[int, Outcome]:
        self._admit(route, lane)
        now = self._clock.monotonic()
        closed = self._doors.find_closed(route.door, now)
        if closed is not None:
            opens = self._clock.now() + timedelta(seconds=closed.until - now)
            shared = replace(closed.outcome, not_before=opens)
            return {recipient.number: shared for recipient in delivery.recipients}
        provider = lane.provider
        if provider is not None:
            provider.count(now)
        outcomes = await self._remote.deliver(delivery, route)
        now = self._clock.monotonic()
        why_unreachable = find_obstacle(outcomes)
        if why_unreachable is not None or lane.down is None or not self._waives(lane.down, delivery):
            lane.learn(why_unreachable)
        # TLS is what a domain demands of its hosts: they are open to other domains.
        if why_unreachable is None or (lane.down is not None and why_unreachable.stage is not Stage.TLS):
            self._doors.learn(route.door, why_unreachable, now)
        if provider is not None:
            provider.learn(list(outcomes.values()), now)
        return outcomes

    def _waives(self, down: Outcome, delivery: Delivery) -> bool:
        """Whether others were turned away for lack of TLS, which this message does without (RFC 8689 §5)."""
        may_waive = self._senders_may_waive and not delivery.message.require_tls
        return down.stage is Stage.TLS and may_waive and waives(delivery.content.header)

    def _admit(self, route: RemoteRoute, lane: Lane) -> None:
        """Count the lane with the provider that its route leads to. Raises `_NotNow` if that one takes no more."""
        provider = self._providers.learn_route(lane.destination, route.provider) if route.provider else None
        if provider is lane.provider:
            return
        if provider is not None and provider.room(self._clock.monotonic()) < lane.active:
            raise _NotNow
        lane.belongs_to(provider)

    async def _make_notice(self, claim: Claim, notices: Sequence[Notice], content: Content | None) -> NewMessage | None:
        """Return what tells the sender. Raises `_Untold` if it cannot be made, not even without the original."""
        if not notices:
            return None
        for original in (content, None):
            try:
                return await self._notices.make(claim.message, notices, original)
            except Exception as error:  # noqa: BLE001 - what was delivered must be settled, or it is delivered again
                _tell_fault("notice-failed", error)
        raise _Untold

    async def _end(self, claim: Claim, lane: Lane, ended: _Ended) -> None:
        """Tell of outcomes that are stored now."""
        _tell(claim, ended.outcomes, ended.seconds, is_local=lane.is_local)
        if not lane.is_local:
            await self._sink.ended(ends_of(claim, ended.outcomes, ended.settled, self._clock.now()))
        if ended.notice is not None:
            self.wake(recipient.destination for recipient in ended.notice.recipients)

    async def _end_later(self, pending: Pending, claim: Claim, lane: Lane, ended: _Ended) -> None:
        try:
            await self._settler.persist(pending)
            await self._end(claim, lane, ended)
        except Exception as error:  # noqa: BLE001 - the top of a job
            _tell_fault("crashed", error, queue_id=claim.message.id)

    # -- Housekeeping --------------------------------------------------------------------------------------------------

    async def _keep_house(self) -> None:
        """Renew leases well before they end, and count what waits."""
        pause = min(_LOOK, self._options.lease * 60 / 3)
        while True:
            try:
                await self._store.renew(self._lanes.messages | self._settler.messages, self._lease(), self._clock.now())
                await self._store.forget_receipts(self._clock.now())
                counts = await self._store.counts()
                metrics.queue_messages.set(counts.recipients.get(RecipientState.READY, 0))
                metrics.queue_hold.set(counts.recipients.get(RecipientState.HELD, 0))
            except Exception as error:  # noqa: BLE001 - the same
                _tell_fault("housekeeping-failed", error)
            await asyncio.sleep(pause)


def _tell_fault(event: str, error: Exception, **keys: object) -> None:
    _log.error(event, error=error, **keys)
    if not isinstance(error, ServerFault):
        metrics.panic_total.labels("queue").inc()


def _numbers(claim: Claim) -> list[int]:
    return [recipient.number for recipient in claim.recipients]


def _all(claim: Claim, outcome: Outcome) -> Mapping[int, Outcome]:
    return dict.fromkeys(_numbers(claim), outcome)


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
