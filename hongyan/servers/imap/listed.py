"""What a LIST response says of a mailbox (RFC 9051 §7.3.1)."""

from __future__ import annotations

__all__ = ["attributes_of", "parents_of"]

from collections.abc import Iterable

from hongyan.mailboxes.reach import Place
from hongyan.wire.imap.mailbox_name import DELIMITER


def attributes_of(place: Place | None, *, has_children: bool, is_subscribed: bool, rev2: bool) -> list[bytes]:
    """Return the attributes of a mailbox; None is a name without one."""
    attributes: list[bytes] = []
    if place is None:
        # RFC 9051 §7.3.1: \\NonExistent implies \\Noselect, which older clients look for.
        attributes += [b"\\NonExistent"] if rev2 else [b"\\NonExistent", b"\\Noselect"]
    attributes.append(b"\\HasChildren" if has_children else b"\\HasNoChildren")
    if is_subscribed:
        attributes.append(b"\\Subscribed")
    if place is not None and place.is_own and place.mailbox.special_use:
        attributes.append(place.mailbox.special_use.encode())
    return attributes


def parents_of(names: Iterable[str]) -> frozenset[str]:
    """Return the names under which these hang."""
    parents: set[str] = set()
    for name in names:
        parent = name.rpartition(DELIMITER)[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition(DELIMITER)[0]
    return frozenset(parents)
