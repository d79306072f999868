"""Pebble from Debian's package: the ACME authority for tests by Let's Encrypt's own people, with its challenge server.

The challenge server is the DNS that pebble asks: every name has the address of loopback there. Pebble 2.4 predates
renewal information (RFC 9773): tests.support.acme_directory has it.
"""

from __future__ import annotations

__all__ = ["EAB_KEY", "EAB_KEY_ID", "Pebble", "start_dns", "start_pebble"]

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hongyan.clock import SystemClock
from hongyan.domains.local_authority import make_local_certificate
from tests.support import debian
from tests.support.ports import free_port, wait_for_port

EAB_KEY_ID = "kid-1"
EAB_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"

_STOP_SECONDS = 20


@dataclass(frozen=True)
class Pebble:
    """A running authority."""

    directory: str
    authority_file: str


@contextmanager
def start_dns(*elsewhere: str) -> Iterator[str]:
    """Run the challenge server as a DNS that knows every name; yields HOST:PORT. Names `elsewhere` point there."""
    root = debian.require("pebble")
    port, management = free_port(), free_port()
    command = [debian.find_program(root, "pebble-challtestsrv"), "-dns01", f"127.0.0.1:{port}", "-defaultIPv6", ""]
    command += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", f"127.0.0.1:{management}"]
    with _running(command, {}) as process:
        wait_for_port(port, process)
        wait_for_port(management, process)
        for name in elsewhere:
            document = {"host": f"{name}.", "addresses": ["127.0.0.99"]}
            request = urllib.request.Request(f"http://127.0.0.1:{management}/add-a", json.dumps(document).encode())
            urllib.request.urlopen(request, timeout=10).close()
        yield f"127.0.0.1:{port}"


@contextmanager
def start_pebble(folder: Path, port: int, *, http_port: int, dns: str, binding: bool = False) -> Iterator[Pebble]:
    """Run pebble on `port`; it asks names by `dns`, and proofs on `http_port`. `binding`: external accounts."""
    root = debian.require("pebble")
    certificate = make_local_certificate(folder / "pebble", "pebble.test", SystemClock())
    settings: dict[str, object] = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{free_port()}",
        "certificate": certificate.files.chain,
        "privateKey": certificate.files.key,
        "httpPort": http_port,
        "tlsPort": free_port(),
        "ocspResponderURL": "",
        "externalAccountBindingRequired": binding,
        "externalAccountMACKeys": {EAB_KEY_ID: EAB_KEY},
    }
    path = folder / "pebble.json"
    path.write_text(json.dumps({"pebble": settings}))
    # It waits before it looks at proofs, and refuses one nonce in twenty, unless it is told how often.
    environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "20"}
    command = [debian.find_program(root, "pebble"), "-config", path, "-dnsserver", dns]
    with _running(command, environment) as process:
        wait_for_port(port, process)
        yield Pebble(f"https://localhost:{port}/dir", str(certificate.authority))


@contextmanager
def _running(command: Sequence[object], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        list(map(str, command)), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)
