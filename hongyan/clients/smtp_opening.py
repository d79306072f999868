"""How a session comes about: with as much TLS as there is, never with less than is demanded, and what to report of it.

Where nothing is demanded the certificate is verified all the same, so that it is known how well the connection is
secured (`queue.tls_memory`); when it does not hold, a new connection goes on without, and the host is not put to the
test again for a day. When the handshake fails altogether, and nothing demands TLS, a third one goes on in the clear
(RFC 7435 §3).
"""

from __future__ import annotations

__all__ = ["SessionOpener"]

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from hongyan import telemetry
from hongyan.clients.smtp_options import SmtpOptions
from hongyan.clients.smtp_session import HopFault, Opening, SmtpSession, open_session
from hongyan.clients.source_pools import SourcePools
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.clock import Clock
from hongyan.mailauth.mta_sts import StsMode
from hongyan.mailauth.resolver import IPAddress
from hongyan.queue.causes import Cause
from hongyan.queue.outcome import Outcome, Stage
from hongyan.queue.route import Hop, RemoteRoute
from hongyan.queue.security import Demand, Demander, TlsLevel, TlsPolicy
from hongyan.queue.tls_results import PolicyType, ResultType, TlsResult, TlsResults, policy_lines, policy_type
from hongyan.telemetry import metrics

_UNVERIFIABLE: Final = 86_400.0
"""Seconds for which a host whose certificate did not hold is not put to the test again."""

_MOST_UNVERIFIABLE: Final = 10_000

_PROBED: Final = frozenset({TlsPolicy.OPPORTUNISTIC, TlsPolicy.REQUIRED})

_REFUSED: Final = {
    Cause.DANE_UNAVAILABLE: (PolicyType.TLSA, ResultType.DNSSEC_INVALID),
    Cause.STS_HOST_NOT_NAMED: (PolicyType.STS, ResultType.VALIDATION_FAILURE),
}

_log = telemetry.logger("smtp-client")


@dataclass(frozen=True, slots=True)
class _Try:
    """One connection: what it must have, and whether its certificate is verified."""

    demand: Demand
    verifies: bool


class SessionOpener:
    """Opens sessions for `clients.smtp`."""

    def __init__(
        self,
        options: SmtpOptions,
        hostname: str,
        clock: Clock,
        tls: TlsContexts,
        results: TlsResults,
        *,
        probes: bool,
        pools: SourcePools,
    ) -> None:
        """`probes`: certificates are verified where nothing demands it."""
        self._options = options
        self._hostname = hostname
        self._clock = clock
        self._tls = tls
        self._results = results
        self._probes = probes
        self._pools = pools
        self._unverifiable: OrderedDict[str, float] = OrderedDict()

    async def open(self, hop: Hop, address: IPAddress, route: RemoteRoute) -> SmtpSession:
        """Return a session that has what the hop demands. Raises `HopFault`."""
        if hop.refusal is not None:
            self._note_refusal(hop, route, hop.refusal)
            raise HopFault(Outcome.from_cause(hop.refusal, Stage.TLS, remote=f"{hop.host}[{address}]"))
        trying = self._first(hop, route)
        while True:
            try:
                session = await self._connect(hop, address, route, trying)
            except HopFault as fault:
                weaker = self._weaker(trying, fault)
                self._note_failure(hop, address, route, trying, fault, is_final=weaker is None)
                if weaker is None:
                    _count("failed")
                    _log.info("host-failed", host=hop.host, address=address, reply=fault.outcome.text)
                    raise
                _log.info("tls-failed", host=hop.host, address=address, reply=fault.reason)
                self._remember(hop, trying)
                trying = weaker
            else:
                _count("ok")
                self._note_success(hop, address, route, trying, session)
                return session

    def _first(self, hop: Hop, route: RemoteRoute) -> _Try:
        demand = hop.demand
        if demand.policy is TlsPolicy.VERIFIED:
            return _Try(demand, verifies=True)
        is_open = demand.policy in _PROBED and not route.is_relay
        # A policy in testing mode wants to know each time.
        is_wanted = demand.sts is not None or (self._probes and not self._is_unverifiable(hop.host))
        return _Try(demand, verifies=is_open and is_wanted)

    def _weaker(self, tried: _Try, fault: HopFault) -> _Try | None:
        """Return how to go on after TLS has failed; None if that would be less than is demanded."""
        if fault.tls_failure is None or tried.demand.policy not in _PROBED:
            return None
        if tried.verifies:
            return _Try(tried.demand, verifies=False)
        if tried.demand.policy is TlsPolicy.REQUIRED:
            return None
        metrics.queue_plaintext_fallback_total.inc()
        return _Try(replace(tried.demand, policy=TlsPolicy.NEVER), verifies=False)

    async def _connect(self, hop: Hop, address: IPAddress, route: RemoteRoute, trying: _Try) -> SmtpSession:
        source = self._pools.find(route.pool, address.version)
        opening = Opening(
            hostname=self._hostname if source is None else source.name,
            demand=trying.demand,
            verifies=trying.verifies,
            tls=self._tls,
            clock=self._clock,
            credentials=route.credentials,
            source=self._options.source_for(address) if source is None else source.address,
            uses_chunking=self._options.chunking,
        )
        session = await open_session(hop, address, opening)
        session.left_by = source
        return session

    # -- hosts whose certificates do not hold

    def _remember(self, hop: Hop, failed: _Try) -> None:
        if failed.verifies:
            self._unverifiable[hop.host] = self._clock.monotonic() + _UNVERIFIABLE
            self._unverifiable.move_to_end(hop.host)
            while len(self._unverifiable) > _MOST_UNVERIFIABLE:
                self._unverifiable.popitem(last=False)

    def _is_unverifiable(self, host: str) -> bool:
        return self._unverifiable.get(host, 0.0) > self._clock.monotonic()

    # -- results for reports

    def _note_refusal(self, hop: Hop, route: RemoteRoute, cause: Cause) -> None:
        kind, failure = _REFUSED.get(cause, (PolicyType.NONE, None))
        if failure is not None:
            result = TlsResult(
                at=self._clock.now(),
                domain=route.name,
                policy_type=kind,
                host=hop.host,
                failure=failure,
                reason=cause.line,
            )
            self._results.note(result)

    def _note_failure(
        self, hop: Hop, address: IPAddress, route: RemoteRoute, tried: _Try, fault: HopFault, *, is_final: bool
    ) -> None:
        """Note what failed. A certificate that does not hold is no failure where nobody asked for one."""
        if fault.tls_failure is not None and (is_final or not tried.verifies or hop.demand.sts is not None):
            self._note(hop, address, route, fault.source, fault.tls_failure, fault.reason)

    def _note_success(
        self, hop: Hop, address: IPAddress, route: RemoteRoute, tried: _Try, session: SmtpSession
    ) -> None:
        sts = hop.demand.sts
        if tried.demand.policy is TlsPolicy.NEVER:
            return  # It was noted when TLS failed.
        if not session.is_encrypted:
            self._note(
                hop, address, route, session.source, ResultType.STARTTLS_NOT_SUPPORTED, "STARTTLS is not offered"
            )
        elif sts is None or session.level is TlsLevel.VERIFIED:
            is_named = sts is None or sts.mode is not StsMode.TESTING or hop.demand.pattern is not None
            unnamed = None if is_named else ResultType.VALIDATION_FAILURE
            self._note(hop, address, route, session.source, unnamed, "" if is_named else "the policy names other hosts")

    def _note(
        self,
        hop: Hop,
        address: IPAddress,
        route: RemoteRoute,
        source: str,
        failure: ResultType | None,
        reason: str,
    ) -> None:
        if route.is_relay or route.is_waived or hop.demand.demander is Demander.OPERATOR:
            return  # A report on TLS waives it too: else reports would tell of reports for ever.
        demand = hop.demand
        result = TlsResult(
            at=self._clock.now(),
            domain=route.name,
            policy_type=policy_type(demand),
            policy=policy_lines(demand),
            patterns=() if demand.sts is None else demand.sts.hosts,
            host=hop.host,
            address=str(address),
            source=source,
            failure=failure,
            reason=reason,
        )
        self._results.note(result)


def _count(result: str) -> None:
    metrics.queue_destinations_total.labels("smtp", result).inc()
