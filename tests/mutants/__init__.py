"""Defences that are switched off one at a time: the proof that a test would notice (`python -m tests.mutants`).

A mutant changes functions or constants of `hongyan` in the process of the tests, never a file. Each names the row of
docs/hostile.md that it attacks and the tests that stand guard: they pass without it, and one at least fails with it.
`tests/torture` has mutations of its own, for promises of durability.
"""

from __future__ import annotations

__all__ = ["Change", "Constant", "Mutant", "find_mutants"]

import importlib
import pkgutil
from dataclasses import dataclass

_MACHINERY = {"__main__", "change", "plugin", "test_mutants"}


@dataclass(frozen=True, slots=True)
class Change:
    """`before`, which stands once in the source of the function `target` ("module:Class.method"), becomes `after`."""

    target: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The name `target` of a module ("module:NAME") has another value."""

    target: str
    value: object


@dataclass(frozen=True, slots=True)
class Mutant:
    """One defence, switched off: the row of docs/hostile.md, how, and by which tests (node ids) it is noticed."""

    name: str
    row: str
    changes: tuple[Change | Constant, ...]
    tests: tuple[str, ...]


def find_mutants() -> dict[str, Mutant]:
    """Return all mutants by name: each module of this folder that has `MUTANTS` adds its own."""
    found: dict[str, Mutant] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _MACHINERY:
            for mutant in importlib.import_module(f"{__name__}.{module.name}").MUTANTS:
                if mutant.name in found:
                    raise ValueError(f"two mutants are called {mutant.name}")
                found[mutant.name] = mutant
    return found
