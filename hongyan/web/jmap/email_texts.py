"""Texts of an account's emails: the index answers for most, and what it cannot answer for is read."""

from __future__ import annotations

__all__ = ["TextFinder"]

import asyncio
from collections.abc import Iterator, Sequence

from pyroaring import BitMap

from hongyan.clock import Clock
from hongyan.errors import Corrupt, ServerFault
from hongyan.message.anatomy import STORED_FIELDS, Anatomy
from hongyan.message.encoded_words import decode_words
from hongyan.message.fold import fold_text
from hongyan.message.headers import iterate_fields
from hongyan.message.outline import Outline
from hongyan.message.searchable import body_texts, header_block, header_texts
from hongyan.store.index import IndexField, email_of
from hongyan.store.placements import EmailRecord
from hongyan.types import AccountId
from hongyan.web.jmap.email_filter import HasField, HasText
from hongyan.web.jmap.email_services import EmailServices, read_octets
from hongyan.wire.jmap.faults import MethodError

_SECONDS = 20.0
"""How long the texts of one query may be looked for."""

_BATCH = 100
_FIELDS = {
    "from": (IndexField.FROM,),
    "to": (IndexField.TO,),
    "cc": (IndexField.CC,),
    "bcc": (IndexField.BCC,),
    "subject": (IndexField.SUBJECT,),
    "body": (IndexField.BODY,),
    "text": (IndexField.HEADER, IndexField.BODY),
}


class TextFinder:
    """Finds the texts of one query."""

    def __init__(self, services: EmailServices, account: AccountId, clock: Clock) -> None:
        self._services = services
        self._account = account
        self._clock = clock
        self._deadline = clock.monotonic() + _SECONDS

    async def find(self, search: HasText | HasField, among: BitMap) -> BitMap:
        """Return those of the emails, by number, that hold the text. Raises `MethodError` when it takes too long."""
        if not among:
            return among
        if isinstance(search, HasText):
            sure, unread = await self._ask(_FIELDS[search.where], search.needle, among)
        elif search.name.encode("ascii") in STORED_FIELDS:
            sure, unread = BitMap(), among
        else:
            # Some field says it; whether it is this one has to be seen.
            found, doubtful = await self._ask((IndexField.HEADER,), search.needle or fold_text(search.name), among)
            sure, unread = BitMap(), found | doubtful
        return sure | await self._read(search, unread)

    async def _ask(self, fields: Sequence[IndexField], needle: str, among: BitMap) -> tuple[BitMap, BitMap]:
        """Return those that hold the text for sure, and those that have to be read."""
        index, indexer = self._services.index, self._services.indexer
        if index is None or indexer is None:
            return BitMap(), among
        try:
            match = (
                await index.match(self._account, fields, needle) if await indexer.is_trusted(self._account) else None
            )
        except ServerFault as fault:
            indexer.ask(self._account, damaged=isinstance(fault, Corrupt))
            return BitMap(), among
        if match is None:
            indexer.ask(self._account)
            return BitMap(), among
        late = among - BitMap(range(match.covered + 1)) if match.covered else among
        return among & match.sure, (among & match.doubtful) | late

    async def _read(self, search: HasText | HasField, among: BitMap) -> BitMap:
        found = BitMap()
        for at in range(0, len(among), _BATCH):
            if self._clock.monotonic() > self._deadline:
                raise MethodError("serverUnavailable", "The search takes too long; look for less.")
            emails = [email_of(self._account, number) for number in among[at : at + _BATCH]]
            for record in await self._services.placements.read_emails(self._account, emails):
                if await self._holds(record, search):
                    found.add(int(record.email) & 0xFFFFFFFF)
        return found

    async def _holds(self, record: EmailRecord, search: HasText | HasField) -> bool:
        if isinstance(search, HasField):
            octets = record.fields if search.name.encode("ascii") in STORED_FIELDS else await self._octets(record)
            return _field_has(octets, search.name.encode("ascii"), search.needle)
        if search.where not in ("text", "body"):
            return _field_has(record.fields, search.where.encode("ascii"), search.needle)
        octets = await self._octets(record)
        return await asyncio.to_thread(_message_has, octets, search)

    async def _octets(self, record: EmailRecord) -> bytes:
        try:
            return await read_octets(self._services, record)
        except Corrupt:
            return record.fields


def _field_has(block: bytes, field: bytes, needle: str) -> bool:
    return any(
        name.lower() == field and needle in fold_text(decode_words(value))
        for name, value in iterate_fields(header_block(block))
    )


def _message_has(octets: bytes, search: HasText) -> bool:
    return any(search.needle in text for text in _texts(octets, search.where))


def _texts(octets: bytes, where: str) -> Iterator[str]:
    if where == "text":
        yield from header_texts(header_block(octets))
    yield from body_texts(Outline.from_parts(Anatomy(octets).parts), octets)
