"""`hongyan server check` on a machine of its own, whose firewall drops ports: each is named, with what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hongyan.clock import SystemClock
from hongyan.domains.local_authority import make_local_certificate
from tests.support import debian
from tests.support.namespaces import OURS, ROOT, Network, network

__all__ = ["network"]

pytestmark = [pytest.mark.root, pytest.mark.slow]

SERVICES = ("smtp", "submission", "submissions", "imaps")


def write_config(folder: Path) -> tuple[Path, Path]:
    """Return the configuration of a server of mail.geese.test, and the authority of its certificate."""
    made = make_local_certificate(folder / "tls", "geese.test", SystemClock())
    listen = "".join(f'[listen.{service}]\nhosts = ["0.0.0.0"]\n' for service in SERVICES)
    file = folder / "hongyan.toml"
    file.write_text(
        f"""[server]
hostname = "mail.geese.test"
data = "{folder / "data"}"
[[certificates]]
chain = "{made.files.chain}"
key = "{made.files.key}"
[dns]
servers = ["127.0.0.1"]
{listen}"""
    )
    return file, made.authority


@contextmanager
def serving(network: Network, config: Path, authority: Path) -> Iterator[None]:
    """Run the service on the machine. Clients there trust the authority."""
    command = network.command(sys.executable, "-m", "hongyan", "serve", "--config", str(config))
    environment = {**os.environ, "SSL_CERT_FILE": str(authority)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any(json.loads(line)["event"] == "ready" for line in process.stderr)
            yield
        finally:
            process.kill()


def drop(network: Network, *ports: int) -> None:
    """Let the machine's firewall drop what is sent to these ports, without a word."""
    root = debian.require("nftables")
    rules = [
        "add table inet geese",
        "add chain inet geese input { type filter hook input priority 0; }",
        *(f"add rule inet geese input tcp dport {port} drop" for port in ports),
    ]
    command = [*network.within(network.machine), str(debian.find_program(root, "nft")), "; ".join(rules)]
    done = subprocess.run(command, env=debian.run_environment(root), capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no firewall can be set here: {done.stderr.strip()}")


def check(network: Network, config: Path, language: str = "C.UTF-8") -> tuple[int, str]:
    command = network.command(sys.executable, "-m", "hongyan", "server", "check", "--config", str(config))
    environment = {**os.environ, "LC_ALL": language}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_each_port_that_a_firewall_drops_is_named_with_what_to_do(network: Network, tmp_path: Path) -> None:
    config, authority = write_config(tmp_path)
    network.start_dns()
    network.start_big_server()
    with serving(network, config, authority):
        code, told = check(network, config)
        assert code == 0, told
        for service, port in (("smtp", 25), ("submission", 587), ("submissions", 465), ("imaps", 993)):
            assert f"{service} at {OURS} port {port} answers." in told
        assert "Other servers can be reached on port 25." in told
        drop(network, 25, 465)
        code, told = check(network, config)
        chinese = check(network, config, "zh_CN.UTF-8")[1]
    assert code != 0
    assert f"smtp at {OURS} port 25 does not answer." in told
    assert "some open 25 only when asked" in told
    assert f"submissions at {OURS} port 465 does not answer." in told
    assert "submission on port 587 with STARTTLS" in told
    assert f"imaps at {OURS} port 993 answers." in told
    assert f"smtp（{OURS} 端口 25）没有应答。" in chinese
