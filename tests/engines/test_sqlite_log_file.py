"""SQLite's log as a file: what is written anew is the log as it stands, or nothing is called safe."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from hongyan.engines.sqlite.connection import connect
from hongyan.engines.sqlite.log_file import LogFile
from tests.support.disk import FaultyDisk

_STRIDE = 24 + 4096


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = connect(tmp_path / "mail.db", cache_octets=1 << 20)
    connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)").fetchall()
    yield connection
    connection.close()


@pytest.fixture
def log(connection: apsw.Connection, tmp_path: Path) -> Iterator[LogFile]:
    log = LogFile(tmp_path / "mail.db", FaultyDisk())
    log.open()
    yield log
    connection.close()
    log.close()


def fill(connection: apsw.Connection, rows: int) -> None:
    for _ in range(rows):
        connection.execute("INSERT INTO t (v) VALUES (randomblob(9000))").fetchall()


def frames_of(connection: apsw.Connection) -> int:
    return connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)[0]


@pytest.mark.parametrize("rows", [0, 1, 200])
def test_the_log_is_written_anew_octet_for_octet(
    connection: apsw.Connection, log: LogFile, tmp_path: Path, rows: int
) -> None:
    fill(connection, rows)
    path = tmp_path / "mail.db-wal"
    before, frames = path.read_bytes(), frames_of(connection)
    path.write_bytes(before + b"what a commit that failed has left" * 1000)
    log.write_anew(frames)
    assert path.read_bytes() == before
    assert len(before) == 32 + frames * _STRIDE


def test_commits_go_on_behind_it_and_are_there_after_the_next_start(
    connection: apsw.Connection, log: LogFile, tmp_path: Path
) -> None:
    fill(connection, 5)
    log.write_anew(frames_of(connection))
    fill(connection, 5)
    (after := tmp_path / "after").mkdir()
    for name in ("mail.db", "mail.db-wal"):
        (after / name).write_bytes((tmp_path / name).read_bytes())
    assert sqlite3.connect(after / "mail.db").execute("SELECT COUNT(*) FROM t").fetchall() == [(10,)]


def test_a_log_that_has_begun_anew_is_cut_to_what_counts(
    connection: apsw.Connection, log: LogFile, tmp_path: Path
) -> None:
    fill(connection, 20)
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
    fill(connection, 1)
    frames = frames_of(connection)
    log.write_anew(frames)
    assert (tmp_path / "mail.db-wal").stat().st_size == 32 + frames * _STRIDE
    fill(connection, 1)
    assert sqlite3.connect(tmp_path / "mail.db").execute("SELECT COUNT(*) FROM t").fetchall() == [(22,)]


def test_a_log_without_frames_is_emptied_and_taken_up_again(
    connection: apsw.Connection, log: LogFile, tmp_path: Path
) -> None:
    fill(connection, 3)
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    log.write_anew(frames_of(connection))
    assert (tmp_path / "mail.db-wal").stat().st_size == 0
    fill(connection, 1)
    assert sqlite3.connect(tmp_path / "mail.db").execute("SELECT COUNT(*) FROM t").fetchall() == [(4,)]


def test_one_octet_that_is_not_what_was_written_is_noticed_wherever_it_is(
    connection: apsw.Connection, log: LogFile, tmp_path: Path
) -> None:
    fill(connection, 4)
    path, frames = tmp_path / "mail.db-wal", frames_of(connection)
    whole = path.read_bytes()
    chance = random.Random(4120)
    # All but the number of the page and the size behind it are under the sums or compared with them; those two are too.
    for at in (*range(60), len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(60))):
        broken = bytearray(whole)
        broken[at] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(OSError, match="cannot be read"):
            log.write_anew(frames)
    for size in (0, 31, 32, 33, len(whole) - 1, len(whole) - _STRIDE):
        path.write_bytes(whole[:size])
        with pytest.raises(OSError, match="cannot be read"):
            log.write_anew(frames)
    path.write_bytes(whole)
    log.write_anew(frames)
    assert path.read_bytes() == whole
