"""Facts about a database itself, by their names; and the one that says whether the data are in it.

A move from one database to another leaves a mark in both, so that nobody begins to work on data that are not all here
yet, or not here any more: the blobs are the same for both, and the sweep of one would remove what the other needs.
"""

from __future__ import annotations

__all__ = ["Presence", "find_fact", "find_presence", "note_presence", "put_fact", "require_presence"]

from enum import StrEnum

from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.errors import ConfigurationError

_PRESENCE = "presence"


class Presence(StrEnum):
    """Whether the data are in this database."""

    HERE = "here"
    ARRIVING = "arriving"
    """They are being moved here, or that was broken off."""
    GONE = "gone"
    """They were moved to another database; what is left are their rows of that time."""


def find_fact(name: str) -> Unit[str]:
    """Return a fact, empty if there is none of the name."""
    rows = yield Statement("SELECT fact FROM store_facts WHERE name = $1", (name,))
    return rows[0][0] if rows else ""


def put_fact(name: str, fact: str) -> Unit[None]:
    """Note a fact in the place of what was noted under its name."""
    yield Statement(
        "INSERT INTO store_facts (name, fact) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET fact = excluded.fact",
        (name, fact),
    )


def find_presence() -> Unit[Presence]:
    """Return whether the data are in this database."""
    return Presence((yield from find_fact(_PRESENCE)) or Presence.HERE)


def note_presence(presence: Presence) -> Unit[None]:
    """Note whether the data are in this database."""
    yield from put_fact(_PRESENCE, presence.value)


async def require_presence(database: SqlDatabase) -> None:
    """Raise `ConfigurationError` unless the data are in this database."""
    match await database.read(find_presence()):
        case Presence.ARRIVING:
            raise ConfigurationError("A move into this database was broken off. Let `hongyan move` do it again.")
        case Presence.GONE:
            raise ConfigurationError("The data were moved to another database: say so in [database].")
        case Presence.HERE:
            return
