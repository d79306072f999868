"""What goes into the queue."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hongyan.addresses import Address
from hongyan.queue.items import new_message
from hongyan.store.queue import NewMessage, NewRecipient
from hongyan.store.receipts import RECEIPT_LIFETIME, envelope_digest
from hongyan.types import AccountId
from hongyan.wire.smtp.parameters import Notify
from tests.queue.values import NOW, queued_message

ANN = Address.parse("ann@example.org")
BOB, EVE = NewRecipient(Address.parse("bob@example.net")), NewRecipient(Address.parse("eve@example.com"))


def message(**fields: object) -> NewMessage:
    values: dict[str, object] = {"now": NOW, "expires": NOW + timedelta(days=5), "size": 2, "octets": b"\r\n"}
    return new_message(ANN, fields.pop("recipients", (BOB, EVE)), **(values | fields))  # type: ignore[arg-type]


def test_a_recipient_is_named_once_with_its_first_parameters() -> None:
    again = NewRecipient(BOB.address, Notify.NEVER)
    assert message(recipients=(BOB, EVE, again)).recipients == (BOB, EVE)


def test_a_receipt_lasts_ten_minutes_and_is_only_made_of_known_octets() -> None:
    assert message().receipt is None
    with_receipt = message(content_digest=b"d")
    assert with_receipt.receipt == envelope_digest(None, ANN, [str(EVE.address), str(BOB.address)], b"d")
    assert with_receipt.receipt_until == NOW + RECEIPT_LIFETIME == NOW + timedelta(minutes=10)


def test_another_envelope_or_content_is_another_receipt() -> None:
    receipts = {
        envelope_digest(account, sender, [str(recipient.address) for recipient in recipients], digest)
        for account in (None, AccountId(1))
        for sender in (None, ANN, EVE.address)
        for recipients in ((BOB,), (EVE,), (BOB, EVE))
        for digest in (b"1", b"2")
    }
    assert len(receipts) == 2 * 3 * 3 * 2


def test_a_delay_moves_the_first_attempt_and_the_end() -> None:
    delayed = message(delay=timedelta(seconds=30))
    assert delayed.not_before - delayed.queued_at == timedelta(seconds=30)
    assert delayed.expires - delayed.queued_at == timedelta(days=5, seconds=30)


@pytest.mark.parametrize("broken", [{"octets": None}, {"blob": b"ref"}, {"recipients": ()}])
def test_an_impossible_message_cannot_be_made(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="queued message"):
        message(**broken)


def test_what_leaves_is_the_prefix_and_the_blob_without_what_is_omitted() -> None:
    assert queued_message(size=100, prefix=b"12345", omitted=((10, 20), (30, 31))).octets_out == 94
