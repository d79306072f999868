"""Feeds: one reading of an account for all who follow it, and no more of them than the pause allows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import pytest_asyncio

from hongyan.errors import NotFound
from hongyan.notify.feeds import Feeds, States
from hongyan.notify.hub import Hub
from hongyan.store.bus import Topic
from hongyan.types import AccountId, ModSeq
from tests.support.clock import FakeClock

ACCOUNT = AccountId(7)


class _Bus:
    """Tells at once."""

    def __init__(self) -> None:
        self._tell = lambda subject, position: None

    def subscribe(self, topic: Topic, tell: object) -> None:
        self._tell = tell  # type: ignore[assignment]  # as the hub gives it

    def publish(self, topic: Topic, subject: int, position: int) -> None:
        self._tell(subject, position)


class _Follower:
    def __init__(self) -> None:
        self.heard: list[States] = []

    def states_changed(self, states: States) -> None:
        self.heard.append(states)


class _Account:
    """What is read, and how often it was."""

    def __init__(self) -> None:
        self.state = 1
        self.readings = 0
        self.fails = False

    async def read(self, account: AccountId) -> Mapping[str, str]:
        self.readings += 1
        if self.fails:
            raise NotFound("There is no such account.")
        return {"Email": f"s{self.state}"}


class _Stage:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.account = _Account()
        self.hub = Hub(_Bus())
        self.feeds = Feeds(self.hub, self.account.read, self.clock, 1.0)

    async def change(self) -> None:
        """Something changes, and whoever can look does."""
        self.account.state += 1
        self.hub.publish(ACCOUNT, ModSeq(self.account.state))
        await self.settle()

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.feeds.tick()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[_Stage]:
    stage = _Stage()
    running = asyncio.create_task(stage.feeds.run())
    yield stage
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_burst_is_read_at_its_beginning_and_once_after_the_pause(stage: _Stage) -> None:
    one, two = _Follower(), _Follower()
    assert await stage.feeds.follow(ACCOUNT, one) == {"Email": "s1"}
    assert await stage.feeds.follow(ACCOUNT, two) == {"Email": "s1"}
    assert stage.account.readings == 1
    for _ in range(10):
        await stage.change()
    assert one.heard == two.heard == [{"Email": "s2"}]
    await stage.pass_time(2)
    assert one.heard == two.heard == [{"Email": "s2"}, {"Email": "s11"}]
    assert stage.account.readings == 3
    await stage.pass_time(60)
    assert stage.account.readings == 3


async def test_who_has_left_hears_nothing_and_an_account_that_nobody_follows_is_not_read(stage: _Stage) -> None:
    one, two = _Follower(), _Follower()
    await stage.feeds.follow(ACCOUNT, one)
    await stage.feeds.follow(ACCOUNT, two)
    stage.feeds.leave(ACCOUNT, one)
    stage.feeds.leave(ACCOUNT, one)
    await stage.change()
    assert (one.heard, len(two.heard)) == ([], 1)
    stage.feeds.leave(ACCOUNT, two)
    await stage.change()
    await stage.pass_time(5)
    assert (stage.feeds.followed, stage.hub.waiting, stage.account.readings) == (0, 0, 2)


async def test_what_cannot_be_read_is_read_again_at_the_next_change(stage: _Stage) -> None:
    one = _Follower()
    await stage.feeds.follow(ACCOUNT, one)
    stage.account.fails = True
    await stage.change()
    assert one.heard == []
    stage.account.fails = False
    await stage.pass_time(2)
    await stage.change()
    assert one.heard == [{"Email": "s3"}]
