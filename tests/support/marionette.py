"""Thunderbird without a screen, driven from within by scripts that its Marionette takes over a socket."""

from __future__ import annotations

__all__ = ["Thunderbird", "start_thunderbird"]

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tests.support import debian

_PACKAGES = ("thunderbird",)
_SECONDS = 120.0


@dataclass
class Thunderbird:
    """A running Thunderbird."""

    _socket: socket.socket
    _number: int = 0

    def run(self, script: str, *arguments: object) -> object:
        """Run an asynchronous function's body with all privileges, and return its result."""
        body = (
            "const done = arguments[arguments.length - 1]; const given = Array.from(arguments).slice(0, -1);"
            "(async () => {" + script + "})().then(r => done({result: r ?? null}),"
            " e => done({error: String(e) + ' ' + (e.stack ?? '')}));"
        )
        asked = {"script": body, "args": list(arguments), "sandbox": "system", "newSandbox": False}
        answer = self.command("WebDriver:ExecuteAsyncScript", {**asked, "scriptTimeout": int(_SECONDS * 1000)})
        assert isinstance(answer, dict)
        value = answer["value"]
        assert "error" not in value, value["error"]
        return value["result"]

    def command(self, name: str, parameters: Mapping[str, object]) -> object:
        """Send a command; return what it leads to."""
        self._number += 1
        octets = json.dumps([0, self._number, name, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(octets), octets))
        reply = self.receive()
        assert isinstance(reply, list)
        _, _, error, result = reply
        assert error is None, f"{name}: {error}"
        return cast(object, result)

    def receive(self) -> object:
        """Return the next packet: its size, a colon, JSON."""
        size = b""
        while not size.endswith(b":"):
            size += self._take(1)
        packet = b""
        while len(packet) < int(size[:-1]):
            packet += self._take(int(size[:-1]) - len(packet))
        return cast(object, json.loads(packet))

    def _take(self, most: int) -> bytes:
        octets = self._socket.recv(most)
        assert octets, "Thunderbird is gone"
        return octets


@contextlib.contextmanager
def start_thunderbird(home: Path, preferences: Mapping[str, str | int | bool]) -> Iterator[Thunderbird]:
    """Start it with a new profile."""
    root = debian.require(*_PACKAGES)
    port = _free_port()
    profile = home / "profile"
    profile.mkdir()
    wanted = {**preferences, "marionette.port": port}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items()]
    (profile / "user.js").write_text("".join(lines))
    environment = debian.run_environment(root) | {
        "HOME": str(home),
        "MOZ_HEADLESS": "1",
        "MOZ_DISABLE_CONTENT_SANDBOX": "1",
    }
    program = root / "usr/lib/thunderbird/thunderbird-bin"
    options = ("--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", str(profile))
    with (
        (home / "thunderbird.log").open("wb") as log,
        subprocess.Popen([program, *options], env=environment, cwd=home, stdout=log, stderr=log) as process,
    ):
        try:
            with _connect(port, process) as connection:
                thunderbird = Thunderbird(connection)
                thunderbird.receive()  # its greeting
                thunderbird.command("WebDriver:NewSession", {})
                thunderbird.command("Marionette:SetContext", {"value": "chrome"})
                yield thunderbird
        finally:
            process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _connect(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    ends = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < ends:
        with contextlib.suppress(ConnectionRefusedError):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.settimeout(_SECONDS)
            return connection
        time.sleep(0.1)
    raise AssertionError(f"Thunderbird did not begin: {process.poll()}")
