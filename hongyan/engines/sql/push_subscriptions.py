"""Push subscriptions in SQL."""

from __future__ import annotations

__all__ = ["SqlPushSubscriptions"]

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit, unit_of
from hongyan.errors import NotFound, OverLimit
from hongyan.store.accounts import Service
from hongyan.store.push_subscriptions import PushKeys, PushSubscription
from hongyan.types import AccountId, CredentialId

_COLUMNS = (
    "account_id, subscription_id, credential_id, service, device, url, public_key, secret, code, verified,"
    " expires_at, types, told, key_number"
)


class SqlPushSubscriptions:
    """`store.push_subscriptions.PushSubscriptionStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def add_subscription(self, new: PushSubscription, now: datetime, *, most: int) -> None:
        await self._database.write(unit_of(_add, new, now, most))

    async def find_subscription(self, account: AccountId, subscription_id: str) -> PushSubscription | None:
        return await self._database.read_small(lambda: _find(account, subscription_id))

    async def list_subscriptions(self, account: AccountId, credential: CredentialId) -> Sequence[PushSubscription]:
        return await self._database.read(_list(account, credential))

    async def list_all(self, *, verified: bool = False) -> Sequence[tuple[AccountId, str]]:
        return await self._database.read(_list_all(int(verified)))

    async def change_subscription(self, changed: PushSubscription) -> bool:
        return await self._database.write(unit_of(_change, changed))

    async def claim_push(self, account: AccountId, subscription_id: str, before: str, after: str) -> bool:
        return await self._database.write(unit_of(_claim, account, subscription_id, before, after))

    async def remove_subscription(self, account: AccountId, subscription_id: str) -> bool:
        return await self._database.write(unit_of(_remove, account, subscription_id))

    async def expire_subscriptions(self, now: datetime) -> int:
        return await self._database.write(unit_of(_expire, now))


def _add(new: PushSubscription, now: datetime, most: int) -> Unit[None]:
    # The account's row is locked until the unit ends: two at once do not both take the last place.
    alive = yield Statement(
        "UPDATE account_state SET next_email = next_email WHERE account_id = $1 RETURNING account_id", (new.account,)
    )
    if not alive:
        raise NotFound("There is no such account.")
    yield Statement(
        "DELETE FROM push_subscriptions WHERE account_id = $1 AND expires_at <= $2",
        (new.account, int(now.timestamp())),
    )
    rows = yield Statement("SELECT COUNT(*) FROM push_subscriptions WHERE account_id = $1", (new.account,))
    if rows[0][0] >= most:
        raise OverLimit("The account has as many push subscriptions as it may have.")
    keys = new.keys or PushKeys(b"", b"")
    row: Row = (
        new.account,
        new.subscription_id,
        new.credential,
        new.service.value,
        new.device,
        new.url,
        keys.public_key,
        keys.secret,
        new.code,
        int(new.is_verified),
        _write_time(new.expires_at),
        _write_types(new.types),
        new.told,
        new.key_number,
    )
    yield Statement(
        f"INSERT INTO push_subscriptions ({_COLUMNS})"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        row,
    )


def _find(account: AccountId, subscription_id: str) -> Unit[PushSubscription | None]:
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM push_subscriptions WHERE account_id = $1 AND subscription_id = $2",
        (account, subscription_id),
    )
    return _subscription(rows[0]) if rows else None


def _list(account: AccountId, credential: CredentialId) -> Unit[Sequence[PushSubscription]]:
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM push_subscriptions WHERE account_id = $1 AND credential_id = $2"
        " ORDER BY subscription_id",
        (account, credential),
    )
    return [_subscription(row) for row in rows]


def _list_all(verified: int) -> Unit[Sequence[tuple[AccountId, str]]]:
    rows = yield Statement(
        "SELECT account_id, subscription_id FROM push_subscriptions WHERE verified >= $1"
        " ORDER BY account_id, subscription_id",
        (verified,),
    )
    return [(AccountId(account), name) for account, name in rows]


def _change(changed: PushSubscription) -> Unit[bool]:
    # Two changes at once take nothing back: it stays verified, and what was told is noted by whoever pushes.
    rows = yield Statement(
        "UPDATE push_subscriptions SET told = CASE WHEN verified = 0 THEN $1 ELSE told END,"
        " verified = CASE WHEN verified = 0 THEN $2 ELSE verified END, expires_at = $3, types = $4"
        " WHERE account_id = $5 AND subscription_id = $6 RETURNING subscription_id",
        (
            changed.told,
            int(changed.is_verified),
            _write_time(changed.expires_at),
            _write_types(changed.types),
            changed.account,
            changed.subscription_id,
        ),
    )
    return bool(rows)


def _claim(account: AccountId, subscription_id: str, before: str, after: str) -> Unit[bool]:
    rows = yield Statement(
        "UPDATE push_subscriptions SET told = $1 WHERE account_id = $2 AND subscription_id = $3 AND told = $4"
        " RETURNING subscription_id",
        (after, account, subscription_id, before),
    )
    return bool(rows)


def _remove(account: AccountId, subscription_id: str) -> Unit[bool]:
    rows = yield Statement(
        "DELETE FROM push_subscriptions WHERE account_id = $1 AND subscription_id = $2 RETURNING subscription_id",
        (account, subscription_id),
    )
    return bool(rows)


def _expire(now: datetime) -> Unit[int]:
    rows = yield Statement(
        "DELETE FROM push_subscriptions WHERE expires_at <= $1 RETURNING subscription_id", (int(now.timestamp()),)
    )
    return len(rows)


def _write_time(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


def _write_types(types: frozenset[str] | None) -> str | None:
    return None if types is None else json.dumps(sorted(types))


def _subscription(row: Row) -> PushSubscription:
    account, name, credential, service, device, url, public_key, secret, *rest = row
    code, verified, expires_at, types, told, key_number = rest
    return PushSubscription(
        account=AccountId(account),
        subscription_id=name,
        credential=CredentialId(credential),
        service=Service(service),
        device=device,
        url=url,
        keys=PushKeys(public_key, secret) if public_key else None,
        code=code,
        is_verified=bool(verified),
        expires_at=None if expires_at is None else datetime.fromtimestamp(expires_at, UTC),
        types=None if types is None else frozenset(json.loads(types)),
        told=told,
        key_number=key_number,
    )
