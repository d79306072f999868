"""What systemd is told and what it hands over."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

from hongyan.servers.systemd import Notifier, listen_sockets


def test_the_manager_hears_of_each_step(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
        notifier = Notifier(environment)
        assert notifier.watchdog == 15.0
        assert environment == {}
        notifier.ready("serving\n8 ports")
        notifier.alive()
        notifier.reloading(5)
        notifier.stopping()
        heard = [manager.recv(1000).decode() for _ in range(4)]
    assert heard == [
        "READY=1\nSTATUS=serving 8 ports",
        "WATCHDOG=1",
        "RELOADING=1\nMONOTONIC_USEC=5",
        "STOPPING=1",
    ]


def test_without_a_manager_nothing_is_said() -> None:
    notifier = Notifier({})
    notifier.ready()
    assert notifier.watchdog is None
    Notifier({"NOTIFY_SOCKET": "/nowhere/at/all"}).ready()


def test_a_watchdog_for_another_process_is_not_ours() -> None:
    assert Notifier({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog is None


PROGRAM = """
import os, sys
from hongyan.servers.systemd import listen_sockets
for place, given in enumerate(sys.argv[1:], 3):
    os.dup2(int(given), place)
os.environ["LISTEN_PID"] = str(os.getpid())
found = listen_sockets()
print({name: [taken.getsockname()[1] for taken in sockets] for name, sockets in found.items()}, listen_sockets())
"""


def test_sockets_are_taken_over_by_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        given = [fcntl.fcntl(listening, fcntl.F_DUPFD, 30) for listening in (one, two)]
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM, *map(str, given)],
            env={**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "smtp:imap"},
            pass_fds=given,
            capture_output=True,
            text=True,
            check=True,
        )
        for descriptor in given:
            os.close(descriptor)
        expected = {"smtp": [one.getsockname()[1]], "imap": [two.getsockname()[1]]}
    assert result.stdout.strip() == f"{expected} {{}}"


def test_sockets_for_another_process_are_not_ours() -> None:
    assert listen_sockets({"LISTEN_FDS": "1", "LISTEN_PID": "1"}) == {}
    assert listen_sockets({"LISTEN_FDS": "x"}) == {}
