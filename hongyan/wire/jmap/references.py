"""References to previous results (RFC 8620 §3.7): JSON pointers (RFC 6901) with `*`, and a bound on what they bring.

A chain of references may double a list with each call; so what one brings is counted, and a request has a purse
for all of them.
"""

from __future__ import annotations

__all__ = ["Purse", "resolve_references"]

from collections.abc import Mapping, Sequence

from hongyan.wire.jmap.faults import MethodError, invalid_arguments
from hongyan.wire.jmap.request import Invocation

_MAX_POINTER = 1000  # characters
_MAX_STEPS = 50


class Purse:
    """How many values the references of a request may still bring."""

    __slots__ = ("left",)

    def __init__(self, values: int) -> None:
        self.left = values

    def spend(self, values: int) -> None:
        """Raise when it is empty."""
        self.left -= values
        if self.left < 0:
            raise _unresolved("The references of the request bring too much.")


def resolve_references(
    arguments: Mapping[str, object], responses: Sequence[Invocation], purse: Purse
) -> Mapping[str, object]:
    """Return the arguments with each `#name` replaced by what it refers to. Raises `MethodError`."""
    if not any(name.startswith("#") for name in arguments):
        return arguments
    resolved: dict[str, object] = {}
    for name, value in arguments.items():
        if not name.startswith("#"):
            resolved[name] = value
        elif name[1:] in arguments:
            raise invalid_arguments(f"{name[1:]} is given, and as a reference too.")
        else:
            resolved[name[1:]] = _resolve(value, responses, purse)
    return resolved


def _resolve(reference: object, responses: Sequence[Invocation], purse: Purse) -> object:
    match reference:
        case {"resultOf": str(call_id), "name": str(name), "path": str(path), **rest} if not rest:
            pass
        case _:
            raise invalid_arguments("A reference has resultOf, name and path.")
    found = next((response for response in responses if response.call_id == call_id), None)
    if found is None or found.name != name:
        raise _unresolved("There is no such result.")
    value = _evaluate(found.arguments, _steps(path), purse)
    purse.spend(_count(value, purse.left))
    return value


def _steps(path: str) -> list[str]:
    if not path:
        return []
    if not path.startswith("/") or len(path) > _MAX_POINTER:
        raise _unresolved("The path is no pointer.")
    steps = path[1:].split("/")
    if len(steps) > _MAX_STEPS:
        raise _unresolved("The path is too long.")
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def _evaluate(value: object, steps: Sequence[str], purse: Purse) -> object:
    for number, step in enumerate(steps):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, (list, tuple)) and step == "*":
            return _map(value, steps[number + 1 :], purse)
        elif isinstance(value, (list, tuple)) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise _unresolved("The path leads nowhere.")
    return value


def _map(values: Sequence[object], steps: Sequence[str], purse: Purse) -> list[object]:
    purse.spend(len(values))
    out: list[object] = []
    for one in values:
        result = _evaluate(one, steps, purse)
        if isinstance(result, (list, tuple)):
            purse.spend(len(result))
            out.extend(result)
        else:
            out.append(result)
    return out


def _is_index(step: str) -> bool:
    """RFC 6901 §4: digits without a leading zero."""
    return step.isascii() and step.isdigit() and len(step) < 10 and (step == "0" or step[0] != "0")


def _count(value: object, most: int) -> int:
    """Return how many values there are within, or a number above `most`."""
    count, pending = 0, [value]
    while pending and count <= most:
        one = pending.pop()
        count += 1
        if isinstance(one, Mapping):
            pending.extend(one.values())
        elif isinstance(one, (list, tuple)):
            pending.extend(one)
    return count


def _unresolved(description: str) -> MethodError:
    return MethodError("invalidResultReference", description)
