"""Uploads from the configuration: JMAP takes them, and upkeep forgets the old ones."""

from __future__ import annotations

__all__ = ["make_uploads"]

from hongyan.assembly.ground import Ground
from hongyan.engines.sql.uploads import SqlUploads
from hongyan.web.jmap.uploads import Uploads


def make_uploads(ground: Ground) -> Uploads:
    """Return what keeps uploads."""
    blobs = ground.engines.storage.blobs
    return Uploads(SqlUploads(ground.database), blobs, ground.config.jmap, ground.clock, ground.random)
