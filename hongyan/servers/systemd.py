"""What systemd is told (sd_notify(3)) and what it hands over (sd_listen_fds(3)), without its library."""

from __future__ import annotations

__all__ = ["Notifier", "listen_sockets"]

import os
import socket
from collections.abc import MutableMapping

_FIRST_DESCRIPTOR = 3


class Notifier:
    """Speaks to the service manager, if there is one. `Type=notify` wants `ready`; `WatchdogSec=` wants `alive`."""

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        path = environment.pop("NOTIFY_SOCKET", "")  # not for our children
        watchdog = environment.pop("WATCHDOG_USEC", "")
        meant_for = environment.pop("WATCHDOG_PID", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self.watchdog: float | None = None
        """Call `alive` at least this often, in seconds: twice as often as systemd wants it."""
        if self._address and watchdog.isdigit() and meant_for in ("", str(os.getpid())):
            self.watchdog = int(watchdog) / 2_000_000

    def ready(self, status: str = "") -> None:
        """All listeners serve."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self, microseconds: int) -> None:
        """Configuration or certificates are being read again; `ready` follows. `microseconds` is monotonic time."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def stopping(self) -> None:
        """The drain has begun."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """The loop turns."""
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        octets = "\n".join(line.replace("\n", " ") for line in lines if not line.endswith("=")).encode()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as manager:
                manager.sendto(octets, self._address)
        except OSError:
            pass  # a manager that does not listen is no reason to stop


def listen_sockets(environment: MutableMapping[str, str] | None = None) -> dict[str, list[socket.socket]]:
    """Return the sockets that systemd has bound for us, by their `FileDescriptorName=`. Can be asked once."""
    environment = os.environ if environment is None else environment
    count = environment.pop("LISTEN_FDS", "")
    meant_for = environment.pop("LISTEN_PID", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if not count.isdigit() or meant_for != str(os.getpid()):
        return {}
    found: dict[str, list[socket.socket]] = {}
    for offset in range(int(count)):
        listening = socket.socket(fileno=_FIRST_DESCRIPTOR + offset)
        listening.setblocking(False)
        listening.set_inheritable(False)
        name = names[offset] if offset < len(names) else "unknown"
        found.setdefault(name, []).append(listening)
    return found
