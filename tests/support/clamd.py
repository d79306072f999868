"""ClamAV's daemon from Debian, with one signature of our own, by TCP on loopback and on a Unix socket."""

from __future__ import annotations

__all__ = ["INFECTED", "VIRUS", "ClamdPlaces", "start_clamd"]

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.debian import find_program, require, run_environment
from tests.support.ports import free_port, wait_for_port

INFECTED = b"GOOSE-TEST-FILE!:-) $H+H* 7f3a, harmless, and known to nobody else"
"""What our signature finds, wherever it stands; the well-known test file would wake scanners on its way here."""
VIRUS = "Test.Goose.UNOFFICIAL"

_CONF = """
Foreground yes
LocalSocket {folder}/clamd.sock
TCPSocket {port}
TCPAddr 127.0.0.1
DatabaseDirectory {folder}
TemporaryDirectory {folder}
LogFile {folder}/clamd.log
StreamMaxLength {largest}
PhishingSignatures no
Bytecode no
"""


@dataclass(frozen=True)
class ClamdPlaces:
    """Where it listens, as `[virus] clamd` names it."""

    socket: str
    tcp: str


@contextlib.contextmanager
def start_clamd(*, largest: int = 1 << 20) -> Iterator[ClamdPlaces]:
    """Run the daemon as long as the block. `largest` is its StreamMaxLength."""
    root = require("clamav-daemon")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="clamd") as name:  # short: the path of a socket has 107 octets
        folder = Path(name)
        (folder / "goose.ndb").write_text(f"{VIRUS.removesuffix('.UNOFFICIAL')}:0:*:{INFECTED.hex()}\n")
        (folder / "clamd.conf").write_text(_CONF.format(folder=folder, port=port, largest=largest))
        command = [str(find_program(root, "clamd")), f"--config-file={folder}/clamd.conf"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, env=run_environment(root), stdout=quiet, stderr=quiet) as process:
            try:
                wait_for_port(port, process, log=folder / "clamd.log")
                yield ClamdPlaces(f"{folder}/clamd.sock", f"127.0.0.1:{port}")
            finally:
                process.terminate()
                process.wait(20)
