"""What a method is given and what it gives: calls, methods, capabilities.

A method is an async function from a `Call` to the arguments of its response. It raises `MethodError`. A capability
is a URI, what the session object says of it, and its methods (RFC 8620 §2, §3.2).
"""

from __future__ import annotations

__all__ = ["Call", "Capability", "CreatedIds", "Handler", "Method", "Visitor", "account_id_of", "method"]

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from hongyan.auth.principal import Principal
from hongyan.mailboxes.reach import Viewer
from hongyan.types import AccountId
from hongyan.wire.jmap.arguments import Arguments
from hongyan.wire.jmap.request import Invocation

_MAX_CREATED = 10_000


class CreatedIds:
    """Which ids the creation ids of a request stand for (RFC 8620 §5.3)."""

    __slots__ = ("ids",)

    def __init__(self, ids: Mapping[str, str] | None = None) -> None:
        self.ids: dict[str, str] = dict(ids or {})

    def add(self, creation_id: str, made: str) -> None:
        """A record was created."""
        if len(self.ids) < 2 * _MAX_CREATED:
            self.ids[creation_id] = made

    def resolve(self, reference: str) -> str | None:
        """Return the id that `#creation-id` stands for, None if none; any other text is an id itself."""
        return self.ids.get(reference[1:]) if reference.startswith("#") else reference


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose request it is, and what program sent it, as it says itself."""

    principal: Principal
    using: frozenset[str] = frozenset()
    peer: str = ""
    client: str = ""

    @property
    def viewer(self) -> Viewer:
        """The visitor as mailboxes know one."""
        return Viewer(self.principal.account, self.principal.address)


@dataclass(slots=True)
class Call:
    """One call, its references resolved. Without an accountId, `account` is the visitor's own.

    `then` takes implicit calls, whose responses follow this one's under the same id (RFC 8620 §5.4).
    """

    name: str
    account: AccountId
    arguments: Arguments
    visitor: Visitor
    created: CreatedIds
    then: list[Invocation] = field(default_factory=list)

    @property
    def account_id(self) -> str:
        """The accountId."""
        return account_id_of(self.account)

    def follow_with(self, name: str, arguments: Mapping[str, object]) -> None:
        """Have another method called after this one."""
        self.then.append(Invocation(name, arguments, ""))


Handler = Callable[[Call], Awaitable[Mapping[str, object]]]
"""Carries out a call and returns the arguments of the response. Raises `MethodError`."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method. `takes_account`: it has an accountId, as all but a few do; `writes`: it may change something."""

    handler: Handler
    takes_account: bool = True


def method(handler: Handler) -> Method:
    """Return a method with an accountId."""
    return Method(handler)


@dataclass(frozen=True, slots=True)
class Capability:
    """A specification that is supported. `server` and `account` are what the session object says of it.

    `account` None: it is not a thing of accounts.
    """

    uri: str
    methods: Mapping[str, Method]
    server: Mapping[str, object] = field(default_factory=dict)
    account: Mapping[str, object] | None = None


def account_id_of(account: AccountId) -> str:
    """Return the accountId: a letter and the account's number."""
    return f"A{account:x}"
