"""A message on its way in."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.delivery.spool import IN_MEMORY, Spool, SpoolOptions, SpoolRoom, make_room
from hongyan.errors import StorageFailed, StorageFull

LARGE = IN_MEMORY + 1


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(SpoolRoom(tmp_path, 64 << 20))


@settings(max_examples=30)
@given(sizes=st.lists(st.sampled_from([0, 1, 100, IN_MEMORY // 2, IN_MEMORY, LARGE]), max_size=5))
def test_what_is_taken_is_what_came_however_it_came(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    spool = Spool(SpoolRoom(tmp_path_factory.getbasetemp(), 64 << 20))
    chunks = [bytes([number]) * size for number, size in enumerate(sizes)]
    for chunk in chunks:
        spool.add(chunk)
    assert spool.size == sum(sizes)
    assert spool.take() == b"".join(chunks)
    assert spool.size == 0
    assert spool.take() == b"", "nothing is held any more"


def test_a_large_message_waits_in_a_file_without_a_name(spool: Spool, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    spool.add(b"x" * LARGE)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    assert list(tmp_path.iterdir()) == []
    spool.drop()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_disk_that_takes_only_a_part_at_a_time_gets_all(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, octets: write(file, octets[:100_000]))
    octets = os.urandom(LARGE)
    spool.add(octets)
    assert spool.take() == octets


@pytest.mark.parametrize(
    ("number", "fault"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EROFS, StorageFull), (errno.EIO, StorageFailed)],
)
def test_a_disk_that_takes_no_more_is_told_and_nothing_is_kept(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, number: int, fault: type[Exception]
) -> None:
    def refuse(_file: int, _octets: bytes) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(fault):
        spool.add(b"x" * LARGE)
    assert spool.take() == b""


def test_a_message_that_is_not_whole_any_more_is_not_given_out(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", lambda _file, octets: len(octets))  # and keeps nothing
    spool.add(b"x" * LARGE)
    with pytest.raises(StorageFailed):
        spool.take()
    assert spool.size == 0


def test_the_directory_is_closed_to_others(tmp_path: Path) -> None:
    room = make_room(tmp_path, SpoolOptions())
    assert room.directory.stat().st_mode & 0o777 == 0o700
    assert room.directory == tmp_path / "spool"


def test_all_together_hold_no_more_memory_than_is_set(tmp_path: Path) -> None:
    room = SpoolRoom(tmp_path, 1000)
    spools = [Spool(room) for _ in range(10)]
    for _ in range(300):
        for spool in spools:
            spool.add(b"x")
            assert room.held <= 1000
    assert room.held > 0
    assert [spool.take() for spool in spools] == [b"x" * 300] * 10
    assert room.held == 0


def test_what_is_dropped_or_forgotten_gives_its_memory_back(tmp_path: Path) -> None:
    room = SpoolRoom(tmp_path, 1000)
    dropped, forgotten = Spool(room), Spool(room)
    dropped.add(b"x" * 400)
    forgotten.add(b"x" * 400)
    dropped.drop()
    del forgotten
    assert room.held == 0
