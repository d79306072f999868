"""What a client is told that went wrong (RFC 8620 §3.6): of the request, of a method, of one record."""

from __future__ import annotations

__all__ = ["MethodError", "RequestProblem", "SetError", "invalid_arguments", "invalid_properties"]

from collections.abc import Iterable, Mapping

from hongyan.errors import PeerFault

_PREFIX = "urn:ietf:params:jmap:error:"


class RequestProblem(PeerFault):
    """The whole request is refused (RFC 8620 §3.6.1), as a problem document of RFC 7807.

    `name` is the last part of the problem's type; `limit` names the limit that was passed.
    """

    def __init__(self, name: str, detail: str, *, status: int = 400, limit: str | None = None) -> None:
        super().__init__(detail)
        self.name = name
        self.detail = detail
        self.status = status
        self.limit = limit

    def as_json(self) -> dict[str, object]:
        """Return the document."""
        document: dict[str, object] = {"type": _PREFIX + self.name, "status": self.status, "detail": self.detail}
        if self.limit is not None:
            document["limit"] = self.limit
        return document


class MethodError(PeerFault):
    """One call is refused and has changed nothing (RFC 8620 §3.6.2)."""

    def __init__(self, kind: str, description: str = "", **more: object) -> None:
        super().__init__(description or kind)
        self.type = kind
        self.more = ({"description": description} if description else {}) | more

    def as_json(self) -> dict[str, object]:
        """Return the arguments of the error response."""
        return {"type": self.type, **self.more}


class SetError(PeerFault):
    """One record is not created, updated or destroyed (RFC 8620 §5.3)."""

    def __init__(self, kind: str, description: str = "", **more: object) -> None:
        super().__init__(description or kind)
        self.type = kind
        self.more: Mapping[str, object] = ({"description": description} if description else {}) | more

    def as_json(self) -> dict[str, object]:
        """Return the error as the response holds it."""
        return {"type": self.type, **self.more}


def invalid_arguments(description: str) -> MethodError:
    """Return the error of an argument that is missing, unknown or wrong."""
    return MethodError("invalidArguments", description)


def invalid_properties(names: Iterable[str], description: str = "") -> SetError:
    """Return the error of a record with these wrong properties, in their order where they have one."""
    told = sorted(names) if isinstance(names, (set, frozenset)) else list(names)
    return SetError("invalidProperties", description, properties=told)
