"""Make `.venv` and install a lock into it: the second half of `scripts/bootstrap`.

Only the standard library is used, and only pip is asked for. Debian ships Python without
`ensurepip`, so the environment is made without pip and filled from outside by the interpreter's
own pip (`pip --python`, since pip 22.3). An interpreter that has no pip but `ensurepip` is filled
from inside; failing both, any pip on the PATH will do.

The package itself is not built but named by a `.pth` file: an editable install without a build
backend. A stamp keeps the hash of what was installed, so that the next call can return at once.
"""

from __future__ import annotations

import argparse
import compileall
import fcntl
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {kind: ROOT / "requirements" / f"{kind}.lock" for kind in ("runtime", "dev")}

INTERPRETER = os.path.realpath(sys.executable)
OLDEST_PIP = (22, 3)  # The first that knows --python.

NO_PIP = """\
{python} has neither pip (22.3 or newer) nor ensurepip, and no other pip was found.
Install one and try again. Debian, Ubuntu: apt install python3-pip. Fedora: dnf install python3-pip.
Or name another interpreter: make run PYTHON=/path/to/python3"""

FAILED = """\
The packages in {lock} could not be installed; pip says why above.
Is a package index reachable? Behind a mirror or a proxy, set it for pip: `pip config set global.index-url URL`
or the variables PIP_INDEX_URL and HTTPS_PROXY. Every package is checked against the hashes of the lock."""

COMMAND = """\
#!/bin/sh
exec {python} -m hongyan "$@"
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bootstrap", description=__doc__.partition("\n")[0])
    parser.add_argument("kind", choices=LOCKS, help="runtime: to run the service; dev: to test it as well")
    kind = parser.parse_args().kind
    if is_fresh(kind):
        return 0
    with Lock(ROOT / ".cache" / "bootstrap.lock"):
        return 0 if is_fresh(kind) else make(kind)


def make(kind: str) -> int:
    if not is_ours(VENV):
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(VENV)
    pip = find_pip()
    if pip is None:
        print(NO_PIP.format(python=sys.executable), file=sys.stderr)
        return 1
    print(f"Installing {count(LOCKS[kind])} packages into .venv (once) ...", file=sys.stderr, flush=True)
    install = ["install", "-qq", "--disable-pip-version-check", "--no-input", "--no-deps", "--require-hashes"]
    if subprocess.run([*pip, *install, "--requirement", str(LOCKS[kind])], check=False).returncode:
        print(FAILED.format(lock=LOCKS[kind].relative_to(ROOT)), file=sys.stderr)
        return 1
    link_package()
    compileall.compile_dir(ROOT / "hongyan", quiet=2)  # As pip does for packages: the first start need not.
    stamp(kind).write_text(fingerprint(kind))
    return 0


def is_fresh(kind: str) -> bool:
    """What tests need contains what a run needs."""
    return any(read(stamp(having)) == fingerprint(having) for having in {kind, "dev"})


def is_ours(environment: Path) -> bool:
    """Whether the environment was made from this very interpreter and still starts."""
    lines = read(environment / "pyvenv.cfg").splitlines()
    settings = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    if settings.get("version") != sys.version.partition(" ")[0] or settings.get("executable") != INTERPRETER:
        return False
    return subprocess.run([PYTHON, "-c", ""], check=False, capture_output=True).returncode == 0


def fingerprint(kind: str) -> str:
    what = LOCKS[kind].read_bytes() + Path(__file__).read_bytes()
    return f"{INTERPRETER} {sys.version} {hashlib.sha256(what).hexdigest()}"


def stamp(kind: str) -> Path:
    return VENV / f"{kind}.stamp"


def read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def count(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text().splitlines() if not line.startswith((" ", "#")))


class Lock:
    """Two calls at once: the second waits, and finds the work done."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        self.path = path

    def __enter__(self) -> None:
        self.file = self.path.open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.file.close()


def find_pip() -> list[str] | None:
    """The command that installs into .venv."""
    if can_reach_in([sys.executable, "-m", "pip"]):
        return [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    if importlib.util.find_spec("ensurepip") is not None:
        subprocess.run([PYTHON, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
        return [str(PYTHON), "-m", "pip"]
    return next(([*pip, "--python", str(PYTHON)] for pip in pips_elsewhere() if can_reach_in(pip)), None)


def pips_elsewhere() -> Iterator[list[str]]:
    names = ("python3", *(f"python3.{minor}" for minor in range(20, 10, -1)))
    yield from ([found, "-m", "pip"] for name in names if (found := shutil.which(name)))
    yield from ([found] for name in ("pip3", "pip") if (found := shutil.which(name)))


def can_reach_in(pip: list[str]) -> bool:
    """Whether this pip starts and can install into another interpreter's environment."""
    told = subprocess.run([*pip, "--version"], check=False, capture_output=True, text=True)
    words = told.stdout.split()
    if told.returncode or len(words) < 2:
        return False
    major, minor = [*words[1].split("."), "0"][:2]
    return major.isdigit() and (int(major), int(minor) if minor.isdigit() else 0) >= OLDEST_PIP


def link_package() -> None:
    """Let .venv see the package where it lies, and give it its command."""
    scheme = {"base": str(VENV), "platbase": str(VENV)}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    (site / "hongyan.pth").write_text(f"{ROOT}\n")
    command = VENV / "bin" / "hongyan"
    command.write_text(COMMAND.format(python=shlex.quote(str(PYTHON))))
    command.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())
