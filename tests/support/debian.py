"""Programs that others wrote, from Debian's packages, without installing them.

`require` fetches packages with whatever they depend on that the system lacks, and unpacks them into
a tree of their own below `.cache/debian`: no root is needed, nothing of the system changes, and
programs that cannot be installed side by side (Postfix and Exim) can be unpacked side by side.
A second call works offline. A program of the tree runs in one of two ways: `run_environment` tells it
where its libraries are; `in_place`, for those that ask for absolute paths and for users of their own,
lays the tree over /usr in a namespace that only this program sees, and needs root.

Where packages cannot be had the test is skipped with the reason; in CI that is a failure
(tests/conftest.py).
"""

from __future__ import annotations

__all__ = ["FIRST_UID", "find_program", "in_place", "require", "resolving", "run_environment", "unpack"]

import fcntl
import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "debian"

FIRST_UID = 64100  # `in_place` gives its users this number and those that follow.

_DOWNLOAD_SECONDS = 600
_BIN = ("usr/sbin", "usr/bin", "sbin", "bin", "usr/games")
_KEPT = ("HOME", "TMPDIR", "USER", "LOGNAME")


class Unobtainable(Exception):
    """Packages cannot be fetched here, and why."""


def require(*packages: str) -> Path:
    """Return the root of a tree with these packages unpacked, or skip the test."""
    try:
        return unpack(*packages)
    except Unobtainable as reason:
        pytest.skip(f"Debian packages {', '.join(packages)}: {reason}")


def unpack(*packages: str) -> Path:
    """Return the root of a tree with these packages and what they need beyond the system's own."""
    root = CACHE / "+".join(sorted(packages))
    if not root.is_dir():
        with _alone():
            if not root.is_dir():
                _unpack(packages, root)
    return root


def run_environment(root: Path) -> dict[str, str]:
    """Return an environment in which the tree's programs find one another, their libraries and modules."""
    libraries = [root / "usr/lib", *root.glob("usr/lib/*-linux-*"), *root.glob("lib/*-linux-*")]
    private = [root / "usr/lib/postfix", root / "usr/lib/dovecot", root / "usr/lib/dovecot/modules"]
    private += root.glob("usr/lib/*-linux-*/pulseaudio")
    perl = [root / "usr/share/perl5", *root.glob("usr/lib/*-linux-*/perl5/*")]
    sasl = [*root.glob("usr/lib/*-linux-*/sasl2"), *Path("/usr/lib").glob("*-linux-*/sasl2")]
    return {key: os.environ[key] for key in _KEPT if key in os.environ} | {
        "LANG": "C.UTF-8",
        "PATH": os.pathsep.join([*(str(root / folder) for folder in _BIN), *_system_path()]),
        "LD_LIBRARY_PATH": _existing(*libraries, *private),
        "PERL5LIB": _existing(*perl),
        "PYTHONPATH": _existing(root / "usr/lib/python3/dist-packages"),
        "SASL_PATH": _existing(*sasl),
    }


def find_program(root: Path, name: str) -> Path:
    """Return the path of a program of the tree or, when the system had it before, of the system."""
    found = shutil.which(name, path=run_environment(root)["PATH"])
    if found is None:
        raise FileNotFoundError(f"{name} is neither in {root} nor on the system")
    return Path(found)


def in_place(root: Path, *command: str, users: Sequence[str] = (), etc: Path | None = None) -> list[str]:
    """Return the command that runs `command` as if the tree were installed and its `users` existed.

    What lies in the folder `etc` it finds in /etc.
    """
    if os.geteuid() != 0:
        pytest.skip(f"{command[0]} runs in a mount namespace, which needs root")
    passwd, group = _with_users(root, users)
    mounts = [
        f"mount -t overlay overlay -o ro,lowerdir={root}/usr:/usr /usr",
        *([] if etc is None else [f"mount -t overlay overlay -o ro,lowerdir={etc}:/etc /etc"]),
        f"mount --bind {passwd} /etc/passwd",
        f"mount --bind {group} /etc/group",
        'exec "$@"',
    ]
    return ["unshare", "--mount", "sh", "-c", " && ".join(mounts), "sh", *command]


def resolving(etc: Path, resolver: str) -> Path:
    """Make a folder for `in_place` by which a program asks this resolver on port 53, and believes its DNSSEC."""
    etc.mkdir(mode=0o755, parents=True)
    (etc / "resolv.conf").write_text(f"nameserver {resolver}\noptions trust-ad edns0\n")
    return etc


def _with_users(root: Path, users: Sequence[str]) -> tuple[Path, Path]:
    """Write the system's users and groups with some more to files beside the tree."""
    files = root.with_name(f"{root.name}.passwd"), root.with_name(f"{root.name}.group")
    ids = {name: number for number, name in enumerate(users, start=FIRST_UID)}
    passwd = [f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" for name, number in ids.items()]
    group = [f"{name}:x:{number}:\n" for name, number in ids.items()]
    for file, added in zip(files, (passwd, group), strict=True):
        making = file.with_name(f".{os.getpid()}.{file.name}")
        making.write_text(Path("/etc", file.suffix[1:]).read_text() + "".join(added))
        making.rename(file)
    return files


def _existing(*folders: Path) -> str:
    return os.pathsep.join(str(folder) for folder in folders if folder.is_dir())


def _system_path() -> list[str]:
    """The system's own programs, whatever the caller's PATH puts before them."""
    return ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]


@contextmanager
def _alone() -> Iterator[None]:
    """One process fetches; the others wait and find the tree."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(packages: tuple[str, ...], root: Path) -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise Unobtainable(f"{program} is not here: this is no Debian")
    archives = _fetch(packages)
    making = root.with_name(f".{os.getpid()}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    for archive in archives:
        _run("dpkg-deb", "-x", str(archive), str(making))
    _merge_usr(making)
    making.rename(root)


def _merge_usr(tree: Path) -> None:
    """Put what older packages bring in /lib, /bin and /sbin below /usr, where the system has it since Debian 12."""
    for name in ("lib", "bin", "sbin"):
        if (tree / name).is_dir():
            shutil.copytree(tree / name, tree / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(tree / name)


def _fetch(packages: tuple[str, ...]) -> list[Path]:
    """Download what is missing. Lists grow old: when the first try fails, they are fetched anew."""
    fresh = not any((CACHE / "lists").glob("*Packages*"))
    if fresh:
        _apt_get("update")
    try:
        return _download(packages)
    except Unobtainable:
        if fresh:
            raise
        _apt_get("update")
        return _download(packages)


def _download(packages: tuple[str, ...]) -> list[Path]:
    install = ("install", "--yes", "--no-install-recommends", "--no-upgrade")
    # Only what is not in the archives yet would be named: ask with an empty folder for them.
    planned = _apt_get(f"-oDir::Cache::Archives={CACHE / 'none'}", *install, "--print-uris", *packages)
    names = [line.split()[1] for line in planned.splitlines() if line.startswith("'")]
    if names:
        _apt_get(*install, "--download-only", *packages)
    return [CACHE / "archives" / name for name in names]


def _apt_get(*arguments: str) -> str:
    """Run apt-get on lists and archives of our own, with the system's sources and the system's view of itself."""
    for folder in ("lists", "archives", "none"):
        (CACHE / folder / "partial").mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State::Lists": CACHE / "lists",
        "Dir::Cache": CACHE,
        "Dir::Cache::Archives": CACHE / "archives",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": getpass.getuser(),
        "APT::Get::List-Cleanup": "0",
        "Acquire::Retries": "2",
    }
    return _run("apt-get", "-q", *(f"-o{key}={value}" for key, value in options.items()), *arguments)


def _run(*command: str) -> str:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=_DOWNLOAD_SECONDS,
        )
    except subprocess.CalledProcessError as fault:
        lines = (fault.stderr or fault.stdout).strip().splitlines()
        raise Unobtainable(lines[-1] if lines else f"{command[0]} failed") from fault
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise Unobtainable(str(fault)) from fault
    return done.stdout
