"""All linters at once, each with its own verdict; fails when any does. `make lint` calls it."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

LINTERS = {
    "types": ["mypy"],
    "rings": ["lint-imports", "--no-logo"],
    "style": ["ruff", "check", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "budgets": ["python", "scripts/budgets.py"],
    "pages": ["python", "scripts/docs.py", "--check"],
}


def main() -> int:
    with ThreadPoolExecutor(max_workers=2) as pool:  # Two cores are what we ask of a machine.
        verdicts = list(pool.map(lint, LINTERS))
    return 0 if all(verdicts) else 1


def lint(name: str) -> bool:
    program, *options = LINTERS[name]
    start = time.monotonic()
    done = subprocess.run([BIN / program, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    passed = done.returncode == 0
    verdict = "ok" if passed else f"FAILED\n{done.stdout}{done.stderr}"
    print(f"{name:<8} {time.monotonic() - start:5.1f} s  {verdict}", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main())
