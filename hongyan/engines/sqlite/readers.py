"""The threads that read: each with a connection of its own. They see the last commit and never wait for the writer."""

from __future__ import annotations

__all__ = ["Read", "Readers"]

import queue
import threading
from pathlib import Path
from typing import Any

import apsw

from hongyan.engines.sql.units import Unit
from hongyan.engines.sqlite.connection import connect, fault_of, run_unit
from hongyan.engines.sqlite.notices import Notices, Waiter

_CACHE_OCTETS = 32 << 20


class Read(Waiter):
    """One reading unit that waits for a reader."""

    __slots__ = ("unit",)

    def __init__(self, notices: Notices, unit: Unit[Any]) -> None:
        super().__init__(notices)
        self.unit = unit


class Readers:
    """So many connections and threads that read."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count
        self._reads: queue.SimpleQueue[Read | None] = queue.SimpleQueue()
        self._connections: list[apsw.Connection] = []
        self._threads: list[threading.Thread] = []

    def open(self) -> None:
        """Connect and start. The database is there."""
        for _ in range(self._count):
            self._connections.append(connect(self._path, cache_octets=_CACHE_OCTETS, read_only=True))
        for number, connection in enumerate(self._connections):
            thread = threading.Thread(
                target=self._work, args=(connection,), name=f"sqlite-reader-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def submit(self, read: Read) -> None:
        """Have a unit read."""
        self._reads.put(read)

    def close(self) -> None:
        """Finish what was handed in, and close."""
        for _ in self._threads:
            self._reads.put(None)
        for thread in self._threads:
            thread.join()
        for connection in self._connections:
            connection.close()

    def _work(self, connection: apsw.Connection) -> None:
        cursor = connection.cursor()
        while (read := self._reads.get()) is not None:
            try:
                read.result = run_unit(cursor, read.unit)
            except apsw.Error as error:
                read.error = fault_of(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
                read.error = error
            read.notices.tell((read,))
