"""COPY and MOVE (RFC 9051 §6.4.7, §6.4.8)."""

from __future__ import annotations

__all__ = ["copy", "move"]

from pyroaring import BitMap

from hongyan.mailboxes.rights import Right
from hongyan.mailboxes.transfer import transfer_messages
from hongyan.servers.imap.message_limit import answer, find_message_limit, find_save_limit, take_newest
from hongyan.servers.imap.places import find_target
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.store.messages import CopyResult
from hongyan.wire.imap import codes, responses
from hongyan.wire.imap.commands import Copy, Move
from hongyan.wire.imap.sequence import format_numbers, format_ranges


def copy(session: ImapSession, command: Copy) -> Work | None:
    """Put messages into another mailbox too."""
    uids = _chosen(session, command)
    if uids is None:
        return None
    limit = find_save_limit(session)
    _, limited = take_newest(uids, limit)
    if limited:  # all or nothing (RFC 9738 §3.1)
        session.tell_news()
        session.no(command.tag, f"COPY takes {limit} messages at most.", code=limited)
        return None
    return _copy(session, command, uids)


def move(session: ImapSession, command: Move) -> Work | None:
    """Put messages into another mailbox instead."""
    selected = session.require_selected()
    if selected.read_only:
        session.no(command.tag, "The mailbox was opened by EXAMINE: it cannot be changed.", code=codes.READ_ONLY)
        return None
    selected.require(Right.DELETE_MESSAGES, Right.EXPUNGE)  # RFC 6851 §4.2
    uids = _chosen(session, command)
    return None if uids is None else _move(session, command, *take_newest(uids, find_message_limit(session)))


def _chosen(session: ImapSession, command: Copy | Move) -> BitMap | None:
    """Return the UIDs that the command speaks of, or None when it is answered already."""
    selected = session.require_selected()
    if command.uid:
        session.tell_arrivals(command.messages)
    if not selected.view.names_only_known(command.messages, uid=command.uid):
        session.bad(command.tag, "There is no message of that number.")
        return None
    uids = selected.uids(selected.positions(command.messages, uid=command.uid))
    if not uids:
        session.done(command.tag, "No such messages.")
        return None
    return uids


async def _copy(session: ImapSession, command: Copy, uids: BitMap) -> None:
    done = await _carry_out(session, command, uids, is_move=False)
    if done is not None:
        session.done(command.tag, "Copied.", code=_copyuid(done))


async def _move(session: ImapSession, command: Move, uids: BitMap, limited: bytes) -> None:
    done = await _carry_out(session, command, uids, is_move=True)
    if done is not None:
        # RFC 6851 §4.3: COPYUID stands in an untagged OK before the expunges that it explains.
        session.send(responses.ok("Moved.", code=_copyuid(done)))
        session.tell_news()
        state = session.require_selected().state
        # RFC 7162 §3.2.7 of EXPUNGE, and RFC 6851 §4.4: the client is told where the mailbox stands now.
        code = codes.highestmodseq(state.highestmodseq) if session.condstore else b""
        answer(session, command.tag, "Done.", limited, code=code)


async def _carry_out(session: ImapSession, command: Copy | Move, uids: BitMap, *, is_move: bool) -> CopyResult | None:
    """Copy or move, or answer why not and return None."""
    selected = session.require_selected()
    services = session.services
    target = await find_target(session, command.mailbox)
    if target is None:
        session.no(command.tag, "There is no such mailbox.", code=codes.TRYCREATE)
        return None
    source = (selected.account, selected.state)
    if is_move and (target.account, target.mailbox.mailbox_id) == (selected.account, selected.state.mailbox_id):
        session.no(command.tag, "The messages are in that mailbox already.", code=codes.CANNOT)
        return None
    done = await transfer_messages(services.mail, services.shared, session.account, source, uids, target, move=is_move)
    if done is not None:
        session.made(target, done.first_uid, len(done.source_uids))
    else:
        session.tell_news()
        session.no(command.tag, "The messages were expunged meanwhile.", code=codes.EXPUNGEISSUED)
    return done


def _copyuid(done: CopyResult) -> bytes:
    targets = format_ranges([(done.first_uid, done.first_uid + len(done.source_uids) - 1)])
    return codes.copyuid(done.uidvalidity, format_numbers(done.source_uids), targets)
