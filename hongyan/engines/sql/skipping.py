"""Numbers that were given out and may have been forgotten are not given out again.

A power loss may take flag changes of the last second with it, and with them MODSEQs that a client has seen. What a
restored backup has forgotten is more: UIDs, mailboxes and emails that came after it. In both cases the counters move
ahead by more than can have been given out; UIDVALIDITY stays, and no client takes a new message for an old one.
"""

from __future__ import annotations

__all__ = ["MODSEQS_OF_A_SECOND", "skip_after_power_loss", "skip_after_restore"]

from hongyan.engines.sql.units import SqlDatabase, Statement, Unit

MODSEQS_OF_A_SECOND = 1 << 16
"""More than an account can have got within the second whose flags a power loss may take."""

_MODSEQS = 1 << 24
_UIDS = 1 << 18
_EMAILS = 1 << 20
_MAILBOXES = 1 << 10


async def skip_after_power_loss(database: SqlDatabase) -> None:
    """Move the accounts' logs ahead."""
    await database.write(lambda _refs: _skip_modseqs(MODSEQS_OF_A_SECOND))


async def skip_after_restore(database: SqlDatabase) -> None:
    """Move every counter of the accounts ahead; who asks the log from a cursor of before starts over."""
    await database.write(lambda _refs: _skip_all())


def _skip_modseqs(count: int) -> Unit[None]:
    yield Statement("UPDATE account_state SET highestmodseq = highestmodseq + $1", (count,))


def _skip_all() -> Unit[None]:
    yield from _skip_modseqs(_MODSEQS)
    yield Statement(
        "UPDATE account_state SET changes_floor = highestmodseq, next_email = next_email + $1,"
        " next_mailbox = next_mailbox + $2",
        (_EMAILS, _MAILBOXES),
    )
    # A mailbox that has given out nearly all of its numbers keeps those that are left.
    yield Statement("UPDATE mailboxes SET uidnext = uidnext + $1 WHERE uidnext < $2", (_UIDS, (1 << 32) - 2 * _UIDS))
