"""Queued messages and recipients with plain defaults."""

from __future__ import annotations

__all__ = ["NOW", "queued_message", "queued_recipient"]

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hongyan.addresses import Address
from hongyan.store.queue import QueuedMessage, QueuedRecipient, RecipientState
from hongyan.types import BlobRef, QueueId
from hongyan.wire.smtp.parameters import Body

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

_MESSAGE = QueuedMessage(
    id=QueueId(1),
    reverse_path=Address.parse("ann@example.org"),
    blob=BlobRef(b"1"),
    size=100,
    prefix=b"",
    omitted=(),
    account=None,
    trace_id="mid",
    body=Body.SEVEN_BIT,
    smtputf8=False,
    require_tls=False,
    ret=None,
    envelope_id=None,
    queued_at=NOW,
    not_before=NOW,
    expires=NOW + timedelta(days=5),
)

_RECIPIENT = QueuedRecipient(
    number=0,
    address=Address.parse("bob@example.net"),
    destination="example.net",
    state=RecipientState.READY,
    notify=None,
    original=None,
    attempts=0,
    next_attempt=NOW,
    delay_told=False,
    last=None,
)


def queued_message(**fields: object) -> QueuedMessage:
    return replace(_MESSAGE, **fields)  # type: ignore[arg-type]


def queued_recipient(address: str = "bob@example.net", **fields: object) -> QueuedRecipient:
    parsed = Address.parse(address)
    return replace(_RECIPIENT, address=parsed, destination=parsed.domain.text, **fields)  # type: ignore[arg-type]
