"""Quotas (RFC 9425): what an account stores and may store, in octets and in messages."""

from __future__ import annotations

__all__ = ["QUOTA", "quota_capability"]

from collections.abc import Mapping
from functools import partial

from hongyan.store.mailboxes import Quota
from hongyan.web.jmap.call import Call, Capability, method
from hongyan.web.jmap.services import JmapServices
from hongyan.web.jmap.states import read_state, write_state
from hongyan.wire.jmap.faults import MethodError
from hongyan.wire.jmap.standard import read_changes, read_get, read_query, read_query_changes

QUOTA = "urn:ietf:params:jmap:quota"

_PROPERTIES = (
    "id",
    "resourceType",
    "used",
    "hardLimit",
    "scope",
    "name",
    "types",
    "warnLimit",
    "softLimit",
    "description",
)
_OCTETS, _MESSAGES = "storage", "messages"


def quota_capability(services: JmapServices) -> Capability:
    """Return the capability."""
    methods = {
        "Quota/get": method(partial(_get, services)),
        "Quota/changes": method(partial(_changes, services)),
        "Quota/query": method(partial(_query, services)),
        "Quota/queryChanges": method(_query_changes),
    }
    return Capability(QUOTA, methods, {}, {})


def _quotas(quota: Quota) -> dict[str, dict[str, object]]:
    """Return the quotas that there are: a limit of 0 is none (RFC 9425 §4)."""
    limits = (
        (_OCTETS, "octets", quota.used_octets, quota.limit_octets),
        (_MESSAGES, "count", quota.used_messages, quota.limit_messages),
    )
    return {
        name: {
            "id": name,
            "resourceType": resource,
            "used": used,
            "hardLimit": limit,
            "scope": "account",
            "name": name,
            "types": ["Mail"],
            "warnLimit": None,
            "softLimit": None,
            "description": None,
        }
        for name, resource, used, limit in limits
        if limit
    }


async def _get(services: JmapServices, call: Call) -> Mapping[str, object]:
    asked = read_get(call.arguments, _PROPERTIES, services.options.max_objects_in_get)
    state = write_state(await services.mail.mailboxes.highestmodseq(call.account))
    quotas = _quotas(await services.mail.mailboxes.quota(call.account))
    ids = list(quotas) if asked.ids is None else asked.ids
    wanted = {"id", *(asked.properties or _PROPERTIES)}
    found = [{name: value for name, value in quotas[one].items() if name in wanted} for one in ids if one in quotas]
    missing = [one for one in ids if one not in quotas]
    return {"accountId": call.account_id, "state": state, "list": found, "notFound": missing}


async def _changes(services: JmapServices, call: Call) -> Mapping[str, object]:
    """All that there are have changed, or nothing has: two numbers are read sooner than the log."""
    asked = read_changes(call.arguments)
    since, head = read_state(asked.since_state), await services.mail.mailboxes.highestmodseq(call.account)
    if since > head:
        raise MethodError("cannotCalculateChanges")
    updated = list(_quotas(await services.mail.mailboxes.quota(call.account))) if since < head else []
    if asked.max_changes is not None and len(updated) > asked.max_changes:
        raise MethodError("cannotCalculateChanges")
    return {
        "accountId": call.account_id,
        "oldState": asked.since_state,
        "newState": write_state(head),
        "hasMoreChanges": False,
        "created": [],
        "updated": updated,
        "destroyed": [],
        "updatedProperties": ["used"] if updated else None,
    }


async def _query(services: JmapServices, call: Call) -> Mapping[str, object]:
    asked = read_query(call.arguments)
    if asked.filter is not None:
        raise MethodError("unsupportedFilter")
    if asked.sort:
        raise MethodError("unsupportedSort")
    state = write_state(await services.mail.mailboxes.highestmodseq(call.account))
    ids = list(_quotas(await services.mail.mailboxes.quota(call.account)))
    return {
        "accountId": call.account_id,
        "queryState": state,
        "canCalculateChanges": False,
        "position": 0,
        "ids": ids,
        **({"total": len(ids)} if asked.calculate_total else {}),
    }


async def _query_changes(call: Call) -> Mapping[str, object]:
    read_query_changes(call.arguments)
    raise MethodError("cannotCalculateChanges")
