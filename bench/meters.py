"""What a server has used: CPU seconds of all its processes and threads, and memory.

A cgroup of version 2 of the server's own counts exactly, also what ended long ago. Where none can be made
(no root, a container), the processes that descend from those started are asked one by one: each has a clock
of the CPU time of all its threads, ended ones included, in nanoseconds; children that ended are in their
parent's count, in ticks of 10 ms, which short-lived processes make coarse.
"""

from __future__ import annotations

__all__ = ["Cgroup", "Memory", "Meter", "ProcessTree", "make_meter", "memory_of", "parse_stat"]

import contextlib
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_TICK = os.sysconf("SC_CLK_TCK")
_CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED of <linux/posix-timers_types.h>: all threads of a process, by the scheduler


class Meter(Protocol):
    """Counts what processes use from when they are started until they are gone."""

    exact: bool

    def enter(self, command: Sequence[str]) -> list[str]:
        """Return the command that runs `command` under this meter."""
        ...

    def follow(self, pid: int) -> None:
        """Such a command runs as this process."""
        ...

    def cpu(self) -> float:
        """Return the CPU seconds used so far."""
        ...

    def pids(self) -> set[int]:
        """Return the processes that run now."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of some processes. PSS shares what several map among them, so that sums are true."""

    pss_kib: int
    rss_kib: int
    processes: int


def make_meter(name: str) -> Meter:
    """Return a cgroup's meter if one can be had."""
    return Cgroup.make(name) or ProcessTree()


class Cgroup:
    """A cgroup of version 2; its CPU accounting needs no controller."""

    exact = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def make(cls, name: str) -> Cgroup | None:
        folder = _find_root()
        if folder is None:
            return None
        own = folder / f"hongyan-bench-{os.getpid()}-{name}"
        try:
            own.mkdir()
        except OSError:
            return None
        if os.access(own / "cgroup.procs", os.W_OK) and (own / "cpu.stat").is_file():
            return cls(own)
        own.rmdir()
        return None

    def enter(self, command: Sequence[str]) -> list[str]:
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._folder / "cgroup.procs"), *command]

    def follow(self, pid: int) -> None:
        """The kernel does it."""

    def cpu(self) -> float:
        usage = (self._folder / "cpu.stat").read_text().split("\n", 1)[0]
        return int(usage.removeprefix("usage_usec ")) / 1e6

    def pids(self) -> set[int]:
        return {int(pid) for pid in (self._folder / "cgroup.procs").read_text().split()}

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a process that does not end keeps it: it is told elsewhere
            self._folder.rmdir()


class ProcessTree:
    """The processes that descend from those that were started."""

    exact = False

    def __init__(self) -> None:
        self._roots: set[int] = set()

    def enter(self, command: Sequence[str]) -> list[str]:
        return list(command)

    def follow(self, pid: int) -> None:
        self._roots.add(pid)

    def cpu(self) -> float:
        return sum(_process_seconds(pid) for pid in self.pids())

    def pids(self) -> set[int]:
        children: dict[int, list[int]] = {}
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            with contextlib.suppress(OSError):
                parent, _ = parse_stat(Path(f"/proc/{pid}/stat").read_bytes())
                children.setdefault(parent, []).append(pid)
        found: set[int] = set()
        ahead = [pid for pid in self._roots if Path(f"/proc/{pid}").exists()]
        while ahead:
            pid = ahead.pop()
            found.add(pid)
            ahead += children.get(pid, ())
        return found

    def close(self) -> None:
        self._roots.clear()


def memory_of(pids: Iterable[int]) -> Memory:
    """Add up the memory of processes; one that ends meanwhile has none."""
    pss = rss = processes = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        sizes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
        pss, rss, processes = pss + sizes.get("Pss:", 0), rss + sizes.get("Rss:", 0), processes + 1
    return Memory(pss, rss, processes)


def parse_stat(octets: bytes) -> tuple[int, int]:
    """Return the parent and the CPU ticks of reaped children from /proc/PID/stat. A name may hold anything."""
    fields = octets[octets.rindex(b")") + 2 :].split()
    return int(fields[1]), int(fields[13]) + int(fields[14])


def _process_seconds(pid: int) -> float:
    try:
        own = time.clock_gettime((~pid << 3) | _CLOCK_OF_PROCESS)
        _, reaped = parse_stat(Path(f"/proc/{pid}/stat").read_bytes())
    except OSError:
        return 0.0
    return own + reaped / _TICK


def _find_root() -> Path | None:
    """Where the file system of version 2 is mounted, alone or beside version 1."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(folder)
    return None
