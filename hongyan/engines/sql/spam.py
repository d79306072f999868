"""The statistical filter's models and ballots in SQL."""

from __future__ import annotations

__all__ = ["SqlSpam"]

from collections.abc import Mapping, Sequence

from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit
from hongyan.errors import Conflict, NotFound
from hongyan.store.spam import SERVER_MODEL, Ballot, StoredModel, TrainedAccount
from hongyan.types import AccountId

_IN_A_STATEMENT = 50


class SqlSpam:
    """`store.spam.SpamStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_model(self, account: AccountId) -> StoredModel | None:
        return await self._database.read(_find_model(account))

    async def find_ballots(self, account: AccountId, fingerprints: Sequence[bytes]) -> Mapping[bytes, bool]:
        return await self._database.read(_find_ballots(account, fingerprints))

    async def save_model(
        self, account: AccountId, model: StoredModel, ballots: Sequence[Ballot] = (), *, at: int = 0, keep: int = 0
    ) -> None:
        await self._database.write(lambda _refs: _save(account, model, ballots, at, keep))

    async def forget(self, account: AccountId) -> None:
        await self._database.write(lambda _refs: _forget(account))

    async def list_trained(self, *, limit: int = 1000) -> Sequence[TrainedAccount]:
        return await self._database.read(_list_trained(limit))


def _find_model(account: AccountId) -> Unit[StoredModel | None]:
    rows = yield Statement("SELECT version, ham, spam, counts FROM spam_models WHERE account_id = $1", (account,))
    return StoredModel(*rows[0]) if rows else None


def _find_ballots(account: AccountId, fingerprints: Sequence[bytes]) -> Unit[Mapping[bytes, bool]]:
    found: dict[bytes, bool] = {}
    for at in range(0, len(fingerprints), _IN_A_STATEMENT):
        some = fingerprints[at : at + _IN_A_STATEMENT]
        marks = ", ".join(f"${number}" for number in range(2, len(some) + 2))
        rows = yield Statement(
            f"SELECT fingerprint, is_spam FROM spam_ballots WHERE account_id = $1 AND fingerprint IN ({marks})",
            (account, *some),
        )
        found.update((bytes(row[0]), bool(row[1])) for row in rows)
    return found


def _save(account: AccountId, model: StoredModel, ballots: Sequence[Ballot], at: int, keep: int) -> Unit[None]:
    if account != SERVER_MODEL:
        alive = yield Statement("SELECT 1 FROM account_state WHERE account_id = $1", (account,))
        if not alive:
            raise NotFound("There is no such account.")
    saved = yield Statement(
        "INSERT INTO spam_models (account_id, version, ham, spam, counts) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, ham = excluded.ham,"
        " spam = excluded.spam, counts = excluded.counts WHERE spam_models.version = excluded.version - 1"
        " RETURNING version",
        (account, model.version, model.ham, model.spam, model.table),
    )
    if not saved:
        raise Conflict(cause="another process has taught the filter meanwhile")
    if not ballots:
        return
    yield Many(
        "INSERT INTO spam_ballots (account_id, fingerprint, is_spam, voted_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (account_id, fingerprint) DO UPDATE SET is_spam = excluded.is_spam,"
        " voted_at = excluded.voted_at",
        [(account, ballot.fingerprint, int(ballot.is_spam), at) for ballot in ballots],
    )
    oldest = yield Statement(
        "SELECT voted_at FROM spam_ballots WHERE account_id = $1 ORDER BY voted_at DESC LIMIT 1 OFFSET $2",
        (account, keep),
    )
    if oldest:
        yield Statement("DELETE FROM spam_ballots WHERE account_id = $1 AND voted_at < $2", (account, oldest[0][0]))


def _forget(account: AccountId) -> Unit[None]:
    for table in ("spam_models", "spam_ballots"):
        yield Statement(f"DELETE FROM {table} WHERE account_id = $1", (account,))


def _list_trained(limit: int) -> Unit[Sequence[TrainedAccount]]:
    rows = yield Statement(
        "SELECT account_id, ham, spam FROM spam_models WHERE account_id <> $1 ORDER BY ham + spam DESC, account_id"
        " LIMIT $2",
        (SERVER_MODEL, limit),
    )
    return [TrainedAccount(AccountId(row[0]), row[1], row[2]) for row in rows]
