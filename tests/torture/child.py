"""The command `hongyan`, with its clock or its promises bent by the harness.

`HONGYAN_TORTURE` names a promise to break, see `mutations`; without it this is `python -m hongyan`. With
`HONGYAN_PATIENT` it takes a disk of ours for one that can tell what lies in memory, as a disk of the kernel's can:
so that what the server does on its loop for that reason happens on a disk whose power goes. `HONGYAN_CLOCK` is a
file that says by how many seconds the wall clock is off, and may change at any time.
"""

from __future__ import annotations

import mmap
import os
import runpy
import struct
import sys
import time
from datetime import UTC, datetime

from tests.torture import mutations


def main() -> None:
    """Bend, then serve."""
    mutations.apply(os.environ.get("HONGYAN_TORTURE", ""))
    if os.environ.get("HONGYAN_PATIENT"):
        os.RWF_NOWAIT = 0  # type: ignore[misc]
    if clock := os.environ.get("HONGYAN_CLOCK"):
        _bend_clock(clock)
    sys.argv[0] = "hongyan"
    runpy.run_module("hongyan", run_name="__main__", alter_sys=True)


def _bend_clock(path: str) -> None:
    from hongyan.clock import SystemClock

    with open(path, "rb") as file:
        shown = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)

    def timestamp() -> float:
        off: float = struct.unpack("d", shown[:])[0]
        return time.time() + off

    SystemClock.timestamp = staticmethod(timestamp)
    SystemClock.now = lambda self: datetime.fromtimestamp(timestamp(), UTC)  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
