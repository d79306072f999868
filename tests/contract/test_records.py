"""Small records of accounts: what every SQL engine owes."""

from __future__ import annotations

import pytest

from hongyan.engines.sql import records as sql_records
from hongyan.engines.sql.records import SqlRecords
from hongyan.errors import NotFound, OverLimit
from hongyan.store.records import RecordKind
from hongyan.types import AccountId
from tests.support.mail import ACCOUNT, MailShop

_KIND = RecordKind.IDENTITY


async def names(records: SqlRecords, kind: RecordKind = _KIND) -> dict[str, str]:
    found, _state = await records.list_records(ACCOUNT, kind)
    return {one.record_id: one.document for one in found}


async def test_records_are_kept_by_their_ids_and_kinds_and_each_change_is_a_state(shop: MailShop) -> None:
    records = SqlRecords(shop.database)
    assert await records.list_records(ACCOUNT, _KIND) == ([], 0)
    assert await records.change_records(ACCOUNT, _KIND, put={"b": "1", "a": "2"}, most=5) == 1
    assert await records.change_records(ACCOUNT, _KIND, put={"b": "3"}, most=5) == 2
    assert await names(records) == {"a": "2", "b": "3"}
    assert await names(records, RecordKind.EMAIL_SUBMISSION) == {}
    found, state = await records.list_records(ACCOUNT, _KIND)
    assert [(one.record_id, one.made, one.changed) for one in found] == [("a", 1, 1), ("b", 1, 2)]
    assert state == 2


async def test_what_changed_is_told_from_any_state(shop: MailShop) -> None:
    records = SqlRecords(shop.database)
    await records.change_records(ACCOUNT, _KIND, put={"a": "1", "b": "1"}, most=5)
    await records.change_records(ACCOUNT, _KIND, put={"b": "2", "c": "1"}, most=5)
    await records.change_records(ACCOUNT, _KIND, remove=["a"], most=5)
    told = [await records.record_changes(ACCOUNT, _KIND, since) for since in range(5)]
    assert [one and (one.created, one.updated, one.destroyed, one.state) for one in told] == [
        (["b", "c"], [], [], 3),
        (["c"], ["b"], ["a"], 3),
        ([], [], ["a"], 3),
        ([], [], [], 3),
        None,
    ]


async def test_there_may_be_so_many_and_a_refused_change_changes_nothing(shop: MailShop) -> None:
    records = SqlRecords(shop.database)
    await records.change_records(ACCOUNT, _KIND, put={"a": "1"}, most=1)
    with pytest.raises(OverLimit):
        await records.change_records(ACCOUNT, _KIND, put={"b": "1"}, most=1)
    assert (await records.list_records(ACCOUNT, _KIND))[1] == 1
    await records.change_records(ACCOUNT, _KIND, put={"b": "1"}, remove=["a"], most=1)
    assert await names(records) == {"b": "1"}


async def test_of_what_is_gone_only_so_much_is_remembered(shop: MailShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_records, "MAX_DEPARTED", 2)
    records = SqlRecords(shop.database)
    for name in "abcd":
        await records.change_records(ACCOUNT, _KIND, put={name: "1"}, most=5)
    for name in "abcd":
        await records.change_records(ACCOUNT, _KIND, remove=[name], most=5)
    assert await records.record_changes(ACCOUNT, _KIND, 5) is None
    told = await records.record_changes(ACCOUNT, _KIND, 6)
    assert told is not None
    assert told.destroyed == ["c", "d"]


async def test_nobody_has_records_without_an_account(shop: MailShop) -> None:
    with pytest.raises(NotFound):
        await SqlRecords(shop.database).change_records(AccountId(404), _KIND, put={"a": "1"}, most=5)
