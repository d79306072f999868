"""The mail of an account, message by message: for import and export.

Octets travel as base64. A message that is brought in again within a month, the same octets for the same mailbox, is
stored once: what was interrupted can be begun again. Messages that are alike from the beginning are counted, and each
is stored.
"""

from __future__ import annotations

__all__ = ["mail_operations"]

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from pyroaring import BitMap

from hongyan.addresses import Address
from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services
from hongyan.errors import NotFound, OverLimit, Refused
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.hierarchy import create_mailbox
from hongyan.message.analyze import analyze
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.store.mailboxes import Mailbox
from hongyan.store.messages import Column
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId, BlobRef
from hongyan.wire.imap.mailbox_name import normalize_name

_REMEMBERED = 30 * 24 * 3600  # seconds
_ROWS = 100
_MAX_BATCH = 16 << 20  # octets of messages that are read in one go; a larger message comes alone
_COLUMNS = (Column.UID, Column.INTERNAL_DATE, Column.SIZE, Column.PREFIX, Column.BLOB, Column.SKIPPED)
_SYSTEM_FLAGS = frozenset({"\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"})


def mail_operations(ground: Ground, services: Services) -> Mapping[str, Operation]:
    """Return the operations on an account's mail, by name."""
    group = _Mail(ground, services)
    return {"mail.mailboxes": group.list_mailboxes, "mail.append": group.append, "mail.read": group.read}


@dataclass(frozen=True, slots=True)
class _Brought:
    """A message as it was brought in."""

    incoming: Incoming
    digest: bytes


class _Mail:
    def __init__(self, ground: Ground, services: Services) -> None:
        self._mail = services.mail
        self._accounts = services.directory.accounts
        self._clock = ground.clock
        self._most = ground.config.imap.append_limit

    async def list_mailboxes(self, caller: Caller, *, address: str) -> Document:  # noqa: ARG002
        """Return the mailboxes of an account, and the largest message that may be brought in."""
        account = await self._account(address)
        return {
            "mailboxes": [_shown(box) for box in await self._mail.mailboxes.list_mailboxes(account)],
            "largest": self._most,
        }

    async def append(
        self,
        caller: Caller,  # noqa: ARG002
        *,
        address: str,
        mailbox: str,
        messages: list[dict[str, object]],
    ) -> Document:
        """Bring messages in, in this order; the mailbox is made if it is not there. Returns how many were new."""
        account = await self._account(address)
        box = await self._require_mailbox(account, mailbox)
        brought = await asyncio.to_thread(self._read_all, box, messages)
        # Opened first, and analysed already: so the units of work are begun in the order of the messages.
        await self._mail.live.open(account, box.mailbox_id)
        now = int(self._clock.timestamp())
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    append(
                        self._mail,
                        account,
                        box.mailbox_id,
                        [message.incoming],
                        receipt=Receipt(message.digest, now, now + _REMEMBERED),
                    )
                )
                for message in brought
            ]
        return {"stored": sum(not task.result().duplicate for task in tasks), "given": len(tasks)}

    async def read(self, caller: Caller, *, address: str, mailbox: str, after: int = 0) -> Document:  # noqa: ARG002
        """Return some messages of a mailbox, those with UIDs after this one; none, when there are no more."""
        account = await self._account(address)
        box = await self._find_mailbox(account, mailbox)
        if box is None:
            raise NotFound("There is no such mailbox.")
        rows = await self._mail.messages.rows(account, box.mailbox_id, _COLUMNS, [(after + 1, 0xFFFFFFFF)], limit=_ROWS)
        state = await self._mail.live.open(account, box.mailbox_id)
        flags = state.flags_of(BitMap(row[0] for row in rows))
        messages: list[Document] = []
        octets = 0
        for uid, date, size, prefix, ref, skipped in rows:
            octets += size
            if messages and octets > _MAX_BATCH:
                break
            served = bytes(prefix) + await self._mail.blobs.read(BlobRef(ref), skipped)
            messages.append(
                {
                    "uid": uid,
                    "octets": base64.b64encode(served).decode(),
                    "flags": [flag.decode() for flag, uids in flags.items() if uid in uids],
                    "date": datetime.fromtimestamp(date, UTC).isoformat(),
                }
            )
        return {"messages": messages}

    async def _account(self, address: str) -> AccountId:
        return (await self._accounts.get(Address.parse(address))).account_id

    async def _find_mailbox(self, account: AccountId, name: str) -> Mailbox | None:
        return await self._mail.mailboxes.find_mailbox(account, normalize_name(name))

    async def _require_mailbox(self, account: AccountId, name: str) -> Mailbox:
        return await self._find_mailbox(account, name) or await create_mailbox(self._mail, account, name)

    def _read_all(self, box: Mailbox, messages: Sequence[Mapping[str, object]]) -> Sequence[_Brought]:
        return [self._read_one(box, message) for message in messages]

    def _read_one(self, box: Mailbox, message: Mapping[str, object]) -> _Brought:
        try:
            octets = base64.b64decode(str(message["octets"]), validate=True)
            date = None if message.get("date") is None else datetime.fromisoformat(str(message["date"]))
        except (KeyError, ValueError, binascii.Error):
            raise Refused("A message has octets in base64, and a date as ISO 8601 writes it.") from None
        if len(octets) > self._most:
            raise OverLimit(f"A message has at most {self._most} octets.")
        flags = message.get("flags")
        names = tuple(_check_flag(str(name)) for name in flags) if isinstance(flags, list) else ()
        occurrence = str(message.get("occurrence", 0))
        digest = sha256(f"import {box.mailbox_id} {occurrence}\n".encode() + octets).digest()
        return _Brought(Incoming(octets, flags=names, internal_date=date, analysis=analyze(b"", octets)), digest)


def _check_flag(name: str) -> bytes:
    """Return a flag as the store has it (RFC 9051 §2.3.2, §9: atom characters)."""
    plain = name.isascii() and name.isprintable() and not any(character in '(){ %*"\\]' for character in name)
    if name not in _SYSTEM_FLAGS and (not plain or not name):
        raise Refused(f"{name} is no keyword.")
    return name.encode()


def _shown(box: Mailbox) -> Document:
    return {
        "name": box.name,
        "special_use": box.special_use,
        "uidvalidity": box.uidvalidity,
        "messages": box.messages,
        "octets": box.octets,
    }
