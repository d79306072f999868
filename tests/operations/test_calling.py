"""Calls of operations: what comes as JSON is what the operation wants, or refused before anything is done."""

from __future__ import annotations

import pytest

from hongyan.errors import Refused
from hongyan.operations.calling import Caller, Document, check_parameters


async def greet(
    caller: Caller, *, name: str, times: int = 1, names: list[str] | None = None, loud: bool = False
) -> Document:
    return {}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"name": 1},
        {"name": None},
        {"name": "x", "times": True},
        {"name": "x", "times": 1.5},
        {"name": "x", "loud": 1},
        {"name": "x", "names": ["a", 1]},
        {"name": "x", "names": {}},
        {"name": "x", "caller": "root"},
        {"name": "x", "other": 1},
    ],
)
def test_parameters_are_those_of_the_operation_or_refused(parameters: Document) -> None:
    with pytest.raises(Refused):
        check_parameters("greet", greet, parameters)


@pytest.mark.parametrize("parameters", [{"name": "x"}, {"name": "x", "names": None}, {"name": "", "names": ["a"]}])
def test_other_parameters_are_taken(parameters: Document) -> None:
    check_parameters("greet", greet, parameters)
