"""How everything stands that somebody reaches: mailboxes, subscriptions, notes; and what became of it since.

A picture is read as a whole and compared with the one before, so that nothing is missed and nothing told twice, however
many hints were lost in between.
"""

from __future__ import annotations

__all__ = ["Difference", "Picture", "compare"]

from collections.abc import Mapping
from dataclasses import dataclass, field

from hongyan.mailboxes.reach import Place
from hongyan.types import AccountId, MailboxId
from hongyan.wire.imap.mailbox_name import DELIMITER

Notes = Mapping[str, int]
"""A fingerprint of the value of each entry."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a viewer reaches, by the viewer's names. `notes` has the empty name for the server."""

    places: Mapping[str, Place]
    subscribed: frozenset[str]
    notes: Mapping[str, Notes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of one picture in another. Names are in the order of the alphabet."""

    made: list[str] = field(default_factory=list)
    gone: list[Place] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    """The old name and the new; what is below a mailbox that was renamed is not told for itself."""
    changed: list[tuple[Place, Place]] = field(default_factory=list)
    """Mailboxes that had a change, as they were and as they are."""
    subscriptions: list[str] = field(default_factory=list)
    noted: dict[str, list[str]] = field(default_factory=dict)
    """Entries with other values, or none any more, by mailbox."""


def compare(old: Picture, new: Picture) -> Difference:
    """Return what became of `old`."""
    found = Difference(subscriptions=sorted(old.subscribed ^ new.subscribed))
    before = {_key(place): place for place in old.places.values()}
    moved: dict[str, str] = {}
    for name, place in new.places.items():
        was = before.pop(_key(place), None)
        if was is None:
            found.made.append(name)
            continue
        if was.name != name:
            moved[was.name] = name
        if _stands_differently(was, place):
            found.changed.append((was, place))
    found.gone.extend(before.values())
    found.renamed.extend(pair for pair in sorted(moved.items()) if not _went_along(*pair, moved))
    if old.notes != new.notes:
        came_from = {now: then for then, now in moved.items()}
        for name in sorted({*old.notes, *new.notes}):
            entries = _differing(old.notes.get(came_from.get(name, name), {}), new.notes.get(name, {}))
            if entries and (not name or name in new.places):
                found.noted[name] = entries
    return found


def _key(place: Place) -> tuple[AccountId, MailboxId]:
    return place.account, place.mailbox.mailbox_id


def _stands_differently(was: Place, now: Place) -> bool:
    old, new = was.mailbox, now.mailbox
    return (
        old.highestmodseq != new.highestmodseq
        or old.uidnext != new.uidnext
        or old.messages != new.messages
        or was.rights != now.rights
    )


def _went_along(old: str, new: str, moved: Mapping[str, str]) -> bool:
    """Whether a mailbox has its new name from one above it that was renamed (RFC 5465 §5.4)."""
    parent, _, last = old.rpartition(DELIMITER)
    return parent in moved and new == moved[parent] + DELIMITER + last


def _differing(old: Notes, new: Notes) -> list[str]:
    return sorted(entry for entry in {*old, *new} if old.get(entry) != new.get(entry))
