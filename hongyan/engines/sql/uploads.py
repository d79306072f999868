"""Uploads in SQL."""

from __future__ import annotations

__all__ = ["SqlUploads"]

from collections.abc import Sequence

from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, unit_of
from hongyan.errors import NotFound
from hongyan.store.uploads import Upload, UploadRoom
from hongyan.types import AccountId, BlobRef


class SqlUploads:
    """`store.uploads.UploadStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def save(
        self, account: AccountId, upload_id: str, octets: bytes, media_type: str, at: int, room: UploadRoom
    ) -> None:
        def make(refs: Sequence[BlobRef]) -> Unit[None]:
            return _save(account, Upload(upload_id, refs[0], len(octets), media_type, at), room)

        await self._database.write(make, blobs=[octets])

    async def find(self, account: AccountId, upload_id: str) -> Upload | None:
        return await self._database.read_small(lambda: _find(account, upload_id))

    async def forget_before(self, at: int, *, limit: int = 100) -> int:
        accounts = await self._database.read(_accounts_before(at, limit))
        for account in accounts:
            await self._database.write(unit_of(_forget_before, account, at))
        return len(accounts)


def _save(account: AccountId, upload: Upload, room: UploadRoom) -> Unit[None]:
    # The account's row is locked until the unit ends: two uploads at once do not both take the last room.
    alive = yield Statement(
        "UPDATE account_state SET next_email = next_email WHERE account_id = $1 RETURNING account_id", (account,)
    )
    if not alive:
        raise NotFound("There is no such account.")
    yield from _forget_before(account, room.since)
    rows = yield Statement(
        "SELECT upload_id, size FROM uploads WHERE account_id = $1 ORDER BY uploaded_at DESC, upload_id", (account,)
    )
    octets, count = upload.size, 1
    for upload_id, size in rows:
        octets, count = octets + size, count + 1
        if octets > room.octets or count > room.count:  # RFC 8620 §6: the oldest first, until there is room
            yield Statement("DELETE FROM uploads WHERE account_id = $1 AND upload_id = $2", (account, upload_id))
    yield Statement(
        "INSERT INTO uploads (account_id, upload_id, blob_ref, size, media_type, uploaded_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        (account, upload.upload_id, upload.blob, upload.size, upload.media_type, upload.uploaded_at),
    )


def _find(account: AccountId, upload_id: str) -> Unit[Upload | None]:
    rows = yield Statement(
        "SELECT upload_id, blob_ref, size, media_type, uploaded_at FROM uploads"
        " WHERE account_id = $1 AND upload_id = $2",
        (account, upload_id),
    )
    return Upload(rows[0][0], BlobRef(bytes(rows[0][1])), *rows[0][2:]) if rows else None


def _accounts_before(at: int, limit: int) -> Unit[list[AccountId]]:
    rows = yield Statement("SELECT DISTINCT account_id FROM uploads WHERE uploaded_at < $1 LIMIT $2", (at, limit))
    return [AccountId(row[0]) for row in rows]


def _forget_before(account: AccountId, at: int) -> Unit[None]:
    yield Statement("DELETE FROM uploads WHERE account_id = $1 AND uploaded_at < $2", (account, at))
