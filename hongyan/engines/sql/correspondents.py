"""Correspondents in SQL.

Notes are parts of the units of others: of the one that files a message, and of the one that queues it.
"""

from __future__ import annotations

__all__ = ["SqlCorrespondents", "find_known", "note_heard", "note_written", "select_known"]

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from hongyan.addresses import Address
from hongyan.engines.sql.units import Many, Row, SqlDatabase, Statement, Unit, Value, unit_of
from hongyan.store.correspondents import Correspondent, correspondent_key
from hongyan.types import AccountId

_DAY = 86_400
_COLUMNS = "address, written, written_at, heard, heard_at"


class SqlCorrespondents:
    """`store.correspondents.CorrespondentStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_correspondents(
        self, account: AccountId, addresses: Collection[Address]
    ) -> Mapping[str, Correspondent]:
        return await self._database.read_small(lambda: find_known(account, addresses))

    async def count_senders(self, account: AccountId, domain: str, most: int) -> int:
        return await self._database.read_small(lambda: _count_senders(account, domain, most))

    async def forget_oldest(self, keep: int) -> int:
        gone = 0
        for is_written in (True, False):
            # All accounts are looked through beside the writer, which is kept only by those that have too many.
            for account, surplus in await self._database.read(_crowded(is_written, keep)):
                gone += await self._database.write(unit_of(_drop_oldest, account, is_written, surplus), durable=False)
        return gone


# -- parts of units, for this package


def find_known(account: AccountId, addresses: Collection[Address]) -> Unit[dict[str, Correspondent]]:
    """Return those of the addresses that the account knows, by key."""
    rows = yield from select_known(account, addresses)
    return {row[0]: _read(row) for row in rows}


def select_known(account: AccountId, addresses: Collection[Address]) -> Unit[list[Row]]:
    """Return the rows of those of the addresses that the account knows: key, written, when, heard, when."""
    wanted: dict[str, list[str]] = {}
    for key, domain in {correspondent_key(address): address.domain.text for address in addresses}.items():
        wanted.setdefault(domain, []).append(key)
    found: list[Row] = []
    for domain, keys in wanted.items():
        for at in range(0, len(keys), _AT_ONCE):
            some = keys[at : at + _AT_ONCE]
            if len(some) > 1:
                some += some[-1:] * (_AT_ONCE - len(some))  # Statements that repeat are found ready.
            found += yield Statement(_SELECT_ONE if len(some) == 1 else _SELECT_SOME, (account, domain, *some))
    return found


_AT_ONCE = 16
_SELECT_ONE = f"SELECT {_COLUMNS} FROM correspondents WHERE account_id = $1 AND domain = $2 AND address = $3"
_SELECT_SOME = (
    f"SELECT {_COLUMNS} FROM correspondents WHERE account_id = $1 AND domain = $2"
    f" AND address IN ({', '.join(f'${number}' for number in range(3, 3 + _AT_ONCE))})"
)


def note_written(account: AccountId, addresses: Collection[Address], at: int) -> Unit[None]:
    """Note that an account writes to these addresses; on a day that is noted already nothing is written."""
    rows = _rows(account, addresses, at)
    if rows:
        yield Many(_NOTE_WRITTEN, rows)


def note_heard(account: AccountId, address: Address, at: int) -> Unit[None]:
    """Note that somebody wrote to the account; on a day that is noted already nothing is written."""
    yield Statement(_NOTE_HEARD, _row(account, address.domain.text, correspondent_key(address), at))


_NOTE_WRITTEN = (
    "INSERT INTO correspondents (account_id, domain, address, written, written_at, heard, heard_at)"
    " VALUES ($1, $2, $3, 1, $4, 0, 0) ON CONFLICT (account_id, domain, address) DO UPDATE SET"
    " written = correspondents.written + 1, written_at = excluded.written_at WHERE correspondents.written_at < $5"
)
_NOTE_HEARD = (
    "INSERT INTO correspondents (account_id, domain, address, written, written_at, heard, heard_at)"
    " VALUES ($1, $2, $3, 0, 0, 1, $4) ON CONFLICT (account_id, domain, address) DO UPDATE SET"
    " heard = correspondents.heard + 1, heard_at = excluded.heard_at WHERE correspondents.heard_at < $5"
)


def _rows(account: AccountId, addresses: Collection[Address], at: int) -> list[tuple[Value, ...]]:
    """Return the parameters of a note, in the order of the key: two that note the same never wait for each other."""
    keys = {(address.domain.text, correspondent_key(address)) for address in addresses}
    return [_row(account, domain, key, at) for domain, key in sorted(keys)]


def _row(account: AccountId, domain: str, key: str, at: int) -> tuple[Value, ...]:
    return (account, domain, key, at, at - at % _DAY)


# -- whole units


def _count_senders(account: AccountId, domain: str, most: int) -> Unit[int]:
    rows = yield Statement(
        "SELECT COUNT(*) FROM (SELECT 1 FROM correspondents WHERE account_id = $1 AND domain = $2 AND heard > 0"
        " LIMIT $3) AS senders",
        (account, domain, most),
    )
    return int(rows[0][0])


def _kind(is_written: bool) -> str:
    return "written > 0" if is_written else "written = 0"


def _crowded(is_written: bool, keep: int) -> Unit[Sequence[tuple[int, int]]]:
    """Return the accounts that know more than so many of a kind, and by how many."""
    rows = yield Statement(
        f"SELECT account_id, COUNT(*) FROM correspondents WHERE {_kind(is_written)} GROUP BY account_id"
        " HAVING COUNT(*) > $1",
        (keep,),
    )
    return [(row[0], row[1] - keep) for row in rows]


def _drop_oldest(account: int, is_written: bool, surplus: int) -> Unit[int]:
    last = "written_at" if is_written else "heard_at"
    rows = yield Statement(
        "DELETE FROM correspondents WHERE account_id = $1 AND (domain, address) IN (SELECT domain, address"
        f" FROM correspondents WHERE account_id = $1 AND {_kind(is_written)} ORDER BY {last}, domain, address LIMIT $2)"
        " RETURNING domain",
        (account, surplus),
    )
    return len(rows)


def _read(row: Row) -> Correspondent:
    address, written, written_at, heard, heard_at = row
    return Correspondent(
        address=address, written=written, written_at=_time(written_at), heard=heard, heard_at=_time(heard_at)
    )


def _time(stamp: int) -> datetime | None:
    return datetime.fromtimestamp(stamp, UTC) if stamp else None
