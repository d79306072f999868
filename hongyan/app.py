"""The composition root: from a configuration to engines, services and listeners. The one module that knows all.

    async with App(config) as app:      # opens the data, binds, begins to serve
        await app.run()                 # until `app.stop()`: drains, then returns

`serve`, `demo` and the tests use this same object. What is closed is closed in the reverse order of its making.
"""

from __future__ import annotations

__all__ = ["App"]

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Self

from hongyan import telemetry
from hongyan.assembly.engines import Engines, open_engines
from hongyan.assembly.listeners import Front, make_listeners
from hongyan.assembly.services import Services, make_services
from hongyan.clock import Clock, Random, SystemClock, SystemRandom
from hongyan.config import Config, Service
from hongyan.servers.affinity import CoreKeeper
from hongyan.servers.arrival import Endpoint
from hongyan.servers.systemd import Notifier
from hongyan.servers.wheel import Wheel

_DATABASE_THREADS = "sqlite-"

log = telemetry.logger("app")


class App:
    """A mail service, whole."""

    def __init__(self, config: Config, *, clock: Clock | None = None, random: Random | None = None) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        self.random = random or SystemRandom()
        self.data = Path(config.server.data)
        self._stack = contextlib.AsyncExitStack()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._notifier = Notifier()
        self.engines: Engines
        self.services: Services
        self.front: Front

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()

    async def _open(self) -> None:
        config = self.config
        wheel = Wheel(self.clock)
        # Ports first: a port that is taken must not leave a half-open database behind, and root is given up early.
        self.front = make_listeners(config)
        self._stack.callback(self.front.close_sockets)
        self.engines = await open_engines(config, self.data, self.clock)
        self._stack.push_async_callback(self.engines.close)
        self.services = await make_services(config, self.engines, self.data, self.clock, self.random, wheel)
        self._stack.push_async_callback(self.services.close)
        self._start("wheel", wheel.run())
        for name, work in self.services.background():
            self._start(name, work)
        if config.process.one_core:
            _share_a_core(wheel, config.process.look_every)
        self._stack.push_async_callback(self._end_tasks)
        await self.front.open(config, self.services, wheel, self.clock, self.random)
        self._stack.push_async_callback(self.front.drain, config.server.drain)
        self._notifier.ready("serving")
        log.info("ready", pid=os.getpid(), hostname=config.server.hostname)

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A background task is meant to live as long as we do: without it the server must not go on."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background-failed", task=task.get_name(), error=error)
            self.stop()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def endpoints(self) -> Mapping[Service, Endpoint]:
        """Where each service listens; the first address of each."""
        return self.front.endpoints

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping.set()

    async def run(self, while_running: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        """Serve until `stop`."""
        beat = self._notifier.watchdog
        extra = asyncio.get_running_loop().create_task(while_running()) if while_running is not None else None
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(beat):
                    await self._stopping.wait()
            self._notifier.alive()
        self._notifier.stopping()
        if extra is not None:
            extra.cancel()
            await asyncio.gather(extra, return_exceptions=True)


def _share_a_core(wheel: Wheel, look_every: float) -> None:
    """Keep the loop and the database's threads together."""
    cores = CoreKeeper()
    cores.join()
    for thread in threading.enumerate():
        if thread.name.startswith(_DATABASE_THREADS) and thread.native_id is not None:
            cores.adopt(thread.native_id)

    def look() -> None:
        cores.look_around()

    wheel.every(look_every, look)
