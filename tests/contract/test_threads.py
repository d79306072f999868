"""Threads: which one a message joins, and that it keeps it (RFC 8474 §5.2, decision 0033)."""

from __future__ import annotations

from pyroaring import BitMap

from hongyan.clock import SystemClock
from hongyan.engines.sql.ordering_fill import SqlOrdering
from hongyan.engines.sql.threads import find_threads
from hongyan.engines.sql.units import Row, Statement, Unit
from hongyan.engines.upkeep.sweep import Sweep, SweepOptions
from hongyan.message.analyze import analyze
from hongyan.store.messages import Column, NewMessage
from hongyan.types import AccountId, EmailId, MailboxId
from tests.support.mail import ACCOUNT, MailShop

_KEYS = (
    Column.THREAD_ID,
    Column.SUBJECT_KEY,
    Column.IS_REPLY,
    Column.FROM_KEY,
    Column.TO_KEY,
    Column.CC_KEY,
    Column.FROM_NAME_KEY,
    Column.TO_NAME_KEY,
    Column.LINKS,
)


def _message(number: int | str, *answers: int | str, subject: str = "Lunch") -> NewMessage:
    references = " ".join(f"<{answer}@x.test>" for answer in answers)
    header = f"Message-ID: <{number}@x.test>\r\nSubject: {subject}\r\n"
    if references:
        header += f"References: {references}\r\n"
    octets = f"{header}From: Ann <a@x.test>\r\n\r\nHi.".encode()
    return NewMessage(octets, b"", analyze(b"", octets), (), 1000, b'" 1-Jan-2026 12:00:00 +0000"', 1000)


async def _threads(shop: MailShop, mailbox: int = 1) -> list[int]:
    rows = await shop.messages.rows(ACCOUNT, MailboxId(mailbox), (Column.UID, Column.THREAD_ID), [(1, 10_000)])
    threads = [row[1] & 0xFFFFFFFF for row in rows]
    for thread in set(threads):
        whole = (ACCOUNT << 32) | thread
        found = await shop.messages.find_thread(ACCOUNT, MailboxId(mailbox), whole)
        assert list(found) == [row[0] for row, of in zip(rows, threads, strict=True) if of == thread]
    return threads


async def test_answers_are_of_the_thread_of_their_question(shop: MailShop) -> None:
    await shop.add(_message(1))
    await shop.add(_message(2, 1))
    await shop.add(_message(3, 1, 2, subject="Re: lunch"))
    await shop.add(_message(4))
    assert await _threads(shop) == [1, 1, 1, 4]


async def test_who_answers_the_same_missing_message_comes_together_and_it_joins_them(shop: MailShop) -> None:
    await shop.add(_message(2, "missing"))
    await shop.add(_message(3, "missing"))
    await shop.add(_message("missing"))
    await shop.add(_message(4, 3))
    assert await _threads(shop) == [1, 1, 1, 1]


async def test_another_subject_is_another_thread(shop: MailShop) -> None:
    await shop.add(_message(1))
    await shop.add(_message(2, 1, subject="Dinner"))
    await shop.add(_message(3, 2, 1, subject="Re: Dinner"))
    await shop.add(_message(4, 1, subject="回复: Lunch"))
    assert await _threads(shop) == [1, 2, 2, 1]


async def test_what_joins_two_threads_is_of_the_older_and_renames_neither(shop: MailShop) -> None:
    await shop.add(_message(1))
    await shop.add(_message(2))
    await shop.add(_message(3, 2, 1))
    await shop.add(_message(4, 2))
    assert await _threads(shop) == [1, 2, 1, 2]


async def test_a_message_that_comes_twice_is_of_one_thread(shop: MailShop) -> None:
    await shop.add(_message(1))
    await shop.add(_message(1))
    await shop.add(_message(1), _message(1))
    assert await _threads(shop) == [1, 1, 1, 1]


async def test_messages_of_one_append_find_one_another(shop: MailShop) -> None:
    await shop.add(_message(2, 1), _message(1), _message(3, "missing"), _message(4, "missing"), _message(5, 3))
    assert await _threads(shop) == [1, 1, 3, 3, 3]


async def test_messages_without_ids_or_with_their_own_as_reference_are_alone(shop: MailShop) -> None:
    octets = b"Subject: Lunch\r\n\r\n"
    nameless = NewMessage(octets, b"", analyze(b"", octets), (), 1, b'" 1-Jan-2026 12:00:00 +0000"', 1)
    await shop.add(nameless)
    await shop.add(nameless)
    await shop.add(_message("loop", "loop"))
    assert await _threads(shop) == [1, 2, 3]


def test_what_answers_nobody_costs_no_statement_and_an_answer_one_or_two() -> None:
    def count(links: tuple[int, ...], *, known: bool) -> int:
        unit = find_threads(ACCOUNT, [EmailId(1)], [links])
        statements = 0
        try:
            statement = next(unit)
            while True:
                statements += 1
                width = len(statement.parameters) - 1
                statement = unit.send([(7,) * width if known else (None,) * width])
        except StopIteration:
            return statements

    assert count((5,), known=True) == count((0,), known=False) == 0
    assert count((5, 6), known=True) == 1
    assert count((5, *range(100, 115)), known=True) == 1
    assert count((5, 6, 8), known=False) == 2


async def test_copies_and_moves_keep_the_thread(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await shop.add(_message(1))
    await shop.add(_message(2, 1))
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([2]), {}, other.mailbox_id)
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, other.mailbox_id, move=True)
    assert await _threads(shop, other.mailbox_id) == [1, 1]
    assert await _threads(shop) == [1]


async def test_accounts_do_not_share_threads(shop: MailShop) -> None:
    await shop.open_account(AccountId(8))
    await shop.add(_message(1))
    await shop.messages.append(AccountId(8), shop.inbox, [_message(2, 1)])
    rows = await shop.messages.rows(AccountId(8), shop.inbox, (Column.EMAIL_ID, Column.THREAD_ID), [(1, 9)])
    assert rows[0][0] == rows[0][1]


async def test_messages_from_before_there_were_keys_get_them(shop: MailShop) -> None:
    await shop.add(_message(2, 1))
    await shop.add(_message(1))
    await shop.add(_message(3, subject="Re: [x] Dinner"))
    before = await shop.messages.rows(ACCOUNT, shop.inbox, _KEYS, [(1, 9)])
    await shop.database.write(lambda _refs: _forget_keys())
    ordering = SqlOrdering(shop.database)
    assert list(await ordering.accounts_that_wait()) == [ACCOUNT]
    await shop.add(_message(4, 1))  # comes while the others wait
    assert [await ordering.fill(ACCOUNT, 2) for _ in range(3)] == [2, 1, 0]
    assert list(await ordering.accounts_that_wait()) == []
    after = await shop.messages.rows(ACCOUNT, shop.inbox, _KEYS, [(1, 9)])
    assert [row[1:] for row in after[:3]] == [row[1:] for row in before]
    threads = await _threads(shop)
    assert threads == [4, 4, 3, 4]


def _forget_keys() -> Unit[None]:
    yield Statement(
        "UPDATE email_texts SET thread_id = NULL, thread_link = NULL, subject_key = NULL, is_reply = NULL,"
        " from_key = NULL, to_key = NULL, cc_key = NULL, from_name_key = NULL, to_name_key = NULL, links = NULL"
    )
    yield Statement("DELETE FROM thread_links")


async def test_the_sweep_forgets_what_is_known_of_threads_without_messages(shop: MailShop) -> None:
    await shop.add(_message(2, "missing"))
    await shop.add(_message(3, "other"), _message(4, 3))
    await shop.expunge(1, 3)
    await Sweep(shop.storage, SystemClock(), SweepOptions()).run()
    assert [row[0] & 0xFFFFFFFF for row in await _links(shop)] == [2]


async def _links(shop: MailShop) -> list[Row]:
    def read() -> Unit[list[Row]]:
        return (yield Statement("SELECT thread_id FROM thread_links ORDER BY thread_id"))

    return await shop.database.read(read())
