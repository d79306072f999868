"""BIND from Debian's package: an authoritative server of zones that may be changed (RFC 2136), on a free port."""

from __future__ import annotations

__all__ = ["KEY_NAME", "SECRET", "Bind", "run_bind", "start_bind"]

import base64
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import debian
from tests.support.ports import free_port, wait_for_port

KEY_NAME = "hongyan.test"
SECRET = base64.b64encode(b"a secret of thirty-two octets...").decode()

_STOP_SECONDS = 20

_CONF = """\
key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
    directory "{folder}";
    pid-file none;
    session-keyfile none;
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    dnssec-validation no;
    allow-transfer {{ none; }};
    managed-keys-directory "{folder}";
}};
controls {{ }};
"""

_ZONE_CONF = """\
zone "{zone}" {{
    type primary;
    file "{zone}.zone";
    update-policy {{ grant {key} {grant}; }};
}};
"""

_ZONE = """\
$TTL 60
@ SOA ns.{zone}. hostmaster.{zone}. 1 3600 600 86400 60
@ NS ns.{zone}.
ns A 127.0.0.1
"""


@dataclass(frozen=True)
class Bind:
    """A running server; `secret_file` holds the secret of the key that may change its zones."""

    port: int
    secret_file: Path
    log: Path

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def start_bind(folder: Path, *zones: str, records: Sequence[str] = (), grant: str = "zonesub ANY") -> Iterator[Bind]:
    """Serve zones; `grant` says what the key may change in them. Skips the test where BIND cannot be had."""
    conf = ""
    for zone in zones:
        conf += _ZONE_CONF.format(zone=zone, key=KEY_NAME, grant=grant)
        text = _ZONE.format(zone=zone) + "".join(f"{record}\n" for record in records)
        (folder / f"{zone}.zone").write_text(text)
    with run_bind(folder, conf) as bind:
        yield bind


@contextmanager
def run_bind(folder: Path, zones: str) -> Iterator[Bind]:
    """Serve the zones of a configuration, whose files lie in `folder`."""
    root = debian.require("bind9")
    port = free_port()
    conf = _CONF.format(key=KEY_NAME, secret=SECRET, folder=folder, port=port)
    (folder / "named.conf").write_text(conf + zones)
    bind = Bind(port, folder / "key", folder / "log")
    bind.secret_file.write_text(SECRET)
    with bind.log.open("wb") as log:
        process = subprocess.Popen(
            [debian.find_program(root, "named"), "-g", "-4", "-n", "1", "-c", folder / "named.conf"],
            env=debian.run_environment(root),
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        wait_for_port(port, process, log=bind.log)
        _wait_until_running(bind, process)
        yield bind
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _wait_until_running(bind: Bind, process: subprocess.Popen[bytes]) -> None:
    """The port is there before the zones are."""
    deadline = time.monotonic() + _STOP_SECONDS
    while " running" not in bind.log.read_text(errors="replace"):
        assert process.poll() is None, bind.log.read_text(errors="replace")
        assert time.monotonic() < deadline, bind.log.read_text(errors="replace")
        time.sleep(0.02)
