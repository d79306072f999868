"""Numbers that were given out and may have been forgotten are not given out again.

A power loss may take flag changes of the last second with it, and with them MODSEQs that a client has seen. What a
restored backup has forgotten is more: UIDs, mailboxes and emails that came after it. In both cases the counters move
ahead by more than can have been given out; UIDVALIDITY stays, and no client takes a new message for an old one.

Then every message counts as changed: HIGHESTMODSEQ of no mailbox goes back, and a client that has seen flags which
are forgotten asks for what changed since, and learns how they stand (RFC 7162 §3.1.4.1).
"""

from __future__ import annotations

__all__ = ["MODSEQS_OF_A_SECOND", "skip_after_power_loss", "skip_after_restore"]

from pyroaring import BitMap

from hongyan.engines.sql.units import Many, Row, SqlDatabase, Statement, Unit
from hongyan.store.changes import FlagsAdded, encode_change

MODSEQS_OF_A_SECOND = 1 << 16
"""More than an account can have got within the second whose flags a power loss may take."""

_MODSEQS = 1 << 24
_UIDS = 1 << 18
_EMAILS = 1 << 20
_MAILBOXES = 1 << 10


async def skip_after_power_loss(database: SqlDatabase) -> None:
    """Move the accounts' logs ahead."""
    await database.write(lambda _refs: _skip_last_second())


async def skip_after_restore(database: SqlDatabase) -> None:
    """Move every counter of the accounts ahead; who asks the log from a cursor of before starts over."""
    await database.write(lambda _refs: _skip_all())


def _skip_last_second() -> Unit[None]:
    yield from _skip_modseqs(MODSEQS_OF_A_SECOND)
    yield from _touch_messages()


def _skip_modseqs(count: int) -> Unit[None]:
    yield Statement("UPDATE account_state SET highestmodseq = highestmodseq + $1", (count,))


def _skip_all() -> Unit[None]:
    yield from _skip_modseqs(_MODSEQS)
    yield Statement(
        "UPDATE account_state SET changes_floor = highestmodseq, expunges_floor = highestmodseq,"
        " next_email = next_email + $1, next_mailbox = next_mailbox + $2",
        (_EMAILS, _MAILBOXES),
    )
    # A mailbox that has given out nearly all of its numbers keeps those that are left.
    yield Statement("UPDATE mailboxes SET uidnext = uidnext + $1 WHERE uidnext < $2", (_UIDS, (1 << 32) - 2 * _UIDS))
    yield from _touch_messages()


def _touch_messages() -> Unit[None]:
    """Write one entry for each mailbox: its messages have changed, and are what they are."""
    rows = yield Statement(
        "SELECT m.account_id, m.mailbox_id, m.uidnext, s.highestmodseq"
        " + ROW_NUMBER() OVER (PARTITION BY m.account_id ORDER BY m.mailbox_id)"
        " FROM mailboxes m JOIN account_state s ON s.account_id = m.account_id WHERE m.messages > 0"
    )
    if not rows:
        return
    yield Many(
        "INSERT INTO changes (account_id, modseq, mailbox_id, entry) VALUES ($1, $2, $3, $4)",
        [(account, modseq, mailbox, _all_below(uidnext)) for account, mailbox, uidnext, modseq in rows],
    )
    yield Many(
        "UPDATE mailboxes SET highestmodseq = $1 WHERE account_id = $2 AND mailbox_id = $3",
        [(modseq, account, mailbox) for account, mailbox, _uidnext, modseq in rows],
    )
    yield Many("UPDATE account_state SET highestmodseq = $1 WHERE account_id = $2", _heads(rows))


def _all_below(uidnext: int) -> bytes:
    uids = BitMap(range(1, uidnext))
    uids.run_optimize()
    return encode_change(FlagsAdded(uids, ()))


def _heads(rows: list[Row]) -> list[tuple[int, int]]:
    heads: dict[int, int] = {}
    for account, _mailbox, _uidnext, modseq in rows:
        heads[account] = max(modseq, heads.get(account, 0))
    return [(modseq, account) for account, modseq in heads.items()]
