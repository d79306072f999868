"""Coroutines that begin at once: the same as in a task, but that those which need not wait never get one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from hongyan.eager import begin, begin_until


async def finish(work: Coroutine[object, object, None]) -> None:
    """Do what a connection does with a command: begin it, and give what is left of it to a task."""
    rest = begin(work)
    if rest is not None:
        await asyncio.create_task(rest)


async def test_what_need_not_wait_is_done_when_it_has_begun() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("here")

    assert begin(work()) is None
    assert done == ["here"]


async def test_what_waits_goes_on_where_it_was() -> None:
    steps: list[str] = []
    loop = asyncio.get_running_loop()

    async def work(first: asyncio.Future[str], second: asyncio.Future[str]) -> None:
        steps.append("begun")
        steps.append(await first)
        steps.append(await second)

    first, second = loop.create_future(), loop.create_future()
    rest = begin(work(first, second))
    assert rest is not None
    assert steps == ["begun"]
    task = asyncio.create_task(rest)
    loop.call_soon(first.set_result, "one")
    loop.call_soon(second.set_result, "two")
    await task
    assert steps == ["begun", "one", "two"]


async def test_an_error_before_the_first_wait_is_raised_at_once_and_a_later_one_in_the_task() -> None:
    async def fail(*, waits: bool) -> None:
        if waits:
            await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        begin(fail(waits=False))
    with pytest.raises(ValueError, match="no"):
        await finish(fail(waits=True))


async def test_an_error_of_what_is_waited_for_arrives_where_it_is_waited_for() -> None:
    told: list[BaseException] = []
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        try:
            await future
        except KeyError as error:
            told.append(error)
        await asyncio.sleep(0)

    rest = begin(work())
    assert rest is not None
    future.set_exception(KeyError("gone"))
    await asyncio.create_task(rest)
    assert [type(error) for error in told] == [KeyError]


async def test_cancelling_the_task_cancels_the_coroutine_and_what_it_waits_for() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    cleaned: list[bool] = []

    async def work() -> None:
        try:
            await future
        finally:
            cleaned.append(True)

    rest = begin(work())
    assert rest is not None
    task = asyncio.create_task(rest)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]
    assert future.cancelled()


async def test_behind_the_first_wait_a_coroutine_is_in_a_task_like_any_other() -> None:
    seen: list[object] = []

    async def work() -> None:
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0))

    rest = begin(work())
    assert rest is not None
    task = asyncio.create_task(rest)
    await task
    assert seen == [task]


async def test_what_is_begun_until_a_time_returns_or_raises_what_it_would() -> None:
    async def work(*, waits: bool, fails: bool = False) -> str:
        if waits:
            await asyncio.sleep(0)
        if fails:
            raise ValueError("no")
        return "done"

    for waits in (False, True):
        assert await begin_until(work(waits=waits), 30) == "done"
        with pytest.raises(ValueError, match="no"):
            await begin_until(work(waits=waits, fails=True), 30)


async def test_what_waits_longer_than_it_may_is_cancelled_and_so_it_is_with_whoever_waits_for_it() -> None:
    ended = 0

    async def work() -> None:
        nonlocal ended
        try:
            await asyncio.Event().wait()
        finally:
            ended += 1

    with pytest.raises(TimeoutError):
        await begin_until(work(), 0)
    outer = asyncio.create_task(begin_until(work(), 30))
    await asyncio.sleep(0)
    outer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outer
    await asyncio.sleep(0)
    assert ended == 2
