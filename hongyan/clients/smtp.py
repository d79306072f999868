"""The queue's transport to other hosts: SMTP, host after host until each recipient has its outcome.

A host that cannot be reached, turns us away before MAIL or loses the connection makes way for the
next one (RFC 5321 §5.1). What a host says of a recipient or of the message is final for this
attempt: 5yz fails, 4yz defers. Once the end of the message was sent, a lost connection defers and
no other host is tried: the message may have arrived.

TLS is what the route demands of each host, or the message of all of them (`queue.security`); how a session comes
about is in `clients.smtp_opening`.
"""

from __future__ import annotations

__all__ = ["SmtpTransport"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from hongyan import telemetry
from hongyan.clients.smtp_opening import SessionOpener
from hongyan.clients.smtp_options import SmtpOptions
from hongyan.clients.smtp_pool import PoolKey, RouteSlots, SessionPool
from hongyan.clients.smtp_session import HopFault, SmtpSession
from hongyan.clients.source_pools import SourcePools
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.queue.causes import Cause
from hongyan.queue.outcome import Outcome, Result, Stage
from hongyan.queue.route import Hop, RemoteRoute
from hongyan.queue.security import for_required_tls, waived, waives
from hongyan.queue.tls_memory import Observation, TlsMemory
from hongyan.queue.tls_results import CountedTlsResults, TlsResults
from hongyan.queue.transport import Delivery
from hongyan.queue.verp import return_path
from hongyan.store.queue import QueuedMessage, QueuedRecipient
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.client_events import Answer
from hongyan.wire.smtp.client_events import Stage as WireStage
from hongyan.wire.smtp.commands import MailFrom, RcptTo
from hongyan.wire.smtp.envelope import Envelope
from hongyan.wire.smtp.parameters import MailParameters

_MOST_RECIPIENTS: Final = 100
"""Recipients of one transaction: what every server takes (RFC 5321 §4.5.3.1.8)."""

_SEARCH_LIMIT: Final = 600.0
"""Seconds after which no further host is tried in this attempt."""

# RFC 5321 §4.5.3.1.10: 552 was once said for it, and is meant as 452.
_TOO_MANY = {(452, "4.5.3"), (452, ""), (552, "5.5.3"), (552, "")}

# RFC 4954 §6: the relay wants a login, another one, or TLS. The operator can mend that, the sender cannot.
_WANTS_LOGIN = (530, 534, 535, 538)

_BROKEN = (replies.NEXT_HOP_LOST, replies.NEXT_HOP_SILENT, replies.NEXT_HOP_BABBLES)

_log = telemetry.logger("smtp-client")


class SmtpTransport:
    """`queue.transport.Transport` for `RemoteRoute`."""

    def __init__(
        self,
        options: SmtpOptions,
        hostname: str,
        clock: Clock,
        *,
        tls: TlsContexts | None = None,
        memory: TlsMemory | None = None,
        results: TlsResults | None = None,
        senders_may_waive: bool = True,
        pools: SourcePools | None = None,
    ) -> None:
        """`hostname` is what EHLO says."""
        self._clock = clock
        self._memory = memory
        self._senders_may_waive = senders_may_waive
        self.pools = pools or SourcePools({}, hostname, clock)
        self._opener = SessionOpener(
            options,
            hostname,
            clock,
            tls or TlsContexts.system(),
            results or CountedTlsResults(),
            probes=memory is not None,
            pools=self.pools,
        )
        self._pool = SessionPool()
        self._slots = RouteSlots(options.connections)

    async def deliver(self, delivery: Delivery, route: RemoteRoute) -> Mapping[int, Outcome]:
        """Return the outcome for each recipient."""
        attempt = _Attempt(delivery)
        try:
            async with self._slots.hold(route.name):
                pool = self.pools.choose(delivery.message.reverse_path, route.name, route.provider)
                await self._try_hosts(attempt, replace(self._secured(delivery, route), pool=pool))
        except ServerFault as fault:
            # Those who had their answer keep it: a delivery that is forgotten is made twice.
            _log.error("content-unreadable", error=fault)
            attempt.turned_away(Outcome.from_cause(Cause.CONTENT_UNREADABLE, Stage.DATA))
        return attempt.conclude()

    def _secured(self, delivery: Delivery, route: RemoteRoute) -> RemoteRoute:
        """Return the route with what the message itself asks of TLS, which is more (RFC 8689 §4.2.1) or less (§5)."""
        # RFC 8689 §5: for the null reverse-path it is a wish.
        if delivery.message.require_tls and delivery.message.reverse_path is not None:
            return replace(route, hops=tuple(map(_for_required_tls, route.hops)))
        is_plain = all(hop.refusal is None and waived(hop.demand) == hop.demand for hop in route.hops)
        if not self._senders_may_waive or not waives(delivery.content.header):
            return route
        if is_plain:
            return replace(route, is_waived=True)
        _log.info("tls-waived", destination=route.name)
        hops = [replace(hop, demand=waived(hop.demand), refusal=None) for hop in route.hops]
        return replace(route, hops=tuple(hops), is_waived=True)

    async def _try_hosts(self, attempt: _Attempt, route: RemoteRoute) -> None:
        key = PoolKey(route.name, frozenset((hop.host, hop.demand, hop.refusal) for hop in route.hops), route.pool)
        kept = self._pool.take(key)
        if kept is not None:
            await self._send(kept, key, attempt, route)
        enough = self._clock.monotonic() + _SEARCH_LIMIT
        for hop in route.hops:
            for address in hop.addresses:
                if not attempt.pending or self._clock.monotonic() > enough:
                    return
                try:
                    session = await self._opener.open(hop, address, route)
                except HopFault as fault:
                    attempt.turned_away(fault.outcome)
                else:
                    await self._send(session, key, attempt, route)

    async def close(self) -> None:
        """End the sessions that are kept."""
        await self.pools.save()
        self._pool.close()

    async def _send(self, session: SmtpSession, key: PoolKey, attempt: _Attempt, route: RemoteRoute) -> None:
        """Send to as many recipients as the session takes, in as many transactions as that needs."""
        try:
            while attempt.pending:
                batch = attempt.pending[: attempt.most_recipients]
                answers = await session.send(attempt.envelope(batch), attempt.delivery.content)
                goes_on = attempt.answered(batch, answers, session)
                if any(answer.delivered for answer in answers):
                    if session.left_by is not None:
                        self.pools.sent(session.left_by)
                    await self._learn(session, route)
                if not goes_on or not session.is_reusable:
                    break
        except HopFault as fault:
            attempt.turned_away(fault.outcome)
        self._pool.give(key, session)

    async def _learn(self, session: SmtpSession, route: RemoteRoute) -> None:
        """Remember how well the connection was secured over which a message has gone."""
        if self._memory is None or route.is_relay or route.is_waived:
            return
        is_below = session.host == route.name or session.host.endswith(f".{route.name}")
        is_vouched = is_below or any(hop.is_vouched for hop in route.hops if hop.host == session.host)
        await self._memory.observe(Observation(route.name, session.level, is_vouched))


class _Attempt:
    """What is known of a delivery so far."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.pending: list[QueuedRecipient] = list(delivery.recipients)
        self.outcomes: dict[int, Outcome] = {}
        self._for_lack_of_better: dict[int, Outcome] = {}

    @property
    def most_recipients(self) -> int:
        """Recipients of one transaction: one, where each has a reverse-path of his own."""
        return _MOST_RECIPIENTS if self.delivery.message.verp is None else 1

    def envelope(self, recipients: Sequence[QueuedRecipient]) -> Envelope:
        path = return_path(self.delivery.message, recipients[0].address)
        mail = MailFrom(path, _parameters(self.delivery))
        return Envelope(mail, [_rcpt_to(recipient) for recipient in recipients])

    def turned_away(self, outcome: Outcome) -> None:
        """A host took nothing. Another may; if none does, a host that wants us later outweighs one that never does."""
        for recipient in self.pending:
            known = self._for_lack_of_better.get(recipient.number)
            if known is None or known.result is Result.FAILED or outcome.result is Result.DEFERRED:
                self._for_lack_of_better[recipient.number] = outcome

    def answered(self, batch: Sequence[QueuedRecipient], answers: Sequence[Answer], session: SmtpSession) -> bool:
        """Take in the answers to a transaction; return whether it brought the rest any nearer to its end."""
        settled: set[int] = set()
        for position, (recipient, answer) in enumerate(zip(batch, answers, strict=True)):
            outcome = _outcome(answer, session)
            if _is_of_the_host(answer) or (position and _is_too_many(answer)):
                self._for_lack_of_better[recipient.number] = outcome
            else:
                self.outcomes[recipient.number] = outcome
                settled.add(recipient.number)
        self.pending = [recipient for recipient in self.pending if recipient.number not in settled]
        return bool(settled)

    def conclude(self) -> Mapping[int, Outcome]:
        """Return all outcomes; who is left has that of the last host that was asked."""
        nobody = Outcome.from_cause(Cause.NO_CONNECTION, Stage.CONNECT)
        rest = {recipient.number: self._for_lack_of_better.get(recipient.number, nobody) for recipient in self.pending}
        return self.outcomes | rest


def _parameters(delivery: Delivery) -> MailParameters:
    message: QueuedMessage = delivery.message
    return MailParameters(
        size=delivery.content.size,
        body=message.body,
        # Asked for, but needed only if the header says so; addresses speak for themselves (RFC 6531 §3.4).
        smtputf8=message.smtputf8 and not delivery.content.header.isascii(),
        ret=message.ret,
        envid=message.envelope_id,
        requiretls=message.require_tls,
    )


def _rcpt_to(recipient: QueuedRecipient) -> RcptTo:
    return RcptTo(recipient.address, recipient.notify, recipient.original)


def _outcome(answer: Answer, session: SmtpSession) -> Outcome:
    outcome = Outcome.from_reply(answer.reply, _stage(answer), session.remote)
    if answer.reply.code in _WANTS_LOGIN:
        outcome = replace(outcome, result=Result.DEFERRED, status=f"4{outcome.status[1:]}")
    is_handed_on = answer.delivered and session.offers_dsn
    return replace(outcome, is_encrypted=session.is_encrypted, is_handed_on=is_handed_on)


def _is_too_many(answer: Answer) -> bool:
    """Whether the recipient is welcome in another transaction (RFC 5321 §4.5.3.1.10)."""
    at_recipient = _stage(answer) in (Stage.RECIPIENT, Stage.CHECK)
    return at_recipient and (answer.reply.code, answer.reply.enhanced_code) in _TOO_MANY


def _is_of_the_host(answer: Answer) -> bool:
    """Whether another host may have the message: the session broke before it was complete, or promises no TLS."""
    is_session = answer.reply.code == 421 or answer.reply in _BROKEN
    return (is_session and _stage(answer) is not Stage.END) or answer.reply == replies.NEXT_HOP_LACKS_REQUIRETLS


def _for_required_tls(hop: Hop) -> Hop:
    if hop.refusal is not None:
        return hop
    if not hop.is_vouched:
        return replace(hop, refusal=Cause.NO_REQUIRETLS)
    return replace(hop, demand=for_required_tls(hop.demand))


def _stage(answer: Answer) -> Stage:
    return Stage.CHECK if answer.stage is WireStage.LOCAL else Stage(answer.stage.value)
