"""`shop`: an account's mail over SQLite in a temporary directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.mail import MailShop
from tests.support.storage import open_sqlite


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[MailShop]:
    async with open_sqlite(tmp_path) as storage:
        shop = MailShop(storage)
        await shop.open_account()
        yield shop
