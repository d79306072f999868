"""SQLite on the loop: where the file system cannot tell what lies in memory, threads do the work."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.units import Statement, Unit
from hongyan.engines.sqlite.database import SqliteDatabase


def _do(sql: str) -> Unit[list[tuple[int, ...]]]:
    return (yield Statement(sql))


async def test_a_file_system_that_cannot_tell_what_is_cached_is_served_by_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preadv = os.preadv

    def refuse(fd: int, buffers: list[bytearray], offset: int, flags: int = 0) -> int:
        if flags & os.RWF_NOWAIT:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return preadv(fd, buffers, offset, flags)

    monkeypatch.setattr(os, "preadv", refuse)
    blobs = SegmentStore(tmp_path / "blobs", reserve_octets=0)
    database = SqliteDatabase(tmp_path / "mail.db", blobs)
    database.open()
    try:
        await database.write(lambda _refs: _do("CREATE TABLE t (k INTEGER PRIMARY KEY)"))
        await database.write(lambda _refs: _do("INSERT INTO t VALUES (1)"), durable=False, small=True)
        assert await database.read_small(lambda: _do("SELECT k FROM t")) == [(1,)]
    finally:
        database.close()
        blobs.close()
