"""Identity (RFC 8621 §6): from which addresses somebody writes, and with what name and signature.

Each address that an account may write from has an identity without anybody making it; it can be changed, and not
destroyed. Further ones may be made for the same addresses. What an operator grants or takes back changes the state to
one from which nothing can be calculated: that happens once in a long while.
"""

from __future__ import annotations

__all__ = ["IdentityServices", "SenderIdentity", "find_identities", "identity_methods"]

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from hongyan.accounts.identities import Identities
from hongyan.addresses import Address, AddressFault
from hongyan.clock import Random
from hongyan.store.records import Record, RecordKind, RecordStore
from hongyan.types import AccountId
from hongyan.web.jmap.call import Call, Method, method
from hongyan.web.jmap.setting import SetResult
from hongyan.web.jmap.states import require_state
from hongyan.wire.jmap.faults import MethodError, SetError, invalid_properties
from hongyan.wire.jmap.patch import apply_patch
from hongyan.wire.jmap.standard import read_changes, read_get, read_set

_PROPERTIES: Final = ("id", "name", "email", "replyTo", "bcc", "textSignature", "htmlSignature", "mayDelete")
_DEFAULTS: Final[Mapping[str, object]] = {
    "name": "",
    "replyTo": None,
    "bcc": None,
    "textSignature": "",
    "htmlSignature": "",
}
_KIND: Final = RecordKind.IDENTITY
_MOST: Final = 100
_MOST_ADDRESSES: Final = 50
_LONGEST_NAME: Final = 255
_LONGEST_SIGNATURE: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class IdentityServices:
    """What the methods work with."""

    records: RecordStore
    addresses: Identities
    random: Random
    max_objects_in_get: int
    max_objects_in_set: int


@dataclass(frozen=True, slots=True)
class SenderIdentity:
    """An identity as a client is told it; `may_delete` is false for those that nobody made."""

    identity_id: str
    told: Mapping[str, object]
    may_delete: bool

    @property
    def email(self) -> str:
        return str(self.told["email"])

    def describe(self) -> dict[str, object]:
        """Return all properties."""
        return {"id": self.identity_id, **self.told, "mayDelete": self.may_delete}


def identity_methods(services: IdentityServices) -> Mapping[str, Method]:
    """Return the methods by their names."""
    return {
        "Identity/get": method(partial(_get, services)),
        "Identity/changes": method(partial(_changes, services)),
        "Identity/set": method(partial(_set, services)),
    }


async def find_identities(services: IdentityServices, account: AccountId) -> tuple[Mapping[str, SenderIdentity], str]:
    """Return the identities by their ids, those of the account's own address first, and their state.

    What is left of an address that may not be used any more is not told.
    """
    records, state = await services.records.list_records(account, _KIND)
    lent = await services.addresses.list_identities(account)
    kept = {record.record_id: record for record in records}
    found: dict[str, SenderIdentity] = {}
    for address in lent:
        identity_id = _id_of(address)
        told = _told(kept.pop(identity_id, None)) or {**_DEFAULTS, "email": str(address)}
        found[identity_id] = SenderIdentity(identity_id, told, may_delete=False)
    for record in kept.values():
        made = _told(record)
        if made is not None and await _may_use(services, account, made["email"]):
            found[record.record_id] = SenderIdentity(record.record_id, made, may_delete=True)
    return found, f"i{state}-{_digest(lent)}"


def _told(record: Record | None) -> dict[str, object] | None:
    if record is None:
        return None
    told: dict[str, object] = json.loads(record.document)
    return told


def _id_of(address: Address) -> str:
    return "I" + hashlib.sha256(address.canonical.encode()).hexdigest()[:16]


def _digest(addresses: Sequence[Address]) -> str:
    return hashlib.sha256("\n".join(sorted(one.canonical for one in addresses)).encode()).hexdigest()[:12]


async def _may_use(services: IdentityServices, account: AccountId, email: object) -> bool:
    try:
        return isinstance(email, str) and await services.addresses.may_use(account, Address.parse(email))
    except AddressFault:
        return False


async def _get(services: IdentityServices, call: Call) -> Mapping[str, object]:
    asked = read_get(call.arguments, _PROPERTIES, services.max_objects_in_get)
    found, state = await find_identities(services, call.account)
    ids = list(found) if asked.ids is None else [call.created.resolve(one) or one for one in asked.ids]
    wanted = {"id", *(asked.properties or _PROPERTIES)}
    told = [
        {name: value for name, value in found[one].describe().items() if name in wanted} for one in ids if one in found
    ]
    return {
        "accountId": call.account_id,
        "state": state,
        "list": told,
        "notFound": [one for one in ids if one not in found],
    }


async def _changes(services: IdentityServices, call: Call) -> Mapping[str, object]:
    asked = read_changes(call.arguments)
    number, _, digest = asked.since_state.removeprefix("i").partition("-")
    lent = _digest(await services.addresses.list_identities(call.account))
    # A state has as many digits as a number of the database has, and not as a number of Python may have.
    changes = None
    if digest == lent and number.isascii() and number.isdigit() and len(number) <= 15:
        changes = await services.records.record_changes(call.account, _KIND, int(number))
    if changes is None:
        raise MethodError("cannotCalculateChanges")
    if asked.max_changes is not None and asked.max_changes < (
        len(changes.created) + len(changes.updated) + len(changes.destroyed)
    ):
        raise MethodError("cannotCalculateChanges")
    # An identity that nobody made is stored when it is changed first: to clients that is no creation.
    built_in = {_id_of(address) for address in await services.addresses.list_identities(call.account)}
    return {
        "accountId": call.account_id,
        "oldState": asked.since_state,
        "newState": f"i{changes.state}-{lent}",
        "hasMoreChanges": False,
        "created": [one for one in changes.created if one not in built_in],
        "updated": [*changes.updated, *(one for one in changes.created if one in built_in)],
        "destroyed": list(changes.destroyed),
    }


async def _set(services: IdentityServices, call: Call) -> Mapping[str, object]:
    asked = read_set(call.arguments, services.max_objects_in_set)
    _found, state = await find_identities(services, call.account)
    require_state(asked.if_in_state, state)
    result, setting = SetResult(call, state), _Setting(services, call)
    for key, record in asked.create.items():
        await result.create(key, lambda record=record: setting.create(record))  # type: ignore[misc]  # bound here
    for key, patch in asked.update.items():
        await result.update(key, lambda found, patch=patch: setting.update(found, patch))  # type: ignore[misc]
    for key in asked.destroy:
        await result.destroy(key, setting.destroy)
    _found, state = await find_identities(services, call.account)
    return result.tell(state)


class _Setting:
    """Changes to the identities of one account."""

    def __init__(self, services: IdentityServices, call: Call) -> None:
        self._services = services
        self._account = call.account

    async def create(self, record: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """Make one. Raises `SetError`: forbiddenFrom for an address that the account may not write from."""
        made = {**_DEFAULTS, **record}
        _check(made)
        if not await _may_use(self._services, self._account, made["email"]):
            raise SetError("forbiddenFrom", "You may not write from this address.")
        identity_id = "J" + self._services.random.token(8).hex()
        await self._put(identity_id, made)
        news = {name: value for name, value in made.items() if name not in record}
        return identity_id, {**news, "mayDelete": True}

    async def update(self, identity_id: str, patch: Mapping[str, object]) -> None:
        """Change one. Raises `SetError`."""
        found = (await find_identities(self._services, self._account))[0].get(identity_id)
        if found is None:
            raise SetError("notFound")
        before = found.describe()
        after = apply_patch(before, patch, _DEFAULTS)
        fixed = [name for name in ("id", "email", "mayDelete") if after.pop(name, None) != before[name]]
        if fixed:
            raise invalid_properties(fixed, "This cannot be changed.")
        after["email"] = before["email"]
        _check(after)
        await self._put(identity_id, after)

    async def destroy(self, identity_id: str) -> None:
        """Remove one. Raises `SetError`."""
        found = (await find_identities(self._services, self._account))[0].get(identity_id)
        if found is None:
            raise SetError("notFound")
        if not found.may_delete:
            raise SetError("forbidden", "This identity belongs to the account.")
        await self._services.records.change_records(self._account, _KIND, remove=[identity_id], most=_MOST)

    async def _put(self, identity_id: str, told: Mapping[str, object]) -> None:
        document = json.dumps(told, ensure_ascii=False, sort_keys=True)
        await self._services.records.change_records(self._account, _KIND, put={identity_id: document}, most=_MOST)


def _check(record: Mapping[str, object]) -> None:
    """Raise `SetError` for what is no identity."""
    wrong = {name for name in record if name not in _DEFAULTS and name != "email"}
    if not _is_text(record.get("name"), _LONGEST_NAME, lines=False):
        wrong.add("name")
    if not _is_text(record.get("email"), _LONGEST_NAME, lines=False):
        wrong.add("email")
    wrong |= {name for name in ("textSignature", "htmlSignature") if not _is_text(record[name], _LONGEST_SIGNATURE)}
    wrong |= {name for name in ("replyTo", "bcc") if not _are_addresses(record[name])}
    if wrong:
        raise invalid_properties(wrong)


def _is_text(value: object, longest: int, *, lines: bool = True) -> bool:
    if not isinstance(value, str) or len(value) > longest:
        return False
    return "\0" not in value if lines else value.isprintable()


def _are_addresses(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, list) and len(value) <= _MOST_ADDRESSES and all(map(_is_address, value))


def _is_address(value: object) -> bool:
    if not isinstance(value, dict) or set(value) - {"name", "email"}:
        return False
    name, email = value.get("name"), value.get("email")
    if not (name is None or _is_text(name, _LONGEST_NAME, lines=False)) or not isinstance(email, str):
        return False
    try:
        Address.parse(email)
    except AddressFault:
        return False
    return True
