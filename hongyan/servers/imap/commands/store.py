"""STORE (RFC 9051 §6.4.6), also conditional (RFC 7162 §3.1.3)."""

from __future__ import annotations

__all__ = ["store"]

from pyroaring import BitMap

from hongyan.mailboxes.flags import FlagAction
from hongyan.mailboxes.rights import keepable_flags, right_for_flag
from hongyan.servers.imap.marking import mark_selected
from hongyan.servers.imap.message_limit import answer, find_message_limit, take_newest
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.types import ModSeq
from hongyan.wire.imap import codes
from hongyan.wire.imap.commands import FlagChange, Store
from hongyan.wire.imap.encoder import FlagRows, RowFormat
from hongyan.wire.imap.fetch import Item
from hongyan.wire.imap.sequence import format_numbers

_ACTIONS = {
    FlagChange.REPLACE: FlagAction.REPLACE,
    FlagChange.ADD: FlagAction.ADD,
    FlagChange.REMOVE: FlagAction.REMOVE,
}
_MODSEQ = RowFormat((Item.UID, Item.MODSEQ))
_MODSEQ_BY_UID = RowFormat((Item.MODSEQ,), by_uid=True)


def store(session: ImapSession, command: Store) -> Work | None:
    """Change flags."""
    selected = session.require_selected()
    if selected.read_only:
        session.no(command.tag, "The mailbox was opened by EXAMINE: it cannot be changed.", code=codes.READ_ONLY)
        return None
    # RFC 4314 §4: what may not be changed is passed over, unless nothing is left.
    if command.flags and not keepable_flags(command.flags, selected.rights):
        selected.require(*map(right_for_flag, command.flags))
    # A client that has just been told flags within this command must be told what became of them: it cannot know
    # whether those were from before its silent change or from after it.
    silent = command.silent
    if command.uid and session.tell_arrivals(command.messages):
        silent = False
    if not selected.view.names_only_known(command.messages, uid=command.uid):
        session.bad(command.tag, "There is no message of that number.")
        return None
    if command.unchangedsince is not None:
        session.enable_condstore()
    positions = selected.positions(command.messages, uid=command.uid)
    if not positions:
        session.done(command.tag, "No such messages.", expunge=command.uid)
        return None
    return _store(session, selected, command, positions, silent=silent)


async def _store(
    session: ImapSession, selected: Selected, command: Store, positions: list[tuple[int, int]], *, silent: bool
) -> None:
    uids, limited = take_newest(selected.uids(positions), find_message_limit(session))
    since = command.unchangedsince
    condition = None if since is None else ModSeq(since)
    done = await mark_selected(
        session, selected, uids, _ACTIONS[command.change], command.flags, unchanged_since=condition
    )
    # What others did stands first; then the answer for every message that was named (RFC 9051 §6.4.6).
    if done.modseq is not None:
        selected.made(done.modseq)
    session.tell_news(expunge=command.uid)
    if not silent:
        session.send(_flag_rows(session, selected, uids - done.modified, uid=command.uid))
    elif session.condstore and done.changed:
        session.send(_modseq_rows(selected, done.changed))
    _finish(session, selected, command, uids, done.modified, limited)


def _flag_rows(session: ImapSession, selected: Selected, uids: BitMap, *, uid: bool) -> bytes:
    """Tell the flags of the messages as they are now, by the numbers that they have now."""
    state, view = selected.state, selected.view
    column = state.column
    if not session.condstore and selected.is_current:
        by_uid = view.uidonly
        rows = FlagRows(column.texts, uid=uid and not by_uid, by_uid=by_uid)
        return b"".join(
            rows.encode(
                state.uids[start:stop] if by_uid else range(start + 1, stop + 1),
                column.codes[start:stop],
                state.uids[start:stop] if uid and not by_uid else None,
            )
            for start, stop in state.position_runs(uids)
        )
    changed = (
        (state.uids[at], column.texts[column.codes[at]], state.modseqs[at])
        for start, stop in state.position_runs(uids)
        for at in range(start, stop)
    )
    return b"".join(view.changed_flags(changed))


def _modseq_rows(selected: Selected, uids: BitMap) -> bytes:
    """Tell only the new MODSEQs, as a silent STORE still does (RFC 7162 §3.1.3)."""
    state = selected.state
    told = []
    for start, stop in state.position_runs(uids):
        for at in range(start, stop):
            begin = selected.view.row_start(state.uids[at])
            if begin:
                told.append((*begin, state.modseqs[at]))
    return (_MODSEQ_BY_UID if selected.view.uidonly else _MODSEQ).encode(told)


def _finish(
    session: ImapSession, selected: Selected, command: Store, uids: BitMap, modified: BitMap, limited: bytes
) -> None:
    gone = uids & selected.view.held
    if modified:
        numbers = modified if command.uid else [seq for seq in map(selected.view.seq_of, modified) if seq is not None]
        code = codes.modified(format_numbers(numbers))
        answer(session, command.tag, "Some messages had changed.", limited, code=code)
    elif gone == uids:
        session.no(command.tag, "The messages are expunged.", code=codes.EXPUNGEISSUED)
    elif gone:
        answer(session, command.tag, "Some of the messages are expunged.", limited, code=codes.EXPUNGEISSUED)
    else:
        answer(session, command.tag, "Stored.", limited)
