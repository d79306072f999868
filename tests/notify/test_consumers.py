"""Consumers of the change log: nothing is lost, nothing poisons, and an outage passes nothing over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.engines.memory import MemoryBus
from hongyan.engines.sql.cursors import SqlCursors
from hongyan.engines.sql.units import Statement, Unit
from hongyan.errors import NotFound, Unavailable
from hongyan.notify.consumers import Consumers
from hongyan.store.bus import Topic
from hongyan.store.changes import FlagsAdded, LoggedChange
from hongyan.types import AccountId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, new_message
from tests.support.storage import open_sqlite


class Reader:
    """Writes down what it reads."""

    name = "reader"

    def __init__(self) -> None:
        self.read: list[int] = []
        self.started_over = 0
        self.poison: dict[int, Exception] = {}

    async def take(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        for change in changes:
            if change.modseq in self.poison:
                raise self.poison[change.modseq]
        self.read += [int(change.modseq) for change in changes]

    async def start_over(self, account: AccountId) -> None:
        self.started_over += 1


class House:
    """Consumers over a database."""

    def __init__(self, shop: MailShop) -> None:
        self.shop = shop
        self.bus = MemoryBus()
        self.cursors = SqlCursors(shop.database)
        self.reader = Reader()
        self.consumers = self.restarted()

    def restarted(self) -> Consumers:
        consumers = Consumers(self.bus, self.shop.mailboxes, self.cursors)
        consumers.add(self.reader)
        return consumers

    async def write(self, count: int) -> int:
        """Write entries, and return the last position."""
        for _ in range(count):
            await self.shop.messages.append(ACCOUNT, self.shop.inbox, [new_message()])
        return await self.shop.mailboxes.highestmodseq(ACCOUNT)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_sqlite(tmp_path) as storage:
        shop = MailShop(storage)
        await shop.open_account()
        yield House(shop)


async def test_every_entry_is_read_once_and_in_order(house: House) -> None:
    head = await house.write(5)
    await house.consumers.catch_up()
    assert house.reader.read == list(range(1, head + 1))
    head = await house.write(2)
    await house.consumers.catch_up()
    assert house.reader.read == list(range(1, head + 1))


async def test_a_restart_goes_on_where_it_was(house: House) -> None:
    await house.write(2)
    await house.consumers.catch_up()
    house.reader.read.clear()
    head = await house.write(1)
    await house.restarted().catch_up()
    assert house.reader.read == [head]


async def test_a_hint_marks_an_account_and_many_of_them_mark_it_once(house: House) -> None:
    for position in range(5):
        house.bus.publish(Topic.ACCOUNT, ACCOUNT, position)
    house.bus._hand_out()
    assert house.consumers.waiting == 1


async def test_what_cannot_be_taken_is_passed_over_and_nothing_else(house: House) -> None:
    head = await house.write(6)
    house.reader.poison = {3: RuntimeError("poison"), 5: NotFound("a message")}
    await house.consumers.catch_up()
    assert house.reader.read == [one for one in range(1, head + 1) if one not in (3, 5)]
    assert await house.cursors.find_cursor(ACCOUNT, "reader") == head


async def test_an_outage_passes_nothing_over(house: House) -> None:
    head = await house.write(3)
    house.reader.poison = {2: Unavailable(cause="the database is away")}
    await house.consumers.follow(ACCOUNT)
    assert house.reader.read == []
    assert await house.cursors.find_cursor(ACCOUNT, "reader") == 0
    house.reader.poison = {}
    await house.consumers.catch_up()
    assert house.reader.read == list(range(1, head + 1))


async def test_an_entry_that_cannot_be_decoded_is_passed_over(house: House) -> None:
    head = await house.write(6)

    def break_entry() -> Unit[None]:
        yield Statement("UPDATE changes SET entry = $1 WHERE account_id = $2 AND modseq = $3", (b"?", ACCOUNT, 4))

    await house.shop.database.write(lambda _refs: break_entry())
    await house.consumers.catch_up()
    assert house.reader.read == [one for one in range(1, head + 1) if one != 4]


async def test_who_missed_entries_starts_over_and_reads_on(house: House) -> None:
    head = await house.write(6)

    def prune() -> Unit[None]:
        yield Statement("UPDATE account_state SET changes_floor = $1 WHERE account_id = $2", (4, ACCOUNT))
        yield Statement("DELETE FROM changes WHERE account_id = $1 AND modseq <= $2", (ACCOUNT, 4))

    await house.shop.database.write(lambda _refs: prune())
    await house.consumers.catch_up()
    assert house.reader.started_over == 1
    assert house.reader.read == list(range(5, head + 1))
    await house.consumers.catch_up()
    assert house.reader.started_over == 1


async def test_a_failing_consumer_does_not_hold_up_the_others(house: House) -> None:
    class Broken(Reader):
        name = "broken"

        async def take(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
            raise Unavailable(cause="away")

    consumers = Consumers(house.bus, house.shop.mailboxes, house.cursors)
    consumers.add(Broken(), house.reader)
    head = await house.write(2)
    await consumers.follow(ACCOUNT)
    assert house.reader.read == list(range(1, head + 1))
    assert await house.cursors.find_cursor(ACCOUNT, "broken") == 0


async def test_an_account_that_is_gone_is_no_trouble(house: House) -> None:
    await house.consumers.follow(AccountId(99))
    assert house.reader.read == []


async def test_long_logs_are_read_page_by_page(house: House) -> None:
    await house.write(1)

    def many() -> Unit[None]:
        from hongyan.engines.sql.mailboxes import log_change, next_modseq

        for _ in range(1200):
            modseq = yield from next_modseq(ACCOUNT)
            yield from log_change(ACCOUNT, modseq, house.shop.inbox, FlagsAdded(BitMap([1]), (b"\\Seen",)))
            yield Statement(
                "UPDATE mailboxes SET highestmodseq = $1 WHERE account_id = $2 AND mailbox_id = $3",
                (modseq, ACCOUNT, house.shop.inbox),
            )

    await house.shop.database.write(lambda _refs: many())
    await house.consumers.catch_up()
    assert house.reader.read == list(range(1, await house.shop.mailboxes.highestmodseq(ACCOUNT) + 1))
    assert ModSeq(house.reader.read[-1]) > 1200
