"""The filter's tables: nobody teaches others alone, processes do not undo one another, and it can forget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.engines.sql.spam import SqlSpam
from hongyan.mailauth.authentication import Authentication
from hongyan.screening.examined import Examined
from hongyan.screening.spam import SpamCheck
from hongyan.screening.spam_filter import SpamFilter, SpamOptions, Vote
from hongyan.screening.tokens import read_tokens
from hongyan.screening.verdict import Disposition
from hongyan.types import AccountId
from tests.screening.letters import unwanted, wanted
from tests.support.clock import FakeClock
from tests.support.mail import MailShop
from tests.support.storage import open_sqlite

ANN, BOB, EVE = AccountId(7), AccountId(8), AccountId(9)
OPTIONS = SpamOptions(least_ham=3, least_spam=3)


def votes(count: int, *, inverted: bool = False) -> list[Vote]:
    """Return votes on so many unwanted and so many wanted letters, as they are or the other way round."""
    bad = [Vote(read_tokens(unwanted(number)), not inverted) for number in range(count)]
    return bad + [Vote(read_tokens(wanted(number)), inverted) for number in range(count)]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlSpam]:
    async with open_sqlite(tmp_path) as storage:
        shop = MailShop(storage)
        for account in (ANN, BOB, EVE):
            await shop.open_account(account)
        yield SqlSpam(storage.database)


def a_filter(store: SqlSpam, options: SpamOptions = OPTIONS) -> SpamFilter:
    return SpamFilter(store, FakeClock(), options)


async def value(spam: SpamFilter, octets: bytes, account: AccountId | None = None) -> float:
    return (await spam.judge(read_tokens(octets), account)).score.value


async def test_one_account_alone_teaches_nobody_else(store: SqlSpam) -> None:
    spam = a_filter(store)
    await spam.vote(EVE, votes(40, inverted=True))
    assert await value(spam, wanted(99), EVE) > 0.8
    assert await value(spam, wanted(99), BOB) == 0.5
    await spam.vote(ANN, votes(10))
    await spam.vote(BOB, votes(10))
    assert await value(spam, wanted(99), ANN) < 0.2


async def test_two_accounts_that_agree_teach_all(store: SqlSpam) -> None:
    spam = a_filter(store)
    await spam.vote(ANN, votes(10))
    await spam.vote(BOB, votes(10))
    assert await value(spam, unwanted(99), EVE) > 0.8
    assert await value(spam, wanted(99)) < 0.2


async def test_an_account_teaches_the_server_no_more_than_so_many_messages_a_day(store: SqlSpam) -> None:
    spam = a_filter(store, SpamOptions(shared_votes_per_day=5))
    assert len(await spam.vote(EVE, votes(10))) == 20
    counts = await spam.server_counts()
    assert counts.ham + counts.spam == 5


async def test_a_vote_that_is_repeated_is_no_news(store: SqlSpam) -> None:
    spam = a_filter(store)
    assert len(await spam.vote(ANN, votes(3))) == 6
    assert await a_filter(store).vote(ANN, votes(3)) == ()
    assert len(await spam.vote(ANN, votes(3, inverted=True))) == 6
    model = await store.find_model(ANN)
    assert model is not None
    assert (model.ham, model.spam) == (3, 3)


async def test_processes_do_not_undo_one_another(store: SqlSpam) -> None:
    first, second = a_filter(store), a_filter(store)
    await first.judge(read_tokens(b""))
    await second.judge(read_tokens(b""))
    await first.vote(ANN, votes(3))
    await second.vote(BOB, votes(4))
    await second.vote(ANN, votes(5))
    await first.save()
    await second.save()
    counts = await a_filter(store).server_counts()
    assert (counts.ham, counts.spam) == (3 + 4 + 2, 3 + 4 + 2)
    model = await store.find_model(ANN)
    assert model is not None
    assert (model.ham, model.spam) == (5, 5)


async def test_what_an_account_taught_itself_can_be_forgotten(store: SqlSpam) -> None:
    spam = a_filter(store)
    await spam.vote(ANN, votes(5))
    await spam.forget(ANN)
    assert not await spam.has_own(ANN)
    assert await store.find_model(ANN) is None


async def test_a_table_that_cannot_be_read_is_begun_anew(store: SqlSpam) -> None:
    from hongyan.store.spam import StoredModel

    await store.save_model(ANN, StoredModel(1, 5, 5, b"broken"))
    spam = a_filter(store)
    await spam.vote(ANN, votes(4))
    model = await store.find_model(ANN)
    assert model is not None
    assert (model.version, model.ham, model.spam) == (2, 4, 4)


async def test_each_recipient_is_told_his_own(store: SqlSpam) -> None:
    spam = a_filter(store)
    await spam.train(votes(10))
    await spam.vote(EVE, votes(10, inverted=True))
    message = Examined(
        mid="m",
        peer="192.0.2.1",
        helo="x",
        reverse_path=None,
        accounts=dict.fromkeys((ANN, EVE)),  # type: ignore[arg-type]  # the addresses are not looked at
        octets=unwanted(50),
        body=0,
        authentication=Authentication(),
        encrypted=True,
    )
    found = {finding.account: finding for finding in await SpamCheck(spam).judge(message)}
    assert found[ANN].disposition is Disposition.JUNK
    assert found[EVE].disposition is Disposition.ACCEPT
    assert found[ANN].text.isascii()
    assert "sender:offers.test" in found[ANN].text


async def test_before_enough_is_learnt_nothing_is_said(store: SqlSpam) -> None:
    spam = a_filter(store, SpamOptions())
    await spam.train(votes(10))
    assert not (await spam.judge(read_tokens(unwanted(50)))).enough
