"""The tour of the README works as printed: its lines are typed into a shell, with the ports of a throw-away service."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hongyan.demonstration import DEVELOPMENT_PORTS
from tests.support import debian
from tests.support.server import start_demo

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]


def test_the_tour_works_as_printed(tmp_path: Path) -> None:
    root = debian.require("swaks", "libnet-ssleay-perl", "curl")
    tour = (ROOT / "README.md").read_text().split("## A two-minute tour")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", tour, re.DOTALL)
    with start_demo("--data", str(tmp_path)) as demo:
        script = fill_in("".join(blocks), demo.told)
        shell = ["bash", "-euo", "pipefail", "-c", script]
        environment = debian.run_environment(root)
        done = subprocess.run(shell, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'ENVELOPE (NIL "Hello"' in done.stdout
    assert "The geese are back." in done.stdout
    assert done.stdout.count("Message accepted as") == 1, "swaks shows the reply, curl does not"
    assert '"status":"ok"' in done.stdout
    assert "friend@hongyan.test is there." in done.stdout
    assert 'hongyan_smtpserver_delivery_total{reason="",result="accepted"} 1.0' in done.stdout


def fill_in(script: str, told: Mapping[str, Any]) -> str:
    """Put the places and the secret of this service where those of `make run` stand."""
    user = next(account for account in told["accounts"] if account["role"] == "user")
    script = re.sub(r"(?m)^SECRET=.*$", f"SECRET='{user['app_password']}'", script)
    script = re.sub(r"(?m)^CA=.*$", f"CA={told['ca']}", script)
    script = re.sub(r"(?m)^(\.venv/bin/hongyan .*)$", rf"\1 --data {told['data']}", script)
    for service, port in DEVELOPMENT_PORTS.items():
        script = script.replace(f"localhost:{port}", f"localhost:{told[service].rpartition(':')[2]}")
    return script
