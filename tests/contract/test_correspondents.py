"""With whom an account exchanges mail: what every SQL engine owes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address
from hongyan.engines.sql.correspondents import SqlCorrespondents, note_heard, note_written
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, unit_of
from hongyan.store.correspondents import Correspondent, correspondent_key
from hongyan.types import AccountId
from tests.support.mail import ACCOUNT, MailShop, new_message

_NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
_DAY = timedelta(days=1)
_ANN = Address.parse("Ann@Friends.test")
_BOB = Address.parse("bob@friends.test")
_OTHER = AccountId(8)


@pytest.fixture
def correspondents(sql_database: SqlDatabase) -> SqlCorrespondents:
    return SqlCorrespondents(sql_database)


async def write_to(database: SqlDatabase, at: datetime, *addresses: Address) -> None:
    """Note that the account writes to these addresses, as the unit does that queues a message."""
    await database.write(unit_of(note_written, ACCOUNT, addresses, int(at.timestamp())))


async def list_known(database: SqlDatabase) -> list[str]:
    """Return the keys of all that the account knows."""

    def select() -> Unit[list[str]]:
        rows = yield Statement(
            "SELECT address FROM correspondents WHERE account_id = $1 ORDER BY domain, address", (ACCOUNT,)
        )
        return [row[0] for row in rows]

    return await database.read(select())


async def test_who_was_written_to_is_known_to_that_account_alone(
    correspondents: SqlCorrespondents, sql_database: SqlDatabase
) -> None:
    await write_to(sql_database, _NOW, _ANN)
    assert await correspondents.find_correspondents(ACCOUNT, [_ANN, _BOB]) == {
        "ann@friends.test": Correspondent(address="ann@friends.test", written=1, written_at=_NOW)
    }
    assert await correspondents.find_correspondents(_OTHER, [_ANN]) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@friends.test", "ANN@FRIENDS.TEST"),
        ("ann@friends.test", "ann+list-7@friends.test"),
        ("ann@bücher.test", "Ann+x@xn--bcher-kva.test"),
        ("ann@friends.test", '"ann"@friends.test'),
        ("gänse@friends.test", "GÄNSE+1@friends.test"),
    ],
)
async def test_spellings_of_an_address_are_one_correspondent(
    correspondents: SqlCorrespondents, sql_database: SqlDatabase, one: str, other: str
) -> None:
    first, second = Address.parse(one), Address.parse(other)
    await write_to(sql_database, _NOW, first, second)
    assert len(await list_known(sql_database)) == 1
    found = await correspondents.find_correspondents(ACCOUNT, [second])
    assert list(found) == [correspondent_key(first)]


async def test_the_senders_of_a_domain_are_counted_up_to_a_limit(
    correspondents: SqlCorrespondents, sql_database: SqlDatabase
) -> None:
    for name in ("ann", "bob", "eve"):
        heard = Address.parse(f"{name}@crowd.test")
        await sql_database.write(unit_of(note_heard, ACCOUNT, heard, 1_000_000))
    await sql_database.write(unit_of(note_written, ACCOUNT, [Address.parse("only-written@crowd.test")], 1_000_000))
    assert await correspondents.count_senders(ACCOUNT, "crowd.test", 9) == 3
    assert await correspondents.count_senders(ACCOUNT, "crowd.test", 2) == 2
    assert await correspondents.count_senders(_OTHER, "crowd.test", 9) == 0


async def test_days_with_mail_are_counted(correspondents: SqlCorrespondents, sql_database: SqlDatabase) -> None:
    for at in (_NOW, _NOW + timedelta(hours=5), _NOW + _DAY):
        await write_to(sql_database, at, _ANN)
    (known,) = (await correspondents.find_correspondents(ACCOUNT, [_ANN])).values()
    assert (known.written, known.written_at, known.heard, known.heard_at) == (2, _NOW + _DAY, 0, None)


async def test_a_message_that_is_filed_makes_its_writer_known_in_the_same_unit(
    correspondents: SqlCorrespondents, sql_database: SqlDatabase, shop: MailShop
) -> None:
    at = int(_NOW.timestamp())
    await shop.add(replace(new_message("one"), saved_at=at, heard=_ANN))
    await shop.add(replace(new_message("two"), saved_at=at + 60, heard=_ANN), new_message("three"))
    (known,) = (await correspondents.find_correspondents(ACCOUNT, [_ANN, _BOB])).values()
    assert await list_known(sql_database) == [known.address]
    assert known == Correspondent(address="ann@friends.test", heard=1, heard_at=_NOW)


async def test_a_message_that_is_not_filed_makes_nobody_known(
    correspondents: SqlCorrespondents, sql_database: SqlDatabase, shop: MailShop
) -> None:
    await shop.run("UPDATE account_state SET limit_messages = 1 WHERE account_id = $1", ACCOUNT)
    await shop.add(new_message())
    with pytest.raises(Exception, match="full"):
        await shop.add(replace(new_message("two"), heard=_ANN))
    assert await list_known(sql_database) == []


async def test_strangers_push_out_strangers_and_no_friends(
    correspondents: SqlCorrespondents, sql_database: SqlDatabase, shop: MailShop
) -> None:
    for number, day in enumerate((3, 1, 2)):
        await write_to(sql_database, _NOW + day * _DAY, Address.parse(f"friend{number}@a.test"))
    for number in range(4):
        at = int((_NOW + (10 + number) * _DAY).timestamp())
        heard = Address.parse(f"stranger{number}@b.test")
        await shop.add(replace(new_message(f"n{number}"), saved_at=at, heard=heard))
    assert await correspondents.forget_oldest(2) == 3
    assert await list_known(sql_database) == [
        "friend0@a.test",
        "friend2@a.test",
        "stranger2@b.test",
        "stranger3@b.test",
    ]
    assert await correspondents.forget_oldest(2) == 0
