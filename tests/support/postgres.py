"""A PostgreSQL of our own for a test session: fresh, on a free port, gone afterwards.

The programs are the system's PostgreSQL 15 or newer, or Debian's package, unpacked. PostgreSQL
refuses to run as root: as root it runs as `postgres`, or as `nobody` where there is no such user.
What a contract test asks for is SQL, not survival: nothing is synced to the disk.
"""

from __future__ import annotations

__all__ = ["PostgresCluster", "start_cluster"]

import os
import pwd
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import debian
from tests.support.ports import free_port, wait_for_port

_OLDEST = 15
_PACKAGE = "postgresql-15"
_START_SECONDS = 30
_STOP_SECONDS = 30
_FAST_SHUTDOWN = signal.SIGINT

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "log_min_messages": "warning",
}


@dataclass(slots=True)
class PostgresCluster:
    """A running server. `dsn` names one of its databases over the Unix socket, `tcp_dsn` over loopback."""

    port: int
    folder: Path
    programs: Path
    environment: dict[str, str]
    made: int = field(default=0)

    def dsn(self, database: str) -> str:
        return f"postgresql://hongyan@/{database}?host={self.folder}&port={self.port}"

    def tcp_dsn(self, database: str) -> str:
        return f"postgresql://hongyan@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Make an empty database and return its name."""
        self.made += 1
        name = f"test_{self.made}"
        # Collation C and UTF-8: what we order by is octets, on every engine.
        self.run_sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.run_sql(f"DROP DATABASE {name} WITH (FORCE)")

    def run_sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the superuser and return what psql prints, without decoration."""
        psql = [str(self.programs / "psql"), "--no-psqlrc", "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", statement]
        done = subprocess.run([*psql, self.dsn(database)], env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def start_cluster() -> Iterator[PostgresCluster]:
    """Make a cluster in a temporary directory and run it until the end of the context."""
    programs, environment = _find_programs()
    with tempfile.TemporaryDirectory(prefix="hongyan-pg-", ignore_cleanup_errors=True) as made:
        cluster = PostgresCluster(free_port(), Path(made), programs, environment)
        if os.geteuid() == 0:
            os.chown(made, _unprivileged(), -1)
        _initialize(cluster)
        with _run(cluster):
            yield cluster


def _find_programs() -> tuple[Path, dict[str, str]]:
    """Return where initdb, postgres and psql are, and the environment that they run in."""
    installed = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    versions = {int(path.parent.name): path for path in installed if path.parent.name.isdigit()}
    if versions and max(versions) >= _OLDEST:
        return versions[max(versions)], {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    root = debian.require(_PACKAGE)
    return root / "usr/lib/postgresql/15/bin", debian.run_environment(root)


def _unprivileged() -> int:
    users = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return users.get("postgres", users["nobody"])


def _initialize(cluster: PostgresCluster) -> None:
    initdb = [str(cluster.programs / "initdb"), "--username=hongyan", "--auth=trust", "--no-sync"]
    command = [*initdb, "--encoding=UTF8", "--locale=C.UTF-8", f"--pgdata={cluster.folder / 'data'}"]
    done = subprocess.run(command, env=cluster.environment, capture_output=True, text=True, user=_user(), check=False)
    if done.returncode and re.search("[Pp]ermission denied", done.stderr):
        pytest.skip(f"PostgreSQL's own user cannot reach its programs: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr


def _user() -> int | None:
    return _unprivileged() if os.geteuid() == 0 else None


@contextmanager
def _run(cluster: PostgresCluster) -> Iterator[None]:
    settings = _SETTINGS | {"port": str(cluster.port), "unix_socket_directories": f"'{cluster.folder}'"}
    (cluster.folder / "data" / "postgresql.auto.conf").write_text("".join(f"{k} = {v}\n" for k, v in settings.items()))
    command = [str(cluster.programs / "postgres"), "-D", str(cluster.folder / "data")]
    log = cluster.folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=cluster.environment,
            cwd=cluster.folder,
            user=_user(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for_port(cluster.port, process, log=log)
        _wait_until_ready(cluster)
        yield
    finally:
        process.send_signal(_FAST_SHUTDOWN)
        process.wait(_STOP_SECONDS)


def _wait_until_ready(cluster: PostgresCluster) -> None:
    """It listens a moment before it answers."""
    ask = [str(cluster.programs / "pg_isready"), "-q", "-h", str(cluster.folder), "-p", str(cluster.port)]
    deadline = time.monotonic() + _START_SECONDS
    while subprocess.run(ask, env=cluster.environment, check=False).returncode:
        assert time.monotonic() < deadline, "PostgreSQL listens but does not become ready"
