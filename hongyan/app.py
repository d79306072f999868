"""The composition root: from a configuration to engines, services and listeners. With `assembly`, it knows all.

    async with App(config) as app:      # opens the data, binds, begins to serve
        await app.run()                 # until `app.stop()`; leaving the block drains

`serve`, `demo` and the tests use this same object. What is closed is closed in the reverse order of its making.
"""

from __future__ import annotations

__all__ = ["App"]

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Mapping
from typing import Self

from hongyan import telemetry
from hongyan.assembly.background import Background
from hongyan.assembly.directory import find_client_authority
from hongyan.assembly.engines import Engines, open_engines
from hongyan.assembly.ground import Ground
from hongyan.assembly.listeners import Front
from hongyan.assembly.services import Services, make_services
from hongyan.assembly.sockets import bind_all, close_all
from hongyan.audit.events import Actor
from hongyan.clock import Clock, Random, SystemClock, SystemRandom
from hongyan.config import Config, Service
from hongyan.domains.certificates import Certificates
from hongyan.domains.tls_profiles import profile_of
from hongyan.operations.calling import Caller, Document, Tell
from hongyan.operations.operations import Operations
from hongyan.servers.affinity import CoreKeeper
from hongyan.servers.allocator import trim_memory
from hongyan.servers.arrival import Endpoint
from hongyan.servers.control import ControlServer
from hongyan.servers.privileges import drop_privileges
from hongyan.servers.systemd import Notifier
from hongyan.servers.wheel import Wheel
from hongyan.store.accounts import Locale
from hongyan.web.problems import Say

_DATABASE_THREADS = "sqlite-"
_TRIM_EVERY = 60.0  # seconds

log = telemetry.logger("app")


class App:
    """A mail service, whole."""

    def __init__(
        self,
        config: Config,
        *,
        sockets: Mapping[str, list[socket.socket]] | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        say: Say | None = None,
    ) -> None:
        """`say` translates what the web says.

        `sockets` are listening already, by the name of their service: handed over by systemd, or on free ports.
        """
        self.config = config
        self._given = sockets or {}
        self._clock = clock or SystemClock()
        self._random = random or SystemRandom()
        self._say = say or _speak_english
        self._stack = contextlib.AsyncExitStack()
        self._stopping = asyncio.Event()
        self._background = Background()
        self._notifier = Notifier()
        self.certificates: Certificates | None = None
        self.engines: Engines
        self.services: Services
        self.front: Front
        self.wheel: Wheel

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._notifier.stopping()
        await self._stack.aclose()

    async def _open(self) -> None:
        config = self.config
        self.certificates = _open_certificates(config)
        # Ports first: a port that is taken must not leave a half-open database behind, and root is given up early.
        sockets = bind_all(config, self._given)
        self._stack.callback(close_all, sockets)
        if config.server.user:
            drop_privileges(config.server.user)
        self.engines = await open_engines(config, self._clock)
        self._stack.push_async_callback(self.engines.close)
        self.wheel = Wheel(self._clock)
        ground = Ground(config, self.engines, self._clock, self._random, self.wheel)
        self.services = await make_services(ground)
        self._stack.push_async_callback(self.services.close)
        if config.acme.enabled:  # below the data directory, which is ours from here on
            self.certificates = self.services.issuing.open()
        if self.certificates is not None and self.certificates.asks_clients:
            self.certificates.trust_clients((await asyncio.to_thread(find_client_authority, ground)).pem)
        await self.services.sending.holds.recover()
        self._start_background(ground)
        self._stack.push_async_callback(self._end_background)
        self.front = Front(sockets)
        self._stack.push_async_callback(self.front.drain, config.server.drain)
        operations = Operations(ground, self.services)
        await self.front.open(ground, self.services, self.certificates, self._say, operations)
        await self._open_control(ground, operations)
        self._notifier.ready("serving")
        log.info("ready", pid=os.getpid(), hostname=config.server.hostname)

    async def _open_control(self, ground: Ground, operations: Operations) -> None:
        """Let the operator in."""

        async def handle(name: str, parameters: Document, user: int, tell: Tell) -> Document:
            return await operations.call(name, parameters, Caller(Actor("cli", f"uid {user}"), tell))

        control = ControlServer(ground.data, handle)
        await control.open()
        self._stack.push_async_callback(control.close)

    @property
    def endpoints(self) -> Mapping[Service, Endpoint]:
        """Where each service listens; the first address of each."""
        return self.front.endpoints

    async def run(self) -> None:
        """Serve until `stop`."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._notifier.watchdog):
                    await self._stopping.wait()
            self._notifier.alive()

    def stop(self) -> None:
        """Let `run` return."""
        self._stopping.set()

    async def reload(self) -> None:
        """Read the certificates again; connections that live keep what they have."""
        self._notifier.reloading(time.monotonic_ns() // 1000)
        if self.certificates is not None:
            await self.certificates.reload()
        self._notifier.ready("serving")

    # -- in the background

    def _start_background(self, ground: Ground) -> None:
        background = self._background
        background.start("wheel", ground.wheel.run)
        for name, work in self.services.background():
            background.start(name, work)
        if self.certificates is not None:
            background.start("certificates", self.certificates.watch)
        self._sending = background.start("queue", self.services.outgoing.worker.run)
        ground.wheel.every(_TRIM_EVERY, trim_memory)
        if self.config.process.one_core:
            _share_a_core(ground.wheel, self.config.process.look_every)

    async def _end_background(self) -> None:
        """Let deliveries under way come to their end, within the time of a drain; then end the rest."""
        self.services.outgoing.worker.stop()
        await asyncio.wait([self._sending], timeout=self.config.server.drain)
        await self._background.close()


def _speak_english(locale: Locale, sentence: str) -> str:  # noqa: ARG001 - whoever reads
    return sentence


def _open_certificates(config: Config) -> Certificates | None:
    if not config.certificates or config.acme.enabled:
        return None
    return Certificates(config.certificates, {profile_of(name, to.tls) for name, to in config.listen.items()})


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
