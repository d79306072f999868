"""Ports for servers of a test, and the wait until somebody listens on one.

They lie below those that the kernel gives to whoever asks for any (`ip_local_port_range`): between the choice of a
port and the start of its server nobody comes by it by chance. Testers that run side by side have ranges of their own.
"""

from __future__ import annotations

__all__ = ["free_addresses", "free_port", "free_ports", "wait_for_port"]

import itertools
import os
import random
import socket
import subprocess
import time
from pathlib import Path

_POLL_SECONDS = 0.02
_LOWEST, _PER_TESTER, _TESTERS = 12_000, 1000, 20
_tester = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _TESTERS
_turns = itertools.count(random.randrange(_PER_TESTER))


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens now."""
    return free_ports(1, host)[0]


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return that many different ports on which nobody listens now."""
    found: list[int] = []
    while len(found) < count:
        port = _LOWEST + _tester * _PER_TESTER + next(_turns) % _PER_TESTER
        if _is_free(host, port):
            found.append(port)
    return found


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
        return True


def free_addresses(count: int) -> list[str]:
    """Return that many addresses of loopback, each with all of its ports: who asks for port 25 or 53 finds it free."""
    network = f"127.{random.randint(64, 127)}.{random.randint(0, 255)}"
    return [f"{network}.{number}" for number in random.sample(range(1, 255), count)]


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
