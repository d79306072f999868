"""A process that is killed in the middle of a batch: what is indexed is whole, and the rest is read and done again."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.search.indexer import Indexer
from hongyan.search.options import SearchOptions
from hongyan.servers.imap import search_index
from hongyan.wire.imap.search import InBody
from tests.search.conftest import Desk, Keeper
from tests.support.mail import ACCOUNT, MailShop
from tests.support.storage import open_sqlite

_MESSAGES = 260
_WORK = """
import asyncio, sys
from pathlib import Path
from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.engines.sqlite.index_writer import IndexWriter
from hongyan.search.indexer import Indexer
from hongyan.search.options import SearchOptions
from tests.support.mail import ACCOUNT, MailShop, new_message
from tests.support.storage import open_sqlite

put_one = IndexWriter._put_one

def put_one_and_tell(self, document, fresh):
    put_one(self, document, fresh)
    print(document.number, flush=True)
    sys.stdin.readline()

IndexWriter._put_one = put_one_and_tell

async def main(folder, count):
    async with open_sqlite(folder) as storage:
        shop = MailShop(storage)
        if not (folder / "search").exists():
            await shop.open_account()
            for number in range(count):
                await shop.add(new_message(f"n{number}", f"goose {number % 7} of flock {number}"))
        index = SqliteIndex(folder / "search")
        await Indexer(shop.mail(), index, SearchOptions(share=1)).catch_up(ACCOUNT)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


async def _kill_at(folder: Path, number: int) -> None:
    """Index until an email is written and not committed yet, and kill."""
    command = [sys.executable, "-c", _WORK, str(folder), str(_MESSAGES)]
    pipe = asyncio.subprocess.PIPE
    worker = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert worker.stdin is not None
    assert worker.stdout is not None
    while (line := await worker.stdout.readline()) and int(line) != number:
        worker.stdin.write(b"\n")
    assert line, "the worker ended by itself"
    worker.send_signal(signal.SIGKILL)
    await worker.wait()


async def test_the_index_is_whole_and_equal_to_reading_after_every_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "_FEW", 0)
    everything = BitMap(range(1, _MESSAGES + 1))
    for killed_at, covered in ((30, 0), (120, 100), (199, 150)):
        await _kill_at(tmp_path, killed_at)
        async with open_sqlite(tmp_path) as storage:
            shop = MailShop(storage)
            index = SqliteIndex(tmp_path / "search")
            assert await index.find_covered(ACCOUNT) == covered
            assert await index.numbers(ACCOUNT) == BitMap(range(1, covered + 1))
            await index.check(ACCOUNT)
            indexer = Indexer(shop.mail(), index, SearchOptions(share=1))
            desk = Desk(shop, shop.mail(), index, indexer, Keeper(indexer))
            await _require_equal(desk, everything)
            index.close()
    async with open_sqlite(tmp_path) as storage:
        shop = MailShop(storage)
        index = SqliteIndex(tmp_path / "search")
        indexer = Indexer(shop.mail(), index, SearchOptions(share=1))
        desk = Desk(shop, shop.mail(), index, indexer, Keeper(indexer))
        await desk.catch_up()
        assert await index.numbers(ACCOUNT) == everything
        await index.check(ACCOUNT)
        await _require_equal(desk, everything)
        index.close()


async def _require_equal(desk: Desk, among: BitMap) -> None:
    for text in ("oose 3", "flock 199", "flock 2", "duck"):
        assert await desk.look_up(InBody(text), among) == await desk.scan(InBody(text), among)
    assert len(await desk.look_up(InBody("flock"), among)) == _MESSAGES
