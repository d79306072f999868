"""How commands are declared: a function, its docstring for help, and the options that many share.

Exit codes are the same for all: 0 done, 1 failed, 2 the command itself was wrong, 3 done, and what was found needs
somebody's attention.
"""

from __future__ import annotations

__all__ = [
    "DEGRADED",
    "DONE",
    "FAILED",
    "USAGE",
    "WHERE",
    "Asked",
    "DryRun",
    "Where",
    "about",
    "command",
    "group",
]

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, Parameter

from hongyan.cli.words import say

Function = TypeVar("Function", bound=Callable[..., int])

DONE, FAILED, USAGE, DEGRADED = range(4)


def about(sentence: str, **settings: object) -> Parameter:
    """Return what documents a parameter, in the reader's language."""
    return Parameter(help=say(sentence), **settings)  # type: ignore[arg-type]  # settings are Parameter's own


def group(name: str, sentence: str) -> App:
    """Return an empty group of commands."""
    return App(name=name, help=say(sentence))


def command(app: App, name: str | None = None) -> Callable[[Function], Function]:
    """Add a function to a group; its docstring is its help."""

    def add(function: Function) -> Function:
        app.command(function, name=name, help=say(" ".join((function.__doc__ or "").split())))
        return function

    return add


DryRun = Annotated[bool, about("Look whether it could be done, and do nothing.", negative="", show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Asked:
    """How the answer is wanted."""

    json: Annotated[bool, about("Answer with one JSON document.", negative="", show_default=False)] = False


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Where(Asked):
    """Which service is meant: by its configuration, or by its data."""

    config: Annotated[
        Path | None,
        about("The configuration file; else $HONGYAN_CONFIG, ./hongyan.toml or /etc/hongyan/hongyan.toml."),
    ] = None
    data: Annotated[
        Path | None, about("The data directory of a service that runs without a file, as a demonstration does.")
    ] = None


WHERE = Where()
