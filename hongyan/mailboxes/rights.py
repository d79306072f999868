"""What somebody may do with a mailbox: the rights of RFC 4314, and what grants come to.

The owner has all rights, and no grant takes one away: an owner is never locked out. Anybody else has what is granted
to them and to everybody, less what is denied to them or to everybody (RFC 4314 §2).
"""

from __future__ import annotations

__all__ = [
    "ALL_RIGHTS",
    "NoPermission",
    "Right",
    "Rights",
    "effective_rights",
    "keepable_flags",
    "parse_rights",
    "right_for_flag",
    "write_rights",
]

from collections.abc import Iterable

from hongyan.errors import Refused
from hongyan.store.changes import Flag
from hongyan.store.shares import Grant

Rights = frozenset[str]


class Right:
    """The letters (RFC 4314 §2.1)."""

    LOOKUP = "l"
    READ = "r"
    SEEN = "s"
    WRITE = "w"
    INSERT = "i"
    POST = "p"
    CREATE = "k"
    DELETE_MAILBOX = "x"
    DELETE_MESSAGES = "t"
    EXPUNGE = "e"
    ADMINISTER = "a"


_ORDER = "lrswipkxtea"
ALL_RIGHTS: Rights = frozenset(_ORDER)

_OBSOLETE = {"c": frozenset("kx"), "d": frozenset("te")}
"""The rights of RFC 2086, and what they stand for (RFC 4314 §2.1.1)."""


class NoPermission(Refused):
    """The mailbox is there, and this may not be done with it."""


def parse_rights(text: str) -> Rights:
    """Return the rights that letters name. Raises `ValueError` for a letter that is no right (RFC 4314 §3.1)."""
    rights: set[str] = set()
    for letter in text:
        if letter in _OBSOLETE:
            rights |= _OBSOLETE[letter]
        elif letter in ALL_RIGHTS:
            rights.add(letter)
        else:
            raise ValueError(letter)
    return frozenset(rights)


def write_rights(rights: Iterable[str]) -> str:
    """Return the letters in the order of RFC 4314 §2.1, then `c` and `d` for clients of RFC 2086 (RFC 4314 §2.1.1)."""
    have = frozenset(rights)
    letters = [letter for letter in _ORDER if letter in have]
    return "".join(letters + [letter for letter, members in _OBSOLETE.items() if members & have])


def effective_rights(grants: Iterable[Grant]) -> Rights:
    """Return what the grants that speak of somebody come to: what is denied is denied whoever grants it."""
    given: set[str] = set()
    denied: set[str] = set()
    for grant in grants:
        (denied if grant.is_negative else given).update(grant.rights)
    return frozenset(given - denied)


def right_for_flag(flag: Flag) -> str:
    """Return the right to change a flag for good (RFC 4314 §2.1: `s`, `t`, and `w` for all others)."""
    match flag.lower():
        case b"\\seen":
            return Right.SEEN
        case b"\\deleted":
            return Right.DELETE_MESSAGES
    return Right.WRITE


def keepable_flags(flags: Iterable[Flag], rights: Rights) -> tuple[Flag, ...]:
    """Return those of the flags that somebody with these rights may change; the others are passed over silently."""
    return tuple(flag for flag in flags if right_for_flag(flag) in rights)
