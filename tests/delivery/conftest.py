"""Accounts with mailboxes, and a deliverer that fills them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hongyan.addresses import Address
from hongyan.delivery.deliver import Deliverer
from hongyan.delivery.local import LocalTransport
from hongyan.engines.segments import SegmentStore
from hongyan.mailboxes.live import LiveMailboxes
from hongyan.mailboxes.mail import Mail
from hongyan.queue.forwarding import Forwarding
from hongyan.queue.items import Queue
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.store.mailboxes import INBOX_ID
from hongyan.store.messages import Column
from hongyan.store.queue import Enqueued, NewMessage
from hongyan.types import QueueId
from tests.support.clock import FakeClock
from tests.support.door import Door, door, doors, geese
from tests.support.mail import NoHints

__all__ = ["door", "doors", "geese"]


@dataclass
class Kept:
    """A queue's store that remembers what is put into it."""

    messages: list[NewMessage] = field(default_factory=list)

    async def enqueue(self, message: NewMessage) -> Enqueued:
        self.messages.append(message)
        return Enqueued(QueueId(len(self.messages)), is_new=True)


@dataclass
class Post:
    """Where mail is delivered, and what is sent on."""

    door: Door
    deliverer: Deliverer
    local: LocalTransport
    sent_on: list[NewMessage]

    async def prefixes(self, address: str) -> list[bytes]:
        """Return what was put before each message of an account's INBOX."""
        account = (await self.door.accounts.get(Address.parse(address))).account_id
        rows = await self.door.messages.rows(account, INBOX_ID, (Column.PREFIX,), [(1, 100)], limit=100)
        return [row[0] for row in rows]


@pytest.fixture
async def post(door: Door, clock: FakeClock, tmp_path: Path) -> Post:
    live = LiveMailboxes(door.mailboxes, door.mailboxes, NoHints())
    mail = Mail(door.mailboxes, door.messages, SegmentStore(tmp_path / "unread"), live, clock)
    kept = Kept()
    queue = Queue(kept, SteadyClock(clock), Schedule(), lambda destinations: None)  # type: ignore[arg-type]
    deliverer = Deliverer(mail)
    for name in ("ann", "bob"):
        await door.add(f"{name}@geese.test")
    local = LocalTransport(
        door.aliases, deliverer, queue, door.timelines, Forwarding(None, lambda domain: False, clock)
    )
    return Post(door, deliverer, local, kept.messages)
