"""Takes the directory's change log to those who keep parts of the directory in memory.

The log is read every two seconds, and at once when the bus brings a hint of another process, or when a
service here has just written. A lost hint costs two seconds.
"""

from __future__ import annotations

__all__ = ["DirectoryListener", "DirectoryWatch"]

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

from hongyan import telemetry
from hongyan.errors import ServerFault
from hongyan.store.bus import Bus, Topic
from hongyan.store.directory import DirectoryChange, DirectoryStore

log = telemetry.logger("accounts")

_INTERVAL = 2.0  # seconds
_PAGE = 1000
_SUBJECT = 0  # there is one directory


class DirectoryListener(Protocol):
    """Keeps something of the directory in memory."""

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Forget or fetch anew what the changes name. None: some were missed, anything may have changed."""
        ...


class DirectoryWatch:
    """Reads the log and tells the listeners, in the order in which they came.

    `start` before anything is kept in memory, then `run` for as long as the server lives.
    """

    def __init__(self, store: DirectoryStore, bus: Bus, *, interval: float = _INTERVAL) -> None:
        self._store = store
        self._bus = bus
        self._listeners: list[DirectoryListener] = []
        self._interval = interval
        self._position = 0
        self._reading = asyncio.Lock()
        self._hint = asyncio.Event()
        bus.subscribe(Topic.DIRECTORY, self._hinted)

    def listen(self, *listeners: DirectoryListener) -> None:
        """Tell these too. Who answers others from what it keeps comes before them: domains first."""
        self._listeners += listeners

    async def start(self) -> None:
        """Begin at the end of the log."""
        self._position = await self._store.directory_position()

    async def changed(self) -> None:
        """Tell everybody of a change that this process has just made; this process knows when it returns."""
        await self.catch_up()
        self._bus.publish(Topic.DIRECTORY, _SUBJECT, self._position)

    async def catch_up(self) -> None:
        """Read the log to its end and tell the listeners."""
        async with self._reading:
            while True:
                changes = await self._store.directory_changes(self._position, limit=_PAGE)
                if changes is None:
                    self._position = await self._store.directory_position()
                    await self._tell(None)
                elif changes:
                    await self._tell(changes)
                    self._position = changes[-1].number
                if changes is None or len(changes) < _PAGE:
                    return

    async def run(self) -> None:
        """Keep up with the log until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._hint.wait()
            self._hint.clear()
            try:
                await self.catch_up()
            except ServerFault as fault:
                # What is in memory may be stale until the database answers again; nothing else can be done here.
                log.warning("directory-unreadable", cause=fault.cause)

    def _hinted(self, _subject: int, position: int) -> None:
        if position > self._position:
            self._hint.set()

    async def _tell(self, changes: Sequence[DirectoryChange] | None) -> None:
        for listener in self._listeners:
            await listener.refresh(changes)
