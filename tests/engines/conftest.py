"""`storage` of each engine in turn, with segments of 20 KB; `shop` is an account's mail over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.engines.storage import SqlStorage
from tests.support.mail import MailShop
from tests.support.storage import ENGINES, open_storage

_SEGMENT_OCTETS = 20_000


@pytest.fixture(params=ENGINES)
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStorage]:
    async with open_storage(request.param, tmp_path, request, segment_octets=_SEGMENT_OCTETS) as storage:
        yield storage


@pytest.fixture
async def shop(storage: SqlStorage) -> MailShop:
    shop = MailShop(storage)
    await shop.open_account()
    return shop
