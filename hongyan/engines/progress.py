"""How far long work has come, for whoever waits for it."""

from __future__ import annotations

__all__ = ["Progress"]

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """What is done and what there is to do, in units of the work's own. It writes, from any thread; others look."""

    done: int = 0
    total: int = 0
    """0 until it is known. What comes in meanwhile is not in it."""
