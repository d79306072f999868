"""Mailboxes in memory follow the log, whoever writes it and whenever they are read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from pyroaring import BitMap

from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.errors import NotFound, Unavailable
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.expunge import expunge
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.live import LiveMailboxes, MemoryOptions
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.move import copy_messages
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import ChangePage, FlagsAdded, LoggedChange
from hongyan.store.mailboxes import StoredState
from hongyan.types import AccountId, MailboxId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, message_octets, new_message


class GatedMailboxes(SqlMailboxes):
    """Reads as the engine does, and then waits at a gate that the test opens."""

    def __init__(self, shop: MailShop) -> None:
        super().__init__(shop.database)
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.fault: Exception | None = None

    async def _pass(self) -> None:
        self.arrived.set()
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault

    async def load_state(self, account: AccountId, mailbox: MailboxId) -> StoredState:
        stored = await super().load_state(account, mailbox)
        await self._pass()
        return stored

    async def highestmodseq(self, account: AccountId) -> ModSeq:
        head = await super().highestmodseq(account)
        await self._pass()
        return head

    async def changes_since(self, account: AccountId, cursor: ModSeq, *, limit: int = 1000) -> ChangePage:
        page = await super().changes_since(account, cursor, limit=limit)
        await self._pass()
        return page

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Who reads within waits until the end."""
        self.gate.clear()
        self.arrived.clear()
        yield
        self.gate.set()


class Hints:
    def __init__(self) -> None:
        self.told: list[int] = []

    def publish(self, account: AccountId, modseq: ModSeq) -> None:
        self.told.append(modseq)


class World:
    """A process with its mailboxes in memory, and the log that others write as well."""

    def __init__(self, shop: MailShop, memory: int = 1_000_000) -> None:
        self.shop = shop
        self.store = GatedMailboxes(shop)
        self.hints = Hints()
        self.live = LiveMailboxes(self.store, self.store, self.hints, MemoryOptions(messages=memory))
        self.mail = Mail(self.store, shop.messages, shop.storage.blobs, self.live, shop.clock)

    async def append(self, count: int = 1, mailbox: int = 1) -> None:
        incoming = [Incoming(message_octets(), analysis=new_message().analysis) for _ in range(count)]
        await append(self.mail, ACCOUNT, MailboxId(mailbox), incoming)

    async def elsewhere(self, mailbox: int = 1) -> None:
        """Another process appends; nobody tells us."""
        await self.shop.add(new_message(), mailbox=mailbox)

    async def require_true(self, mailbox: int = 1, state: MailboxState | None = None) -> None:
        """Assert that memory says what the database says."""
        if state is None:
            state = await self.live.open(ACCOUNT, MailboxId(mailbox))
        fresh = MailboxState(await self.shop.mailboxes.load_state(ACCOUNT, MailboxId(mailbox)))
        assert list(state.uids) == list(fresh.uids) == await self.shop.uids(mailbox)
        assert list(state.modseqs) == list(fresh.modseqs)
        assert [set(state.column.set_of(at)) for at in range(len(state))] == [
            set(fresh.column.set_of(at)) for at in range(len(fresh))
        ]
        assert (state.modseq, state.highestmodseq, state.uidnext) == (fresh.modseq, fresh.highestmodseq, fresh.uidnext)


@pytest.fixture
async def world(shop: MailShop) -> AsyncIterator[World]:
    world = World(shop)
    yield world
    world.store.gate.set()
    await world.live.close()


async def test_a_mailbox_is_read_once_however_many_open_it(world: World) -> None:
    await world.elsewhere()
    async with world.store.closed():
        tasks = [asyncio.create_task(world.live.open(ACCOUNT, MailboxId(1))) for _ in range(5)]
        await world.store.arrived.wait()
    states = await asyncio.gather(*tasks)
    assert len({id(state) for state in states}) == 1
    assert world.live.loaded(ACCOUNT, MailboxId(1)) is states[0]


async def test_what_is_committed_while_a_mailbox_is_read_is_in_it(world: World) -> None:
    other = await world.shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await world.live.open(ACCOUNT, other.mailbox_id)
    async with world.store.closed():
        task = asyncio.create_task(world.live.open(ACCOUNT, MailboxId(1)))
        await world.store.arrived.wait()
        for _ in range(3):
            await world.append(2)
    await task
    await world.require_true()


async def test_what_is_committed_between_the_head_and_the_first_mailbox_is_in_it(world: World) -> None:
    async with world.store.closed():
        task = asyncio.create_task(world.live.open(ACCOUNT, MailboxId(1)))
        await world.store.arrived.wait()
        await world.append()
    await task
    await world.append()
    await world.require_true()


async def test_a_gap_in_the_log_is_filled_before_the_change_is_said_to_be_made(world: World) -> None:
    state = await world.live.open(ACCOUNT, MailboxId(1))
    await world.elsewhere()
    await world.append()
    assert list(state.uids) == [1, 2]
    await mark(world.mail, ACCOUNT, state, BitMap([1, 2]), FlagAction.ADD, (b"\\Seen",))
    assert state.unseen() == 0
    await world.require_true()


async def test_who_waits_is_told_again_when_a_gap_is_filled(world: World) -> None:
    state = await world.live.open(ACCOUNT, MailboxId(1))
    await world.elsewhere()
    change = FlagsAdded(BitMap([1]), (b"\\Seen",))
    modseq = await world.shop.messages.change_flags(ACCOUNT, MailboxId(1), change)
    world.live.committed(ACCOUNT, (LoggedChange(modseq, MailboxId(1), change),))
    assert state.modseq < modseq
    await world.live.close()
    assert world.hints.told == [modseq, modseq]
    await world.require_true()


async def test_others_changes_are_seen_after_catching_up(world: World) -> None:
    state = await world.live.open(ACCOUNT, MailboxId(1))
    for _ in range(3):
        await world.elsewhere()
    await world.live.catch_up(ACCOUNT)
    assert len(state) == 3
    await world.live.catch_up(AccountId(99))
    await world.require_true()


async def test_many_catch_up_at_once_and_each_change_is_taken_once(world: World) -> None:
    await world.live.open(ACCOUNT, MailboxId(1))

    async def work(n: int) -> None:
        await (world.elsewhere() if n % 3 else world.append())
        await world.live.catch_up(ACCOUNT)

    await asyncio.gather(*[work(n) for n in range(30)])
    await world.require_true()


async def test_a_log_that_was_pruned_behind_us_makes_us_start_over(world: World) -> None:
    state = await world.live.open(ACCOUNT, MailboxId(1))
    known, count, cursor = state.uids, len(state.uids), state.modseq
    gone = await world.shop.mailboxes.create_mailbox(ACCOUNT, "Gone")
    gone_state = await world.live.open(ACCOUNT, gone.mailbox_id)
    await world.shop.mailboxes.delete_mailbox(ACCOUNT, gone.mailbox_id)
    for _ in range(5):
        await world.elsewhere()
    await world.shop.expunge(2)
    fresh = MailboxState(await world.shop.mailboxes.load_state(ACCOUNT, MailboxId(1)))
    modseq, pack = fresh.snapshot()
    await world.shop.mailboxes.save_snapshot(ACCOUNT, MailboxId(1), modseq, pack())
    await world.shop.run("DELETE FROM changes")
    await world.shop.run("UPDATE account_state SET changes_floor = highestmodseq")
    await world.live.catch_up(ACCOUNT)
    assert list(state.uids) == [1, 3, 4, 5]
    assert state.delta_since(cursor, known, count).expunged == BitMap()
    assert gone_state.is_deleted
    assert world.live.loaded(ACCOUNT, gone.mailbox_id) is None
    await world.require_true()


async def test_what_a_database_forgot_in_a_crash_is_forgotten_in_memory_too(world: World) -> None:
    await world.append(3)
    state = await world.live.open(ACCOUNT, MailboxId(1))
    head = await world.shop.mailboxes.highestmodseq(ACCOUNT)
    await mark(world.mail, ACCOUNT, state, BitMap([1, 2]), FlagAction.ADD, (b"\\Seen",))
    await world.shop.run("DELETE FROM changes WHERE modseq > $1", head)
    await world.shop.run("UPDATE mailboxes SET highestmodseq = $1", head)
    await world.shop.run("UPDATE account_state SET highestmodseq = $1 + 65536, changes_floor = $1 + 65536", head)
    await world.live.catch_up(ACCOUNT)
    assert state.unseen() == 3
    await world.append()
    await world.require_true()


async def test_a_change_that_is_made_is_not_said_to_have_failed_when_the_log_cannot_be_read(world: World) -> None:
    await world.live.open(ACCOUNT, MailboxId(1))
    await world.elsewhere()
    world.store.fault = Unavailable()
    await world.append()
    world.store.fault = None
    await world.append()
    await world.require_true()


async def test_a_mailbox_that_cannot_be_read_is_tried_again(world: World) -> None:
    world.store.fault = Unavailable()
    with pytest.raises(Unavailable):
        await world.live.open(ACCOUNT, MailboxId(1))
    world.store.fault = None
    await world.append()
    assert len(await world.live.open(ACCOUNT, MailboxId(1))) == 1
    with pytest.raises(NotFound):
        await world.live.open(ACCOUNT, MailboxId(99))
    with pytest.raises(NotFound):
        await world.live.open(AccountId(99), MailboxId(1))
    assert list(world.live._accounts) == [ACCOUNT]


async def test_who_gives_up_opening_does_not_stop_the_others(world: World) -> None:
    async with world.store.closed():
        first = asyncio.create_task(world.live.open(ACCOUNT, MailboxId(1)))
        second = asyncio.create_task(world.live.open(ACCOUNT, MailboxId(1)))
        await world.store.arrived.wait()
        first.cancel()
    assert len(await second) == 0


async def test_a_deleted_mailbox_leaves_memory_and_whoever_has_it_knows(world: World) -> None:
    made = await world.shop.mailboxes.create_mailbox(ACCOUNT, "Gone")
    state = await world.live.open(ACCOUNT, made.mailbox_id)
    world.live.pin(ACCOUNT, made.mailbox_id)
    await world.shop.mailboxes.delete_mailbox(ACCOUNT, made.mailbox_id)
    await world.live.catch_up(ACCOUNT)
    assert state.is_deleted
    with pytest.raises(NotFound):
        await world.live.open(ACCOUNT, made.mailbox_id)
    world.live.unpin(ACCOUNT, made.mailbox_id)


# -- memory


async def make_boxes(world: World, count: int) -> Sequence[MailboxId]:
    boxes = [(await world.shop.mailboxes.create_mailbox(ACCOUNT, f"b{n}")).mailbox_id for n in range(count)]
    for box in boxes:
        await world.elsewhere(box)
    return boxes


async def test_the_least_used_mailboxes_leave_memory_but_not_those_that_are_pinned(shop: MailShop) -> None:
    world = World(shop, memory=3 * 410)
    boxes = await make_boxes(world, 6)
    await world.live.open(ACCOUNT, boxes[0])
    world.live.pin(ACCOUNT, boxes[0])
    for box in boxes[1:]:
        await world.live.open(ACCOUNT, box)
    assert [box for box in boxes if world.live.loaded(ACCOUNT, box)] == [boxes[0], *boxes[-2:]]
    world.live.unpin(ACCOUNT, boxes[0])
    await world.live.open(ACCOUNT, boxes[1])
    assert world.live.loaded(ACCOUNT, boxes[0]) is None
    await world.live.close()


async def test_a_mailbox_larger_than_all_memory_is_still_opened(shop: MailShop) -> None:
    world = World(shop, memory=1)
    boxes = await make_boxes(world, 3)
    states = await asyncio.gather(*[world.live.open(ACCOUNT, box) for box in boxes * 3])
    assert all(len(state) == 1 for state in states)
    await world.live.close()


async def test_an_account_without_mailboxes_in_memory_costs_none(shop: MailShop) -> None:
    world = World(shop)
    await world.live.open(ACCOUNT, MailboxId(1))
    world.live.forget(ACCOUNT, MailboxId(1))
    assert (world.live._accounts, world.live._weights, world.live._weight) == ({}, {}, 0)
    await world.append()
    await world.require_true()
    await world.live.close()


# -- snapshots


async def test_a_long_log_is_folded_into_a_snapshot(world: World) -> None:
    state = await world.live.open(ACCOUNT, MailboxId(1))
    await world.append(3)
    for n in range(300):
        action = (FlagAction.ADD, FlagAction.REMOVE)[n % 2]
        await mark(world.mail, ACCOUNT, state, BitMap([1]), action, (b"\\Seen",))
    await world.live.close()
    stored = await world.shop.mailboxes.load_state(ACCOUNT, MailboxId(1))
    assert stored.snapshot is not None
    assert len(stored.changes) < 60
    await world.require_true()


async def test_a_mailbox_that_nobody_opens_is_folded_all_the_same(world: World) -> None:
    for _ in range(26):
        await asyncio.gather(*[world.append() for _ in range(20)])
    await world.live.close()
    stored = await world.shop.mailboxes.load_state(ACCOUNT, MailboxId(1))
    assert stored.snapshot is not None
    assert len(stored.changes) < 20
    await world.require_true()


async def test_anything_at_once_leaves_memory_true(shop: MailShop) -> None:
    chance = random.Random(3)
    world = World(shop, memory=2000)
    boxes = [MailboxId(1), *await make_boxes(world, 3)]
    await world.append(20)

    async def step() -> None:
        box, target = chance.choice(boxes), chance.choice(boxes)
        match chance.randrange(7):
            case 0:
                await world.append(chance.randrange(1, 4), box)
            case 1:
                await world.elsewhere(box)
            case 2:
                state = await world.live.open(ACCOUNT, box)
                uids = BitMap(chance.sample(range(1, 30), 5))
                await mark(world.mail, ACCOUNT, state, uids, chance.choice(list(FlagAction)), (b"\\Seen", b"$x"))
            case 3:
                await expunge(world.mail, ACCOUNT, box, BitMap(chance.sample(range(1, 40), 2)))
            case 4 | 5:
                state = await world.live.open(ACCOUNT, box)
                uids = BitMap(chance.sample(range(1, 30), 3))
                await copy_messages(world.mail, ACCOUNT, state, uids, target, move=chance.random() < 0.5)
            case 6:
                await world.live.catch_up(ACCOUNT)

    for _round in range(12):
        await asyncio.gather(*[step() for _ in range(15)])
    await world.live.catch_up(ACCOUNT)
    for box in boxes:
        await world.require_true(box)
    await shop.require_exact_counters()
    await world.live.close()
