"""The text index in a service that runs: delivered, indexed, searched, made anew."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from hongyan.demonstration import DOMAIN
from hongyan.engines.sqlite.index_writer import IndexWriter
from hongyan.operations.calling import Caller
from hongyan.operations.store import restore_backup
from hongyan.store.index import Document
from hongyan.telemetry import metrics
from tests.support.lines import Lines
from tests.support.operations import call
from tests.support.server import start_server

_MESSAGES = 45
_PATIENCE = 20.0  # seconds, after which something waits that should not


def _answered(by: str) -> float:
    return metrics.REGISTRY.get_sample_value("hongyan_index_searches_total", {"by": by}) or 0.0


async def test_words_are_found_by_the_index_and_what_just_came_as_well(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        imap = await server.imap("ann")
        for number in range(_MESSAGES):
            octets = f"Subject: n{number}\r\n\r\nthe weekly meeting, group {number % 9}".encode()
            imap.say(f"b APPEND INBOX {{{len(octets)}+}}")
            imap.write(octets + b"\r\n")
            await imap.until(b"b ")
        account = (await server.account("ann")).account_id
        searching = server.app.services.searching
        assert searching.consumers is not None
        await searching.consumers.catch_up()
        assert searching.index is not None
        assert await searching.index.find_covered(account) == _MESSAGES
        await imap.command("c", "SELECT INBOX")
        before = _answered("index")
        assert await _search(imap, 'BODY "eeting, group 8"') == b"* SEARCH 9 18 27 36 45"
        assert _answered("index") == before + 1
        await server.bring("ann@" + DOMAIN, "what just came")
        await imap.command("e", "NOOP")
        assert await _search(imap, "SUBJECT just") == b"* SEARCH 46"
        told = await call(server, "search.status", Caller(), address="ann@" + DOMAIN)
        assert [(one["emails"], one["lag"]) for one in told["accounts"]] == [(_MESSAGES, 1)]
        await call(server, "search.rebuild", Caller())
        assert await searching.index.find_covered(account) == _MESSAGES + 1
        assert await _search(imap, "TEXT just") == b"* SEARCH 46"


async def test_an_end_of_the_service_gives_the_batch_up_and_the_next_start_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, left = threading.Event(), threading.Event()
    put_one = IndexWriter._put_one  # in the middle of a batch is nowhere else
    written: list[int] = []

    def put_slowly(writer: IndexWriter, document: Document, fresh: dict[str, None]) -> None:
        written.append(document.number)
        put_one(writer, document, fresh)
        reached.set()
        left.wait(_PATIENCE)

    async with start_server(tmp_path) as server:
        account = (await server.account("ann")).account_id
        searching = server.app.services.searching
        with monkeypatch.context() as slow:
            slow.setattr(IndexWriter, "_put_one", put_slowly)
            for number in range(3):
                await server.bring("ann@" + DOMAIN, f"goose {number}")
            assert searching.indexer is not None
            searching.indexer.ask(account)
            assert await asyncio.to_thread(reached.wait, _PATIENCE)
            ending = asyncio.ensure_future(server.app.__aexit__())
            assert searching.index is not None
            while not searching.index.is_closing:
                await asyncio.sleep(0.001)
            left.set()
            await ending
    assert written == [1]
    async with start_server(tmp_path) as server:
        searching = server.app.services.searching
        assert searching.index is not None
        assert await searching.index.find_covered(account) == 0
        imap = await server.imap("ann")
        await imap.command("c", "SELECT INBOX")
        assert await _search(imap, "SUBJECT oose") == b"* SEARCH 1 2 3"
        assert searching.consumers is not None
        await searching.consumers.catch_up()
        assert await searching.index.find_covered(account) == 3


async def test_what_is_restored_is_searched_at_once_and_indexed_anew(tmp_path: Path) -> None:
    async with start_server(tmp_path / "data") as server:
        for number in range(45):
            await server.bring("ann@" + DOMAIN, f"goose {number}")
        account = (await server.account("ann")).account_id
        await call(server, "search.rebuild", Caller(), address="ann@" + DOMAIN)
        await call(server, "store.backup", Caller(), target=str(tmp_path / "backup"))
    await restore_backup(tmp_path / "backup", tmp_path / "restored", lambda _done, _total: None)
    async with start_server(tmp_path / "restored") as server:
        searching = server.app.services.searching
        imap = await server.imap("ann")
        await imap.command("c", "SELECT INBOX")
        expected = b"* SEARCH 3 " + b" ".join(b"%d" % uid for uid in range(21, 31))
        assert await _search(imap, 'SUBJECT "oose 2"') == expected
        assert searching.index is not None
        assert searching.indexer is not None
        await searching.indexer.catch_up(account)
        assert len(await searching.index.numbers(account)) == 45
        assert await _search(imap, 'SUBJECT "oose 2"') == expected


async def _search(imap: Lines, keys: str) -> bytes:
    return next(line for line in await imap.command("d", f"UID SEARCH {keys}") if line.startswith(b"* SEARCH")).strip()
