"""EXPUNGE (RFC 9051 §6.4.3), UID EXPUNGE (§6.4.9), CLOSE (§6.4.1): out of the mailbox, and where its owner wishes."""

from __future__ import annotations

__all__ = ["close", "expunge"]

from pyroaring import BitMap

from hongyan.mailboxes.deletion import delete
from hongyan.mailboxes.rights import Right
from hongyan.servers.imap.message_limit import answer, find_message_limit, take_newest
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
    selected.require(Right.EXPUNGE)
    session.tell_arrivals(command.uids)
    if command.uids is None:
        doomed, limited = _doomed(selected, None), b""
    else:
        chosen = selected.uids(selected.positions(command.uids, uid=True))
        doomed, limited = take_newest(_doomed(selected, chosen), find_message_limit(session))
    if not doomed:
        session.done(command.tag, "Nothing was marked as deleted.")
        return None
    return _expunge(session, selected, command.tag, doomed, limited)


async def _expunge(session: ImapSession, selected: Selected, tag: bytes, doomed: BitMap, limited: bytes) -> None:
    await _delete(session, selected, doomed)
    # RFC 7162 §3.2.7: an expunge is a change, and the client that made it is told where the mailbox stands now.
    session.tell_news()
    code = codes.highestmodseq(selected.state.highestmodseq) if session.condstore else b""
    answer(session, tag, "Expunged.", limited, code=code)


def close(session: ImapSession, command: Close) -> Work | None:
    """Leave the mailbox; what is marked as deleted goes without a word, unless it was opened by EXAMINE."""
    selected = session.require_selected()
    keeps = selected.read_only or Right.EXPUNGE not in selected.rights  # RFC 4314 §4: then CLOSE expunges nothing
    doomed = BitMap() if keeps else _doomed(selected, None)
    if not doomed:
        session.unselect()
        session.ok(command.tag, "Closed.")
        return None
    return _close(session, selected, command.tag, doomed)


async def _close(session: ImapSession, selected: Selected, tag: bytes, doomed: BitMap) -> None:
    await _delete(session, selected, doomed)
    session.unselect()
    session.ok(tag, "Closed.")


async def _delete(session: ImapSession, selected: Selected, doomed: BitMap) -> None:
    mail, owner = session.services.mail, selected.account
    settings = await session.services.settings.find(owner)
    await delete(mail, owner, await mail.live.open(owner, selected.state.mailbox_id), doomed, settings.deleted)


def _doomed(selected: Selected, chosen: BitMap | None) -> BitMap:
    """Return the UIDs that are marked as deleted, of those the client knows."""
    doomed = selected.state.with_flag(b"\\Deleted")
    if chosen is not None:
        return doomed & chosen
    return doomed & BitMap(selected.view.uids[: selected.view.exists])
