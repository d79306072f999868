"""The door of `tests.support.door`."""

from __future__ import annotations

__all__ = ["door", "doors", "geese"]

from tests.support.door import door, doors, geese
