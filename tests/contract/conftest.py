"""`storage`: an engine with the newest schema and its blobs, of each engine in turn; `sql_database` is its database.

Over an engine stands `shop`: the stores of mail, an account, and messages to put into it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.engines.sql.units import SqlDatabase
from hongyan.engines.storage import SqlStorage
from tests.support.mail import MailShop
from tests.support.storage import ENGINES, open_storage


@pytest.fixture(params=ENGINES)
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStorage]:
    async with open_storage(request.param, tmp_path, request) as storage:
        yield storage


@pytest.fixture
def sql_database(storage: SqlStorage) -> SqlDatabase:
    return storage.database


@pytest.fixture
async def shop(storage: SqlStorage) -> MailShop:
    shop = MailShop(storage)
    await shop.open_account()
    return shop
