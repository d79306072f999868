"""The machine that a run happens on: what it is, how fast its core and its disk are now, who else uses it."""

from __future__ import annotations

__all__ = ["Machine", "busy_seconds", "core_speed", "describe_machine", "sync_rate"]

import os
import platform
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_IDLE = (3, 4)  # idle and iowait among the columns of /proc/stat


@dataclass(frozen=True, slots=True)
class Machine:
    """What a reader needs to know of the machine, and no more."""

    cores: int
    processor: str
    memory_gib: int
    file_system: str
    system: str
    python: str
    core_speed: float
    syncs_per_second: float

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gib} GiB, {self.file_system}, {self.system}, "
            f"{self.python}; a fixed loop of Python made {self.core_speed:.1f} million steps a second, "
            f"the disk {self.syncs_per_second:,.0f} fsync a second"
        )


def describe_machine(folder: Path) -> Machine:
    """Describe this machine; `folder` is where the servers keep their data."""
    kernel = ".".join(platform.release().split(".")[:2])
    return Machine(
        cores=os.cpu_count() or 1,
        processor=_first_of("/proc/cpuinfo", "model name") or platform.machine(),
        memory_gib=round(int(_first_of("/proc/meminfo", "MemTotal").split()[0]) / 1024**2),
        file_system=_file_system(folder),
        system=f"Linux {kernel}",
        python=f"Python {platform.python_version()} with uvloop {version('uvloop')}",
        core_speed=round(core_speed(3_000_000), 1),
        syncs_per_second=round(sync_rate(folder)),
    )


def core_speed(steps: int = 300_000) -> float:
    """Return the rate of a fixed loop in million steps a CPU second.

    The speed of a virtual core changes by up to a factor of two with what its host does; this says by how much.
    """
    begun = time.process_time()
    total = 0
    for step in range(steps):
        total += step & 7
    return steps / 1e6 / max(time.process_time() - begun, 1e-6)


def sync_rate(folder: Path, times: int = 100) -> float:
    """Return how often a second the disk makes 4 KiB durable."""
    block = os.urandom(4096)
    with tempfile.TemporaryFile(dir=folder) as file:
        begun = time.perf_counter()
        for _ in range(times):
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
        return times / (time.perf_counter() - begun)


def busy_seconds() -> float:
    """Return the CPU seconds that all programs of the machine have used."""
    columns = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(columns) - sum(columns[place] for place in _IDLE)) / _TICK


def _first_of(path: str, key: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _file_system(folder: Path) -> str:
    """The kind of the file system that holds a folder: the mount with the longest path wins."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    at = {fields[1]: fields[2] for fields in mounts}
    held = next(path for path in (folder.resolve(), *folder.resolve().parents) if str(path) in at)
    return at[str(held)]
