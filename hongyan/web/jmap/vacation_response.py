"""VacationResponse (RFC 8621 §8): what is answered while the account's owner is away. There is one, "singleton"."""

from __future__ import annotations

__all__ = ["VACATION_RESPONSE", "vacation_capability"]

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, cast

from hongyan.errors import Unavailable
from hongyan.store.vacations import Vacation, VacationStore
from hongyan.web.jmap.call import Call, Capability, method
from hongyan.web.jmap.services import JmapServices
from hongyan.web.jmap.setting import SetResult
from hongyan.web.jmap.states import require_state
from hongyan.wire.jmap.faults import SetError, invalid_properties
from hongyan.wire.jmap.patch import apply_patch
from hongyan.wire.jmap.standard import read_get, read_set
from hongyan.wire.jmap.values import parse_utc_date, write_utc_date

VACATION_RESPONSE = "urn:ietf:params:jmap:vacationresponse"

_ID: Final = "singleton"
_DATES: Final = ("fromDate", "toDate")
_LONGEST: Final = {"subject": 500, "textBody": 65_536, "htmlBody": 262_144}
"""Characters that a text may have."""

_DEFAULTS: Final[Mapping[str, object]] = {"isEnabled": False, **dict.fromkeys((*_DATES, *_LONGEST))}
_PROPERTIES: Final = ("id", *_DEFAULTS)
_ATTEMPTS: Final = 5


def vacation_capability(services: JmapServices, store: VacationStore) -> Capability:
    """Return the capability."""
    methods = {
        "VacationResponse/get": method(partial(_get, services, store)),
        "VacationResponse/set": method(partial(_set, services, store)),
    }
    return Capability(VACATION_RESPONSE, methods, {}, {})


async def _get(services: JmapServices, store: VacationStore, call: Call) -> Mapping[str, object]:
    asked = read_get(call.arguments, _PROPERTIES, services.options.max_objects_in_get)
    vacation = await store.find_vacation(call.account)
    wanted = set(_PROPERTIES) if asked.properties is None else {"id", *asked.properties}
    record = {name: value for name, value in _describe(vacation).items() if name in wanted}
    ids = [_ID] if asked.ids is None else asked.ids
    return {
        "accountId": call.account_id,
        "state": _state(vacation),
        "list": [record for one in ids if one == _ID],
        "notFound": [one for one in ids if one != _ID],
    }


async def _set(services: JmapServices, store: VacationStore, call: Call) -> Mapping[str, object]:
    asked = read_set(call.arguments, services.options.max_objects_in_set)
    old = _state(await store.find_vacation(call.account))
    require_state(asked.if_in_state, old)
    result = SetResult(call, old)
    for key in asked.create:
        result.refuse("notCreated", key, _singleton())
    for key, patch in asked.update.items():
        await result.update(key, lambda found, patch=patch: _update(services, store, call, found, patch))  # type: ignore[misc]  # bound here
    for key in asked.destroy:
        result.refuse("notDestroyed", key, _singleton() if key == _ID else SetError("notFound"))
    return result.tell(_state(await store.find_vacation(call.account)))


async def _update(
    services: JmapServices, store: VacationStore, call: Call, found: str, patch: Mapping[str, object]
) -> None:
    if found != _ID:
        raise SetError("notFound")
    for _ in range(_ATTEMPTS):
        before = await store.find_vacation(call.account)
        after = _read(apply_patch(_describe(before), patch, _DEFAULTS), before)
        if after.enabled and not before.enabled:
            # Messages' times are in whole seconds: who writes within this one is answered.
            after = replace(after, enabled_at=services.clock.now().replace(microsecond=0))
        if await store.put_vacation(call.account, after) is not None:
            return
    raise Unavailable("others change the vacation again and again")


def _describe(vacation: Vacation) -> dict[str, object]:
    return {
        "id": _ID,
        "isEnabled": vacation.enabled,
        "fromDate": None if vacation.begins_at is None else write_utc_date(vacation.begins_at),
        "toDate": None if vacation.ends_at is None else write_utc_date(vacation.ends_at),
        "subject": vacation.subject,
        "textBody": vacation.text,
        "htmlBody": vacation.html,
    }


def _read(record: Mapping[str, object], before: Vacation) -> Vacation:
    """Return what a record says. Raises `SetError` with all properties that are wrong."""
    wrong = {name for name in record if name not in _PROPERTIES}
    if record.get("id") != _ID:
        wrong.add("id")
    if not isinstance(record.get("isEnabled"), bool):
        wrong.add("isEnabled")
    dates: dict[str, datetime | None] = {name: parse_utc_date(record.get(name)) for name in _DATES}
    wrong |= {name for name, moment in dates.items() if moment is None and record.get(name) is not None}
    wrong |= {name for name, longest in _LONGEST.items() if not _is_text(record.get(name), longest)}
    begins, ends = dates["fromDate"], dates["toDate"]
    if begins is not None and ends is not None and ends <= begins:
        wrong.add("toDate")
    if wrong:
        raise invalid_properties(wrong)
    return replace(
        before,
        enabled=record["isEnabled"] is True,
        begins_at=begins,
        ends_at=ends,
        subject=cast("str | None", record.get("subject")),
        text=cast("str | None", record.get("textBody")),
        html=cast("str | None", record.get("htmlBody")),
    )


def _is_text(value: object, longest: int) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= longest and "\0" not in value)


def _state(vacation: Vacation) -> str:
    return f"v{vacation.version}"


def _singleton() -> SetError:
    return SetError("singleton", "There is one, and it stays.")
