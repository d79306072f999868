"""`MessageStore`: emails by their ids, for those who go through all that an account has."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from hongyan.errors import NotFound
from hongyan.store.index import email_of, number_of
from hongyan.store.messages import Column
from hongyan.types import AccountId
from tests.support.mail import ACCOUNT, MailShop, new_message

_OTHER = AccountId(8)
_FIRST = email_of(ACCOUNT, 0)


async def _numbers(shop: MailShop, after: int = 0, limit: int = 100) -> list[int]:
    rows = await shop.messages.emails(ACCOUNT, (Column.EMAIL_ID,), email_of(ACCOUNT, after), limit=limit)
    return [number_of(row[0]) for row in rows]


async def test_the_newest_email_is_the_one_that_came_last_even_if_it_is_gone(shop: MailShop) -> None:
    assert await shop.messages.newest_email(ACCOUNT) == _FIRST
    await shop.add_many(3)
    await shop.expunge(3)
    assert await shop.messages.newest_email(ACCOUNT) == email_of(ACCOUNT, 3)


async def test_an_account_that_is_not_there_has_no_newest_email(shop: MailShop) -> None:
    with pytest.raises(NotFound):
        await shop.messages.newest_email(AccountId(99))


async def test_emails_come_in_order_behind_a_given_one_up_to_the_limit(shop: MailShop) -> None:
    await shop.add_many(5)
    assert await _numbers(shop) == [1, 2, 3, 4, 5]
    assert await _numbers(shop, 2) == [3, 4, 5]
    assert await _numbers(shop, 2, 2) == [3, 4]
    assert await _numbers(shop, 5) == []


async def test_copies_are_one_email_and_make_none(shop: MailShop) -> None:
    await shop.add_many(2)
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1, 2]), {}, shop.inbox)
    assert await _numbers(shop) == [1, 2]
    assert await shop.messages.newest_email(ACCOUNT) == email_of(ACCOUNT, 2)


async def test_an_email_tells_what_its_messages_would(shop: MailShop) -> None:
    message = new_message("Größe", prefix=b"Return-Path: <>\r\n")
    await shop.add(message)
    columns = (Column.SIZE, Column.PREFIX, Column.SUBJECT_TEXT, Column.FROM_TEXT, Column.OUTLINE, Column.BLOB)
    assert await shop.messages.emails(ACCOUNT, columns, _FIRST, limit=1) == await shop.messages.rows(
        ACCOUNT, shop.inbox, columns, [(1, 1)]
    )


async def test_an_email_without_a_message_has_no_size(shop: MailShop) -> None:
    await shop.add_many(2)
    await shop.expunge(1)
    rows = await shop.messages.emails(ACCOUNT, (Column.EMAIL_ID, Column.SIZE), _FIRST, limit=9)
    assert [number_of(email) for email, size in rows if size is not None] == [2]


async def test_emails_behind_a_given_one_are_counted_and_numbers_that_are_gone_are_not(shop: MailShop) -> None:
    await shop.add_many(5)
    await shop.run("DELETE FROM emails WHERE email_id = $1", email_of(ACCOUNT, 4))
    assert [await shop.messages.count_emails(ACCOUNT, email_of(ACCOUNT, after)) for after in (0, 2, 5)] == [4, 2, 0]
    assert await shop.messages.count_emails(AccountId(99), email_of(AccountId(99), 0)) == 0


async def test_emails_are_found_in_a_mailbox_by_ranges(shop: MailShop) -> None:
    await shop.add_many(60)
    target = await shop.mailboxes.create_mailbox(ACCOUNT, "Target")
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([4, 5]), {}, target.mailbox_id)
    await shop.expunge(40)
    numbers = [(2, 3), (5, 5), *((at, at) for at in range(10, 60, 2))]
    ranges = [(email_of(ACCOUNT, low), email_of(ACCOUNT, high)) for low, high in numbers]
    found = await shop.messages.find_emails(ACCOUNT, shop.inbox, ranges)
    wanted = [2, 3, 5, *(at for at in range(10, 60, 2) if at != 40)]
    assert sorted(found) == [(at, email_of(ACCOUNT, at)) for at in wanted]
    assert await shop.messages.find_emails(ACCOUNT, target.mailbox_id, ranges) == [(2, email_of(ACCOUNT, 5))]
    assert await shop.messages.find_emails(ACCOUNT, shop.inbox, []) == []


async def test_no_account_sees_the_emails_of_another(shop: MailShop) -> None:
    await shop.open_account(_OTHER)
    await shop.add_many(1)
    await shop.messages.append(_OTHER, shop.inbox, [new_message("theirs")])
    rows = await shop.messages.emails(_OTHER, (Column.EMAIL_ID,), email_of(AccountId(0), 0), limit=9)
    assert [email for (email,) in rows] == [email_of(_OTHER, 1)]
    everything = [(_FIRST, email_of(_OTHER, 9))]
    assert await shop.messages.find_emails(ACCOUNT, shop.inbox, everything) == [(1, email_of(ACCOUNT, 1))]
