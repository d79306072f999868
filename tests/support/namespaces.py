"""A machine of its own, without another machine: two network namespaces and a cable between them, and what runs there.

A namespace is the machine, another one the world. The DNS of the machine is on its loopback, so that its word on
DNSSEC counts. Files of /etc are put in place for one program alone. It needs root.

A suite has the fixture by `from tests.support.namespaces import network`.
"""

from __future__ import annotations

__all__ = ["BIG", "OURS", "RECORDS", "ROOT", "ROUTER", "Network", "network"]

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import debian

ROOT = Path(__file__).resolve().parents[2]
OURS, ROUTER, BIG = "198.18.0.5", "198.18.0.1", "198.18.0.25"
RECORDS: Mapping[str, Sequence[str]] = {
    "SOA org": ["a0.org. b0.org. 1 1800 900 604800 3600"],
    "A mail.geese.test": [OURS],
    "PTR 5.0.18.198.in-addr.arpa": ["mail.geese.test."],
    "MX gmail.com": ["10 big.test."],
    "A big.test": [BIG],
}


@dataclass
class Network:
    """Two namespaces, and what runs in them."""

    folder: Path
    ip: Path
    machine: str
    world: str
    environment: Mapping[str, str]
    running: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def do(self, *words: str) -> None:
        subprocess.run([self.ip, *words], check=True, env=self.environment)

    def within(self, namespace: str) -> list[str]:
        return [str(self.ip), "netns", "exec", namespace]

    def start(self, namespace: str, *words: str) -> None:
        """Run a part of the world until the end of the test."""
        command = [*self.within(namespace), sys.executable, "-m", "tests.quickstart.world", *words]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.running.callback(process.wait)
        self.running.callback(process.kill)
        assert process.stdout is not None
        self.running.callback(process.stdout.close)
        assert process.stdout.readline() == "ready\n"

    def start_dns(self, **changes: Sequence[str] | None) -> None:
        """Serve the records, some of them changed or left out; `_` in a name of a change stands for a space."""
        told = {**RECORDS, **{name.replace("_", " "): values for name, values in changes.items()}}
        file = self.folder / "records.json"
        file.write_text(json.dumps({name: values for name, values in told.items() if values}))
        self.start(self.machine, "dns", "127.0.0.1", str(file))

    def start_big_server(self) -> None:
        self.start(self.world, "listen", BIG, "25")

    def command(self, *words: str, hosts: str = "127.0.0.1 localhost\n") -> list[str]:
        """Return what runs a program on the machine, with an /etc/hosts and an /etc/resolv.conf of its own."""
        for name, text in (("hosts", hosts), ("resolv.conf", "nameserver 127.0.0.1\n")):
            (self.folder / name).write_text(text)
        mounts = "".join(f"mount --bind {self.folder / name} /etc/{name} && " for name in ("hosts", "resolv.conf"))
        return [*self.within(self.machine), "unshare", "--mount", "sh", "-c", f"{mounts}exec {' '.join(words)}"]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    if shutil.which("unshare") is None:
        pytest.skip("unshare(1) is not there")
    root = debian.require("iproute2")
    ip, environment = debian.find_program(root, "ip"), debian.run_environment(root)
    machine, world = f"hongyan-{os.getpid()}-machine", f"hongyan-{os.getpid()}-world"
    network = Network(tmp_path, ip, machine, world, environment)
    with contextlib.ExitStack() as made:
        for namespace in (machine, world):
            added = subprocess.run([ip, "netns", "add", namespace], env=environment, capture_output=True, check=False)
            if added.returncode:
                pytest.skip(f"network namespaces cannot be made here: {added.stderr.decode().strip()}")
            made.callback(network.do, "netns", "delete", namespace)
            network.do("-n", namespace, "link", "set", "lo", "up")
        network.do("-n", machine, "link", "add", "cable", "type", "veth", "peer", "name", "plug", "netns", world)
        for namespace, link, addresses in ((machine, "cable", [OURS]), (world, "plug", [ROUTER, BIG])):
            for address in addresses:
                network.do("-n", namespace, "address", "add", f"{address}/24", "dev", link)
            network.do("-n", namespace, "link", "set", link, "up")
        network.do("-n", machine, "route", "add", "default", "via", ROUTER)
        with network.running:
            yield network
