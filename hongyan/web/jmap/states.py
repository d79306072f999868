"""State strings: a position in the account's change log (MODSEQ), and nothing else (RFC 8620 §5.1).

All types of mail share it. It may change where a type's data has not; /changes then tells of nothing.
"""

from __future__ import annotations

__all__ = ["ChangeWindow", "read_changes_since", "read_state", "require_state", "write_state"]

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hongyan.store.changes import ChangeStore, LoggedChange
from hongyan.types import AccountId, ModSeq
from hongyan.wire.jmap.faults import MethodError

_STATE = re.compile(r"s(0|[1-9][0-9]{0,18})", re.ASCII)
_PAGE = 1000


def write_state(modseq: ModSeq) -> str:
    """Return the state of an account at this position."""
    return f"s{modseq}"


def read_state(state: str) -> ModSeq:
    """Return the position. Raises `MethodError` (cannotCalculateChanges) for what was never a state."""
    match = _STATE.fullmatch(state)
    if match is None:
        raise _cannot_calculate()
    return ModSeq(int(match[1]))


def require_state(wanted: str | None, now: str) -> None:
    """Raise `MethodError` (stateMismatch) unless the state is the wanted one, if there is one."""
    if wanted is not None and wanted != now:
        raise MethodError("stateMismatch")


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """The entries of the log after a state. `modseq` is where they end, `more` that the log goes on."""

    changes: Sequence[LoggedChange]
    modseq: ModSeq
    more: bool


async def read_changes_since(
    store: ChangeStore, account: AccountId, since: ModSeq, head: ModSeq, limit: int
) -> ChangeWindow:
    """Return up to about `limit` entries after a position; `head` is where the account's log ends.

    Raises `MethodError` when the log does not reach back, or not so far: a database that was restored has gone back.
    """
    if since > head:
        raise _cannot_calculate()
    found: list[LoggedChange] = []
    cursor, more = since, True
    while more and len(found) < limit:
        page = await store.changes_since(account, cursor, limit=_PAGE)
        if since < page.floor:
            raise _cannot_calculate()
        found += page.changes
        if page.modseq == cursor and page.more:
            break
        cursor, more = page.modseq, page.more
    return ChangeWindow(found, cursor, more)


def _cannot_calculate() -> MethodError:
    return MethodError("cannotCalculateChanges")
