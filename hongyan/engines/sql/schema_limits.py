"""The tables of limits that several processes share, in the words of `schema`.

`limit_windows` has the slots of each sliding window as doubles, seconds since 1970, in order, and when the last of
them is free. `bans` has who is refused, and until when, in seconds since 1970.
"""

from __future__ import annotations

__all__ = ["LIMITS"]

LIMITS = (
    """
    CREATE TABLE limit_windows (
        name TEXT NOT NULL PRIMARY KEY,
        slots BLOB NOT NULL,
        expires_at REAL NOT NULL
    ) {clustered}
    """,
    "CREATE INDEX limit_windows_by_time ON limit_windows (expires_at)",
    """
    CREATE TABLE bans (
        network TEXT NOT NULL,
        name TEXT NOT NULL,
        rule TEXT NOT NULL,
        why TEXT NOT NULL,
        since REAL NOT NULL,
        until REAL NOT NULL,
        refused INTEGER NOT NULL,
        PRIMARY KEY (network, name)
    ) {clustered}
    """,
    "CREATE INDEX bans_by_time ON bans (until)",
)
