"""An engine, opened, with its blobs: what a server stores in, and what upkeep works on."""

from __future__ import annotations

__all__ = ["SqlStorage"]

from dataclasses import dataclass

from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import Dialect
from hongyan.engines.sql.units import SqlDatabase


@dataclass(frozen=True, slots=True)
class SqlStorage:
    """A database that is up to date, the dialect it speaks, and the blobs that its rows refer to."""

    database: SqlDatabase
    dialect: Dialect
    blobs: SegmentStore
