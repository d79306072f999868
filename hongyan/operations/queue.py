"""The queue of outgoing mail: listed, shown, and moved on by hand."""

from __future__ import annotations

__all__ = ["queue_operations"]

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from hongyan.addresses import Address, Domain
from hongyan.assembly.services import Services
from hongyan.errors import NotFound
from hongyan.operations.calling import Caller, Document, Operation, find_member
from hongyan.operations.timelines import show_cause
from hongyan.queue.catalogue import plain_cause
from hongyan.store.queue import AttemptReport, QueuedRecipient, QueueEntry, RecipientState, Selection
from hongyan.types import QueueId


def queue_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on the queue, by name."""
    group = _Queue(services)
    return {
        "queue.list": group.list_messages,
        "queue.show": group.show,
        "queue.retry": group.retry,
        "queue.hold": group.hold,
        "queue.release": group.release,
        "queue.cancel": group.cancel,
        "queue.drop": group.drop,
    }


class _Queue:
    def __init__(self, services: Services) -> None:
        self._outgoing = services.outgoing
        self._store = services.outgoing.store
        self._acts = services.outgoing.acts
        self._accounts = services.directory.accounts

    async def list_messages(
        self,
        caller: Caller,  # noqa: ARG002
        *,
        messages: list[int] | None = None,
        destination: str | None = None,
        sender: str | None = None,
        account: str | None = None,
        state: str | None = None,
        after: int | None = None,
        limit: int = 1000,
    ) -> Document:
        """Return messages that wait, by id, and how many there are in all."""
        selection = _select(messages, destination, sender, state)
        if account is not None:
            whose = await self._accounts.get(Address.parse(account))
            selection = replace(selection, account=whose.account_id)
        last = None if after is None else QueueId(after)
        entries = await self._store.list_messages(selection, after=last, limit=limit)
        counts = await self._store.counts()
        return {
            "messages": [_shown(entry) for entry in entries],
            "total": {
                "messages": counts.messages,
                "octets": counts.octets,
                "recipients": {state.value: number for state, number in counts.recipients.items()},
            },
        }

    async def show(self, caller: Caller, *, message: int) -> Document:  # noqa: ARG002
        """Return one message with all that is known of its recipients."""
        entry = await self._store.find_message(QueueId(message))
        if entry is None:
            raise NotFound("There is no such message in the queue.")
        return _shown(entry)

    async def retry(
        self,
        caller: Caller,  # noqa: ARG002
        *,
        messages: list[int] | None = None,
        destination: str | None = None,
        sender: str | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Try again now; what was held is held no longer."""
        selection = _select(messages, destination, sender, None)
        if dry_run:
            return await self._count(selection)
        await self._acts.release(selection)
        retried = await self._store.retry(selection, self._now())
        self._outgoing.worker.wake()
        return {"recipients": retried}

    async def hold(
        self,
        caller: Caller,  # noqa: ARG002
        *,
        messages: list[int] | None = None,
        destination: str | None = None,
        sender: str | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Keep back until `retry`."""
        selection = _select(messages, destination, sender, RecipientState.READY)
        if dry_run:
            return await self._count(selection)
        return {"recipients": await self._acts.hold(selection, "held by hand")}

    async def release(
        self,
        caller: Caller,  # noqa: ARG002
        *,
        messages: list[int] | None = None,
        destination: str | None = None,
        sender: str | None = None,
        dry_run: bool = False,
    ) -> Document:
        """End a hold: what is due is tried, what is not waits for its time."""
        selection = _select(messages, destination, sender, RecipientState.HELD)
        if dry_run:
            return await self._count(selection)
        released = await self._acts.release(selection)
        self._outgoing.worker.wake()
        return {"recipients": released}

    async def cancel(self, caller: Caller, *, message: int, account: str | None = None) -> Document:  # noqa: ARG002
        """Take a message back that waits for its release; with `account`, only if it is that account's."""
        whose = None if account is None else (await self._accounts.get(Address.parse(account))).account_id
        cancelled = await self._acts.cancel(QueueId(message), whose)
        if not cancelled:
            raise NotFound("There is no such message that waits for its release.")
        return {"recipients": cancelled}

    async def drop(
        self,
        caller: Caller,  # noqa: ARG002
        *,
        messages: list[int] | None = None,
        destination: str | None = None,
        sender: str | None = None,
        state: str | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Forget recipients, silently: their senders are not told."""
        selection = _select(messages, destination, sender, state)
        return await self._count(selection) if dry_run else {"recipients": await self._acts.drop(selection)}

    async def _count(self, selection: Selection) -> Document:
        """Return how many recipients a selection means."""
        count, last = 0, None
        while page := await self._store.list_messages(selection, after=last, limit=1000):
            count += sum(_is_meant(recipient, selection) for entry in page for recipient in entry.recipients)
            last = page[-1].message.id
        return {"recipients": count, "dry_run": True}

    def _now(self) -> datetime:
        return self._outgoing.queue.clock.now()


def _select(messages: list[int] | None, destination: str | None, sender: str | None, state: str | None) -> Selection:
    return Selection(
        messages=None if messages is None else frozenset(map(QueueId, messages)),
        destination=None if destination is None else Domain.parse(destination).text,
        reverse_path=None if sender is None else Address.parse(sender),
        state=None if state is None else find_member(RecipientState, state),
    )


def _is_meant(recipient: QueuedRecipient, selection: Selection) -> bool:
    return (
        not recipient.state.is_finished
        and selection.destination in (None, recipient.destination)
        and selection.state in (None, recipient.state)
    )


def _shown(entry: QueueEntry) -> Document:
    message = entry.message
    return {
        "id": message.id,
        "sender": "<>" if message.reverse_path is None else str(message.reverse_path),
        "octets": message.octets_out,
        "queued_at": message.queued_at.isoformat(),
        "not_before": message.not_before.isoformat(),
        "expires": message.expires.isoformat(),
        "trace": message.trace_id,
        "recipients": [_recipient(recipient) for recipient in entry.recipients],
    }


def _recipient(recipient: QueuedRecipient) -> Document:
    last = recipient.last
    return {
        "address": str(recipient.address),
        "state": recipient.state.value,
        "held_for": recipient.held_for,
        "attempts": recipient.attempts,
        "next_attempt": recipient.next_attempt.isoformat(),
        "under_way": recipient.leased_until is not None,
        "last": None
        if last is None
        else {
            "at": last.at.isoformat(),
            "status": last.status,
            "remote": last.remote,
            "text": last.text,
            "cause": _cause(last),
        },
    }


def _cause(last: AttemptReport) -> Document | None:
    """Return why a recipient waits or failed; of one that has the message, nothing."""
    if last.status.startswith("2"):
        return None
    return show_cause(plain_cause(_code(last), last.status, last.text, last.remote))


def _code(last: AttemptReport) -> int | None:
    """Return the reply code with which the text of a reply begins."""
    return int(last.text[:3]) if last.text[:3].isdecimal() and last.text[3:4] == " " else None
