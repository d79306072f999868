"""EXPUNGE (RFC 9051 §6.4.3), UID EXPUNGE (§6.4.9), CLOSE (§6.4.1)."""

from __future__ import annotations

__all__ = ["close", "expunge"]

from pyroaring import BitMap

from hongyan.mailboxes.expunge import expunge as expunge_messages
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.wire.imap import codes
from hongyan.wire.imap.commands import Close, Expunge


def expunge(session: ImapSession, command: Expunge) -> Work | None:
    """Remove what is marked as deleted; by UID EXPUNGE only what is named."""
    selected = session.require_selected()
    if selected.read_only:
        session.no(command.tag, "The mailbox was opened by EXAMINE: it cannot be changed.", code=codes.READ_ONLY)
        return None
    session.tell_arrivals(command.uids)
    chosen = None
    if command.uids is not None:
        chosen = selected.uids(selected.positions(command.uids, uid=True))
    doomed = _doomed(selected, chosen)
    if not doomed:
        session.done(command.tag, "Nothing was marked as deleted.")
        return None
    return _expunge(session, selected, command.tag, doomed)


async def _expunge(session: ImapSession, selected: Selected, tag: bytes, doomed: BitMap) -> None:
    await expunge_messages(session.services.mail, session.account, selected.state.mailbox_id, doomed)
    # RFC 7162 §3.2.7: an expunge is a change, and the client that made it is told where the mailbox stands now.
    session.tell_news()
    code = codes.highestmodseq(selected.state.highestmodseq) if session.condstore else b""
    session.ok(tag, "Expunged.", code=code)


def close(session: ImapSession, command: Close) -> Work | None:
    """Leave the mailbox; what is marked as deleted goes without a word, unless it was opened by EXAMINE."""
    selected = session.require_selected()
    doomed = BitMap() if selected.read_only else _doomed(selected, None)
    if not doomed:
        session.unselect()
        session.ok(command.tag, "Closed.")
        return None
    return _close(session, selected, command.tag, doomed)


async def _close(session: ImapSession, selected: Selected, tag: bytes, doomed: BitMap) -> None:
    await expunge_messages(session.services.mail, session.account, selected.state.mailbox_id, doomed)
    session.unselect()
    session.ok(tag, "Closed.")


def _doomed(selected: Selected, chosen: BitMap | None) -> BitMap:
    """Return the UIDs that are marked as deleted, of those the client knows."""
    doomed = selected.state.with_flag(b"\\Deleted")
    if chosen is not None:
        return doomed & chosen
    return doomed & BitMap(selected.view.uids[: selected.view.exists])
