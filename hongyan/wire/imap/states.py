"""Which command may come when (RFC 9051 §3, §6; RFC 3501 §3, §6)."""

from __future__ import annotations

__all__ = ["State", "find_fault_of_state", "names_numbers"]

from enum import Enum

from hongyan.wire.imap import commands
from hongyan.wire.imap.commands import Command, Copy, Esearch, Fetch, Move, Search, Select, Sort, Store, Thread
from hongyan.wire.imap.search import names_seqs


class State(Enum):
    """Where a connection stands."""

    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


_BEFORE_LOGIN = frozenset({State.NOT_AUTHENTICATED})
_AFTER_LOGIN = frozenset({State.AUTHENTICATED, State.SELECTED})
_SELECTED = frozenset({State.SELECTED})
_ANY = _BEFORE_LOGIN | _AFTER_LOGIN

_STATES: dict[type[Command], frozenset[State]] = {
    # command-any
    commands.Capability: _ANY,
    commands.Id: _ANY,
    commands.Logout: _ANY,
    commands.Noop: _ANY,
    # command-nonauth
    commands.Authenticate: _BEFORE_LOGIN,
    commands.Login: _BEFORE_LOGIN,
    commands.StartTls: _BEFORE_LOGIN,
    # command-auth
    commands.Append: _AFTER_LOGIN,
    commands.Compress: _AFTER_LOGIN,
    commands.Create: _AFTER_LOGIN,
    commands.Delete: _AFTER_LOGIN,
    commands.DeleteAcl: _AFTER_LOGIN,
    commands.Enable: _AFTER_LOGIN,  # RFC 9051 §6.3.1: servers need not check that no mailbox is selected
    commands.Esearch: _AFTER_LOGIN,  # RFC 7377 §2.2: with the selected mailbox among those searched, in that state only
    commands.GetAcl: _AFTER_LOGIN,
    commands.GetMetadata: _AFTER_LOGIN,
    commands.GetQuota: _AFTER_LOGIN,
    commands.GetQuotaRoot: _AFTER_LOGIN,
    commands.Idle: _AFTER_LOGIN,
    commands.List: _AFTER_LOGIN,
    commands.ListRights: _AFTER_LOGIN,
    commands.Lsub: _AFTER_LOGIN,
    commands.MyRights: _AFTER_LOGIN,
    commands.GetJmapAccess: _AFTER_LOGIN,
    commands.Namespace: _AFTER_LOGIN,
    commands.Notify: _AFTER_LOGIN,
    commands.Rename: _AFTER_LOGIN,
    commands.Select: _AFTER_LOGIN,
    commands.SetAcl: _AFTER_LOGIN,
    commands.SetMetadata: _AFTER_LOGIN,
    commands.SetQuota: _AFTER_LOGIN,
    commands.Status: _AFTER_LOGIN,
    commands.Subscribe: _AFTER_LOGIN,
    commands.Unauthenticate: _AFTER_LOGIN,
    commands.Unsubscribe: _AFTER_LOGIN,
    # command-select
    commands.Check: _SELECTED,
    commands.Close: _SELECTED,
    commands.Copy: _SELECTED,
    commands.Expunge: _SELECTED,
    commands.Fetch: _SELECTED,
    commands.Move: _SELECTED,
    commands.Search: _SELECTED,
    commands.Sort: _SELECTED,
    commands.Store: _SELECTED,
    commands.Thread: _SELECTED,
    commands.UidBatches: _SELECTED,
    commands.Unselect: _SELECTED,
}


def find_fault_of_state(command: Command, state: State) -> str | None:
    """Return why the command may not come in this state, as a sentence for its BAD; None if it may."""
    states = _STATES[type(command)]
    if state in states:
        return None
    if state is State.NOT_AUTHENTICATED:
        return "Log in first"
    if states is _SELECTED:
        return "Select a mailbox first"
    return "You are logged in already"


def names_numbers(command: Command) -> bool:
    """Whether a command speaks of messages by sequence numbers, which a client that enabled UIDONLY may not.

    RFC 9586 §3.2, §3.5, §3.7, §3.8. In a set of UIDs `*` is a UID, and `$` a set of them; a key of SEARCH that is a
    set stands for numbers whatever is in it.
    """
    match command:
        case Search(uid=uid, key=key) | Sort(uid=uid, key=key) | Thread(uid=uid, key=key):
            return not uid or names_seqs(key)
        case Esearch(key=key):
            return names_seqs(key)
        case Fetch(uid=uid) | Store(uid=uid) | Copy(uid=uid) | Move(uid=uid):
            return not uid
        case Select(qresync=qresync):
            return qresync is not None and qresync.known_seqs is not None
        case _:
            return False
