"""Quickstart on a network that is broken in one way: each check finds what is wrong, and only that."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.namespaces import BIG, ROOT, ROUTER, Network, network

__all__ = ["network"]

pytestmark = [pytest.mark.root, pytest.mark.slow]


def quickstart(network: Network, hosts: str = "127.0.0.1 localhost\n") -> Mapping[str, str]:
    """Run the checks, and return how each ended."""
    words = [sys.executable, "-m", "hongyan", "quickstart", "ann@geese.test", "--dry-run", "--json"]
    done = subprocess.run(network.command(*words, hosts=hosts), cwd=ROOT, capture_output=True, text=True, check=False)
    told: dict[str, Any] = json.loads(done.stdout)
    statuses = {finding["check"]: str(finding["status"]) for finding in told["checks"]}
    assert done.returncode == (1 if "bad" in statuses.values() else 0), done.stderr
    return statuses


def require_only(statuses: Mapping[str, str], **others: str) -> None:
    """Assert that these checks ended so, and all others well; `_` in a name stands for a space."""
    expected = {name.replace("_", " "): status for name, status in others.items()}
    assert {name: status for name, status in statuses.items() if status != "good"} == expected


def test_a_machine_that_is_fit_is_found_fit(network: Network) -> None:
    network.start_dns()
    network.start_big_server()
    require_only(quickstart(network))


def test_without_a_resolver_nothing_can_be_looked_up(network: Network) -> None:
    require_only(quickstart(network), resolver="bad", address="bad", reverse="bad", port_25="bad")


def test_a_hosts_file_that_leads_the_name_to_loopback_is_found(network: Network) -> None:
    network.start_dns()
    network.start_big_server()
    require_only(quickstart(network, "127.0.0.1 localhost\n127.0.1.1 mail.geese.test mail\n"), hosts="bad")


def test_a_name_that_is_not_in_the_dns_is_found(network: Network) -> None:
    network.start_dns(**{"A_mail.geese.test": None})
    network.start_big_server()
    require_only(quickstart(network), address="bad", reverse="bad")


def test_a_name_that_leads_elsewhere_is_found(network: Network) -> None:
    network.start_dns(**{"A_mail.geese.test": ["198.18.0.77"], "PTR_77.0.18.198.in-addr.arpa": ["mail.geese.test."]})
    network.start_big_server()
    network.do("-n", network.machine, "address", "add", "5.6.7.8/32", "dev", "lo")
    network.do("-n", network.machine, "route", "replace", "default", "via", ROUTER, "src", "5.6.7.8")
    require_only(quickstart(network), address="bad")


def test_a_machine_behind_a_router_that_translates_is_doubtful(network: Network) -> None:
    network.start_dns(**{"A_mail.geese.test": ["198.18.0.77"], "PTR_77.0.18.198.in-addr.arpa": ["mail.geese.test."]})
    network.start_big_server()
    require_only(quickstart(network), address="doubtful")


def test_reverse_dns_that_names_another_host_is_found(network: Network) -> None:
    network.start_dns(**{"PTR_5.0.18.198.in-addr.arpa": ["host-5.provider.test."]})
    network.start_big_server()
    require_only(quickstart(network), reverse="bad")


def test_a_network_that_lets_no_mail_out_is_found(network: Network) -> None:
    network.start_dns()
    network.start_big_server()
    network.do("-n", network.machine, "route", "add", "unreachable", f"{BIG}/32")
    require_only(quickstart(network), port_25="bad")


def test_another_mail_server_on_the_machine_is_found(network: Network) -> None:
    network.start_dns()
    network.start_big_server()
    network.start(network.machine, "listen", "127.0.0.1", "25")
    require_only(quickstart(network), ports="bad")
