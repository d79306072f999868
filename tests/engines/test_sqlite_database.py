"""SQLite: what is told is on the disk, and a disk that fails is met with the right error and survived."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import apsw
import pytest

from hongyan import telemetry
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.units import Many, Statement, Unit
from hongyan.engines.sqlite import checkpoints
from hongyan.engines.sqlite.database import SqliteDatabase
from hongyan.errors import Conflict, Corrupt, OverLimit, ServerFault, StorageFailed, StorageFull, Unavailable
from hongyan.types import BlobRef
from tests.support.disk import FaultyDisk, FaultySqlite, faulty_sqlite


@pytest.fixture
def files() -> Iterator[FaultySqlite]:
    with faulty_sqlite() as files:
        yield files


@pytest.fixture
def disk(files: FaultySqlite) -> FaultyDisk:
    return FaultyDisk(files.calls)  # one list: the order of calls is what we promise


@pytest.fixture
def blobs(tmp_path: Path, disk: FaultyDisk) -> SegmentStore:
    return SegmentStore(tmp_path / "blobs", reserve_octets=0, disk=disk)


@pytest.fixture
async def database(tmp_path: Path, disk: FaultyDisk, blobs: SegmentStore) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "mail.db", blobs, disk=disk, sync_within=60)
    database.open()
    await database.write(lambda _refs: _do("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)"))
    disk.calls.clear()
    yield database
    disk.fail.clear()
    database.close()


def _do(sql: str, *parameters: int | bytes) -> Unit[list[tuple[int, ...]]]:
    return (yield Statement(sql, parameters))


def put(key: int, value: bytes = b"") -> Unit[int]:
    yield Statement("INSERT INTO t (k, v) VALUES ($1, $2)", (key, value))
    return key


async def write(database: SqliteDatabase, key: int, *, durable: bool = True, small: bool = False) -> int:
    return await database.write(lambda _refs: put(key), durable=durable, small=small)


async def keys(database: SqliteDatabase) -> list[int]:
    return [row[0] for row in await database.read(_do("SELECT k FROM t ORDER BY k"))]


# -- what is promised


async def test_blobs_are_synced_before_their_rows_and_rows_before_the_answer(
    database: SqliteDatabase, files: FaultySqlite
) -> None:
    def make(refs: Sequence[BlobRef]) -> Unit[None]:
        files.calls.append("unit")
        yield Statement("INSERT INTO t VALUES (1, $1)", (refs[0],))

    await database.write(make, blobs=[b"goose"])
    files.calls.append("answer")
    calls = [call for at, call in enumerate(files.calls) if files.calls[at - 1] != call]
    assert calls == [
        *("create", "write .segment", "sync .segment", "sync-directory"),
        *("unit", "write -wal", "sync -wal", "answer"),
    ]


async def test_blobs_make_a_commit_durable(database: SqliteDatabase, files: FaultySqlite) -> None:
    await database.write(lambda refs: put(1, refs[0]), blobs=[b"goose"], durable=False, small=True)
    assert files.calls[-1] == "sync -wal"


@pytest.mark.parametrize("small", [False, True])
async def test_a_commit_that_need_not_be_durable_waits_for_no_sync(
    database: SqliteDatabase, files: FaultySqlite, small: bool
) -> None:
    await write(database, 1, durable=False, small=small)
    assert "sync -wal" not in files.calls
    assert await keys(database) == [1]
    await write(database, 2)
    assert files.calls[-1] == "sync -wal"


@pytest.mark.parametrize("small", [False, True])
async def test_it_is_synced_soon_after_all_the_same(tmp_path: Path, small: bool) -> None:
    disk = FaultyDisk()
    database = SqliteDatabase(tmp_path / "mail.db", SegmentStore(tmp_path / "blobs"), disk=disk, sync_within=0.02)
    database.open()
    await database.write(lambda _refs: _do("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)"))
    for key in range(3):
        disk.synced.clear()
        await write(database, key, durable=False, small=small)
        assert await asyncio.to_thread(disk.synced.wait, 30)
    assert "sync-directory" in disk.calls
    database.close()


async def test_what_waits_is_committed_together(database: SqliteDatabase, files: FaultySqlite) -> None:
    await asyncio.gather(*[write(database, key) for key in range(100)])
    assert files.calls.count("sync -wal") <= 3
    assert await keys(database) == list(range(100))


async def test_answers_come_in_the_order_of_the_commits(database: SqliteDatabase) -> None:
    told: list[int] = []

    async def one(key: int) -> None:
        told.append(await write(database, key))

    await asyncio.gather(*[one(key) for key in range(50)])
    assert told == list(range(50))


async def test_a_unit_that_fails_undoes_what_it_did_and_no_more(database: SqliteDatabase) -> None:
    def fails(error: Exception) -> Unit[None]:
        yield Statement("INSERT INTO t VALUES (1000, x'')")
        yield Many("INSERT INTO t VALUES ($1, $2)", [(1001, b""), (1002, b"")])
        raise error

    tries = [
        write(database, 1),
        database.write(lambda _refs: fails(OverLimit("too many"))),
        write(database, 2),
        database.write(lambda _refs: fails(ZeroDivisionError())),
        write(database, 2),
        database.write(lambda _refs: _do("INSERT INTO nowhere VALUES (1)")),
        write(database, 3),
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(result) for result in done] == [
        int,
        OverLimit,
        int,
        ZeroDivisionError,
        ServerFault,
        ServerFault,
        int,
    ]
    assert await keys(database) == [1, 2, 3]


async def test_a_small_unit_that_fails_undoes_what_it_did(database: SqliteDatabase) -> None:
    def fails() -> Unit[None]:
        yield Statement("INSERT INTO t VALUES (1, x'')")
        raise Conflict

    with pytest.raises(Conflict):
        await database.write(lambda _refs: fails(), durable=False, small=True)
    with pytest.raises(ServerFault):
        await database.write(lambda _refs: _do("INSERT INTO nowhere VALUES (1)"), durable=False, small=True)
    await write(database, 2, durable=False, small=True)
    assert await keys(database) == [2]


async def test_who_gives_up_waiting_harms_nobody(database: SqliteDatabase) -> None:
    tasks = [asyncio.create_task(write(database, key)) for key in range(6)]
    reads = [asyncio.create_task(keys(database)) for _ in range(4)]
    await asyncio.sleep(0)
    for task in (*tasks[::2], *reads[::2]):
        task.cancel()
    await asyncio.gather(*tasks, *reads, return_exceptions=True)
    assert await keys(database) == list(range(6))


async def test_closing_finishes_what_was_handed_in(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    database = SqliteDatabase(path, SegmentStore(tmp_path / "blobs"))
    database.open()
    await database.write(lambda _refs: _do("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)"))
    tasks = [asyncio.create_task(write(database, key)) for key in range(20)]
    await asyncio.sleep(0)
    database.close()
    database.close()
    assert await asyncio.gather(*tasks) == list(range(20))
    with pytest.raises(Unavailable):
        await write(database, 99)
    with pytest.raises(Unavailable):
        await keys(database)
    with pytest.raises(Unavailable):
        await database.read_small(lambda: _do("SELECT 1"))
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT COUNT(*) FROM t").fetchone() == (20,)
    plain.close()


def test_the_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "mail.db", SegmentStore(tmp_path / "blobs"))
    database.open()
    for name in ("mail.db", "mail.db-wal", "mail.db-shm"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    database.close()


# -- small reads on the loop


async def test_a_small_read_waits_for_no_thread(database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    await write(database, 5)
    monkeypatch.setattr(database, "read", None)
    assert await database.read_small(lambda: _do("SELECT k FROM t")) == [(5,)]


async def test_a_small_read_that_would_wait_for_the_disk_goes_to_a_thread(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(database, 5)

    def absent(*_arguments: object) -> int:
        raise BlockingIOError(errno.EAGAIN, "not in memory")

    monkeypatch.setattr(os, "preadv", absent)
    asked = []
    real = database.read
    monkeypatch.setattr(database, "read", lambda unit: asked.append(unit) or real(unit))
    assert await database.read_small(lambda: _do("SELECT k FROM t")) == [(5,)]
    await write(database, 6, durable=False, small=True)
    assert await database.read_small(lambda: _do("SELECT k FROM t")) == [(5,), (6,)]
    assert len(asked) == 2
    monkeypatch.undo()
    assert await database.read_small(lambda: _do("SELECT k FROM t")) == [(5,), (6,)]


async def test_small_reads_see_what_was_committed_before(database: SqliteDatabase) -> None:
    for key in range(30):
        await write(database, key, durable=key % 3 == 0, small=key % 2 == 0)
        assert await database.read_small(lambda: _do("SELECT MAX(k), COUNT(*) FROM t")) == [(key, key + 1)]


async def test_small_writes_and_groups_of_others_mix(database: SqliteDatabase) -> None:
    async def count(kind: int) -> None:
        for key in range(kind, 300, 3):
            await write(database, key, durable=kind == 0, small=kind == 1)

    await asyncio.gather(count(0), count(1), count(2))
    assert await keys(database) == list(range(300))


# -- disks that fail


async def test_a_full_disk_is_told_reading_goes_on_and_room_is_used_again(
    database: SqliteDatabase, files: FaultySqlite
) -> None:
    await write(database, 1)
    files.fail["write -wal"] = apsw.FullError
    for durable, small in ((True, False), (False, False), (False, True)):
        with pytest.raises(StorageFull):
            await write(database, 2, durable=durable, small=small)
    assert await keys(database) == [1]
    files.fail.clear()
    await write(database, 2)
    assert await keys(database) == [1, 2]


async def test_a_database_at_its_limit_takes_what_still_fits_from_the_same_group(database: SqliteDatabase) -> None:
    connection = database._writer._connection
    pages = connection.execute("PRAGMA page_count").fetchall()[0][0]
    connection.execute(f"PRAGMA max_page_count = {pages + 5}").fetchall()
    sizes = [10, 1 << 20, 10, 1 << 20, 10]
    tries = [database.write(lambda _refs, n=n: put(n, bytes(sizes[n]))) for n in range(5)]  # type: ignore[misc]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(result, StorageFull) for result in done] == [False, True, False, True, False]
    assert await keys(database) == [0, 2, 4]


async def test_a_blob_without_room_fails_alone(database: SqliteDatabase, disk: FaultyDisk) -> None:
    disk.free = 10_000
    sizes = [100, 20_000, 100]
    tries = [database.write(lambda refs, n=n: put(n, refs[0]), blobs=[bytes(sizes[n])]) for n in range(3)]  # type: ignore[misc]
    done = await asyncio.gather(*tries, write(database, 9), return_exceptions=True)
    assert [isinstance(result, StorageFull) for result in done] == [False, True, False, False]
    assert await keys(database) == [0, 2, 9]


@pytest.mark.parametrize("call", ["sync", "write", "sync-directory", "create"])
async def test_blobs_that_the_disk_did_not_keep_fail_and_jobs_without_blobs_go_on(
    database: SqliteDatabase, disk: FaultyDisk, call: str
) -> None:
    disk.fail[call] = errno.EIO
    tries = [database.write(lambda refs, n=n: put(n, refs[0]), blobs=[b"goose"]) for n in range(3)]  # type: ignore[misc]
    done = await asyncio.gather(*tries, write(database, 9), return_exceptions=True)
    assert [isinstance(result, StorageFailed) for result in done] == [True, True, True, False]
    disk.fail.clear()
    await database.write(lambda refs: put(1, refs[0]), blobs=[b"goose"])
    assert await keys(database) == [1, 9]


async def test_after_a_failed_sync_the_log_is_written_anew_before_anything_is_promised(
    database: SqliteDatabase, disk: FaultyDisk, files: FaultySqlite
) -> None:
    await write(database, 1, durable=False)
    files.fail["sync -wal"] = apsw.IOError
    with pytest.raises(StorageFailed):
        await write(database, 2)
    files.fail.clear()
    await write(database, 3)
    begun = max(at for at, call in enumerate(disk.calls) if call == "write .db-wal")
    assert disk.calls[begun:][:4] == ["write .db-wal", "truncate .db-wal", "sync .db-wal", "sync-directory"]
    assert disk.calls[-1] == "sync -wal"
    assert await keys(database) == [1, 3]


async def test_a_commit_whose_sync_failed_does_not_come_back_with_the_next_start(
    database: SqliteDatabase, disk: FaultyDisk, files: FaultySqlite, tmp_path: Path
) -> None:
    await write(database, 1)
    files.fail["sync -wal"] = apsw.IOError
    with pytest.raises(StorageFailed):
        await write(database, 2)
    files.fail.clear()
    with pytest.raises(ServerFault, match="UNIQUE"):
        await write(database, 1)  # by then the log has been written anew
    (after := tmp_path / "after").mkdir()
    for name in ("mail.db", "mail.db-wal"):
        shutil.copy(tmp_path / name, after / name)
    assert sqlite3.connect(after / "mail.db").execute("SELECT k FROM t").fetchall() == [(1,)]


@pytest.mark.parametrize("page", [0, -1])
async def test_a_log_that_the_disk_has_lost_is_never_called_safe(
    database: SqliteDatabase, disk: FaultyDisk, files: FaultySqlite, tmp_path: Path, page: int
) -> None:
    await write(database, 1, durable=False)
    size = (tmp_path / "mail.db-wal").stat().st_size
    files.fail["sync -wal"] = apsw.IOError
    disk.fail["sync"] = errno.EIO
    with pytest.raises(StorageFailed):
        await write(database, 2)
    while "sync .db-wal" not in disk.calls:  # its first try to write the log anew has failed too
        await asyncio.sleep(0)
    log = os.open(tmp_path / "mail.db-wal", os.O_RDWR)
    # As if the kernel had dropped the page, and the disk never had it.
    os.pwrite(log, bytes(4000), 32 if page == 0 else size - 4000)
    os.close(log)
    files.fail.clear()
    disk.fail.clear()
    with pytest.raises(StorageFailed, match="cannot be read"):
        await write(database, 3)


async def test_after_a_failed_sync_of_the_database_nothing_is_moved_and_the_next_start_moves_all(
    tmp_path: Path, files: FaultySqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_LONG", 1)
    database = SqliteDatabase(tmp_path / "mail.db", SegmentStore(tmp_path / "blobs"))
    database.open()
    await database.write(lambda _refs: _do("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)"))
    files.calls.clear()
    files.fail["sync .db"] = apsw.IOError
    key = 0
    while "sync .db" not in files.calls:
        await write(database, key := key + 1)
    moved = files.calls.count("write .db")
    for _ in range(20):
        await write(database, key := key + 1)
    files.fail.clear()
    database.close()
    assert files.calls.count("sync .db") == 1
    assert telemetry.metrics.store_needs_restart._value.get() == 1
    assert files.calls.count("write .db") == moved
    files.calls.clear()
    assert (tmp_path / "mail.db-wal").stat().st_size
    database = SqliteDatabase(tmp_path / "mail.db", SegmentStore(tmp_path / "blobs"))
    database.open()
    assert telemetry.metrics.store_needs_restart._value.get() == 0
    assert await keys(database) == list(range(1, key + 1))
    await write(database, key + 1)
    while "sync .db" not in files.calls:
        await asyncio.sleep(0)
    database.close()
    assert not (tmp_path / "mail.db-wal").exists()


async def test_nothing_is_moved_while_the_log_is_not_known_to_be_whole(
    database: SqliteDatabase,
    disk: FaultyDisk,
    files: FaultySqlite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await write(database, 1)
    monkeypatch.setattr(checkpoints, "_LONG", 1)
    files.fail["sync -wal"] = apsw.IOError
    disk.fail["sync"] = errno.EIO
    for _ in range(3):
        with pytest.raises(StorageFailed):
            await write(database, 2)
    files.fail.clear()  # as a kernel does, that tells of it once
    with pytest.raises(StorageFailed):
        await write(database, 2)
    database.close()
    assert "write .db" not in files.calls
    assert (tmp_path / "mail.db-wal").stat().st_size
    assert sqlite3.connect(tmp_path / "mail.db").execute("SELECT k FROM t").fetchall() == [(1,)]


async def test_once_the_log_is_whole_again_it_is_moved_by_files_that_have_nothing_to_tell(
    database: SqliteDatabase, files: FaultySqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = database._writer._checkpoints
    before = moving._connection
    files.fail["sync -wal"] = apsw.IOError
    with pytest.raises(StorageFailed):
        await write(database, 1)
    files.fail.clear()
    await write(database, 1)
    assert moving._connection is not before
    monkeypatch.setattr(checkpoints, "_LONG", 1)
    await write(database, 2)
    while "sync .db" not in files.calls:
        await asyncio.sleep(0)
    assert await keys(database) == [1, 2]


async def test_closing_while_the_log_is_being_moved_comes_to_an_end(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = database._writer._checkpoints
    begun, real = threading.Event(), moving._checkpoint

    def checkpoint(connection: apsw.Connection) -> None:
        begun.set()
        while not moving._closing:
            time.sleep(0)
        real(connection)

    monkeypatch.setattr(moving, "_checkpoint", checkpoint)
    monkeypatch.setattr(checkpoints, "_LONG", 1)
    await write(database, 1)
    assert await asyncio.to_thread(begun.wait, 30)
    closing = threading.Thread(target=database.close, daemon=True)
    closing.start()
    await asyncio.to_thread(closing.join, 30)
    assert not closing.is_alive()


async def test_while_the_disk_keeps_failing_nothing_is_taken_and_reading_goes_on(
    database: SqliteDatabase, disk: FaultyDisk, files: FaultySqlite
) -> None:
    await write(database, 1)
    files.fail["sync -wal"] = apsw.IOError
    disk.fail["sync"] = errno.EIO
    for _ in range(3):
        with pytest.raises(StorageFailed):
            await write(database, 2)
    with pytest.raises(StorageFailed):
        await write(database, 2, durable=False, small=True)
    assert await keys(database) == [1]
    files.fail.clear()
    disk.fail.clear()
    await write(database, 2)
    assert await keys(database) == [1, 2]


async def test_a_late_sync_that_fails_is_made_good_without_anybody_asking(tmp_path: Path) -> None:
    disk = FaultyDisk()
    database = SqliteDatabase(tmp_path / "mail.db", SegmentStore(tmp_path / "blobs"), disk=disk, sync_within=0.02)
    database.open()
    await database.write(lambda _refs: _do("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)"))
    disk.calls.clear()
    disk.fail["sync"] = errno.EIO
    await write(database, 1, durable=False)
    while disk.calls.count("write .db-wal") < 2:  # it tries again
        await asyncio.sleep(0)
    disk.fail.clear()
    disk.synced.clear()
    while not disk.synced.is_set():
        await asyncio.sleep(0)
    assert await keys(database) == [1]
    database.close()


async def test_a_broken_page_fails_who_needs_it_and_not_the_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    database = SqliteDatabase(path, SegmentStore(tmp_path / "blobs"))
    database.open()
    for name in "ab":
        await database.write(lambda _refs, name=name: _do(f"CREATE TABLE {name} (k INTEGER PRIMARY KEY, v BLOB)"))  # type: ignore[misc]
    (root,) = (await database.read(_do("SELECT rootpage FROM sqlite_schema WHERE name = 'a'")))[0]
    database.close()
    with open(path, "r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    database = SqliteDatabase(path, SegmentStore(tmp_path / "blobs"))
    database.open()
    tries = [
        database.write(lambda _refs, n=n: _do(f"INSERT INTO {'ab'[n % 2]} VALUES ({n}, x'')"))  # type: ignore[misc]
        for n in range(6)
    ]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert [isinstance(result, Corrupt) for result in done] == [True, False] * 3
    with pytest.raises(Corrupt):
        await database.read(_do("SELECT * FROM a"))
    assert await database.read(_do("SELECT k FROM b")) == [(1,), (3,), (5,)]
    database.close()


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "mail.db").write_bytes(b"a letter to the goose " * 500)
    with pytest.raises(Corrupt):
        SqliteDatabase(tmp_path / "mail.db", SegmentStore(tmp_path / "blobs")).open()


def test_a_database_that_cannot_be_made_is_a_failed_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        SqliteDatabase(tmp_path / "nowhere" / "mail.db", SegmentStore(tmp_path / "blobs")).open()


async def test_the_log_is_moved_into_the_database_and_does_not_grow_for_ever(
    database: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_LONG", 20)
    monkeypatch.setattr(checkpoints, "_TOO_LONG", 60)

    async def write_on(turn: int) -> None:
        for key in range(turn, 600, 3):
            await database.write(lambda _refs, key=key: put(key, bytes(3000)), durable=turn == 0, small=turn == 1)  # type: ignore[misc]

    await asyncio.gather(write_on(0), write_on(1), write_on(2))
    assert (tmp_path / "mail.db-wal").stat().st_size < 1_500_000
    assert (tmp_path / "mail.db").stat().st_size > 500_000
    assert await keys(database) == list(range(600))


async def test_a_checkpoint_that_fails_loses_nothing(
    database: SqliteDatabase, files: FaultySqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_LONG", 1)
    files.fail["write .db"] = apsw.IOError
    for key in range(20):
        await write(database, key)
    while "write .db" not in files.calls:
        await asyncio.sleep(0)
    files.fail.clear()
    await write(database, 20)
    assert await keys(database) == list(range(21))


async def test_the_thread_outlives_what_nobody_expected(database: SqliteDatabase, blobs: SegmentStore) -> None:
    def explode(_octets: int) -> None:
        raise ZeroDivisionError

    real, blobs.require_room = blobs.require_room, explode  # type: ignore[method-assign]
    with pytest.raises(ServerFault):
        await database.write(lambda refs: put(1, refs[0]), blobs=[b"x"])
    blobs.require_room = real  # type: ignore[method-assign]
    await write(database, 2)
    assert await keys(database) == [2]


async def test_a_broken_page_that_a_small_read_meets_is_told_as_ours(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "preadv", lambda _fd, buffers, _at, _flags: len(buffers[0]))  # nothing but zeros
    await write(database, 1)
    assert await database.read_small(lambda: _do("SELECT k FROM t")) == [(1,)]
