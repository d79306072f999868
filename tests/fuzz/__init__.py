"""Hostile octets for every parser.

A module of this package is a target when it has `CORPUS`, a list of octets to begin with, and
`target`, which raises only when the invariant of the module's docstring is violated.
`python -m tests.fuzz` runs targets for a time, `test_targets.py` each for a few hundred inputs.
"""

from __future__ import annotations

__all__ = ["Hang", "Target", "find_targets", "run"]

import importlib
import pkgutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

CPU_SECONDS = 5.0
"""No input of at most 64 KiB may keep a parser busy for as long as this."""


class Hang(Exception):
    """An input took longer than any may."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parser under test. `invariant` is the sentence that it violates when `function` raises."""

    name: str
    invariant: str
    corpus: tuple[bytes, ...]
    function: Callable[[bytes], None]


def find_targets() -> dict[str, Target]:
    """Return the targets of this package by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith(("_", "test_")) or module.name in {"mutate", "record"}:
            continue
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        invariant = " ".join((loaded.__doc__ or "").split())
        found[module.name] = Target(module.name, invariant, tuple(loaded.CORPUS), loaded.target)
    return found


def run(target: Target, octets: bytes) -> Exception | None:
    """Give a target one input and return how it violated its invariant, if it did."""
    try:
        with _limited_time():
            target.function(octets)
    except Exception as violation:
        return violation
    return None


@contextmanager
def _limited_time() -> Iterator[None]:
    """Raise `Hang` in an input that takes too long; CPU time, so that a busy machine blames nobody."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


def _give_up(_signal: int, _frame: FrameType | None) -> None:
    raise Hang(f"more than {CPU_SECONDS:g} seconds of CPU")
