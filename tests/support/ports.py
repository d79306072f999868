"""Ports for servers of a test, and the wait until somebody listens on one."""

from __future__ import annotations

__all__ = ["free_port", "free_ports", "wait_for_port"]

import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

_POLL_SECONDS = 0.02


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens now."""
    return free_ports(1, host)[0]


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return that many different ports on which nobody listens now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as held:
        listeners = [held.enter_context(socket.socket(family)) for _ in range(count)]
        for listener in listeners:
            listener.bind((host, 0))
        return [int(listener.getsockname()[1]) for listener in listeners]


def wait_for_port(
    port: int,
    process: subprocess.Popen[bytes],
    *,
    host: str = "127.0.0.1",
    log: Path | None = None,
    seconds: float = 30.0,
) -> None:
    """Return when `process` accepts connections; fail with the end of its log when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(_POLL_SECONDS)
        else:
            return
    state = "does not listen" if process.poll() is None else f"ended with {process.returncode}"
    told = log.read_text(errors="replace")[-2000:] if log is not None and log.exists() else ""
    raise AssertionError(f"{process.args!r} {state} on {host}:{port}\n{told}")
