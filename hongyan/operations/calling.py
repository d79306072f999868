"""A call of an operation: its name, its parameters as JSON brings them, who calls, and how far it has come.

An operation is an async function; its first parameter is the `Caller`, the others are named and have plain types.
What it returns goes back as JSON.
"""

from __future__ import annotations

__all__ = ["Caller", "Document", "Operation", "Tell", "check_parameters", "find_member"]

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from hongyan.audit.events import CLI, Actor
from hongyan.errors import Refused

Member = TypeVar("Member", bound=StrEnum)

Document = Mapping[str, object]
"""A JSON object."""

Operation = Callable[..., Awaitable[Document]]

Tell = Callable[[int, int], None]
"""Is told what is done, and how much there is to do; 0 when nobody knows."""


def _tell_nobody(done: int, total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and whom progress is told."""

    actor: Actor = CLI
    tell: Tell = _tell_nobody


def check_parameters(name: str, operation: Operation, parameters: Document) -> None:
    """Refuse parameters that the operation does not have, lacks, or has with another type. Raises `Refused`."""
    kinds = typing.get_type_hints(operation)
    wanted = {
        parameter.name: parameter
        for parameter in inspect.signature(operation).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    for key, parameter in wanted.items():
        if key not in parameters and parameter.default is parameter.empty:
            raise Refused(f"{name} needs the parameter {key}.")
    for key, value in parameters.items():
        if key not in wanted:
            raise Refused(f"{name} has no parameter {key}.")
        if not _fits(value, kinds[key]):
            raise Refused(f"The parameter {key} of {name} is of another type.")


def find_member(kind: type[Member], text: str) -> Member:
    """Return what a word stands for. Raises `Refused` with the words that there are."""
    try:
        return kind(text.lower())
    except ValueError:
        words = ", ".join(member.value for member in kind)
        raise Refused(f"{text} is not one of: {words}.") from None


def _fits(value: object, kind: object) -> bool:
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(element, arguments[0]) for element in value)
    if typing.get_origin(kind) is dict:
        return isinstance(value, dict)
    if arguments:  # X | None
        return any(_fits(value, argument) for argument in arguments)
    return type(value) is kind
