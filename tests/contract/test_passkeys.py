"""Passkeys: what every SQL engine owes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Domain
from hongyan.engines.sql.passkeys import SqlPasskeys
from hongyan.engines.sql.units import SqlDatabase
from hongyan.errors import AlreadyExists, NotFound, OverLimit
from hongyan.store.domains import DomainSettings
from hongyan.store.passkeys import NewPasskey
from hongyan.types import AccountId
from tests.contract.test_web_sessions import Directory

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_NEW = NewPasskey(handle=b"handle", host="localhost", public_key=b"key", sign_count=0, label="laptop", created_at=_NOW)


@pytest.fixture
async def directory(sql_database: SqlDatabase) -> Directory:
    made = Directory(sql_database)
    await made.domains.add_domain(DomainSettings(Domain.parse("hongyan.test"), _NOW), audit=made.act())
    return made


async def add(directory: Directory, passkeys: SqlPasskeys, account: AccountId, handle: bytes = b"handle") -> bool:
    _, is_first = await passkeys.add_passkey(
        account, replace(_NEW, handle=handle), limit=2, recovery_codes=[b"one", b"two"], audit=directory.act()
    )
    return is_first


async def test_the_first_passkey_is_a_second_factor_and_brings_recovery_codes(
    sql_database: SqlDatabase, directory: Directory
) -> None:
    passkeys = SqlPasskeys(sql_database)
    ann = await directory.add_account("ann@hongyan.test")
    assert await add(directory, passkeys, ann)
    assert not await add(directory, passkeys, ann, b"another")
    standing = await directory.factors.second_factor_standing(ann)
    assert (standing.since, standing.recovery_codes) == (_NOW, 2)
    assert (standing.has_authenticator, standing.passkeys) == (False, 2)
    with pytest.raises(OverLimit):
        await add(directory, passkeys, ann, b"third")
    first, second = await passkeys.list_passkeys(ann)
    assert await passkeys.remove_passkey(ann, first.number, audit=directory.act())
    assert (await directory.factors.second_factor_standing(ann)).recovery_codes == 2
    assert await passkeys.remove_passkey(ann, second.number, audit=directory.act())
    assert (await directory.factors.second_factor_standing(ann)).recovery_codes == 0
    assert not await passkeys.remove_passkey(ann, second.number, audit=directory.act())


async def test_a_handle_is_of_one_account_alone(sql_database: SqlDatabase, directory: Directory) -> None:
    passkeys = SqlPasskeys(sql_database)
    ann, bob = await directory.add_account("ann@hongyan.test"), await directory.add_account("bob@hongyan.test")
    await add(directory, passkeys, ann)
    with pytest.raises(AlreadyExists):
        await add(directory, passkeys, bob)
    with pytest.raises(NotFound):
        await add(directory, passkeys, AccountId(99), b"nobody's")
    found = await passkeys.find_passkey(b"handle")
    assert found is not None
    assert found.account == ann
    assert not await passkeys.remove_passkey(bob, found.number, audit=directory.act())


async def test_a_count_is_taken_once_and_grows(sql_database: SqlDatabase, directory: Directory) -> None:
    passkeys = SqlPasskeys(sql_database)
    ann = await directory.add_account("ann@hongyan.test")
    await add(directory, passkeys, ann)
    found = await passkeys.find_passkey(b"handle")
    assert found is not None
    later = _NOW + timedelta(seconds=5)
    assert [await passkeys.use_passkey(found, count, later) for count in (0, 0, 3, 3, 2, 0, 4)] == [
        *(True, True, True),
        *(False, False, False),
        True,
    ]
    used = await passkeys.find_passkey(b"handle")
    assert used is not None
    assert (used.sign_count, used.used_at) == (4, later)
