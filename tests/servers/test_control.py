"""The control socket: who is served, what is answered, and what becomes of callers that do not behave."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hongyan.errors import NotFound, StorageFailed
from hongyan.servers import control
from hongyan.servers.control import SOCKET, ControlServer

PATIENCE = 10.0
Document = Mapping[str, object]


class Service:
    """Answers by name."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.users: list[int] = []

    async def handle(self, name: str, parameters: Document, user: int, tell: Callable[[int, int], None]) -> Document:
        self.users.append(user)
        match name:
            case "echo":
                return parameters
            case "slow":
                tell(1, 10)
                self.begun.set()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.cancelled.set()
                    raise
            case "missing":
                raise NotFound("There is no goose.")
            case "ours":
                raise StorageFailed(cause="the disk is gone")
        raise RuntimeError("a secret of ours")


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Service]:
    service = Service()
    server = ControlServer(folder, service.handle)
    await server.open()
    try:
        yield service
    finally:
        await server.close()


async def connect(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_unix_connection(folder / SOCKET)


async def ask(folder: Path, *lines: bytes) -> list[Document]:
    reader, writer = await connect(folder)
    answers = []
    async with asyncio.timeout(PATIENCE):
        for line in lines:
            writer.write(line + b"\n")
            try:
                answer = await reader.readline()
            except ConnectionResetError:
                answer = b""
            answers.append(json.loads(answer) if answer else {})
    writer.close()
    return answers


def request(method: str, **parameters: object) -> bytes:
    return json.dumps({"method": method, "parameters": parameters}).encode()


async def test_each_request_is_answered_in_its_turn(tmp_path: Path) -> None:
    async with served(tmp_path) as service:
        answers = await ask(tmp_path, request("echo", word="雁"), request("missing"), request("ours"))
    assert answers == [
        {"result": {"word": "雁"}},
        {"error": {"kind": "not-found", "sentence": "There is no goose."}},
        {"error": {"kind": "storage-failed", "sentence": "the disk is gone"}},
    ]
    assert set(service.users) == {os.geteuid()}


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b'{"method": 1, "parameters": {}}', request("boom")])
async def test_what_nobody_expected_is_answered_without_a_word_of_ours(tmp_path: Path, line: bytes) -> None:
    async with served(tmp_path):
        (answer,) = await ask(tmp_path, line)
        assert await ask(tmp_path, request("echo")) == [{"result": {}}]
    assert answer == {"error": {"kind": "panic", "sentence": "The server failed at this; its log says why."}}


async def test_progress_is_told_and_who_hangs_up_ends_what_is_under_way(tmp_path: Path) -> None:
    async with served(tmp_path) as service:
        reader, writer = await connect(tmp_path)
        writer.write(request("slow") + b"\n")
        async with asyncio.timeout(PATIENCE):
            assert json.loads(await reader.readline()) == {"progress": [1, 10]}
            await service.begun.wait()
            writer.close()
            await service.cancelled.wait()


async def test_a_stop_ends_what_is_under_way_and_takes_the_socket_away(tmp_path: Path) -> None:
    async with served(tmp_path) as service:
        _, writer = await connect(tmp_path)
        writer.write(request("slow") + b"\n")
        async with asyncio.timeout(PATIENCE):
            await service.begun.wait()
    assert service.cancelled.is_set()
    assert not (tmp_path / SOCKET).exists()
    writer.close()


async def test_a_stranger_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_user_of", lambda writer: os.geteuid() + 1)
    async with served(tmp_path) as service:
        assert await ask(tmp_path, request("echo")) == [{}]
    assert service.users == []


async def test_callers_beyond_a_number_are_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_MOST_CONNECTIONS", 1)
    async with served(tmp_path) as service:
        reader, writer = await connect(tmp_path)
        writer.write(request("echo") + b"\n")
        async with asyncio.timeout(PATIENCE):
            assert await reader.readline()
        assert await ask(tmp_path, request("echo")) == [{}]
        writer.close()
    assert len(service.users) == 1


async def test_nobody_else_can_open_the_socket_and_one_left_from_a_crash_is_no_hindrance(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / SOCKET))
    async with served(tmp_path):
        assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600
        assert await ask(tmp_path, request("echo")) == [{"result": {}}]


async def test_a_directory_with_a_long_name_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    async with served(folder):
        assert (folder / SOCKET).is_socket()
