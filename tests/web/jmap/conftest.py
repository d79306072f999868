"""A whole server for the tests of JMAP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.jmap import JmapClient
from tests.support.server import Server, start_server


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with start_server(tmp_path) as server:
        yield server


@pytest_asyncio.fixture
async def ann(server: Server) -> JmapClient:
    return await JmapClient(server, "ann").open()
