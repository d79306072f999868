"""The server's own opinion: `hongyan verify` finds nothing wrong, and the queue runs empty."""

from __future__ import annotations

__all__ = ["verify"]

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

from tests.torture.service import ROOT, Service

_QUEUE_SECONDS = 15.0


async def verify(service: Service) -> list[str]:
    """Return what is wrong, by the commands that an operator would use while the server runs."""
    report = await ask(service, "verify")
    if not report.get("sound"):
        return [f"hongyan verify: {json.dumps(report)[:600]}"]
    deadline = time.monotonic() + _QUEUE_SECONDS
    while (waiting := (await ask(service, "queue", "list")).get("total", {"messages": "?"}))["messages"]:
        if time.monotonic() > deadline:
            return [f"the queue does not run empty: {waiting}"]
        await asyncio.sleep(0.1)
    return []


async def ask(service: Service, *command: str) -> dict[str, Any]:
    """Run a command of the operator's and return its answer."""
    return await asyncio.to_thread(_ask, service, command)


def _ask(service: Service, command: tuple[str, ...]) -> dict[str, Any]:
    words = [sys.executable, "-m", "hongyan", *command, "--json", "--data", str(service.data)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    try:
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return {"failed": f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}"}
    return told
