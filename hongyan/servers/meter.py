"""How long commands take: one observation for each, at the cost of a look into a dictionary.

Label values come from our own tables, never from a peer: a stranger cannot make new time series.
"""

from __future__ import annotations

__all__ = ["CommandMeter"]

from collections.abc import Callable
from time import perf_counter

from hongyan.telemetry.times import Times


class CommandMeter:
    """Measures the commands of one kind of session. `start` and `stop` stand around a command."""

    def __init__(self, times: Times, *first: str) -> None:
        """`first` are the labels that are the same for all commands of the session."""
        self._times = times
        self._first = first
        self._children: dict[tuple[str, str], Callable[[float], None]] = {}

    start = staticmethod(perf_counter)

    def stop(self, started: float, command: str, result: str) -> None:
        """Note a command that began at `started`, and how it ended."""
        observe = self._children.get((command, result))
        if observe is None:
            labels = (*self._first, command, result)
            observe = self._children[command, result] = self._times.labels(*labels).observe
        observe(perf_counter() - started)
