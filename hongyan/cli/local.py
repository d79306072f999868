"""The service without a server: engines and services are opened for one command, and nothing listens."""

from __future__ import annotations

__all__ = ["borrow_data", "open_local"]

import asyncio
import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import uvloop

from hongyan import telemetry
from hongyan.assembly.engines import open_engines
from hongyan.assembly.ground import Ground
from hongyan.assembly.services import make_services
from hongyan.cli.calls import Document, Progress, make_fault
from hongyan.clock import SystemClock, SystemRandom
from hongyan.config import Config, ServerOptions
from hongyan.configuration.file import load_config
from hongyan.errors import ConfigurationError, HongyanError
from hongyan.operations.calling import Caller
from hongyan.operations.operations import Operations
from hongyan.servers.wheel import Wheel
from hongyan.telemetry import LogOptions


class _Local:
    def __init__(self, runner: asyncio.Runner, operations: Operations) -> None:
        self._runner = runner
        self._operations = operations

    def call(self, method: str, parameters: Document, progress: Progress) -> Document:
        try:
            return self._runner.run(self._operations.call(method, parameters, Caller(tell=progress)))
        except HongyanError as error:
            raise make_fault(error.kind, error.sentence or error.cause) from error


@contextlib.contextmanager
def open_local(file: Path | None, data: Path | None) -> Iterator[_Local]:
    """Open the data that a configuration names, or those of a directory."""
    with borrow_data(file, data) as config, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = contextlib.AsyncExitStack()
        try:
            yield _Local(runner, runner.run(_open(config, stack)))
        finally:
            runner.run(stack.aclose())


@contextlib.contextmanager
def borrow_data(file: Path | None, data: Path | None) -> Iterator[Config]:
    """Return the configuration of data that are there; what root makes among them is its owner's afterwards."""
    config = load_config(file) if file is not None else Config()
    if data is not None:
        config = replace(config, server=replace(config.server, data=str(data.absolute())))
    if file is None:
        _require_data(config.server)
    writer = telemetry.configure(LogOptions(level="warning", form="console"))
    try:
        yield config
    finally:
        writer.close()
        _give_back(Path(config.server.data))


def _give_back(data: Path) -> None:
    """What root has made among somebody's data is theirs: the service could not open it else."""
    if os.geteuid() != 0 or not data.is_dir():
        return
    owner = data.stat()
    for path in data.rglob("*"):
        if owner.st_uid != 0 and path.lstat().st_uid == 0:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


async def _open(config: Config, stack: contextlib.AsyncExitStack) -> Operations:
    clock, random = SystemClock(), SystemRandom()
    engines = await open_engines(config, clock)
    stack.push_async_callback(engines.close)
    ground = Ground(config, engines, clock, random, Wheel(clock))
    services = await make_services(ground)
    stack.push_async_callback(services.close)
    return Operations(ground, services)


def _require_data(server: ServerOptions) -> None:
    """A command makes no data directory: a name that is spelled wrong must not look like an empty service."""
    if not Path(server.data).is_dir():
        raise ConfigurationError(f"There is no data directory {server.data}. `hongyan serve` makes it.")
