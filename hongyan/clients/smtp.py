"""The queue's transport to other hosts: SMTP, host after host until each recipient has its outcome.

A host that cannot be reached, turns us away before MAIL or loses the connection makes way for the
next one (RFC 5321 §5.1). What a host says of a recipient or of the message is final for this
attempt: 5yz fails, 4yz defers. Once the end of the message was sent, a lost connection defers and
no other host is tried: the message may have arrived.

TLS is opportunistic unless the route asks for more: when the handshake fails, a new connection
goes on in the clear.
"""

from __future__ import annotations

__all__ = ["SmtpOptions", "SmtpTransport"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from hongyan import telemetry
from hongyan.clients.smtp_pool import PoolKey, RouteSlots, SessionPool
from hongyan.clients.smtp_session import HopFault, SmtpSession, TlsContexts, open_session
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.mailauth.resolver import IPAddress
from hongyan.options import option
from hongyan.queue.causes import Cause
from hongyan.queue.outcome import Outcome, Result, Stage
from hongyan.queue.route import Hop, RemoteRoute, TlsPolicy
from hongyan.queue.transport import Delivery
from hongyan.store.queue import QueuedMessage, QueuedRecipient
from hongyan.telemetry import metrics
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


@dataclass(frozen=True, slots=True)
class SmtpOptions:
    """The section `[smtp_client]`."""

    source_ipv4: str = option("", "The IPv4 address that deliveries come from; empty: the system chooses.")
    source_ipv6: str = option("", "The IPv6 address that deliveries come from; empty: the system chooses.")
    connections: int = option(20, "Connections to one relay, or to the servers of one domain.")
    chunking: bool = option(True, "Send content by BDAT to servers that offer CHUNKING.")

    def __post_init__(self) -> None:
        if self.connections < 1:
            raise ValueError("connections is 1 or more")
        for text, version in ((self.source_ipv4, 4), (self.source_ipv6, 6)):
            if text and ip_address(text).version != version:
                raise ValueError(f"{text} is not an IPv{version} address")

    def source_for(self, address: IPAddress) -> IPAddress | None:
        text = self.source_ipv4 if address.version == 4 else self.source_ipv6
        return ip_address(text) if text else None


class SmtpTransport:
    """`queue.transport.Transport` for `RemoteRoute`."""

    def __init__(self, options: SmtpOptions, hostname: str, clock: Clock, *, tls: TlsContexts | None = None) -> None:
        """`hostname` is what EHLO says."""
        self._options = options
        self._hostname = hostname
        self._clock = clock
        self._tls = tls or TlsContexts.system()
        self._pool = SessionPool()
        self._slots = RouteSlots(options.connections)

    async def deliver(self, delivery: Delivery, route: RemoteRoute) -> Mapping[int, Outcome]:
        """Return the outcome for each recipient."""
        attempt = _Attempt(delivery)
        try:
            async with self._slots.hold(route.name):
                await self._try_hosts(attempt, route)
        except ServerFault as fault:
            # Those who had their answer keep it: a delivery that is forgotten is made twice.
            _log.error("content-unreadable", error=fault)
            attempt.turned_away(Outcome.from_cause(Cause.CONTENT_UNREADABLE, Stage.DATA))
        return attempt.conclude()

    async def _try_hosts(self, attempt: _Attempt, route: RemoteRoute) -> None:
        policy = TlsPolicy.VERIFIED if attempt.delivery.message.require_tls else route.tls
        key = PoolKey(route.name, policy)
        kept = self._pool.take(key)
        if kept is not None:
            await self._send(kept, key, attempt)
        enough = self._clock.monotonic() + _SEARCH_LIMIT
        for hop in route.hops:
            for address in hop.addresses:
                if not attempt.pending or self._clock.monotonic() > enough:
                    return
                try:
                    session = await self._open(hop, address, route, policy)
                except HopFault as fault:
                    attempt.turned_away(fault.outcome)
                else:
                    await self._send(session, key, attempt)

    async def close(self) -> None:
        """End the sessions that are kept."""
        self._pool.close()

    async def _open(self, hop: Hop, address: IPAddress, route: RemoteRoute, policy: TlsPolicy) -> SmtpSession:
        try:
            session = await self._open_by(hop, address, route, policy)
        except HopFault as fault:
            if not (fault.tls_failed and policy is TlsPolicy.OPPORTUNISTIC):
                _count("failed")
                _log.info("host-failed", host=hop.host, address=address, reply=fault.outcome.text)
                raise
            # RFC 7435 §3: a handshake that fails is no reason to keep mail from going the way it would without TLS.
            _log.info("tls-failed", host=hop.host, address=address, reply=fault.outcome.text)
            metrics.queue_plaintext_fallback_total.inc()
            session = await self._open_by(hop, address, route, TlsPolicy.NEVER)
        _count("ok")
        return session

    async def _open_by(self, hop: Hop, address: IPAddress, route: RemoteRoute, policy: TlsPolicy) -> SmtpSession:
        return await open_session(
            hop,
            address,
            hostname=self._hostname,
            policy=policy,
            tls=self._tls,
            credentials=route.credentials,
            source=self._options.source_for(address),
            uses_chunking=self._options.chunking,
        )

    async def _send(self, session: SmtpSession, key: PoolKey, attempt: _Attempt) -> None:
        """Send to as many recipients as the session takes, in as many transactions as that needs."""
        try:
            while attempt.pending:
                batch = attempt.pending[:_MOST_RECIPIENTS]
                answers = await session.send(attempt.envelope(batch), attempt.delivery.content)
                goes_on = attempt.answered(batch, answers, session)
                if not goes_on or not session.is_reusable:
                    break
        except HopFault as fault:
            attempt.turned_away(fault.outcome)
        self._pool.give(key, session)


class _Attempt:
    """What is known of a delivery so far."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.pending: list[QueuedRecipient] = list(delivery.recipients)
        self.outcomes: dict[int, Outcome] = {}
        self._for_lack_of_better: dict[int, Outcome] = {}

    def envelope(self, recipients: Sequence[QueuedRecipient]) -> Envelope:
        mail = MailFrom(self.delivery.message.reverse_path, _parameters(self.delivery))
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
            if _is_of_the_connection(answer) or (position and _is_too_many(answer)):
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


def _is_of_the_connection(answer: Answer) -> bool:
    """Whether the session broke before the message was complete, so that another host may have it."""
    is_session = answer.reply.code == 421 or answer.reply in _BROKEN
    return is_session and _stage(answer) is not Stage.END


def _stage(answer: Answer) -> Stage:
    return Stage.CHECK if answer.stage is WireStage.LOCAL else Stage(answer.stage.value)


def _count(result: str) -> None:
    metrics.queue_destinations_total.labels("smtp", result).inc()
