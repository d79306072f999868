"""Email/import, Email/copy and Email/parse: messages that come as blobs (RFC 8621 §4.7-§4.9)."""

from __future__ import annotations

__all__ = ["email_copy", "email_import", "email_parse"]

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from hongyan.mailboxes.append import Incoming
from hongyan.message.dates import parse_date
from hongyan.message.headers import find_body, iterate_fields
from hongyan.web.jmap.call import Call
from hongyan.web.jmap.email_object import ReadMessage, write_message
from hongyan.web.jmap.email_properties import PARSE_DEFAULTS, read_wanted
from hongyan.web.jmap.email_services import EmailServices, email_state
from hongyan.web.jmap.email_set import EmailSetter, read_keywords, read_mailbox_ids
from hongyan.web.jmap.mail_blobs import MailBlobs
from hongyan.web.jmap.setting import SetResult
from hongyan.web.jmap.states import require_state
from hongyan.wire.jmap.faults import MethodError, SetError, invalid_arguments, invalid_properties
from hongyan.wire.jmap.values import is_id, parse_utc_date

_KNOWN = frozenset({"blobId", "mailboxIds", "keywords", "receivedAt"})


async def email_import(
    services: EmailServices, blobs: MailBlobs, setter: EmailSetter, call: Call
) -> Mapping[str, object]:
    """RFC 8621 §4.8. The same message may be imported again, and is then another email."""
    if_in_state = call.arguments.find_string("ifInState")
    emails = call.arguments.find_records("emails")
    call.arguments.finish()
    if emails is None:
        raise invalid_arguments("emails is an object of objects by Id.")
    if len(emails) > services.jmap.options.max_objects_in_set:
        raise MethodError("requestTooLarge", "More objects than maxObjectsInSet.")
    state = await email_state(services, call.account)
    require_state(if_in_state, state)
    result = SetResult(call, state)

    async def bring_in(record: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        unknown = sorted(set(record) - _KNOWN)
        if unknown:
            raise invalid_properties(unknown)
        boxes = await read_mailbox_ids(services, call, record.get("mailboxIds"))
        flags = read_keywords(record.get("keywords"))
        received = parse_utc_date(record.get("receivedAt"))
        if record.get("receivedAt") is not None and received is None:
            raise invalid_properties(["receivedAt"], "A UTCDate.")
        octets = await _blob(blobs, call, record.get("blobId"))
        if not _is_message(octets):
            raise SetError("invalidEmail", "The blob is no message.")
        message = Incoming(octets, flags=flags, internal_date=received or _last_received(octets))
        return await setter.store(call.account, message, boxes)

    for key, record in emails.items():
        await result.create(key, lambda record=record: bring_in(record))  # type: ignore[misc]  # bound here
    told = result.tell(await email_state(services, call.account))
    return {name: told[name] for name in ("accountId", "oldState", "newState", "created", "notCreated")}


async def _blob(blobs: MailBlobs, call: Call, blob_id: object) -> bytes:
    found = await blobs.find(call.account, blob_id) if is_id(blob_id) else None
    if found is None:
        raise invalid_properties(["blobId"], "There is no such blob.")
    return found


def _is_message(octets: bytes) -> bool:
    """Whether the octets begin with a header field; an mbox line before it is none of a message."""
    block = octets[: min(find_body(octets, 0, len(octets)), 1 << 16)]
    return bool(octets) and next(iterate_fields(block), None) is not None


def _last_received(octets: bytes) -> datetime | None:
    """Return when the last server received it, as it says itself."""
    block = octets[: min(find_body(octets, 0, len(octets)), 1 << 20)]
    for name, value in iterate_fields(block):
        if name.lower() == b"received":
            seconds = parse_date(value.rpartition(b";")[2].strip())
            try:
                return None if seconds is None or seconds < 0 else datetime.fromtimestamp(seconds, UTC)
            except (OverflowError, ValueError, OSError):
                return None
    return None


async def email_copy(call: Call) -> Mapping[str, object]:
    """RFC 8621 §4.7, RFC 8620 §5.4: between different accounts. Of somebody else's there is none here."""
    source = call.arguments.id("fromAccountId")
    if source == call.account_id:
        raise invalid_arguments("fromAccountId is another account.")
    raise MethodError("fromAccountNotFound")


async def email_parse(services: EmailServices, blobs: MailBlobs, call: Call) -> Mapping[str, object]:
    """RFC 8621 §4.9."""
    wanted = read_wanted(call.arguments, PARSE_DEFAULTS)
    asked = call.arguments.find_ids("blobIds")
    call.arguments.finish()
    if asked is None:
        raise invalid_arguments("blobIds is an array of Ids.")
    if len(asked) > services.jmap.options.max_objects_in_get:
        raise MethodError("requestTooLarge", "More ids than maxObjectsInGet.")
    parsed: dict[str, object] = {}
    not_found: list[str] = []
    not_parsable: list[str] = []
    for blob_id in asked:
        octets = await blobs.find(call.account, blob_id)
        if octets is None:
            not_found.append(blob_id)
        elif not _is_message(octets):
            not_parsable.append(blob_id)
        else:
            parsed[blob_id] = await asyncio.to_thread(write_message, wanted, ReadMessage(octets, blob_id))
    return {
        "accountId": call.account_id,
        "parsed": parsed or None,
        "notParsable": not_parsable or None,
        "notFound": not_found or None,
    }
