"""Answers mail while its recipient is away: a consumer of the change log (decision 2).

It looks at what was delivered into INBOX; what was taken for junk lies elsewhere. Who is answered is noted first and
the answer queued then, so that a crash in between costs an answer and never brings two.
"""

from __future__ import annotations

__all__ = ["OwnAddresses", "VacationResponder"]

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from hongyan import telemetry
from hongyan.addresses import Address, AddressFault
from hongyan.clock import Clock, Random
from hongyan.errors import Corrupt, NotFound, ServerFault
from hongyan.mailboxes.mail import Mail
from hongyan.message.authres import parse_authentication_results
from hongyan.message.headers import find_body, pick_fields, split_fields
from hongyan.queue.items import Queue, new_message
from hongyan.rules.vacation import FIELDS, ReceivedMessage, VacationOptions, find_named, find_silence
from hongyan.rules.vacation_letter import write_answer
from hongyan.screening.hindsight import read_trace
from hongyan.store.changes import Appended, LoggedChange
from hongyan.store.mailboxes import INBOX_ID
from hongyan.store.messages import Column
from hongyan.store.queue import NewRecipient
from hongyan.store.vacations import Claim, Vacation, VacationStore
from hongyan.telemetry import metrics
from hongyan.types import AccountId, BlobRef
from hongyan.wire.smtp.parameters import Body, Notify

_MOST_AT_ONCE: Final = 100
"""Messages of one entry: a delivery brings one, and who imports more brings no news."""

_HEADER: Final = 128 << 10  # octets of a header that are looked at
_COLUMNS: Final = (Column.PREFIX, Column.BLOB, Column.SKIPPED, Column.INTERNAL_DATE)
_RETURN_PATH: Final = b"Return-Path: <"

log = telemetry.logger("vacation")


class OwnAddresses(Protocol):
    """Knows which addresses are an account's."""

    async def list_own(self, account: AccountId) -> Sequence[Address]:
        """Return them, the account's name first; none if there is no such account."""
        ...

    def without_detail(self, address: Address) -> Address:
        """Return an address without its subaddress, if it has one."""
        ...


@dataclass(frozen=True, slots=True)
class _Answering:
    account: AccountId
    vacation: Vacation
    own: Sequence[Address]


class VacationResponder:
    """`notify.consumers.Consumer`."""

    def __init__(
        self,
        mail: Mail,
        store: VacationStore,
        addresses: OwnAddresses,
        queue: Queue,
        sign: Callable[[bytes, Address, Address], bytes],
        clock: Clock,
        random: Random,
        options: VacationOptions,
    ) -> None:
        """`sign` returns the fields that sign a message from an address to another (DKIM)."""
        self._mail = mail
        self._store = store
        self._addresses = addresses
        self._queue = queue
        self._sign = sign
        self._clock = clock
        self._random = random
        self._options = options

    @property
    def name(self) -> str:
        return "vacation"

    async def take(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        came = [one.change for one in changes if one.mailbox == INBOX_ID and isinstance(one.change, Appended)]
        if not came:
            return
        vacation = await self._store.find_vacation(account)
        if not vacation.enabled:
            return
        own = await self._addresses.list_own(account)
        if not own:
            return
        of = _Answering(account, vacation, own)
        for entry in came:
            async for message in self._messages(account, entry):
                await self._consider(of, message)

    async def start_over(self, account: AccountId) -> None:
        """What was missed is not answered: it would come too late."""

    async def expire(self) -> int:
        """Forget answers that say nothing any more; return how many."""
        return await self._store.expire_answers(self._clock.now() - timedelta(days=self._options.again_after))

    async def _messages(self, account: AccountId, entry: Appended) -> AsyncIterator[ReceivedMessage]:
        """Yield those that came by delivery."""
        last = entry.first_uid + min(entry.count, _MOST_AT_ONCE) - 1
        try:
            rows = await self._mail.messages.rows(
                account, INBOX_ID, _COLUMNS, [(entry.first_uid, last)], limit=_MOST_AT_ONCE
            )
        except NotFound:
            return
        for prefix, blob, skipped, date in rows:
            if not bytes(prefix).startswith(_RETURN_PATH):
                continue
            try:
                octets = await self._mail.blobs.read(BlobRef(blob), skipped, skipped + _HEADER)
            except Corrupt as fault:
                log.warning("not-readable", cause=fault.cause)
                continue
            arrived_at = datetime.fromtimestamp(date, UTC)
            yield await asyncio.to_thread(self._read, bytes(prefix), bytes(octets), arrived_at)

    def _read(self, prefix: bytes, octets: bytes, arrived_at: datetime) -> ReceivedMessage:
        served = prefix + octets
        fields, _ = pick_fields(split_fields(served[: find_body(served, 0, len(served))]), FIELDS)
        named = [one for address in find_named(fields) for one in (address, self._addresses.without_detail(address))]
        return ReceivedMessage(
            sender=_find_sender(prefix),
            arrived_at=arrived_at,
            fields=fields,
            named=frozenset(address.canonical for address in named),
            is_forged=_is_forged(prefix),
        )

    async def _consider(self, of: _Answering, message: ReceivedMessage) -> None:
        now = self._clock.now()
        silence = find_silence(of.vacation, message, {one.canonical for one in of.own}, now)
        sender = message.sender
        if silence is not None or sender is None:
            result = "" if silence is None else silence.value
        else:
            claim = await self._store.claim_answer(
                of.account,
                sender.canonical,
                now=now,
                again_after=self._again_after(of.vacation, now),
                most_a_day=self._options.most_a_day,
            )
            result = claim.value
            if claim is Claim.GRANTED:
                await self._answer(of, message, sender, now)
                result = "sent"
        metrics.vacation_total.labels(result).inc()
        log.info("considered", account=int(of.account), result=result)

    def _again_after(self, vacation: Vacation, now: datetime) -> datetime:
        """Return since when a sender must not have been answered: a new absence is told anew."""
        usual = now - timedelta(days=self._options.again_after)
        return usual if vacation.enabled_at is None else max(usual, vacation.enabled_at)

    async def _answer(self, of: _Answering, message: ReceivedMessage, sender: Address, now: datetime) -> None:
        author = next((one for one in of.own if one.canonical in message.named), of.own[0])
        octets = write_answer(of.vacation, author, sender, message.fields, self._clock, self._random)
        try:
            await self._queue.enqueue(
                new_message(
                    None,  # RFC 3834 §3.3: so that nobody answers it.
                    [NewRecipient(sender, Notify.NEVER)],
                    now=self._queue.clock.now(),
                    expires=self._queue.schedule.expires(now),
                    size=len(octets),
                    octets=octets,
                    prefix=self._sign(octets, author, sender),
                    trace_id=self._random.token(9).hex(),
                    body=Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT,
                    smtputf8=not octets.isascii(),
                )
            )
        except ServerFault:
            await self._store.give_back(of.account, sender.canonical)
            raise


def _find_sender(prefix: bytes) -> Address | None:
    path = prefix[len(_RETURN_PATH) :].partition(b">\r\n")[0].decode("utf-8", "replace")
    try:
        return Address.parse(path) if path else None
    except AddressFault:
        return None


def _is_forged(prefix: bytes) -> bool:
    """Whether a check of the sender has failed and none has vouched for it."""
    own_fields = prefix[: max(prefix.find(b"\nReceived:"), 0)]
    fields, _ = pick_fields(split_fields(own_fields), {b"authentication-results"})
    told = [parse_authentication_results(value) for value in fields.get(b"authentication-results", ())[:1]]
    results = [one for field in told if field is not None for one in field.results]
    has_failed = any(one.method in ("spf", "dmarc") and one.result == "fail" for one in results)
    return has_failed and read_trace(prefix).sender is None
