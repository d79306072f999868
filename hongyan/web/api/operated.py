"""What operators can do, as routes: made from the operations that the command line calls, with their own parameters.

An operation and its route are one declaration: what an operation takes is what the route takes, and who calls is the
account that is logged in. What reads is `GET`, with its parameters in the query; what changes is `POST`, with a body,
and asks for a step-up. An account reads its own timeline by the same way.
"""

from __future__ import annotations

__all__ = ["OperatedResource", "OperationsPort"]

import dataclasses
import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from hongyan.audit.events import Actor
from hongyan.web.api.declared import Access, Handler, Route, Visit

Document = Mapping[str, object]

_READ: Final = {
    "account.list": "/admin/accounts",
    "account.settings": "/admin/accounts/{address}/settings",
    "alias.list": "/admin/aliases",
    "domain.list": "/admin/domains",
    "domain.dns": "/admin/domains/{domain}/dns",
    "domain.keys": "/admin/domains/{domain}/keys",
    "queue.list": "/admin/queue",
    "ban.list": "/admin/bans",
    "timeline.trace": "/admin/log",
}
_CHANGE: Final = {
    "account.add": "/admin/accounts",
    "account.disable": "/admin/accounts/disable",
    "account.enable": "/admin/accounts/enable",
    "account.remove": "/admin/accounts/remove",
    "account.password": "/admin/accounts/password",
    "account.pop3": "/admin/accounts/pop3",
    "account.quota": "/admin/accounts/quota",
    "alias.add": "/admin/aliases",
    "alias.remove": "/admin/aliases/remove",
    "domain.add": "/admin/domains",
    "domain.remove": "/admin/domains/remove",
    "domain.second-factor": "/admin/domains/second-factor",
    "queue.retry": "/admin/queue/retry",
    "queue.hold": "/admin/queue/hold",
    "queue.release": "/admin/queue/release",
    "queue.cancel": "/admin/queue/cancel",
    "ban.lift": "/admin/bans/lift",
}
_OWN: Final = {"timeline.own": "/log"}


class OperationsPort(Protocol):
    """Operations by name."""

    def find(self, name: str) -> Callable[..., Awaitable[Document]] | None:
        """Return an operation as it is declared."""
        ...

    async def call_as(self, name: str, parameters: Document, actor: Actor) -> Document:
        """Carry one out for somebody. Raises `HongyanError`."""
        ...


class OperatedResource:
    """`/admin` and `/log`."""

    def __init__(self, operations: OperationsPort) -> None:
        self._operations = operations

    def routes(self) -> list[Route]:
        """Return what it answers, for each operation that there is."""
        routes = [self._reading(name, path, "log:read", "log", is_for_admins=False) for name, path in _OWN.items()]
        routes += [self._reading(name, path, "admin:read", "admin", is_for_admins=True) for name, path in _READ.items()]
        return routes + [self._changing(name, path) for name, path in _CHANGE.items()]

    def _reading(self, name: str, path: str, scope: str, tag: str, *, is_for_admins: bool) -> Route:
        operation = self._get(name)
        hints, parameters = _parameters(operation)

        async def read(visit: Visit, **given: object) -> Document:
            return await self._operations.call_as(name, given, visit.actor)

        plain = {key: kind for key, kind in hints.items() if _is_plain(kind)}
        _declare(read, name, operation, {**plain, "visit": Visit, "return": Document}, parameters)
        return Route(method="GET", path=path, handler=read, scope=scope, is_for_admins=is_for_admins, tag=tag)

    def _changing(self, name: str, path: str) -> Route:
        operation = self._get(name)
        hints, parameters = _parameters(operation)
        body_type = _body_type(name, operation, hints, parameters)

        async def change(visit: Visit, body: object) -> Document:
            fields = dataclasses.fields(body)  # type: ignore[arg-type]  # it is of the type that was made for it
            given = {field.name: getattr(body, field.name) for field in fields}
            return await self._operations.call_as(name, given, visit.actor)

        _declare(change, name, operation, {"visit": Visit, "body": body_type, "return": Document}, {})
        return Route(
            method="POST",
            path=path,
            handler=change,
            access=Access.RECENT,
            scope="admin:write",
            is_for_admins=True,
            tag="admin",
        )

    def _get(self, name: str) -> Callable[..., Awaitable[Document]]:
        operation = self._operations.find(name)
        if operation is None:
            raise LookupError(f"there is no operation {name}")
        return operation


Parameters = Mapping[str, inspect.Parameter]


def _parameters(operation: Callable[..., Awaitable[Document]]) -> tuple[dict[str, object], Parameters]:
    hints = typing.get_type_hints(operation)
    known = inspect.signature(operation).parameters
    wanted = {name: each for name, each in known.items() if each.kind is each.KEYWORD_ONLY}
    return {name: hints[name] for name in wanted}, wanted


def _is_plain(kind: object) -> bool:
    """Whether a value fits into a query."""
    arguments = [each for each in typing.get_args(kind) if each is not type(None)] or [kind]
    return arguments[0] in (str, int, bool)


def _body_type(
    name: str,
    operation: Callable[..., Awaitable[Document]],
    hints: Mapping[str, object],
    parameters: Parameters,
) -> type:
    """Return a dataclass with the parameters of an operation."""
    fields: list[tuple[str, object, dataclasses.Field[object]]] = []
    for key, parameter in parameters.items():
        is_needed = parameter.default is parameter.empty
        field: dataclasses.Field[object] = (
            dataclasses.field() if is_needed else dataclasses.field(default=parameter.default)
        )
        fields.append((key, hints[key], field))
    title = "".join(word.capitalize() for word in name.replace(".", "-").replace("_", "-").split("-"))
    made = dataclasses.make_dataclass(title, fields, frozen=True, slots=True, kw_only=True)
    made.__doc__ = inspect.getdoc(operation)
    return made


def _declare(
    handler: Handler,
    name: str,
    operation: Callable[..., Awaitable[Document]],
    annotations: dict[str, object],
    parameters: Parameters,
) -> None:
    """Give a handler the name, the sentence and the types that its route is read from."""
    handler.__name__ = name.replace(".", "_")
    handler.__doc__ = inspect.getdoc(operation)
    handler.__annotations__ = annotations
    visit = inspect.Parameter("visit", inspect.Parameter.POSITIONAL_ONLY)
    kept = [parameter for key, parameter in parameters.items() if key in annotations]
    handler.__signature__ = inspect.Signature([visit, *kept])  # type: ignore[attr-defined]  # inspect reads it
