"""The file of a text index: what is written all at once, damaged, deleted, given up, and a disk that is full."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.engines.sqlite.index_file import GivenUp, parts_of
from hongyan.errors import Corrupt, ServerFault, StorageFull
from hongyan.store.index import Document, IndexField
from hongyan.types import AccountId
from tests.engines.test_full_disk import fill_rest, small_disk
from tests.support.disk import FaultyDisk

__all__ = ["small_disk"]

_ACCOUNT = AccountId(1)
_BODY = (IndexField.BODY,)
_WORDS = ["".join(random.Random(number).choices("bcdfghjklmnprst", k=5)) for number in range(300)]
_PATIENCE = 20.0  # seconds, after which something waits that should not


def _document(number: int) -> Document:
    return Document(number, {IndexField.BODY: (" ".join(random.Random(number).choices(_WORDS, k=60)),)})


async def _fill(index: SqliteIndex, after: int, covered: int) -> None:
    await index.put(_ACCOUNT, [_document(number) for number in range(after + 1, covered + 1)], after, covered)


async def _ask(index: SqliteIndex) -> list[BitMap | None]:
    found = [await index.match(_ACCOUNT, _BODY, word) for word in _WORDS[::10]]
    return [None if match is None else match.sure for match in found]


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[SqliteIndex]:
    index = SqliteIndex(tmp_path / "search")
    yield index
    index.close()


class _Held(Mapping[IndexField, Sequence[str]]):
    """The texts of a document that somebody holds back while it is being written."""

    def __init__(self) -> None:
        self.is_reached = threading.Event()
        self.may_go_on = threading.Event()

    def __getitem__(self, field: IndexField) -> Sequence[str]:
        self.is_reached.set()
        assert self.may_go_on.wait(_PATIENCE)
        return ("held back",)

    def __iter__(self) -> Iterator[IndexField]:
        return iter(IndexField)

    def __len__(self) -> int:
        return len(IndexField)


# -- a batch that is being written


async def test_a_search_does_not_wait_for_the_batch_that_is_being_written(index: SqliteIndex) -> None:
    await _fill(index, 0, 3)
    before = await _ask(index)
    held = _Held()
    writing = asyncio.ensure_future(index.put(_ACCOUNT, [_document(4), Document(5, held)], 3, 5))
    async with asyncio.timeout(_PATIENCE / 2):
        await asyncio.to_thread(held.is_reached.wait)
        assert await _ask(index) == before
        assert await index.find_covered(_ACCOUNT) == 3
    held.may_go_on.set()
    await writing
    match = await index.match(_ACCOUNT, _BODY, "eld bac")
    assert match is not None
    assert (match.sure, match.covered) == (BitMap([5]), 5)


async def test_who_is_cancelled_has_the_batch_given_up(index: SqliteIndex) -> None:
    await _fill(index, 0, 3)
    held = _Held()
    writing = asyncio.ensure_future(index.put(_ACCOUNT, [Document(4, held), _document(5)], 3, 5))
    await asyncio.to_thread(held.is_reached.wait, _PATIENCE)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    held.may_go_on.set()
    await index.delete(_ACCOUNT, BitMap())  # comes after it
    assert await index.find_covered(_ACCOUNT) == 3
    assert await index.numbers(_ACCOUNT) == BitMap([1, 2, 3])
    await _fill(index, 3, 5)
    assert await index.numbers(_ACCOUNT) == BitMap(range(1, 6))


async def test_closing_gives_up_the_batch(index: SqliteIndex) -> None:
    await _fill(index, 0, 3)
    held = _Held()
    writing = asyncio.ensure_future(index.put(_ACCOUNT, [Document(4, held), _document(5)], 3, 5))
    await asyncio.to_thread(held.is_reached.wait, _PATIENCE)
    closing = asyncio.ensure_future(asyncio.to_thread(index.close))
    while not index.is_closing:
        await asyncio.sleep(0.001)
    held.may_go_on.set()
    await closing
    with pytest.raises(GivenUp):
        await writing
    again = SqliteIndex(index.path)
    assert await again.numbers(_ACCOUNT) == BitMap([1, 2, 3])
    again.close()


# -- files that are damaged, or gone


async def test_no_octet_that_flips_makes_an_answer_wrong(index: SqliteIndex) -> None:
    for after in range(0, 300, 50):
        await _fill(index, after, after + 50)
    right = await _ask(index)
    index.close()
    file = index.path / f"{_ACCOUNT}.db"
    whole = file.read_bytes()
    chance = random.Random(8)
    noticed = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        one = SqliteIndex(index.path)
        try:
            assert await _ask(one) == right
        except Corrupt:
            noticed += 1
        finally:
            one.close()
            for part in parts_of(file):
                part.unlink(missing_ok=True)
    assert noticed > 15


async def test_a_check_finds_any_octet_that_flips(index: SqliteIndex) -> None:
    await _fill(index, 0, 50)
    await index.check(_ACCOUNT)
    index.close()
    file = index.path / f"{_ACCOUNT}.db"
    whole = file.read_bytes()
    for at in range(20, len(whole), len(whole) // 40):
        damaged = bytearray(whole)
        damaged[at] ^= 4
        file.write_bytes(damaged)
        one = SqliteIndex(index.path)
        with pytest.raises(Corrupt):
            await one.check(_ACCOUNT)
        one.close()
        for part in parts_of(file):
            part.unlink(missing_ok=True)


@pytest.mark.parametrize("left", [0, 100, 4096, 5000, 20_000])
async def test_a_file_that_was_cut_off_gives_no_wrong_answer(index: SqliteIndex, left: int) -> None:
    await _fill(index, 0, 50)
    right = await _ask(index)
    index.close()
    with (index.path / f"{_ACCOUNT}.db").open("r+b") as file:
        file.truncate(left)
    one = SqliteIndex(index.path)
    answers: list[BitMap | None] = []
    with contextlib.suppress(Corrupt):
        answers = await _ask(one)
    assert answers in ([], [None] * len(right))
    one.close()


async def test_files_that_are_deleted_while_they_are_open_are_not_believed_any_more(index: SqliteIndex) -> None:
    await _fill(index, 0, 3)
    await _ask(index)
    for part in parts_of(index.path / f"{_ACCOUNT}.db"):
        part.unlink(missing_ok=True)
    assert await index.find_covered(_ACCOUNT) == 0
    assert await _ask(index) == [None] * 30
    with pytest.raises(Corrupt):  # as if the first three were in it
        await _fill(index, 3, 5)
    await index.drop(_ACCOUNT)
    await _fill(index, 0, 5)
    assert await index.numbers(_ACCOUNT) == BitMap(range(1, 6))
    await index.check(_ACCOUNT)


async def test_many_accounts_share_few_open_files(index: SqliteIndex) -> None:
    for account in range(1, 40):
        await index.put(AccountId(account), [_document(1)], 0, 1)
    opened = {os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()}
    assert 0 < sum(Path(name).match(f"{index.path}/*.db") for name in opened) <= 16
    for account in range(1, 40):
        assert await index.find_covered(AccountId(account)) == 1


async def test_accounts_that_take_turns_leave_short_logs(index: SqliteIndex) -> None:
    for after in range(0, 300, 50):
        for account in range(1, 19):
            documents = [_document(number) for number in range(after + 1, after + 51)]
            await index.put(AccountId(account), documents, after, after + 50)
    logs = [log.stat().st_size for log in index.path.glob("*-wal")]
    assert len(logs) > 16  # without waiting for the disk
    assert max(logs) <= 1 << 18  # but not for ever
    for account in range(1, 19):
        await index.check(AccountId(account))
        assert await index.find_covered(AccountId(account)) == 300


# -- a disk without room


async def test_nothing_is_written_where_the_disk_is_at_its_reserve(tmp_path: Path) -> None:
    disk = FaultyDisk()
    index = SqliteIndex(tmp_path / "search", reserve_octets=100 << 20, disk=disk)
    await _fill(index, 0, 3)
    disk.free = 100 << 20
    assert (await index.room()).is_short
    with pytest.raises(StorageFull):
        await _fill(index, 3, 5)
    assert await index.find_covered(_ACCOUNT) == 3
    disk.free = 200 << 20
    await _fill(index, 3, 5)
    assert await index.find_covered(_ACCOUNT) == 5
    index.close()


@pytest.mark.root
async def test_a_disk_that_is_full_leaves_the_index_as_it_was(small_disk: Path) -> None:
    index = SqliteIndex(small_disk / "search")
    await _fill(index, 0, 50)
    right = await _ask(index)
    fill_rest(small_disk / "rest")
    fault: ServerFault | None = None
    for after in range(50, 100_000, 200):
        try:
            await _fill(index, after, after + 200)
        except ServerFault as met:
            fault = met
            break
    assert fault is not None
    assert not isinstance(fault, Corrupt)
    covered = await index.find_covered(_ACCOUNT)
    assert await index.numbers(_ACCOUNT) == BitMap(range(1, covered + 1))
    (small_disk / "rest").unlink()
    await _fill(index, covered, covered + 50)
    some = await _ask(index)
    assert all(before <= after for before, after in zip(right, some, strict=True) if before and after)
    await index.check(_ACCOUNT)
    index.close()
