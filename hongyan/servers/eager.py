"""Begin a coroutine at once, and make a task of it only if it has to wait.

Most commands that may wait do not: what they need lies in memory. A task, and the turn of the loop that it takes, cost
more than such a command itself. (From Python 3.12 on tasks can do this by themselves; this is the same for 3.11.)

Up to its first wait a coroutine runs outside any task: `asyncio.timeout` and `TaskGroup` are not for that stretch.
"""

from __future__ import annotations

__all__ = ["begin"]

import types
from collections.abc import Coroutine, Generator
from functools import partial


def begin(work: Coroutine[object, object, None]) -> Coroutine[object, object, None] | None:
    """Run the coroutine until it has to wait; return what is left of it, to be awaited, or None if it is done.

    Raises what it raises before its first wait.
    """
    try:
        waited = work.send(None)
    except StopIteration:
        return None
    return _finish(_rest(work, waited))


async def _finish(rest: Generator[object, object, None]) -> None:
    await rest  # type: ignore[misc]  # made awaitable by types.coroutine


@types.coroutine
def _rest(work: Coroutine[object, object, None], waited: object) -> Generator[object, object, None]:
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
        except StopIteration:
            return
