"""`SpamStore`: models by version, and one ballot for each message and account."""

from __future__ import annotations

import pytest

from hongyan.engines.sql.spam import SqlSpam
from hongyan.engines.sql.units import SqlDatabase
from hongyan.errors import Conflict, NotFound
from hongyan.store.spam import SERVER_MODEL, Ballot, StoredModel, TrainedAccount
from hongyan.types import AccountId
from tests.support.mail import ACCOUNT, MailShop

ONE, TWO, THREE = (bytes([number]) * 16 for number in (1, 2, 3))


@pytest.fixture
def store(sql_database: SqlDatabase) -> SqlSpam:
    return SqlSpam(sql_database)


async def test_a_model_comes_back_as_it_was_saved(shop: MailShop, store: SqlSpam) -> None:
    assert await store.find_model(ACCOUNT) is None
    model = StoredModel(1, 2, 3, b"\0table\xff")
    await store.save_model(ACCOUNT, model)
    assert await store.find_model(ACCOUNT) == model
    assert await store.find_model(SERVER_MODEL) is None
    await store.save_model(SERVER_MODEL, model)
    assert await store.find_model(SERVER_MODEL) == model


async def test_who_saves_from_an_old_version_is_told(shop: MailShop, store: SqlSpam) -> None:
    await store.save_model(ACCOUNT, StoredModel(1, 0, 1, b"a"))
    await store.save_model(ACCOUNT, StoredModel(2, 0, 2, b"b"))
    for version in (1, 2, 4):
        with pytest.raises(Conflict):
            await store.save_model(ACCOUNT, StoredModel(version, 0, 9, b"c"), [Ballot(ONE, is_spam=True)])
    assert await store.find_model(ACCOUNT) == StoredModel(2, 0, 2, b"b")
    assert await store.find_ballots(ACCOUNT, [ONE]) == {}


async def test_the_last_ballot_counts(shop: MailShop, store: SqlSpam) -> None:
    await store.save_model(
        ACCOUNT, StoredModel(1, 0, 1, b""), [Ballot(ONE, is_spam=True), Ballot(TWO, is_spam=False)], at=1, keep=10
    )
    await store.save_model(ACCOUNT, StoredModel(2, 0, 1, b""), [Ballot(ONE, is_spam=False)], at=2, keep=10)
    assert await store.find_ballots(ACCOUNT, [ONE, TWO, THREE]) == {ONE: False, TWO: False}
    assert await store.find_ballots(AccountId(99), [ONE]) == {}
    assert await store.find_ballots(ACCOUNT, []) == {}


async def test_old_ballots_go(shop: MailShop, store: SqlSpam) -> None:
    prints = [bytes([number]) * 16 for number in range(100)]
    for number, fingerprint in enumerate(prints, start=1):
        ballots = [Ballot(fingerprint, is_spam=True)]
        await store.save_model(ACCOUNT, StoredModel(number, 0, number, b""), ballots, at=number, keep=10)
    left = await store.find_ballots(ACCOUNT, prints)
    assert prints[-1] in left
    assert prints[0] not in left
    assert len(left) <= 12


async def test_to_forget_leaves_nothing(shop: MailShop, store: SqlSpam) -> None:
    await store.save_model(ACCOUNT, StoredModel(1, 1, 1, b""), [Ballot(ONE, is_spam=True)], at=1, keep=10)
    assert await store.list_trained() == [TrainedAccount(ACCOUNT, 1, 1)]
    await store.forget(ACCOUNT)
    assert await store.find_model(ACCOUNT) is None
    assert await store.find_ballots(ACCOUNT, [ONE]) == {}
    assert await store.list_trained() == []


async def test_an_account_that_is_gone_learns_nothing(shop: MailShop, store: SqlSpam) -> None:
    with pytest.raises(NotFound):
        await store.save_model(AccountId(99), StoredModel(1, 0, 1, b""))
