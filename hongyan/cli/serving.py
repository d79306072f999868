"""A service in the foreground: from a configuration to signals. SIGTERM and SIGINT drain it, SIGHUP reloads.

A second SIGINT ends the drain too.
"""

from __future__ import annotations

__all__ = ["WhenReady", "run_service", "say_in"]

import asyncio
import gc
import os
import signal
import socket
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import uvloop

from hongyan import telemetry
from hongyan.app import App
from hongyan.cli.words import translate_to
from hongyan.config import Config
from hongyan.engines.directory import DataDirectory
from hongyan.errors import ConfigurationError
from hongyan.servers.allocator import configure_allocator
from hongyan.store.accounts import Locale

_INPUT = 0

WhenReady = Callable[[App], Awaitable[None]]
"""What is done when every port serves."""


def run_service(
    config: Config,
    when_ready: WhenReady,
    *,
    sockets: Mapping[str, list[socket.socket]] | None = None,
    ends_with_input: bool = False,
) -> None:
    """Serve until a signal comes, or with `ends_with_input` until a pipe on the standard input is closed.

    Raises `ConfigurationError`, `StorageFailed` or `Corrupt` when the service cannot start.
    """
    holder = DataDirectory(Path(config.server.data)).find_holder()
    if holder is not None:
        raise ConfigurationError(
            f"A service runs with the data in {config.server.data} already: process {holder}. Stop that one first."
        )
    configure_allocator()
    writer = telemetry.configure(config.log)
    try:
        uvloop.run(_serve(App(config, sockets=sockets, say=say_in), when_ready, ends_with_input=ends_with_input))
    finally:
        writer.close()


def say_in(locale: Locale, sentence: str) -> str:
    """Return a finished sentence in the language of whoever reads a web page."""
    return translate_to("zh" if locale is Locale.ZH else "en", sentence)


async def _serve(app: App, when_ready: WhenReady, *, ends_with_input: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, app)
    if ends_with_input:
        _stop_with_input(app)
    async with app:
        gc.freeze()  # What was made for the start stays: to look through it for garbage takes 50 ms, each time.
        reloads: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(signal.SIGHUP, _reload, app, reloads)
        await when_ready(app)
        await app.run()


def _stop(app: App) -> None:
    app.stop()
    asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)  # The next one interrupts.


def _reload(app: App, reloads: set[asyncio.Task[None]]) -> None:
    task = asyncio.get_running_loop().create_task(app.reload())
    reloads.add(task)
    task.add_done_callback(reloads.discard)


def _stop_with_input(app: App) -> None:
    """Stop when whoever started us, with a pipe to our standard input, is gone."""
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(_INPUT).st_mode)
    except OSError:  # closed from the beginning
        return
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(_INPUT, 4096):
            loop.remove_reader(_INPUT)
            app.stop()

    if is_pipe:
        loop.add_reader(_INPUT, read)
