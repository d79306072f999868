"""Programs under a meter: started, ready, stopped, and never left behind, not even when the benchmark is killed."""

from __future__ import annotations

__all__ = ["OneProgram", "Program", "ProgramFault", "end_leftovers"]

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.meters import Meter

_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.02
_LOG_TOLD = 2000


class ProgramFault(Exception):
    """A program did not start, or ended by itself."""


class Program:
    """One program, and what it wrote."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, meter: Meter) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.output = folder / f"{name}.out"
        with self.log.open("ab") as log, self.output.open("wb") as output:
            self._process = subprocess.Popen(
                meter.enter(command), stdin=subprocess.PIPE, stdout=output, stderr=log, start_new_session=True
            )
        self._keeper = _keep(self._process.pid)
        meter.follow(self._process.pid)

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Return when the program is ready; tell the end of its log if it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self._process.poll() is not None:
                raise ProgramFault(f"{self.name} ended with {self._process.returncode}{self._told()}")
            if time.monotonic() > deadline:
                raise ProgramFault(f"{self.name} is not ready after {seconds:.0f} s{self._told()}")
            time.sleep(_POLL_SECONDS)

    def require_running(self) -> None:
        if self._process.poll() is not None:
            raise ProgramFault(f"{self.name} ended with {self._process.returncode}{self._told()}")

    def stop(self) -> None:
        """Ask it to end, and make it end."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        finally:
            self._keeper.kill()
            self._keeper.communicate()

    def _told(self) -> str:
        text = self.log.read_text(errors="replace")[-_LOG_TOLD:].strip()
        return f":\n{text}" if text else ""


class OneProgram:
    """A product, or a part of one, that is one program: it starts it, and this ends it."""

    _program: Program | None = None

    def stop(self) -> None:
        """End the program, if it was started."""
        if self._program is not None:
            self._program.stop()

    def require_running(self) -> None:
        """Raise `ProgramFault` if the program has ended by itself."""
        if self._program is not None:
            self._program.require_running()


def _keep(pid: int) -> subprocess.Popen[bytes]:
    """Start what ends a process when we are gone, in whatever way: then its input ends.

    The kernel's own means (prctl(2), PR_SET_PDEATHSIG) is lost to programs that change their user, as Postfix does.
    """
    script = ["sh", "-c", 'read -r _; kill -TERM "$0"', str(pid)]
    return subprocess.Popen(script, stdin=subprocess.PIPE, start_new_session=True)


def end_leftovers(meter: Meter) -> None:
    """Processes that outlive the program that started them get a while to end, and are ended then."""
    deadline = time.monotonic() + _STOP_SECONDS
    while pids := meter.pids():
        if time.monotonic() > deadline:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return
        time.sleep(_POLL_SECONDS)
