"""What everything that changes mail works with."""

from __future__ import annotations

__all__ = ["Mail"]

from dataclasses import dataclass

from hongyan.clock import Clock
from hongyan.mailboxes.live import LiveMailboxes
from hongyan.store.blobs import BlobStore
from hongyan.store.mailboxes import MailboxStore
from hongyan.store.messages import MessageStore


@dataclass(frozen=True, slots=True)
class Mail:
    """The stores of an account's mail, and the mailboxes in memory that follow them."""

    mailboxes: MailboxStore
    messages: MessageStore
    blobs: BlobStore
    live: LiveMailboxes
    clock: Clock
