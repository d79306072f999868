"""What is to be written into a zone so that it holds what a domain wants, and nothing else is touched. Pure.

A record is ours only if we wrote it, and that is on record. A foreign one is never changed or removed: where it stands
in the way of ours, that is a conflict, and a person decides. Where others may stand beside a record it is added.
"""

from __future__ import annotations

__all__ = ["Conflict", "Publication", "plan_publication"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hongyan.addresses import Domain
from hongyan.domains.dns_records import Kind, Record
from hongyan.store.domain_state import OwnRecord

_SHARED = frozenset({Kind.TLSA})
"""Kinds of which any number may stand at a name, each for itself (RFC 7672 §8.1)."""

Find = Callable[[str, Kind], Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A record that is wanted where a foreign one stands."""

    record: Record
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be done. `gone` are records of ours that somebody else has removed: they are ours no more."""

    add: Sequence[Record] = ()
    remove: Sequence[OwnRecord] = ()
    conflicts: Sequence[Conflict] = ()
    gone: Sequence[OwnRecord] = ()


def plan_publication(domain: Domain, wanted: Sequence[Record], find: Find, own: Sequence[OwnRecord]) -> Publication:
    """Return what is to be done; `find` returns the values at a name, TXT as bare text, or None if nobody could say."""
    ours = {(record.name, record.kind, _same(record.value)): record for record in own}
    add: list[Record] = []
    remove: dict[OwnRecord, None] = {}
    conflicts: list[Conflict] = []
    for record in wanted:
        if record.kind is Kind.PTR or not _is_within(record.name, domain):
            continue  # The zone is somebody else's.
        found = find(record.name, record.kind)
        if found is None or _same(record.value) in map(_same, found):
            continue
        rivals = [value for value in found if _is_rival(record, value)]
        others = {(record.name, record.kind.value, _same(other.value)) for other in wanted if other.name == record.name}
        rivals = [value for value in rivals if (record.name, record.kind.value, _same(value)) not in others]
        foreign = tuple(value for value in rivals if (record.name, record.kind.value, _same(value)) not in ours)
        if foreign:
            conflicts.append(Conflict(record, foreign))
            continue
        add.append(record)
        remove.update((ours[record.name, record.kind.value, _same(value)], None) for value in rivals)
    gone = []
    kept = {(record.name, record.kind.value, _same(record.value)) for record in wanted}
    for key, mine in ours.items():
        found = find(mine.name, Kind(mine.kind))
        if found is None or mine in remove:
            continue
        if key[2] not in map(_same, found):
            gone.append(mine)
        elif key not in kept:
            remove[mine] = None
    return Publication(add, tuple(remove), conflicts, gone)


def _is_within(name: str, domain: Domain) -> bool:
    return name == domain.text or name.endswith(f".{domain.text}")


def _is_rival(record: Record, value: str) -> bool:
    """Whether a value cannot stand beside a record: of TXT those that say the same sort of thing."""
    if record.kind in _SHARED:
        return False
    if record.kind is not Kind.TXT:
        return True
    sort = _sort(record.value)
    return _sort(value) == sort or "._domainkey." in record.name


def _sort(text: str) -> str:
    return text.replace(" ", ";").partition(";")[0].lower()


def _same(value: str) -> str:
    """Return what two spellings of a value share. TXT too: a record of ours is found however it is spelt."""
    return " ".join(value.split()).rstrip(".").lower() if not value.startswith("v=DKIM1") else "".join(value.split())
