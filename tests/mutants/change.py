"""How a mutant gets into a process: a function keeps its identity and gets other code.

The code is compiled from the changed source of the whole module, so that names, closures and lines are as before;
whoever has imported the function by name runs the new code too.
"""

from __future__ import annotations

__all__ = ["MutantFault", "apply", "changed_code", "check"]

import ast
import functools
import importlib
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

from tests.mutants import Change, Constant, Mutant


class MutantFault(Exception):
    """The mutant does not fit the code: its target is gone, or reads otherwise."""


def apply(mutant: Mutant) -> None:
    """Switch the defence off in this process. Raises MutantFault."""
    for change in mutant.changes:
        match change:
            case Change():
                function, code = changed_code(change)
                function.__code__ = code
            case Constant(target=target, value=value):
                owner, name = _constant(target)
                setattr(owner, name, value)


def check(mutant: Mutant) -> None:
    """Look whether the mutant fits the code, and change nothing. Raises MutantFault."""
    for change in mutant.changes:
        if isinstance(change, Change):
            changed_code(change)
        else:
            _constant(change.target)


def changed_code(change: Change) -> tuple[FunctionType, CodeType]:
    """Return the function and the code that it is to get. Raises MutantFault."""
    module, qualname = _module(change.target)
    function = _function(module, qualname)
    source = inspect.getsource(module)
    start, end = _span(source, qualname)
    body = source[start:end]
    if body.count(change.before) != 1:
        raise MutantFault(f"{change.target}: {change.before!r} stands there {body.count(change.before)} times")
    mutated = source[:start] + body.replace(change.before, change.after) + source[end:]
    compiled = compile(mutated, inspect.getfile(module), "exec", dont_inherit=True)
    for code in _codes(compiled):
        if code.co_qualname == qualname and code.co_freevars == function.__code__.co_freevars:
            return function, code
    raise MutantFault(f"{change.target}: the changed function needs other names of its surroundings")


def _module(target: str) -> tuple[ModuleType, str]:
    name, _, qualname = target.partition(":")
    try:
        return importlib.import_module(name), qualname
    except ModuleNotFoundError as error:
        raise MutantFault(f"{target}: {error}") from error


def _constant(target: str) -> tuple[object, str]:
    owner, name = _module(target)
    if not hasattr(owner, name):
        raise MutantFault(f"{target}: there is no such constant")
    return owner, name


def _function(module: ModuleType, qualname: str) -> FunctionType:
    found: object = module
    for part in qualname.split("."):
        found = inspect.getattr_static(found, part, None)
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, staticmethod | classmethod | functools.cached_property):
        found = found.func if isinstance(found, functools.cached_property) else found.__func__
    found = inspect.unwrap(found) if callable(found) else found
    if not isinstance(found, FunctionType):
        raise MutantFault(f"{module.__name__}:{qualname} is no function")
    return found


def _span(source: str, qualname: str) -> tuple[int, int]:
    """Where the function stands in the source of its module, in characters."""
    body: list[ast.stmt] = ast.parse(source).body
    node: ast.stmt | None = None
    for part in qualname.split("."):
        node = next((found for found in body if getattr(found, "name", None) == part), None)
        if node is None:
            raise MutantFault(f"{qualname} is not in the source")
        body = node.body  # type: ignore[attr-defined]
    lines = source.splitlines(keepends=True)
    assert node is not None
    assert node.end_lineno is not None
    return sum(map(len, lines[: node.lineno - 1])), sum(map(len, lines[: node.end_lineno]))


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
