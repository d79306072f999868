"""UIDBATCHES (RFC 10022): ranges of UIDs with so many messages each, for clients that go through a mailbox in parts."""

from __future__ import annotations

__all__ = ["uid_batches"]

from collections.abc import Iterator, Sequence

from hongyan.servers.imap.session import ImapSession
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import UidBatches

LEAST_SIZE = 500
"""Messages of a batch: with smaller ones a client could count (RFC 10022 §3.1.3.2)."""

MOST_MESSAGES = 100_000
"""Messages that a named range of batches may span (RFC 10022 §3.1.5)."""

MOST_BATCHES = 10_000
"""Ranges in one answer."""


def uid_batches(session: ImapSession, command: UidBatches) -> None:
    """Tell the batches that are asked for; `$` stays what it was (RFC 10022 §3.4)."""
    if command.size < LEAST_SIZE:
        session.no(command.tag, f"A batch has at least {LEAST_SIZE} messages.", code=codes.TOOFEW)
        return
    first, last = command.batches or (1, MOST_BATCHES)
    if last < first:
        session.send(responses.bad("The first batch comes first.", tag=command.tag, code=codes.CLIENTBUG))
        return
    view = session.require_selected().view
    if command.batches is not None and (last - first + 1) * command.size > MOST_MESSAGES:
        session.no(command.tag, f"A range of batches spans {MOST_MESSAGES} messages at most.", code=codes.TOOMANY)
        return
    if command.batches is None and view.exists > MOST_BATCHES * command.size:
        session.no(command.tag, "That are too many batches; ask for a range of them.", code=codes.TOOMANY)
        return
    session.send(responses.uid_batches(command.tag, _batches(view.uids, view.exists, command.size, first, last)))
    session.done(command.tag, "Done.")


def _batches(uids: Sequence[int], exists: int, size: int, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield (greatest UID, least UID) of batches; the one with the oldest message reaches down to UID 1 (§3.1.4)."""
    stop = exists - (first - 1) * size
    for _ in range(first, last + 1):
        if stop <= 0:
            return
        start = stop - size
        yield uids[stop - 1], uids[start] if start > 0 else 1
        stop = start
