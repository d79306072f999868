"""What a client is told of an error: a response code that its program understands, and a sentence for who reads it."""

from __future__ import annotations

__all__ = ["find_refusal"]

from hongyan.errors import (
    AlreadyExists,
    Conflict,
    Corrupt,
    HongyanError,
    NotFound,
    OverLimit,
    OverQuota,
    Refused,
    StorageFull,
    Unavailable,
)
from hongyan.mailboxes.rights import NoPermission
from hongyan.wire.imap import codes


def find_refusal(error: HongyanError) -> tuple[bytes, str]:
    """Return the response code (RFC 5530 §3) and the sentence for an error: its own, or that of its kind."""
    for kind in type(error).__mro__:
        if kind in _CODES:
            code, sentence = _CODES[kind]
            return code, error.sentence or sentence
    return b"", error.sentence


_CODES: dict[type[BaseException], tuple[bytes, str]] = {
    NotFound: (codes.NONEXISTENT, "There is no such mailbox."),
    AlreadyExists: (codes.ALREADYEXISTS, "A mailbox of that name exists already."),
    NoPermission: (codes.NOPERM, "You may not do that with this mailbox."),
    Refused: (codes.CANNOT, "That is not possible."),
    OverQuota: (codes.OVERQUOTA, "The mailbox is full; delete mail or ask for more room."),
    OverLimit: (codes.LIMIT, "That is more than is allowed."),
    StorageFull: (codes.OVERQUOTA, "The server has no room just now; nothing was stored. Try again later."),
    Corrupt: (codes.CORRUPTION, "What is stored cannot be read back; the administrator has been told."),
    Conflict: (codes.INUSE, "The mailbox changes too fast just now; try again."),
    Unavailable: (codes.UNAVAILABLE, "The server cannot reach its storage just now; try again later."),
    HongyanError: (codes.SERVERBUG, "Something went wrong on our side; nothing was changed. Try again later."),
}
