"""The harness's end of a forgetful disk: mounts one, and tells it when the power goes.

A new boot has a new boot id, by which a server may tell a power loss from a crash of its own: the file that the kernel
shows is covered by one of ours.
"""

from __future__ import annotations

__all__ = ["Forgetful", "why_not"]

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, Self

from tests.torture.mounts import bind, unmount

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def why_not() -> str:
    """Return why a forgetful disk cannot be mounted here, or nothing."""
    if os.geteuid() != 0:
        return "to mount a disk needs root"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "there is no /dev/fuse"
    return ""


class Forgetful:
    """A disk whose power can be cut. Within a private mount namespace."""

    def __init__(self, folder: Path, *, sync_seconds: float = 0.004) -> None:
        self.path = folder / "disk"
        self.path.mkdir()
        self._boot = folder / "boot"
        self._new_boot()
        bind(self._boot, _BOOT_ID)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.fuse", str(self.path), str(sync_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parent.parent.parent,
        )
        self._receive()
        self.data = self.path / "data"
        self._make_durable(self.data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        unmount(_BOOT_ID)

    def freeze(self) -> None:
        """The power is gone: from now on nothing is kept, and nothing answered."""
        self._tell(do="freeze")

    def cut(self, seed: int) -> None:
        """The power is back, and with it what was kept."""
        self._new_boot()
        self._tell(do="cut", seed=seed)

    def fail(self, what: str, error: int, *, suffix: str = "", times: int = -1) -> None:
        """Let `sync`, `write` or `modify` fail from now on, of files whose names end so."""
        self._tell(do="fail", what=what, error=error, suffix=suffix, times=times)

    def mend(self) -> None:
        """Let nothing fail any more."""
        self._tell(do="mend")

    @property
    def syncs(self) -> int:
        """How often something was synced so far."""
        return int(self._tell(do="tell")["syncs"])

    def _make_durable(self, directory: Path) -> None:
        """Make a directory whose name stays, as an operator's does who made it long ago."""
        directory.mkdir(mode=0o700)
        fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(fd)
        os.close(fd)

    def _new_boot(self) -> None:
        self._boot.write_text(f"{uuid.uuid4()}\n")

    def _tell(self, **said: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(said).encode() + b"\n")
        self._process.stdin.flush()
        return self._receive()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise OSError("the forgetful disk has ended")
        told: dict[str, Any] = json.loads(line)
        return told
