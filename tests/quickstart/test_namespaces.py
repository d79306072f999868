"""Quickstart on a network that is broken in one way: each check finds what is wrong, and only that.

A namespace is the machine, another one the world; between them a cable. The DNS of the machine is on its loopback, so
that its word on DNSSEC counts. Files of /etc are put in place for one program alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support import debian

pytestmark = [pytest.mark.root, pytest.mark.slow]

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

    def quickstart(self, hosts: str = "127.0.0.1 localhost\n") -> Mapping[str, str]:
        """Run the checks, and return how each ended."""
        for name, text in (("hosts", hosts), ("resolv.conf", "nameserver 127.0.0.1\n")):
            (self.folder / name).write_text(text)
        mounts = "".join(f"mount --bind {self.folder / name} /etc/{name} && " for name in ("hosts", "resolv.conf"))
        command = f"{mounts}exec {sys.executable} -m hongyan quickstart ann@geese.test --dry-run --json"
        done = subprocess.run(
            [*self.within(self.machine), "unshare", "--mount", "sh", "-c", command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        told: dict[str, Any] = json.loads(done.stdout)
        statuses = {finding["check"]: str(finding["status"]) for finding in told["checks"]}
        assert done.returncode == (1 if "bad" in statuses.values() else 0), done.stderr
        return statuses


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


def require_only(statuses: Mapping[str, str], **others: str) -> None:
    """Assert that these checks ended so, and all others well; `_` in a name stands for a space."""
    expected = {name.replace("_", " "): status for name, status in others.items()}
    assert {name: status for name, status in statuses.items() if status != "good"} == expected


def test_a_machine_that_is_fit_is_found_fit(network: Network) -> None:
    network.start_dns()
    network.start_big_server()
    require_only(network.quickstart())


def test_without_a_resolver_nothing_can_be_looked_up(network: Network) -> None:
    require_only(network.quickstart(), resolver="bad", address="bad", reverse="bad", port_25="bad")


def test_a_hosts_file_that_leads_the_name_to_loopback_is_found(network: Network) -> None:
    network.start_dns()
    network.start_big_server()
    require_only(network.quickstart("127.0.0.1 localhost\n127.0.1.1 mail.geese.test mail\n"), hosts="bad")


def test_a_name_that_is_not_in_the_dns_is_found(network: Network) -> None:
    network.start_dns(**{"A_mail.geese.test": None})
    network.start_big_server()
    require_only(network.quickstart(), address="bad", reverse="bad")


def test_a_name_that_leads_elsewhere_is_found(network: Network) -> None:
    network.start_dns(**{"A_mail.geese.test": ["198.18.0.77"], "PTR_77.0.18.198.in-addr.arpa": ["mail.geese.test."]})
    network.start_big_server()
    network.do("-n", network.machine, "address", "add", "5.6.7.8/32", "dev", "lo")
    network.do("-n", network.machine, "route", "replace", "default", "via", ROUTER, "src", "5.6.7.8")
    require_only(network.quickstart(), address="bad")


def test_a_machine_behind_a_router_that_translates_is_doubtful(network: Network) -> None:
    network.start_dns(**{"A_mail.geese.test": ["198.18.0.77"], "PTR_77.0.18.198.in-addr.arpa": ["mail.geese.test."]})
    network.start_big_server()
    require_only(network.quickstart(), address="doubtful")


def test_reverse_dns_that_names_another_host_is_found(network: Network) -> None:
    network.start_dns(**{"PTR_5.0.18.198.in-addr.arpa": ["host-5.provider.test."]})
    network.start_big_server()
    require_only(network.quickstart(), reverse="bad")


def test_a_network_that_lets_no_mail_out_is_found(network: Network) -> None:
    network.start_dns()
    network.start_big_server()
    network.do("-n", network.machine, "route", "add", "unreachable", f"{BIG}/32")
    require_only(network.quickstart(), port_25="bad")


def test_another_mail_server_on_the_machine_is_found(network: Network) -> None:
    network.start_dns()
    network.start_big_server()
    network.start(network.machine, "listen", "127.0.0.1", "25")
    require_only(network.quickstart(), ports="bad")
