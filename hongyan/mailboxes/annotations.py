"""Annotations as somebody reads and sets them: scopes, depths, limits (RFC 5464 §3, §4.2)."""

from __future__ import annotations

__all__ = ["PRIVATE", "SHARED", "AnnotationOptions", "Annotations", "TooLarge", "TooMany", "choose_entries"]

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hongyan.errors import OverLimit, OverQuota
from hongyan.options import option
from hongyan.store.annotations import AnnotationLimits, AnnotationStore, Topic
from hongyan.store.changes import LoggedChange
from hongyan.types import AccountId
from hongyan.wire.imap.commands import Depth

PRIVATE = "/private/"
SHARED = "/shared/"


@dataclass(frozen=True, slots=True)
class AnnotationOptions:
    """The section `[annotations]`."""

    value: int = option(64 << 10, "Largest value of an entry.", unit="octets")
    entries: int = option(200, "Entries that one mailbox may have, shared ones and each viewer's private ones.")
    account: int = option(4 << 20, "Octets of all entries of an account.", unit="octets")

    def __post_init__(self) -> None:
        if self.value < 1024 or self.entries < 1 or self.account < self.value:
            raise ValueError("a value may have 1024 octets, a mailbox one entry, an account one value at least")


class TooLarge(OverLimit):
    """A value is larger than one may be."""


class TooMany(OverLimit):
    """There are as many entries as there may be."""


class Annotations:
    """Reads and sets entries."""

    def __init__(self, store: AnnotationStore, options: AnnotationOptions) -> None:
        self._store = store
        self._options = options

    @property
    def limit_value(self) -> int:
        """Octets of a value."""
        return self._options.value

    async def read(self, topics: Mapping[str, Topic]) -> dict[str, bytes]:
        """Return all entries of these topics, by name; each topic is asked for the names of its scope."""
        found: dict[str, bytes] = {}
        for topic in set(topics.values()):
            scopes = tuple(scope for scope, one in topics.items() if one == topic)
            entries = await self._store.read(topic)
            found |= {name: value for name, value in entries.items() if name.startswith(scopes)}
        return found

    async def write(
        self, topics: Mapping[str, Topic], values: Mapping[str, bytes | None]
    ) -> Sequence[tuple[AccountId, LoggedChange]]:
        """Set entries; those of one topic all or none. Return what the logs of accounts say of it.

        Raises `TooLarge`, `TooMany`, `OverQuota`.
        """
        if any(value is not None and len(value) > self._options.value for value in values.values()):
            raise TooLarge("A value is larger than one may be.")
        limits = AnnotationLimits(self._options.entries, self._options.account)
        parts: dict[Topic, dict[str, bytes | None]] = {}
        for scope, topic in topics.items():
            part = {name: value for name, value in values.items() if name.startswith(scope)}
            if part:
                parts.setdefault(topic, {}).update(part)
        logged: list[tuple[AccountId, LoggedChange]] = []
        for topic, part in parts.items():
            try:
                change = await self._store.write(topic, part, limits)
            except OverQuota:
                raise
            except OverLimit as fault:
                raise TooMany(fault.sentence) from None
            if topic.account != topic.owner:
                change = await self._store.note_change(topic.owner, topic.mailbox)
            if change is not None:
                logged.append((topic.owner, change))
        return logged


def choose_entries(names: Iterable[str], asked: str, depth: Depth) -> list[str]:
    """Return those of the names that are meant by one, and by what is below it (RFC 5464 §4.2.2)."""
    below = asked + "/"
    match depth:
        case Depth.ENTRY:
            return [name for name in names if name == asked]
        case Depth.CHILDREN:
            return [
                name for name in names if name == asked or (name.startswith(below) and "/" not in name[len(below) :])
            ]
        case Depth.INFINITY:
            return [name for name in names if name == asked or name.startswith(below)]
