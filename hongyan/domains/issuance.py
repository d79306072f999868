"""Certificates that obtain themselves: each is looked at, ordered, taken into service, and what failed is remembered.

What is to be done is decided by `domains.renewal`; here it is carried out, one certificate after the other. Nothing
that an authority does or leaves undone ends the server or takes a certificate out of service.

At each renewal the private key changes to one that was made beforehand. A domain that publishes TLSA records (RFC 6698)
must announce a key before it is used (RFC 7671 §8.1): while there are records and the next key's is not among them, the
key stays as it is.
"""

from __future__ import annotations

__all__ = ["Issuance", "IssuancePolicy", "Shown"]

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NoReturn

from hongyan import telemetry
from hongyan.clock import Clock, Random
from hongyan.domains.authority import Authority, AuthorityFault, NamesRefused, Solver
from hongyan.domains.certificate_store import CertificateFolder, CertificateStore, State, key_digest
from hongyan.domains.renewal import Failure, Held, Plan, moment_of_renewal, note_failure, plan_order
from hongyan.errors import NotFound, Refused
from hongyan.telemetry import metrics

LOOK_EVERY: Final = 900.0
"""Seconds between two looks at all certificates."""

_JITTER: Final = 0.2
_DRAWS: Final = 1 << 20
_ASK_AGAIN_AFTER_FAULT: Final = timedelta(hours=6)
_WHOLE: Final = ""
"""The failure of the authority as a whole, and of no single name."""

log = telemetry.logger("domains")


@dataclass(frozen=True, slots=True)
class IssuancePolicy:
    """What is asked of outside at each look.

    `find_wanted` returns the names of each certificate, by what it is called; `find_announced` the digests of the keys
    that TLSA records for a name announce, None when that cannot be known now; `in_service` is told of new files.
    """

    find_wanted: Callable[[], Awaitable[Mapping[str, Sequence[str]]]]
    find_announced: Callable[[str], Awaitable[Collection[str] | None]]
    in_service: Callable[[], Awaitable[object]]
    keep_key: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate as an operator sees it. Digests are of keys, for TLSA records."""

    name: str
    wanted: Sequence[str]
    held: Held | None
    renewal: datetime | None
    failures: Mapping[str, Failure]
    digest: str | None
    next_digest: str | None


class Issuance:
    """The certificates of one authority."""

    def __init__(
        self,
        store: CertificateStore,
        authority: Authority,
        solver: Solver,
        policy: IssuancePolicy,
        clock: Clock,
        random: Random,
    ) -> None:
        self._store = store
        self._authority = authority
        self._solver = solver
        self._policy = policy
        self._clock = clock
        self._random = random
        self._turn = asyncio.Lock()
        self._can_prove = solver.kind != "http-01"  # which takes a listener

    async def run(self) -> NoReturn:
        """Look at all certificates again and again, until cancelled."""
        self._can_prove = True
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY * self._random.jitter(_JITTER))

    async def look(self) -> None:
        """Look at each certificate once, and order what is to be ordered."""
        for name, wanted in (await self._policy.find_wanted()).items():
            try:
                await self._look_at(name, wanted, force=False)
            except OSError as error:
                log.error("certificate-not-kept", name=name, error=error)

    async def renew(self, name: str | None) -> Sequence[str]:
        """Order certificates now, whatever was planned; return what they are called. Raises `AuthorityFault`."""
        if not self._can_prove:
            raise Refused("Certificates are ordered by a running server: start it first.")
        wanted = await self._policy.find_wanted()
        if name is not None and name not in wanted:
            raise NotFound("There is no such certificate.")
        names = list(wanted) if name is None else [name]
        for each in names:
            state = await self._look_at(each, wanted[each], force=True)
            if state.failures:
                raise AuthorityFault("; ".join(_told(of, failure) for of, failure in state.failures.items()))
        return names

    async def list_certificates(self) -> Sequence[Shown]:
        """Return what is wanted, what is held, and what stands between."""
        wanted = await self._policy.find_wanted()
        return [await asyncio.to_thread(self._show, name, names) for name, names in wanted.items()]

    def _show(self, name: str, wanted: Sequence[str]) -> Shown:
        folder = self._store.open(name)
        state = folder.load_state()
        held, key = folder.load_held(state), folder.load_live_key()
        return Shown(
            name,
            wanted,
            held,
            None if held is None else moment_of_renewal(held),
            state.failures,
            None if key is None else key_digest(key),
            key_digest(folder.load_next_key()),
        )

    # -- one certificate

    async def _look_at(self, name: str, wanted: Sequence[str], *, force: bool) -> State:
        async with self._turn:
            folder = self._store.open(name)
            state = await asyncio.to_thread(folder.load_state)
            state = replace(state, failures={}) if force else await self._ask_for_window(folder, state)
            # Names that fail are left out, and the rest is tried without them.
            for _ in range(len(wanted) + 1):
                held = await asyncio.to_thread(folder.load_held, state)
                plan = plan_order(wanted, held, state.failures, self._clock.now(), force=force)
                if not plan.names:
                    break
                state, done = await self._order(name, folder, state, plan)
                await asyncio.to_thread(folder.store_state, state)
                if done:
                    break
            return state

    async def _order(self, name: str, folder: CertificateFolder, state: State, plan: Plan) -> tuple[State, bool]:
        """Order once; return what is remembered from now on, and whether a certificate is in service."""
        log.info("certificate-ordered", name=name, names=" ".join(plan.names), why=plan.why)
        try:
            former = await asyncio.to_thread(folder.load_live)
            key = await self._choose_key(name, folder)
            chain = await self._authority.obtain(plan.names, key, self._solver, former)
            await asyncio.to_thread(folder.put_live, chain, key, plan.names)
        except NamesRefused as refusal:
            # Reasons for names that were not asked for would never be cleared.
            ours = {of: reason for of, reason in refusal.reasons.items() if of in plan.names}
            return self._note(name, state, ours or {_WHOLE: refusal.sentence}, refusal.after), False
        except AuthorityFault as fault:
            return self._note(name, state, {_WHOLE: fault.sentence}, fault.after), False
        metrics.certificates_ordered_total.labels("ok").inc()
        await self._policy.in_service()
        state = self._issued(state, plan)
        held = await asyncio.to_thread(folder.load_held, state)
        if held is not None:
            self._tell(name, held)
        return state, True

    def _issued(self, state: State, plan: Plan) -> State:
        failures = {of: failure for of, failure in state.failures.items() if of and of not in plan.names}
        return State(self._clock.now(), self._random.below(_DRAWS) / _DRAWS, None, None, failures)

    def _tell(self, name: str, held: Held) -> None:
        now = self._clock.now()
        if held.begins <= now < held.ends:
            log.info("certificate-issued", name=name, ends=held.ends.isoformat())
        else:  # and it is in service all the same: who sees it looks at another clock
            log.error("clock-wrong", name=name, begins=held.begins.isoformat(), ends=held.ends.isoformat())

    def _note(self, name: str, state: State, reasons: Mapping[str, str], after: timedelta | None) -> State:
        metrics.certificates_ordered_total.labels("failed").inc()
        now = self._clock.now()
        noted = {
            of: note_failure(state.failures.get(of), now, reason, 1 + self._random.below(_DRAWS) / _DRAWS / 5, after)
            for of, reason in reasons.items()
        }
        for of, failure in noted.items():
            log.warning("certificate-failed", name=name, of=of, cause=failure.reason, until=failure.until.isoformat())
        return replace(state, failures={**state.failures, **noted})

    async def _choose_key(self, name: str, folder: CertificateFolder) -> bytes:
        """Return the key for the next certificate: a new one, unless only the present one is announced."""
        live = await asyncio.to_thread(folder.load_live_key)
        following = await asyncio.to_thread(folder.load_next_key)
        if live is None:
            return following
        if self._policy.keep_key:
            return live
        announced = await self._policy.find_announced(name)
        if announced is not None and (not announced or key_digest(following) in announced):
            return following
        log.info("certificate-key-kept", name=name)
        return live

    async def _ask_for_window(self, folder: CertificateFolder, state: State) -> State:
        """Ask when to renew, if it is time to ask. A certificate that is over is not asked for (RFC 9773 §4.3)."""
        now = self._clock.now()
        held = await asyncio.to_thread(folder.load_held, state)
        live = await asyncio.to_thread(folder.load_live)
        if held is None or live is None or held.ends <= now:
            return state
        if state.ask_window is not None and now < state.ask_window <= now + timedelta(days=1):
            return state
        try:
            window = await self._authority.find_window(live)
        except AuthorityFault as fault:
            log.info("renewal-not-told", cause=fault.sentence)
            return replace(state, ask_window=now + _ASK_AGAIN_AFTER_FAULT)
        again = now + _ASK_AGAIN_AFTER_FAULT if window is None else window.again
        state = replace(state, window=window, ask_window=again)
        await asyncio.to_thread(folder.store_state, state)
        return state


def _told(name: str, failure: Failure) -> str:
    return f"{name}: {failure.reason}" if name else failure.reason
