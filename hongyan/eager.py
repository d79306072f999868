"""Begin a coroutine at once, and make a task of it only if it has to wait.

Most commands that may wait do not: what they need lies in memory. A task, and the turn of the loop that it takes, cost
more than such a command itself. (From Python 3.12 on tasks can do this by themselves; this is the same for 3.11.)

Up to its first wait a coroutine runs outside any task: `asyncio.timeout` and `TaskGroup` are not for that stretch.
`begin_until` bounds the wait of one that may have to run there.
"""

from __future__ import annotations

__all__ = ["begin", "begin_until"]

import asyncio
import types
from collections.abc import Coroutine, Generator
from functools import partial
from typing import TypeVar

T = TypeVar("T")


def begin(work: Coroutine[object, object, None]) -> Coroutine[object, object, None] | None:
    """Run the coroutine until it has to wait; return what is left of it, to be awaited, or None if it is done.

    Raises what it raises before its first wait.
    """
    try:
        waited = work.send(None)
    except StopIteration:
        return None
    return _finish(_rest(work, waited))


async def begin_until(work: Coroutine[object, object, T], seconds: float) -> T:
    """Return what the coroutine returns. It gets a task if it has to wait, and is cancelled if it waits for longer.

    Raises what it raises, and `TimeoutError`; what it does when it is cancelled is not waited for.
    """
    try:
        waited = work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    task = asyncio.ensure_future(_finish(_rest(work, waited)))
    try:
        done, _ = await asyncio.wait([task], timeout=seconds)
    finally:
        task.cancel()  # It is done, or nobody wants it any more.
    if not done:
        raise TimeoutError
    return task.result()


async def _finish(rest: Generator[object, object, T]) -> T:
    return await rest  # type: ignore[misc, no-any-return]  # made awaitable by types.coroutine


@types.coroutine
def _rest(work: Coroutine[object, object, T], waited: object) -> Generator[object, object, T]:
    """Hand on what the coroutine waits for, and to it what comes back: results, errors, cancellation."""
    while True:
        try:
            value = yield waited
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the coroutine's
            go_on = partial(work.throw, error)
        else:
            go_on = partial(work.send, value)
        try:
            waited = go_on()
        except StopIteration as end:
            result: T = end.value
            return result
