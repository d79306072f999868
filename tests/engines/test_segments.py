"""Segments: what was synced is never lost or overwritten, whatever the disk does."""

from __future__ import annotations

import asyncio
import errno
import os
import random
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.engines.segment_format import CHUNK, FILE_HEADER_OCTETS, RAW, RECORD_HEADER_OCTETS, place_of
from hongyan.engines.segments import SegmentsFailed, SegmentStore
from hongyan.errors import Corrupt, StorageFailed, StorageFull
from hongyan.types import BlobRef
from tests.support.disk import FaultyDisk

_random = random.Random(1)


def noise(octets: int) -> bytes:
    return _random.randbytes(octets)


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


def open_store(directory: Path, disk: FaultyDisk, *, segment_octets: int = 1 << 20) -> SegmentStore:
    return SegmentStore(directory / "blobs", segment_octets=segment_octets, reserve_octets=100, disk=disk)


def segments(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "blobs").iterdir())


def add(store: SegmentStore, octets: bytes) -> BlobRef:
    ref = store.append(octets)
    store.sync()
    return ref


@pytest.mark.parametrize("blob", [b"", b"x", b"honk " * 1000, noise(3000), noise(2 << 20), b"\0" * (2 << 20)])
def test_a_blob_is_read_as_it_was_given_whole_and_in_parts(tmp_path: Path, disk: FaultyDisk, blob: bytes) -> None:
    store = open_store(tmp_path, disk)
    ref = add(store, blob)
    for start, stop in ((0, None), (1, 100), (len(blob) // 2, None), (5, 5), (7, 3), (len(blob) + 5, len(blob) + 9)):
        assert store.read_blocking(ref, start, stop) == blob[start:stop]
        assert store.read_now(ref, start, stop) == blob[start:stop]


@given(st.lists(st.binary(max_size=2000), max_size=20))
def test_what_a_scan_finds_is_what_was_stored(tmp_path_factory: pytest.TempPathFactory, blobs: list[bytes]) -> None:
    store = open_store(tmp_path_factory.mktemp("scan"), FaultyDisk(), segment_octets=4096)
    refs = [store.append(blob) for blob in blobs]
    store.sync()
    found = list(store.scan())
    assert [blob.ref for blob in found] == refs
    assert all(blob.intact for blob in found)
    assert [store.read_blocking(ref) for ref in refs] == blobs
    store.close()


def test_views_and_buffers_are_blobs_too(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    assert store.read_blocking(add(store, memoryview(b"goose" * 100)[5:])) == b"goose" * 99
    assert store.read_blocking(add(store, bytearray(b"x" * 5))) == b"x" * 5


def test_a_message_for_many_accounts_is_hashed_and_compressed_once(
    tmp_path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[bytes] = []

    def counting(octets: bytes) -> object:
        hashed.append(octets)
        return sha256(octets)

    monkeypatch.setattr("hongyan.engines.segments.sha256", counting)
    store = open_store(tmp_path, disk)
    one, other = b"goose " * 1000, b"swan " * 1000
    refs = [store.append(blob) for blob in (one, one, other, one)]
    store.sync()
    assert hashed == [one, other, one]
    assert [store.read_blocking(ref) for ref in refs] == [one, one, other, one]
    store.append(one)
    assert len(hashed) == 4  # what was synced is not kept in memory


def test_nothing_is_safe_before_the_sync_and_a_new_file_has_its_name_synced(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    assert disk.calls == ["sync-directory"]
    disk.calls.clear()
    store.append(b"a" * 100)
    assert [call.split()[0] for call in disk.calls] == ["create", "write", "write"]
    store.sync()
    store.sync()
    assert disk.calls[3:] == ["sync .segment", "sync-directory"]
    add(store, b"b" * 100)
    assert disk.calls[5:] == ["write .segment", "sync .segment"]


def test_a_full_segment_is_synced_before_the_next_begins(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk, segment_octets=1000)
    refs = [store.append(noise(400)) for _ in range(4)]
    assert [place_of(ref).segment for ref in refs] == [1, 1, 2, 2]
    assert [call.split()[0] for call in disk.calls].count("sync") == 1
    store.sync()
    big = add(store, noise(5000))
    assert place_of(big).segment == 3
    assert store.read_blocking(big) == store.read_now(big)


def test_a_restart_continues_a_segment_that_ends_well(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    refs = [add(store, noise(500)), add(store, b"text " * 300)]
    kept = [store.read_blocking(ref) for ref in refs]
    store.close()
    again = open_store(tmp_path, disk)
    refs.append(add(again, b"third"))
    assert segments(tmp_path) == ["00000001.segment"]
    assert [again.read_blocking(ref) for ref in refs] == [*kept, b"third"]
    assert "sync-directory" in disk.calls[-2:]


@pytest.mark.parametrize("tear", [1, 30, RECORD_HEADER_OCTETS, RECORD_HEADER_OCTETS + 1, 300])
def test_a_torn_tail_is_left_as_it_is_and_the_next_segment_begins(tmp_path: Path, disk: FaultyDisk, tear: int) -> None:
    store = open_store(tmp_path, disk)
    first, second = add(store, noise(500)), add(store, noise(300))
    store.close()
    path = tmp_path / "blobs" / "00000001.segment"
    os.truncate(path, path.stat().st_size - tear)
    torn = path.read_bytes()
    again = open_store(tmp_path, disk)
    third = add(again, b"third")
    assert place_of(third).segment == 2
    assert path.read_bytes() == torn
    assert len(again.read_blocking(first)) == 500
    with pytest.raises(Corrupt):
        again.read_blocking(second)
    assert [blob.ref for blob in again.scan()] == [first, third]


@pytest.mark.parametrize("tail", [b"\0" * 200, b"\xa5HYB", noise(1000)])
def test_octets_that_are_no_record_end_a_segment(tmp_path: Path, disk: FaultyDisk, tail: bytes) -> None:
    store = open_store(tmp_path, disk)
    ref = add(store, b"whole")
    store.close()
    with open(tmp_path / "blobs" / "00000001.segment", "ab") as file:
        file.write(tail)
    again = open_store(tmp_path, disk)
    assert place_of(add(again, b"next")).segment == 2
    assert again.read_blocking(ref) == b"whole"


def test_a_tail_whose_octets_did_not_arrive_is_not_continued(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    place = place_of(add(store, noise(4000)))
    store.close()
    with open(tmp_path / "blobs" / "00000001.segment", "r+b") as file:
        file.seek(place.offset + 2000)
        file.write(bytes(2000))
    assert place_of(add(open_store(tmp_path, disk), b"x")).segment == 2


@pytest.mark.parametrize("octets", [b"", b"HY", b"something else entirely"])
def test_a_file_that_is_no_segment_is_passed_over(tmp_path: Path, disk: FaultyDisk, octets: bytes) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "00000004.segment").write_bytes(octets)
    (tmp_path / "blobs" / "notes.txt").write_bytes(b"mine")
    store = open_store(tmp_path, disk)
    assert place_of(add(store, b"x")).segment == 5
    assert len(list(store.scan())) == 1
    assert (tmp_path / "blobs" / "00000004.segment").read_bytes() == octets


def test_a_changed_octet_is_told(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    refs = [add(store, noise(1000)), add(store, b"compressed " * 200)]
    for ref in refs:
        with open(tmp_path / "blobs" / "00000001.segment", "r+b") as file:
            file.seek(place_of(ref).offset + 3)
            file.write(b"?!")
        with pytest.raises(Corrupt):
            store.read_blocking(ref)
        with pytest.raises(Corrupt):
            store.read_now(ref)
    assert [blob.intact for blob in store.scan()] == [False, False]


def change(directory: Path, at: int) -> None:
    """Change an octet of the first segment."""
    with open(directory / "blobs" / "00000001.segment", "r+b") as file:
        file.seek(at)
        octet = file.read(1)[0]
        file.seek(at)
        file.write(bytes([octet ^ 1]))


@pytest.mark.parametrize("size", [CHUNK + 1, 3 * CHUNK, 5 * CHUNK + 7, 2 << 20])
def test_a_part_is_checked_as_the_whole_is(tmp_path: Path, disk: FaultyDisk, size: int) -> None:
    store, blob = open_store(tmp_path, disk, segment_octets=8 << 20), noise(size)
    ref = add(store, blob)
    at = size // 2
    change(tmp_path, place_of(ref).offset + at)
    begin, end = at // CHUNK * CHUNK, min((at // CHUNK + 1) * CHUNK, size)
    for start, stop in (
        (begin, end),
        (begin - 5, begin + 1),
        (at + 1, at + 2),
        (end - 1, end + 1),
        (1, size),
        (0, None),
    ):
        start = max(0, start)
        with pytest.raises(Corrupt):
            store.read_blocking(ref, start, stop)
        with pytest.raises(Corrupt):
            store.read_now(ref, start, stop)
    for start, stop in ((0, begin), (end, size), (end + 1, end + 5), (at, at)):
        assert store.read_blocking(ref, start, stop) == blob[start:stop]
        assert store.read_now(ref, start, stop) == blob[start:stop]
    assert [found.intact for found in store.scan()] == [False]


def test_a_checksum_that_changed_is_told_too(tmp_path: Path, disk: FaultyDisk) -> None:
    store, blob = open_store(tmp_path, disk), noise(3 * CHUNK)
    ref = add(store, blob)
    change(tmp_path, place_of(ref).offset + len(blob))
    for stop in (1, None):
        with pytest.raises(Corrupt):
            store.read_blocking(ref, 0, stop)
    assert store.read_blocking(ref, CHUNK, 2 * CHUNK) == blob[CHUNK : 2 * CHUNK]
    assert [found.intact for found in store.scan()] == [False]


def test_a_large_blob_without_checksums_of_its_chunks_is_checked_whole(
    tmp_path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they were once written."""
    store, blob = open_store(tmp_path, disk), noise(3 * CHUNK)
    monkeypatch.setattr(store, "_encode", lambda octets: (octets, b"", RAW))
    ref = add(store, blob)
    assert store.read_blocking(ref, 5, CHUNK) == blob[5:CHUNK]
    change(tmp_path, place_of(ref).offset + 2 * CHUNK)
    with pytest.raises(Corrupt):
        store.read_blocking(ref, 5, CHUNK)


@pytest.mark.parametrize("ref", [b"", b"x", bytes(29), noise(29), noise(40)])
def test_a_reference_of_another_kind_is_corrupt(tmp_path: Path, disk: FaultyDisk, ref: bytes) -> None:
    with pytest.raises(Corrupt):
        open_store(tmp_path, disk).read_blocking(BlobRef(ref))


# -- disks that fail


def test_the_reserve_is_not_touched(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    disk.free = 1000
    store.require_room(900)
    with pytest.raises(StorageFull):
        store.require_room(901)
    disk.fail["free"] = errno.EIO
    with pytest.raises(StorageFailed):
        store.require_room(1)


@pytest.mark.parametrize("short", [0, 10, 100])
def test_a_full_disk_takes_nothing_and_is_used_again_when_there_is_room(
    tmp_path: Path, disk: FaultyDisk, short: int
) -> None:
    store = open_store(tmp_path, disk)
    first = add(store, noise(200))
    disk.fill()
    disk.short = short
    with pytest.raises(StorageFull):
        store.append(noise(300))
    disk.fail.clear()
    second = add(store, noise(300))
    assert segments(tmp_path) == ["00000001.segment"]
    assert place_of(second).offset == place_of(first).end + RECORD_HEADER_OCTETS
    assert all(blob.intact for blob in store.scan())


def test_a_full_disk_leaves_no_empty_segments_behind(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    disk.fail["write"] = errno.ENOSPC
    for _ in range(3):
        with pytest.raises(StorageFull):
            store.append(b"x")
    assert segments(tmp_path) == []
    disk.fail.clear()
    assert place_of(add(store, b"x")).segment == 1


@pytest.mark.parametrize("number", [errno.EROFS, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_takes_nothing_is_full_for_us(tmp_path: Path, disk: FaultyDisk, number: int) -> None:
    store = open_store(tmp_path, disk)
    disk.fail["create"] = number
    with pytest.raises(StorageFull):
        store.append(b"x")


def test_after_a_failed_write_the_segment_is_never_written_again(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    first = add(store, b"first")
    disk.fail["write"], disk.short = errno.EIO, 20
    with pytest.raises(SegmentsFailed):
        store.append(b"second" * 100)
    disk.fail.clear()
    before = (tmp_path / "blobs" / "00000001.segment").read_bytes()
    assert place_of(add(store, b"third")).segment == 2
    assert (tmp_path / "blobs" / "00000001.segment").read_bytes() == before
    assert store.read_blocking(first) == b"first"


def test_room_that_cannot_be_given_back_spoils_what_is_not_yet_safe(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    store.append(b"not yet safe")
    disk.fail.update(write=errno.ENOSPC, truncate=errno.EIO)
    with pytest.raises(SegmentsFailed):
        store.append(b"x" * 100)
    disk.fail.clear()
    assert place_of(add(store, b"y")).segment == 2


@pytest.mark.parametrize("call", ["sync", "sync-directory"])
def test_after_a_failed_sync_the_segment_is_never_written_or_synced_again(
    tmp_path: Path, disk: FaultyDisk, call: str
) -> None:
    store = open_store(tmp_path, disk)
    store.append(b"lost, for all we know")
    disk.fail[call] = errno.EIO
    with pytest.raises(SegmentsFailed):
        store.sync()
    disk.fail.clear()
    disk.calls.clear()
    store.sync()
    assert disk.calls == []
    assert place_of(add(store, b"y")).segment == 2


def test_a_sync_that_fails_when_the_segment_is_full_fails_the_append(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk, segment_octets=500)
    store.append(noise(400))
    disk.fail["sync"] = errno.EIO
    with pytest.raises(SegmentsFailed):
        store.append(noise(400))
    disk.fail.clear()
    assert place_of(add(store, noise(400))).segment == 2


def test_two_stores_on_one_directory_never_write_the_same_segment(tmp_path: Path, disk: FaultyDisk) -> None:
    first, second = open_store(tmp_path, disk), open_store(tmp_path, disk)
    refs = [add(store, noise(50)) for store in (first, second, first, second)]
    assert [place_of(ref).segment for ref in refs] == [1, 2, 1, 2]
    third = open_store(tmp_path, disk)
    assert place_of(add(third, noise(50))).segment == 3
    assert [first.is_sealed(n) for n in (1, 2, 3)] == [False, False, False]
    second.close()
    assert third.is_sealed(2)
    assert [len(third.read_blocking(ref)) for ref in refs] == [50] * 4


# -- deleting


def test_only_a_sealed_segment_is_deleted_and_none_while_a_backup_keeps_them(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk, segment_octets=500)
    refs = [add(store, noise(400)) for _ in range(3)]
    assert len(store.read_blocking(refs[0])) == 400
    with store.keeping():
        assert not store.delete(1)
    assert not store.delete(3)
    assert store.delete(1)
    assert segments(tmp_path) == ["00000002.segment", "00000003.segment"]
    assert list(store.sizes()) == [2, 3]
    with pytest.raises(Corrupt):
        store.read_blocking(refs[0])


def test_many_segments_are_read_with_few_open_files(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk, segment_octets=200)
    refs = [add(store, noise(150)) for _ in range(300)]
    before = len(os.listdir("/proc/self/fd"))
    assert all(len(store.read_blocking(ref)) == 150 for ref in refs)
    assert len(os.listdir("/proc/self/fd")) - before <= 256


def test_files_are_for_their_owner_alone(tmp_path: Path, disk: FaultyDisk) -> None:
    add(open_store(tmp_path, disk), b"x")
    assert (tmp_path / "blobs").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "blobs" / "00000001.segment").stat().st_mode & 0o777 == 0o600


# -- for an engine without a writer thread


async def test_many_puts_share_their_syncs(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    blobs = [noise(100) for _ in range(50)]
    done = await asyncio.gather(*[store.put([blob, b"twice"]) for blob in blobs])
    assert [store.read_blocking(refs[0]) for refs in done] == blobs
    assert sum(call.startswith("sync ") for call in disk.calls) <= 3
    assert await store.read(done[0][1]) == b"twice"
    store.close()


async def test_a_put_that_finds_no_room_fails_alone(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    disk.free = 5000
    small = [store.put([b"x" * 100]) for _ in range(3)]
    done = await asyncio.gather(*small, store.put([noise(9000)]), return_exceptions=True)
    assert [isinstance(result, StorageFull) for result in done] == [False, False, False, True]
    disk.fail["sync"] = errno.EIO
    done = await asyncio.gather(*[store.put([b"y"]) for _ in range(3)], return_exceptions=True)
    assert [isinstance(result, SegmentsFailed) for result in done] == [True] * 3
    disk.fail.clear()
    assert store.read_blocking((await store.put([b"z"]))[0]) == b"z"
    store.close()


async def test_who_gives_up_waiting_for_a_put_harms_nobody(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk)
    tasks = [asyncio.create_task(store.put([b"%d" % n])) for n in range(5)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[3].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [store.read_blocking(done[n][0]) for n in (1, 2, 4)] == [b"1", b"2", b"4"]  # type: ignore[index]
    store.close()


async def test_blobs_are_read_while_others_are_written(tmp_path: Path, disk: FaultyDisk) -> None:
    store = open_store(tmp_path, disk, segment_octets=20_000)
    refs: list[BlobRef] = []

    async def write() -> None:
        for n in range(100):
            refs.extend(await store.put([b"%d " % n * 200]))

    async def read() -> None:
        while len(refs) < 100:
            await asyncio.sleep(0)
            for n, ref in enumerate(refs):
                assert await store.read(ref) == b"%d " % n * 200

    await asyncio.gather(write(), read())
    assert min(store.sizes().values()) > FILE_HEADER_OCTETS
    store.close()
