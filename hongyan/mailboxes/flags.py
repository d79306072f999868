"""Set, add and remove flags (RFC 9051 §6.4.6, RFC 7162 §3.1.3)."""

from __future__ import annotations

__all__ = ["FlagAction", "Marked", "mark"]

from dataclasses import dataclass
from enum import Enum

from pyroaring import BitMap

from hongyan.errors import Conflict
from hongyan.mailboxes.flag_column import FlagChange, FlagColumn
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Flag, FlagsAdded, FlagsRemoved, FlagsReplaced, LoggedChange
from hongyan.types import AccountId, ModSeq

_TRIES = 10


class FlagAction(Enum):
    """What to do with the flags that are named."""

    ADD = "+"
    REMOVE = "-"
    REPLACE = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """What came of it: messages whose flags are other now, and those that had changed since UNCHANGEDSINCE."""

    modseq: ModSeq | None
    changed: BitMap
    modified: BitMap


_NOTHING = BitMap()


async def mark(
    mail: Mail,
    account: AccountId,
    state: MailboxState,
    uids: BitMap,
    action: FlagAction,
    flags: tuple[Flag, ...],
    *,
    unchanged_since: ModSeq | None = None,
    durable: bool = False,
) -> Marked:
    """Change flags of messages; those that have them already are left alone and keep their MODSEQ.

    Raises `TooManyKeywords`, `NotFound`, `StorageFull`.
    """
    if action is not FlagAction.REMOVE:
        state.column.require_room(flags)
    for _attempt in range(_TRIES):
        modified, chosen = _NOTHING, uids
        if unchanged_since is not None:
            modified = state.changed_after(uids, unchanged_since)
            chosen = uids - modified
        changed = state.changed_by(state.position_runs(chosen), _change(state.column, action, flags))
        if not changed:
            return Marked(None, _NOTHING, modified)
        change = _entry(action, changed, flags)
        expected = state.highestmodseq if unchanged_since is not None else None
        try:
            modseq = await mail.messages.change_flags(
                account, state.mailbox_id, change, expected=expected, durable=durable
            )
        except Conflict:
            await mail.live.catch_up(account)
            continue
        await mail.live.follow(account, (LoggedChange(modseq, state.mailbox_id, change),))
        return Marked(modseq, changed, modified)
    raise Conflict(cause="a mailbox changes faster than flags can be set under a condition")


def _change(column: FlagColumn, action: FlagAction, flags: tuple[Flag, ...]) -> FlagChange:
    match action:
        case FlagAction.ADD:
            return column.adding(flags)
        case FlagAction.REMOVE:
            return column.removing(flags)
        case FlagAction.REPLACE:
            return column.replacing(flags)


def _entry(action: FlagAction, uids: BitMap, flags: tuple[Flag, ...]) -> FlagsAdded | FlagsRemoved | FlagsReplaced:
    match action:
        case FlagAction.ADD:
            return FlagsAdded(uids, flags)
        case FlagAction.REMOVE:
            return FlagsRemoved(uids, flags)
        case FlagAction.REPLACE:
            return FlagsReplaced(uids, flags)
