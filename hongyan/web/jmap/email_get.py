"""Email/get: from rows where they tell it, else from the messages (RFC 8621 §4.2)."""

from __future__ import annotations

__all__ = ["describe", "email_get"]

import asyncio
from collections.abc import Mapping, Sequence

from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.store.index import email_of
from hongyan.store.placements import EmailRecord
from hongyan.types import AccountId, EmailId
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.email_object import EmailFacts, ReadMessage, write_email
from hongyan.web.jmap.email_properties import GET_DEFAULTS, Wanted, read_wanted
from hongyan.web.jmap.email_services import (
    EmailServices,
    Located,
    email_state,
    keywords_of,
    locate,
    open_all,
    read_octets,
)
from hongyan.web.jmap.ids import email_blob_id, email_id, mailbox_id, read_email_id, thread_id
from hongyan.wire.jmap.faults import MethodError
from hongyan.wire.jmap.values import write_utc_date

_MOST_READ = 256 << 20
"""Octets of messages that are read for one call."""
_IN_A_THREAD = 256 << 10


async def email_get(services: EmailServices, call: Call) -> Mapping[str, object]:
    """Return emails, in the order in which they were asked for."""
    wanted = read_wanted(call.arguments, GET_DEFAULTS)
    asked = call.arguments.find_ids("ids", references=True)
    call.arguments.finish()
    account = call.account
    state = await email_state(services, account)
    if asked is None:
        asked = [email_id(email) for email in await _all(services, account)]
    if len(asked) > services.jmap.options.max_objects_in_get:
        raise MethodError("requestTooLarge", "More ids than maxObjectsInGet.")
    named = {one: read_email_id(call.created.resolve(one) or "", account) for one in asked}
    located = await locate(services, account, [email for email in named.values() if email is not None])
    records = {record.email: record for record in await services.placements.read_emails(account, list(located))}
    written: list[Mapping[str, object]] = []
    not_found: list[str] = []
    reading = _Reading(services, wanted)
    for one, email in named.items():
        found, record = located.get(email), records.get(email)  # type: ignore[arg-type]  # None is no key
        if found is None or record is None:
            not_found.append(one)
        else:
            written.append(await reading.write(record, found))
    return {"accountId": call.account_id, "state": state, "list": written, "notFound": not_found}


async def _all(services: EmailServices, account: AccountId) -> Sequence[EmailId]:
    states = await open_all(services, account)
    if sum(map(len, states)) > 4 * services.jmap.options.max_objects_in_get:
        raise MethodError("requestTooLarge", "More emails than maxObjectsInGet.")
    columns = await services.emails.open(account, states)
    shown = BitMap().union(*[columns.shown_in(state) for state in states])
    return [email_of(account, number) for number in shown]


class _Reading:
    """Reads the messages of one call, and not more of them than may be."""

    def __init__(self, services: EmailServices, wanted: Wanted) -> None:
        self._services = services
        self._wanted = wanted
        self._left = _MOST_READ

    async def write(self, record: EmailRecord, located: Located) -> Mapping[str, object]:
        facts = describe(record, located)
        if not self._wanted.needs_message:
            return write_email(self._wanted, facts, None)
        self._left -= record.size
        if self._left < 0:
            raise MethodError("requestTooLarge", "The messages are too large to be read in one call.")
        try:
            octets = await read_octets(self._services, record)
        except Corrupt:
            octets = record.fields + b"\r\n"  # What the row knows of it is shown; verify tells the operator.
        message = ReadMessage(octets, facts.blob_id)
        if len(octets) > _IN_A_THREAD:
            return await asyncio.to_thread(write_email, self._wanted, facts, message)
        await asyncio.sleep(0)
        return write_email(self._wanted, facts, message)


def describe(record: EmailRecord, located: Located) -> EmailFacts:
    """Return what the store knows of an email in the words of JMAP."""
    return EmailFacts(
        id=email_id(record.email),
        blob_id=email_blob_id(record.email),
        thread_id=thread_id(record.thread),
        mailbox_ids={mailbox_id(state.mailbox_id): True for state, _uid in located.messages},
        keywords=keywords_of(located.flags),
        size=record.size,
        received_at=write_utc_date(record.internal_date),
        fields=record.fields,
        has_attachment=record.has_attachment,
        preview=record.preview,
    )
