"""Blobs that lie in mail: messages, their parts, and the parts of messages that are attached or were uploaded.

None of them is stored: each is read from the message by its id (`web.jmap.ids`), and only from the account's own.
"""

from __future__ import annotations

__all__ = ["MailBlobs"]

import asyncio

from hongyan.errors import Corrupt
from hongyan.message.anatomy import Anatomy
from hongyan.message.body_layout import lay_out
from hongyan.types import AccountId
from hongyan.web.jmap.email_services import EmailServices, locate, read_octets
from hongyan.web.jmap.ids import read_email_blob_id, split_part
from hongyan.web.jmap.uploads import FindBlob

_MOST_LEVELS = 20


class MailBlobs:
    """Finds them."""

    def __init__(self, services: EmailServices, find_upload: FindBlob) -> None:
        self._services = services
        self._find_upload = find_upload

    async def find(self, account: AccountId, blob_id: str) -> bytes | None:
        """Return the octets, or None if the account has no such blob."""
        numbers: list[str] = []
        rest = blob_id
        while (split := split_part(rest)) is not None and len(numbers) < _MOST_LEVELS:
            upload = None if numbers else await self._find_upload(account, rest)
            if upload is not None:
                return upload
            rest, number = split
            numbers.append(number)
        octets = await self._whole(account, rest)
        for number in reversed(numbers):
            if octets is None:
                return None
            octets = await asyncio.to_thread(_part_of, octets, number)
        return octets

    async def _whole(self, account: AccountId, blob_id: str) -> bytes | None:
        email = read_email_blob_id(blob_id, account)
        if email is None:
            return await self._find_upload(account, blob_id)
        if email not in await locate(self._services, account, [email]):
            return None
        for record in await self._services.placements.read_emails(account, [email]):
            try:
                return await read_octets(self._services, record)
            except Corrupt:
                return None
        return None


def _part_of(octets: bytes, number: str) -> bytes | None:
    part = lay_out(Anatomy(octets).parts, octets).find(number)
    return None if part is None else part.octets
