"""`CursorStore`: how far a consumer has read each account's log."""

from __future__ import annotations

import pytest

from hongyan.engines.sql.cursors import SqlCursors
from hongyan.engines.sql.units import SqlDatabase
from hongyan.types import AccountId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, new_message

OTHER = AccountId(9)


@pytest.fixture
def cursors(sql_database: SqlDatabase) -> SqlCursors:
    return SqlCursors(sql_database)


async def test_a_cursor_stands_at_the_beginning_until_it_is_moved(shop: MailShop, cursors: SqlCursors) -> None:
    assert await cursors.find_cursor(ACCOUNT, "index") == 0
    await cursors.advance_cursor(ACCOUNT, "index", ModSeq(4))
    assert await cursors.find_cursor(ACCOUNT, "index") == 4
    assert await cursors.find_cursor(ACCOUNT, "spam") == 0
    assert await cursors.find_cursor(OTHER, "index") == 0


async def test_a_cursor_never_goes_back(shop: MailShop, cursors: SqlCursors) -> None:
    await cursors.advance_cursor(ACCOUNT, "index", ModSeq(4))
    await cursors.advance_cursor(ACCOUNT, "index", ModSeq(2))
    assert await cursors.find_cursor(ACCOUNT, "index") == 4


async def test_an_account_that_is_gone_has_no_cursor(shop: MailShop, cursors: SqlCursors) -> None:
    await cursors.advance_cursor(OTHER, "index", ModSeq(4))
    assert await cursors.find_cursor(OTHER, "index") == 0


async def test_accounts_behind_are_found_page_by_page(shop: MailShop, cursors: SqlCursors) -> None:
    await shop.open_account(OTHER)
    await shop.messages.append(ACCOUNT, shop.inbox, [new_message()])
    assert await cursors.list_behind("index", AccountId(0), 10) == [ACCOUNT, OTHER]
    assert await cursors.list_behind("index", AccountId(0), 1) == [ACCOUNT]
    assert await cursors.list_behind("index", ACCOUNT, 10) == [OTHER]
    head = await shop.mailboxes.highestmodseq(ACCOUNT)
    await cursors.advance_cursor(ACCOUNT, "index", head)
    assert await cursors.list_behind("index", AccountId(0), 10) == [OTHER]
    assert await cursors.list_behind("spam", AccountId(0), 10) == [ACCOUNT, OTHER]


async def test_dropped_cursors_begin_anew(shop: MailShop, cursors: SqlCursors) -> None:
    await cursors.advance_cursor(ACCOUNT, "index", ModSeq(4))
    await cursors.advance_cursor(ACCOUNT, "spam", ModSeq(5))
    await cursors.drop_cursors("index")
    assert await cursors.find_cursor(ACCOUNT, "index") == 0
    assert await cursors.find_cursor(ACCOUNT, "spam") == 5
