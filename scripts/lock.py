"""Resolve the dependencies of pyproject.toml into `requirements/*.lock`: every version, every hash.

The locks hold for each Python and machine that Hongyan runs on and name no package index. The
development lock is the runtime lock and what tests need on top.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME, DEV = "requirements/runtime.lock", "requirements/dev.lock"

COMPILE = [
    "pip",
    "compile",
    "--quiet",
    "--no-config",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--custom-compile-command=make lock",
]


def main() -> None:
    compile_lock(RUNTIME)
    compile_lock(DEV, "--extra=dev", f"--constraints={RUNTIME}")


def compile_lock(lock: str, *options: str) -> None:
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, *COMPILE, *options, "pyproject.toml", f"--output-file={lock}"], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
