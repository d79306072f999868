"""What the system's files do for those who promise that something is safe, and what a file system can tell."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hongyan.engines import disk
from hongyan.engines.disk import Disk, lies_in_memory
from hongyan.engines.segments import SegmentStore


@pytest.mark.parametrize(("kind", "expected"), [("tmpfs", True), ("ext4", False), ("fuse.sshfs", False)])
def test_a_file_system_in_memory_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, expected: bool
) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"21 1 0:7 / /elsewhere rw - tmpfs tmpfs rw\n"
        f"30 1 {os.major(device)}:{os.minor(device)} / /here rw,relatime shared:1 - {kind} source rw\n"
    )
    monkeypatch.setattr(disk, "_MOUNTS", mounts)
    assert lies_in_memory(tmp_path) == expected


def test_a_directory_that_is_not_there_lies_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not lies_in_memory(tmp_path / "nowhere")
    monkeypatch.setattr(disk, "_MOUNTS", tmp_path / "nowhere")
    assert not lies_in_memory(tmp_path)


def test_a_short_write_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwritev", lambda fd, parts, at: real(fd, b"".join(parts)[:3], at))
    monkeypatch.setattr(os, "pwrite", lambda fd, octets, at: real(fd, bytes(octets)[:2], at))
    fd = Disk().open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    Disk().write(fd, (b"goo", memoryview(b"se fly"), b"!"), 5)
    assert (tmp_path / "file").read_bytes() == b"\0" * 5 + b"goose fly!"
    monkeypatch.setattr(os, "pwrite", lambda *_of: 0)
    with pytest.raises(OSError, match="No space"):
        Disk().write(fd, (b"more",), 0)
    os.close(fd)


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EAGAIN])
async def test_where_nobody_can_tell_what_is_in_memory_a_thread_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store = SegmentStore(tmp_path / "blobs")
    store._reader._in_memory = False
    ref = store.append(b"goose " * 1000)
    store.sync()

    def cannot_tell(*_of: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "preadv", cannot_tell)
    assert store.read_now(ref) is None
    assert await store.read(ref, 6, 11) == b"goose"
    store.close()


async def test_what_lies_in_memory_anyway_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SegmentStore(tmp_path / "blobs")
    store._reader._in_memory = True
    ref = store.append(b"goose")
    store.sync()
    monkeypatch.delattr(os, "preadv")
    assert store.read_now(ref) == b"goose"
    store.close()
