"""Routes of the API, each declared once: the dispatcher, the checks and the OpenAPI document all read this.

A handler is an async method: `visit`, then `body` if it takes one, then its parameters by name. Those in braces of the
path come from it, the others from the query. Types say what is taken and what is given.
"""

from __future__ import annotations

__all__ = ["ALWAYS", "API_SCOPES", "Access", "Done", "Handler", "Resource", "Route", "Visit", "parameters_of"]

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from starlette.requests import Request

from hongyan.audit.events import Actor
from hongyan.auth.requirements import Requirement
from hongyan.auth.sessions import FoundSession, Visitor
from hongyan.store.accounts import Account, Locale
from hongyan.web.problems import Problem
from hongyan.web.sessions import Arrived, SessionCookies

API_SCOPES: Final[Mapping[str, str]] = {
    "account:read": "Read the profile, app passwords, devices, logins and services.",
    "account:write": "Change the profile, revoke app passwords, end sessions.",
    "mail": "Read, write and send mail by JMAP.",
    "log:read": "Read what became of the account's own messages.",
    "admin:read": "Read accounts, domains, the queue and bans; for admins.",
    "admin:write": "Change accounts, domains, the queue and bans; for admins.",
}
"""What a key may be for. Passwords, the second factor, app passwords and keys themselves are for browsers alone."""

_PLACE = re.compile(r"\{(\w+)\}")

Handler = Callable[..., Awaitable[object]]


ALWAYS: Final = frozenset(Requirement)
"""For routes that are open whatever the owner has to do first."""


class Access(StrEnum):
    """What a route asks of whoever comes."""

    ANYBODY = "anybody"
    PENDING = "pending"
    """The password was right, the second factor is to come."""
    SESSION = "session"
    RECENT = "recent"
    """Somebody who has shown a password or a code within the last minutes."""


@dataclass(frozen=True, slots=True)
class Done:
    """An answer without a body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API."""

    method: str
    path: str
    handler: Handler
    access: Access = Access.SESSION
    scope: str = ""
    """The scope of keys that may use it; empty: none may."""
    is_for_admins: bool = False
    serves: frozenset[Requirement] = frozenset()
    """What its account may have to do first, so that it is open all the same."""
    status: int = 200
    tag: str

    @property
    def name(self) -> str:
        """What the operation is called."""
        return f"{self.tag}.{self.handler.__name__}".replace(" ", "-")

    @property
    def places(self) -> tuple[str, ...]:
        """The parameters within the path."""
        return tuple(_PLACE.findall(self.path))

    @property
    def body(self) -> object | None:
        """The type of the body, if it takes one."""
        return typing.get_type_hints(self.handler, include_extras=True).get("body")

    @property
    def answer(self) -> object:
        """The type of the answer."""
        return typing.get_type_hints(self.handler, include_extras=True)["return"]


class Resource(Protocol):
    """What answers below one path."""

    def routes(self) -> list[Route]:
        """Return what it answers."""
        ...


@dataclass(slots=True)
class Visit:
    """One request, on its way through a handler."""

    request: Request
    arrived: Arrived
    locale: Locale
    cookies: list[str] = field(default_factory=list)
    """Fields that the answer sets."""

    @property
    def visitor(self) -> Visitor:
        return self.arrived.visitor

    @property
    def found(self) -> FoundSession:
        """The session. Raises `Problem` when nobody is logged in."""
        if self.arrived.found is None:
            raise Problem(401, "login-needed", "Nobody is logged in, or the session has ended.")
        return self.arrived.found

    @property
    def account(self) -> Account:
        return self.found.account

    @property
    def actor(self) -> Actor:
        return Actor(str(self.account.address), self.visitor.address)

    @property
    def jar(self) -> SessionCookies:
        return SessionCookies(self.request)


def parameters_of(route: Route) -> Mapping[str, tuple[object, inspect.Parameter]]:
    """Return the parameters of a route by name: the type, and how it is declared."""
    hints = typing.get_type_hints(route.handler, include_extras=True)
    return {
        parameter.name: (hints[parameter.name], parameter)
        for parameter in inspect.signature(route.handler).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
