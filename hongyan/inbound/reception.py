"""A message has come in completely: examine it, and deliver, hold or refuse it.

The 250 is said when the message is on stable storage for every recipient. Should one account fail after another has its
copy, its recipient goes to the queue and the answer is still 250 (RFC 5321 §6.1).
"""

from __future__ import annotations

__all__ = ["Arrival", "InboundServices", "Reception"]

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from hongyan import telemetry
from hongyan.accounts.aliases import Aliases
from hongyan.addresses import Address
from hongyan.clock import Clock, Random
from hongyan.delivery.deliver import Arrived, Delivered, Deliverer
from hongyan.delivery.spool import SpoolRoom
from hongyan.errors import OverQuota, StorageFailed, StorageFull
from hongyan.inbound.checks import Checks, Examination, read_header
from hongyan.inbound.evaluations import DmarcEvaluations, evaluate_arrival
from hongyan.inbound.origin import Origin
from hongyan.inbound.passage import Watch
from hongyan.inbound.timeline import InboundTimeline, why_not_stored
from hongyan.message.anatomy import Anatomy
from hongyan.message.headers import find_body
from hongyan.message.trace import (
    MAX_HOPS,
    ReceivedBy,
    TlsFacts,
    count_hops,
    delivered_to_field,
    end_of_trace,
    find_deliveries,
    folds_into_trace,
    received_field,
    return_path_field,
)
from hongyan.queue.forwarding import Forwarding
from hongyan.queue.items import Queue, new_message
from hongyan.screening.examined import Examined
from hongyan.screening.verdict import Disposition, Verdict
from hongyan.store.queue import NewRecipient
from hongyan.store.receipts import envelope_digest
from hongyan.telemetry import metrics
from hongyan.types import AccountId
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import Hello, MailFrom
from hongyan.wire.smtp.parameters import Body
from hongyan.wire.smtp.replies import Reply

_LONGEST_REASON = 500
_IN_A_THREAD = 1 << 20
_LOOKED_AFTER = ("postmaster@", "abuse@")

log = telemetry.logger("inbound")
_accepted = metrics.smtpserver_delivery_total.labels("accepted", "")


@dataclass(frozen=True, slots=True)
class InboundServices:
    """What transactions work with."""

    hostname: str
    aliases: Aliases
    deliverer: Deliverer
    queue: Queue
    forwarding: Forwarding
    checks: Checks
    clock: Clock
    random: Random
    spool: SpoolRoom
    timeline: InboundTimeline
    evaluations: DmarcEvaluations | None = None
    """Who reports to the owners of domains; None: nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message with its envelope, as it came."""

    peer: str
    cid: str
    hello: Hello | None
    tls: TlsFacts | None
    mail: MailFrom
    """MAIL, with its parameters."""
    accounts: Mapping[AccountId, Address]
    """Accounts of ours that get it, each with the address that led there."""
    external: Sequence[Address]
    """Addresses elsewhere that an alias of ours stands for, and whoever a bounce goes back to."""
    sent_on: Mapping[str, str]
    """From which of the forward-paths each of these is reached, all in canonical form; a bounce is not sent on."""
    forward_paths: Sequence[str]
    """The recipients as the client named them, in canonical form."""
    octets: bytes
    watch: Watch

    @property
    def helo(self) -> str:
        return self.hello.name if self.hello is not None else "unknown"

    @property
    def is_for_postmaster(self) -> bool:
        """Whether it is for nobody but those who look after the server."""
        return all(path == "postmaster" or path.startswith(_LOOKED_AFTER) for path in self.forward_paths)


class Reception:
    """Takes messages that have come in, or says why not."""

    def __init__(self, services: InboundServices) -> None:
        self._services = services

    async def take(self, arrival: Arrival, origin: Origin | None) -> Reply:
        """Return the reply to the end of data. A positive one takes over the duty to deliver (RFC 5321 §4.2.5)."""
        octets = arrival.octets
        if folds_into_trace(octets):
            return self._refuse(arrival, replies.MESSAGE_MALFORMED, "form")
        if await read_header(count_hops, octets, find_body(octets, 0, len(octets))) > MAX_HOPS:
            return self._refuse(arrival, replies.MESSAGE_LOOPS, "loop")
        if arrival.sent_on:
            arrival = await _without_loops(arrival)
            if not arrival.accounts and not arrival.external:
                return self._refuse(arrival, replies.MESSAGE_LOOPS, "loop")
        mid = self._services.random.token(9).hex()
        message = _as_examined(arrival, mid)
        found = await self._services.checks.examine(
            origin, message, to_postmaster=arrival.is_for_postmaster, smtputf8=arrival.mail.parameters.smtputf8
        )
        arrival.watch.examined()
        refusal = found.verdict.refusal(list(arrival.accounts))
        _tell(arrival, found, mid, refused=refusal is not None)
        self._evaluate(arrival, found, message.body, refused=refusal is not None)
        if refusal is not None:
            return self._refuse(arrival, refusal, "policy", mid=mid, verdict=found.verdict)
        return await self._deliver(arrival, found, message, mid)

    def _evaluate(self, arrival: Arrival, found: Examination, body: int, *, refused: bool) -> None:
        evaluations = self._services.evaluations
        if evaluations is None:
            return
        header, sender = arrival.octets[:body], arrival.mail.reverse_path
        evaluation = evaluate_arrival(found, arrival.peer, sender, header, refused=refused)
        if evaluation is not None:
            evaluations.note(evaluation)

    def _refuse(
        self, arrival: Arrival, reply: Reply, reason: str, *, mid: str = "", verdict: Verdict | None = None
    ) -> Reply:
        """Tell the recipients what they do not get, and return the reply."""
        self._services.timeline.refused(
            arrival.accounts,
            arrival.mail.reverse_path,
            arrival.peer,
            reply,
            reason,
            stage="end of data",
            mid=mid,
            is_encrypted=arrival.tls is not None,
            verdict=verdict,
        )
        return reply

    async def _deliver(self, arrival: Arrival, found: Examination, examined: Examined, mid: str) -> Reply:
        trace = found.field + received_field(self._how(arrival, mid))
        digest = await _digest(arrival)
        copies = {one: found.verdict.disposition_of_copy(one) for one in arrival.accounts}
        junk = {one for one, disposition in copies.items() if disposition is Disposition.JUNK}
        at_once = [one for one, disposition in copies.items() if disposition is not Disposition.QUARANTINE]
        message = _arrived(arrival, found, examined, trace)
        done = await self._services.deliverer.deliver(
            at_once,
            message,
            digest,
            mid=mid,
            sender=found.authentication.find_sender(arrival.mail.reverse_path),
            junk=junk,
        )
        failed = [one for one in done if one.fault is not None]
        if failed and len(failed) == len(arrival.accounts) and not arrival.external:
            return self._refuse(arrival, _worst(failed), why_not_stored(failed[0].fault), mid=mid)
        self._services.timeline.filed(
            done,
            arrival.accounts,
            arrival.mail.reverse_path,
            arrival.peer,
            mid=mid,
            is_encrypted=arrival.tls is not None,
            passage=arrival.watch.stored(arrival.octets[: examined.body]),
            verdict=found.verdict,
        )
        quarantined = [arrival.accounts[one] for one in copies if one not in at_once]
        later = [arrival.accounts[one.account] for one in failed]
        if found.verdict.disposition() is Disposition.QUARANTINE:
            quarantined.extend(arrival.external)
        else:
            later.extend(arrival.external)
        if later:
            await self._hand_on(arrival, later, trace, found, mid, digest)
        if quarantined:
            await self._hand_on(arrival, quarantined, trace, found, mid, digest, held=_why_held(found))
        _accepted.inc()
        return Reply(250, "2.0.0", (f"Message accepted as {mid}",))

    def _how(self, arrival: Arrival, mid: str) -> ReceivedBy:
        hello, paths = arrival.hello, arrival.forward_paths
        return ReceivedBy(
            helo=arrival.helo,
            peer=arrival.peer,
            host=self._services.hostname,
            mid=mid,
            at=self._services.clock.now(),
            extended=hello is None or hello.extended,
            tls=arrival.tls,
            smtputf8=arrival.mail.parameters.smtputf8,
            recipient=paths[0] if len(paths) == 1 else None,
        )

    def _envelopes(
        self, arrival: Arrival, recipients: Iterable[Address]
    ) -> Iterator[tuple[bytes, Address | None, list[Address]]]:
        """Yield Delivered-To, reverse-path and recipients: those of one alias do not learn of another."""
        groups: dict[str, list[Address]] = {}
        for recipient in recipients:
            groups.setdefault(arrival.sent_on.get(recipient.canonical, ""), []).append(recipient)
        for path, group in groups.items():
            field = delivered_to_field(path) if path else b""
            for reverse_path, some in self._services.forwarding.envelopes(arrival.mail.reverse_path, group):
                yield field, reverse_path, some

    async def _hand_on(
        self,
        arrival: Arrival,
        recipients: list[Address],
        trace: bytes,
        found: Examination,
        mid: str,
        digest: bytes,
        *,
        held: str | None = None,
    ) -> None:
        """Queue the message for addresses elsewhere, and for accounts that could not take it just now.

        `held` says why it waits for an operator: a message in quarantine, which `hongyan queue` releases or drops.
        """
        queue, octets, parameters = self._services.queue, arrival.octets, arrival.mail.parameters
        now = queue.clock.now()
        for field, reverse_path, group in self._envelopes(arrival, recipients):
            await queue.enqueue(
                new_message(
                    reverse_path,
                    [NewRecipient(address) for address in group],
                    now=now,
                    expires=queue.schedule.expires(now),
                    size=len(octets),
                    octets=octets,
                    content_digest=digest,
                    prefix=field + trace + end_of_trace(octets),
                    omitted=found.claims,
                    trace_id=mid,
                    body=parameters.body or Body.SEVEN_BIT,
                    smtputf8=parameters.smtputf8,
                    require_tls=parameters.requiretls,
                    held=held,
                )
            )


async def _without_loops(arrival: Arrival) -> Arrival:
    """Return what is not to be sent on from an address that it was sent on from before (RFC 9228 §2)."""
    octets = arrival.octets
    before = await read_header(find_deliveries, octets, find_body(octets, 0, len(octets)))
    external = [one for one in arrival.external if arrival.sent_on.get(one.canonical, "").lower() not in before]
    if len(external) < len(arrival.external):
        log.info("not-sent-on", cid=arrival.cid, reason="loop", recipients=len(arrival.external) - len(external))
    return replace(arrival, external=external)


def _as_examined(arrival: Arrival, mid: str) -> Examined:
    octets = arrival.octets
    anatomy = Anatomy(octets)
    return Examined(
        mid=mid,
        peer=arrival.peer,
        helo=arrival.helo,
        reverse_path=arrival.mail.reverse_path,
        accounts=arrival.accounts,
        octets=octets,
        body=anatomy.body,
        anatomy=anatomy,
        encrypted=arrival.tls is not None,
    )


def _arrived(arrival: Arrival, found: Examination, examined: Examined, trace: bytes) -> Arrived:
    """Return the message as it is stored: forged results are left out of what is served, never of what is kept."""
    octets, reverse_path = arrival.octets, arrival.mail.reverse_path
    trace = return_path_field(None if reverse_path is None else str(reverse_path)) + trace
    if not found.claims:
        return Arrived(trace + end_of_trace(octets), octets, anatomy=examined.anatomy)
    body = examined.body
    header = _without(octets[:body], found.claims)
    return Arrived(trace + end_of_trace(header + b"\r\n") + header, octets, skipped=body)


def _without(header: bytes, claims: Sequence[tuple[int, int]]) -> bytes:
    kept = []
    at = 0
    for start, end in claims:
        kept.append(header[at:start])
        at = end
    kept.append(header[at:])
    return b"".join(kept)


def _why_held(found: Examination) -> str:
    reasons = [one.text for one in found.verdict.findings if one.disposition is Disposition.QUARANTINE]
    return f"Quarantine: {'; '.join(reasons)}"[:_LONGEST_REASON]


async def _digest(arrival: Arrival) -> bytes:
    octets = arrival.octets
    digest = sha256(octets) if len(octets) < _IN_A_THREAD else await asyncio.to_thread(sha256, octets)
    return envelope_digest(None, arrival.mail.reverse_path, list(arrival.forward_paths), digest.digest())


def _tell(arrival: Arrival, found: Examination, mid: str, *, refused: bool) -> None:
    """Log what has come, and count and log what was found."""
    log.info(
        "refused" if refused else "received",
        cid=arrival.cid,
        mid=mid,
        size=len(arrival.octets),
        recipients=len(arrival.forward_paths),
        found=[f"{one.check}/{one.reason}" for one in found.verdict.findings],
    )
    for finding in found.verdict.findings:
        metrics.screening_total.labels(finding.check, finding.disposition.name.lower()).inc()


def _worst(failed: list[Delivered]) -> Reply:
    """Nobody has the message: say why, so that the sender tries again or gives up."""
    faults = [one.fault for one in failed]
    if all(isinstance(fault, OverQuota) for fault in faults):
        return replies.RECIPIENT_OVER_QUOTA
    if any(isinstance(fault, StorageFull) for fault in faults):
        return replies.STORAGE_FULL
    if any(isinstance(fault, StorageFailed) for fault in faults):
        return replies.STORAGE_FAILED
    return replies.SERVER_ERROR
