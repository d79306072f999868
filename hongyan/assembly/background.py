"""What runs for as long as the server does: a job that falls over is told of, and begun again.

A loop that an unforeseen error ends would be missed by nobody until it is needed: certificates would run out, holds
would not come. And mail that goes in and out must not stop because something beside it fell over.
"""

from __future__ import annotations

__all__ = ["Background"]

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from hongyan import telemetry
from hongyan.telemetry import metrics

_PAUSES: Final = (1.0, 5.0, 15.0, 60.0)
"""Seconds before a job is begun again; the last is repeated."""

_SOUND: Final = 600.0
"""Seconds after which a job that ran counts as sound again."""

log = telemetry.logger("app")


class Background:
    """The jobs that run."""

    def __init__(self, pauses: tuple[float, ...] = _PAUSES) -> None:
        self._pauses = pauses
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, work: Callable[[], Awaitable[object]]) -> asyncio.Task[None]:
        """Run a job until it returns; when it raises, begin it again after a pause."""
        task = asyncio.get_running_loop().create_task(self._keep(name, work), name=name)
        self._tasks.append(task)
        return task

    async def close(self) -> None:
        """End all jobs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - the top of a job, which goes on
                metrics.panic_total.labels("background").inc()
                if loop.time() - began >= _SOUND:
                    failures = 0
                pause = self._pauses[min(failures, len(self._pauses) - 1)]
                log.error("background-failed", task=name, error=error, again_in=pause)
                failures += 1
                await asyncio.sleep(pause)
            else:
                return
