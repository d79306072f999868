"""The response of /set, made record by record: what was done, and what was not and why (RFC 8620 §5.3)."""

from __future__ import annotations

__all__ = ["SetResult"]

from collections.abc import Awaitable, Callable, Mapping

from hongyan.errors import NotFound, OverLimit, OverQuota, StorageFull, UserFault
from hongyan.web.jmap.call import Call
from hongyan.wire.jmap.faults import SetError

Create = Callable[[], Awaitable[tuple[str, Mapping[str, object]]]]
"""Makes a record; returns its id, and the properties that the client does not know. Raises `SetError`."""

Update = Callable[[str], Awaitable[Mapping[str, object] | None]]
"""Changes the record of an id; returns properties that changed besides, or None. Raises `SetError`."""

Destroy = Callable[[str], Awaitable[None]]
"""Destroys the record of an id. Raises `SetError`."""


class SetResult:
    """Collects the response, and the ids of what was created."""

    def __init__(self, call: Call, old_state: str | None) -> None:
        self._call = call
        self._old_state = old_state
        self._done: dict[str, dict[str, object]] = {"created": {}, "updated": {}}
        self._destroyed: list[str] = []
        self._not: dict[str, dict[str, object]] = {"notCreated": {}, "notUpdated": {}, "notDestroyed": {}}

    async def create(self, key: str, make: Create) -> None:
        """Make the record of a creation id."""
        try:
            made, news = await make()
        except (SetError, UserFault, StorageFull) as fault:
            self._not["notCreated"][key] = self._explain(fault)
            return
        self._done["created"][key] = {"id": made, **news}
        self._call.created.add(key, made)

    def _explain(self, fault: SetError | UserFault | StorageFull) -> Mapping[str, object]:
        """Return why a record was not made. Of an email the paths of its properties say all that a program needs.

        Others say no more either, and fastmail's suite takes a sentence beside the paths for a fault.
        """
        told = _as_json(fault)
        if self._call.name.startswith("Email/") and told["type"] == "invalidProperties":
            return {name: value for name, value in told.items() if name != "description"}
        return told

    async def update(self, key: str, change: Update) -> None:
        """Change the record of an id, which may be that of one created in this request."""
        found = self._call.created.resolve(key)
        try:
            if found is None:
                raise SetError("notFound")
            self._done["updated"][found] = await change(found)
        except (SetError, UserFault, StorageFull) as fault:
            self._not["notUpdated"][key] = _as_json(fault)

    async def destroy(self, key: str, remove: Destroy) -> None:
        """Destroy the record of an id, which may be that of one created in this request."""
        found = self._call.created.resolve(key)
        try:
            if found is None:
                raise SetError("notFound")
            await remove(found)
            self._destroyed.append(found)
        except (SetError, UserFault, StorageFull) as fault:
            self._not["notDestroyed"][key] = _as_json(fault)

    def refuse(self, kind: str, key: str, fault: SetError) -> None:
        """Note why a record was not touched; `kind` is notCreated, notUpdated or notDestroyed."""
        self._not[kind][key] = fault.as_json()

    def tell(self, new_state: str) -> dict[str, object]:
        """Return the response."""
        head = {"accountId": self._call.account_id, "oldState": self._old_state, "newState": new_state}
        return {**head, **self.tell_records()}

    def tell_records(self) -> dict[str, object]:
        """Return the response of a type that has no states and no accountId (RFC 8620 §7.2.2)."""
        answer: dict[str, object] = {name: records or None for name, records in self._done.items()}
        answer["destroyed"] = self._destroyed or None
        return answer | {name: records or None for name, records in self._not.items()}


def _as_json(fault: SetError | UserFault | StorageFull) -> Mapping[str, object]:
    match fault:
        case SetError():
            return fault.as_json()
        case OverQuota() | StorageFull():
            return SetError("overQuota", fault.sentence).as_json()
        case OverLimit():
            return SetError("tooLarge", fault.sentence).as_json()
        case NotFound():
            return SetError("notFound", fault.sentence).as_json()
    return SetError("forbidden", fault.sentence).as_json()
