"""Timelines: what became of messages, for those who sent or were sent them, and for operators.

An account asks for its own (`timeline.own`), and cannot name another: it is the caller's. An operator may ask for all
(`timeline.trace`); that he did is written down.
"""

from __future__ import annotations

__all__ = ["show_cause", "timeline_operations"]

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from hongyan.addresses import Address, AddressFault
from hongyan.assembly.services import Services
from hongyan.audit.events import AuditEvent
from hongyan.audit.states import delivery_state
from hongyan.errors import Refused
from hongyan.inbound.reasons import reason_cause
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.queue.catalogue import plain_cause
from hongyan.queue.outcome import Stage
from hongyan.queue.plain_causes import PlainCause
from hongyan.store.passages import Passage
from hongyan.store.timelines import Direction, NewTimelineEntry, Step, TimelineEntry
from hongyan.submission.reasons import submission_cause
from hongyan.types import AccountId

_MOST: Final = 1000
"""Steps that one answer holds."""

_UNHAPPY = frozenset({Step.DEFERRED, Step.REFUSED, Step.FAILED, Step.EXPIRED, Step.BLOCKED, Step.HELD, Step.BOUNCED})
_STAGES = frozenset(stage.value for stage in Stage)

_Key = tuple[AccountId, Direction, str, str]


def timeline_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on timelines, by name."""
    group = _Timelines(services)
    return {"timeline.trace": group.trace, "timeline.own": group.own}


class _Timelines:
    def __init__(self, services: Services) -> None:
        self._timelines = services.directory.timelines
        self._accounts = services.directory.accounts
        self._audit = services.directory.audit

    async def trace(
        self,
        caller: Caller,
        *,
        mid: str | None = None,
        account: str | None = None,
        counterpart: str | None = None,
        since: str | None = None,
        before: int | None = None,
        limit: int = 200,
    ) -> Document:
        """Return messages of one account or of all, the newest first, each with its steps."""
        if mid is None and account is None and counterpart is None:
            raise Refused("Say which messages: by their mid, an account or an address.")
        whose = None if account is None else (await self._accounts.get(Address.parse(account))).account_id
        asked = {"mid": mid, "address": account, "counterpart": counterpart}
        detail = {name: value for name, value in asked.items() if value is not None}
        await self._audit.append(self._audit.entry(AuditEvent.TIMELINE_READ, caller.actor, account=whose, **detail))
        return await self._read(whose, mid, counterpart, since, before, limit)

    async def own(
        self,
        caller: Caller,
        *,
        mid: str | None = None,
        counterpart: str | None = None,
        since: str | None = None,
        before: int | None = None,
        limit: int = 200,
    ) -> Document:
        """Return the caller's own messages, the newest first, each with its steps."""
        try:
            address = Address.parse(caller.actor.name)
        except AddressFault:
            raise Refused("Only an account has messages of its own.") from None
        account = await self._accounts.get(address)
        return await self._read(account.account_id, mid, counterpart, since, before, limit)

    async def _read(
        self,
        account: AccountId | None,
        mid: str | None,
        counterpart: str | None,
        since: str | None,
        before: int | None,
        limit: int,
    ) -> Document:
        most = max(1, min(limit, _MOST))
        entries = await self._timelines.read(
            account, mid=mid, counterpart=counterpart, since=_moment(since), before=before, limit=most
        )
        addresses = await self._addresses({entry.new.account for entry in entries})
        return {
            "messages": [_message(group, addresses) for group in _grouped(entries)],
            "next": entries[-1].entry_id if len(entries) == most else None,
        }

    async def _addresses(self, accounts: set[AccountId]) -> Mapping[AccountId, str]:
        found = {}
        for account in accounts:
            known = await self._accounts.find_by_id(account)
            found[account] = "" if known is None else str(known.address)
        return found


def show_cause(cause: PlainCause) -> Document:
    """Return a cause as programs and people are told it."""
    return {
        "name": cause.name,
        "class": cause.kind.value,
        "english": cause.english,
        "chinese": cause.chinese,
        "advice": cause.advice,
        "advice_chinese": cause.advice_chinese,
    }


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text} is no date: the form is 2026-11-23 or 2026-11-23T08:00.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _grouped(entries: Sequence[TimelineEntry]) -> Sequence[Sequence[TimelineEntry]]:
    """Return the steps of each message for each recipient, in their order; the message that moved last first."""
    groups: dict[_Key, list[TimelineEntry]] = {}
    for entry in entries:
        groups.setdefault(_key(entry), []).append(entry)
    return [group[::-1] for group in groups.values()]


def _key(entry: TimelineEntry) -> _Key:
    new = entry.new
    # What was refused before it had a mid is a message of its own.
    mid = new.mid or f"#{entry.entry_id}"
    if new.direction is Direction.OUTGOING:
        return (new.account, new.direction, mid, new.counterpart)
    return (new.account, new.direction, mid, "")


def _message(group: Sequence[TimelineEntry], addresses: Mapping[AccountId, str]) -> Document:
    last = group[-1].new
    return {
        "mid": last.mid,
        "direction": last.direction.value,
        "account": addresses[last.account],
        "address": last.address,
        "counterpart": last.counterpart,
        "state": delivery_state([entry.new for entry in group]).value,
        "steps": [_step(entry) for entry in group],
    }


def _step(entry: TimelineEntry) -> Document:
    new = entry.new
    cause = _cause(new)
    return {
        "id": entry.entry_id,
        "at": new.at.isoformat(),
        "first_at": entry.first_at.isoformat(),
        "times": entry.times,
        "step": new.step.value,
        "stage": new.stage,
        "host": new.host,
        "code": new.code,
        "status": new.status,
        "text": new.text,
        "tls": new.is_encrypted,
        "next_attempt": None if new.next_attempt is None else new.next_attempt.isoformat(),
        "folder": new.folder,
        "reason": new.reason,
        "passage": None if new.passage is None else _passage(new.passage),
        "cause": None if cause is None else show_cause(cause),
    }


def _passage(passage: Passage) -> Document:
    """Return how a message came: seconds, and hops in the order of the way, each with its wait since the one before.

    Times of hops are by the clocks of others, and may be invented: a wait may be below 0.
    """
    hops: list[Document] = []
    before: int | None = None
    for hop in passage.hops:
        wait = None if hop.at is None or before is None else hop.at - before
        moment = None if hop.at is None else datetime.fromtimestamp(hop.at, UTC).isoformat()
        hops.append({"from": hop.sent_by, "by": hop.taken_by, "at": moment, "wait": wait})
        before = hop.at
    return {
        "hops": hops,
        "begun": passage.begun_at.isoformat(),
        "wait": passage.wait,
        "transfer": passage.transfer,
        "checks": passage.checks,
        "storing": passage.storing,
    }


def _cause(new: NewTimelineEntry) -> PlainCause | None:
    if new.direction is Direction.INCOMING:
        return reason_cause(new.reason) if new.reason else None
    if new.step is Step.BLOCKED and new.reason:
        return submission_cause(new.reason)
    if new.step not in _UNHAPPY or not new.status:
        return None
    stage = Stage(new.stage) if new.stage in _STAGES else Stage.END
    return plain_cause(new.code, new.status, new.text, new.host, stage)
