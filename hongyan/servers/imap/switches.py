"""Capabilities that are switched off for mail programs that are broken: told to nobody, and their commands refused.

What is switched off is so from login on. A capability without a command or an argument of its own is only not told.
"""

from __future__ import annotations

__all__ = ["find_switched_off", "is_switched_off", "require_optional"]

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from hongyan.servers.imap.append_receiver import AppendReceived
from hongyan.wire.imap import commands as wire
from hongyan.wire.imap import fetch, search
from hongyan.wire.imap.search import iterate_keys

_ATOM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9=+._-]*")
_NEEDED: Final = frozenset({"IMAP4REV1", "STARTTLS", "LOGINDISABLED"})
_MADE_OF: Final = {
    "ACL": ("RIGHTS=KXTE", "LIST-MYRIGHTS"),
    "CONDSTORE": ("QRESYNC",),  # RFC 7162 §3.2.3
    "ESEARCH": ("MULTISEARCH",),
    "METADATA": ("LIST-METADATA",),
    "OBJECTID": ("JMAPACCESS",),  # RFC 9698 §3
    "QUOTA": ("QUOTASET",),
}
"""What goes with a capability: the one is made of the other."""


def require_optional(name: str) -> None:
    """Raise `ValueError` for what cannot be switched off."""
    if name.upper() in _NEEDED or name.upper().startswith("AUTH=") or not _ATOM.fullmatch(name):
        raise ValueError(f"{name} cannot be switched off")


def find_switched_off(entries: Iterable[str], client: str, own: frozenset[str]) -> frozenset[str]:
    """Return what is off for an account whose `own` are off, for a program that calls itself `client`; in capitals."""
    off = set(own)
    for entry in entries:
        program, parts, name = entry.rpartition(": ")
        if not parts or client.lower().startswith(program.lower()):
            off.add(name.upper())
    for name, others in _MADE_OF.items():
        if name in off:
            off.update(others)
    return frozenset(off)


def is_switched_off(command: object, off: frozenset[str]) -> bool:
    """Whether a command needs a capability that is off."""
    return any(name in off and needs(command) for name, needs in _NEEDS.items())


def _keys(command: object) -> Iterator[search.SearchKey]:
    searches = wire.Search | wire.Esearch | wire.Sort | wire.Thread
    return iterate_keys(command.key) if isinstance(command, searches) else iter(())


def _searches(*kinds: type) -> Callable[[object], bool]:
    return lambda command: any(isinstance(key, kinds) for key in _keys(command))


def _fetches(*wanted: fetch.Item | type) -> Callable[[object], bool]:
    """Whether FETCH asks for one of these items, or for one of such a kind."""
    return lambda command: (
        isinstance(command, wire.Fetch) and any(item in wanted or type(item) in wanted for item in command.items)
    )


def _asks_status(item: wire.StatusItem) -> Callable[[object], bool]:
    """Whether STATUS asks for it, or LIST with RETURN (STATUS (…))."""
    return lambda command: (
        (isinstance(command, wire.Status) and item in command.items)
        or (isinstance(command, wire.List) and item in command.status)
    )


def _any(*tests: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda command: any(test(command) for test in tests)


def _returns(command: object) -> search.SearchReturn | None:
    return command.returns if isinstance(command, wire.Search | wire.Esearch | wire.Sort) else None


def _saves(command: object) -> bool:
    returns = _returns(command)
    return returns is not None and search.SearchOption.SAVE in returns.options


def _needs_partial(command: object) -> bool:
    returns = _returns(command)
    asked = command.partial if isinstance(command, wire.Fetch) else None if returns is None else returns.partial
    return asked is not None


def _is_fuzzy(command: object) -> bool:
    searches = wire.Search | wire.Esearch | wire.Sort | wire.Thread
    return isinstance(command, searches) and search.is_fuzzy(command.key)


def _threads_by(algorithm: str) -> Callable[[object], bool]:
    return lambda command: isinstance(command, wire.Thread) and command.algorithm == algorithm


def _sorts_by_display(command: object) -> bool:
    shown = (wire.SortKey.DISPLAYFROM, wire.SortKey.DISPLAYTO)
    return isinstance(command, wire.Sort) and any(order.key in shown for order in command.orders)


def _lists(*options: wire.ListSelect | wire.ListReturn) -> Callable[[object], bool]:
    return lambda command: (
        isinstance(command, wire.List)
        and any(option in command.select or option in command.returns for option in options)
    )


def _kind(*kinds: type) -> Callable[[object], bool]:
    return lambda command: isinstance(command, kinds)


def _needs_condstore(command: object) -> bool:
    match command:
        case wire.Select():
            return command.condstore
        case wire.Fetch():
            return command.changedsince is not None
        case wire.Store():
            return command.unchangedsince is not None
    return False


def _needs_qresync(command: object) -> bool:
    match command:
        case wire.Select():
            return command.qresync is not None
        case wire.Fetch():
            return command.vanished
    return False


_NEEDS: Final[dict[str, Callable[[object], bool]]] = {
    "ACL": _kind(wire.SetAcl, wire.DeleteAcl, wire.GetAcl, wire.ListRights, wire.MyRights),
    "BINARY": _fetches(fetch.Binary, fetch.BinarySize),
    "COMPRESS=DEFLATE": _kind(wire.Compress),
    "CONDSTORE": _any(
        _needs_condstore,
        _searches(search.ModSeqSince),
        _fetches(fetch.Item.MODSEQ),
        _asks_status(wire.StatusItem.HIGHESTMODSEQ),
    ),
    "CREATE-SPECIAL-USE": lambda command: isinstance(command, wire.Create) and bool(command.special_uses),
    "ENABLE": _kind(wire.Enable),
    "ESEARCH": lambda command: isinstance(command, wire.Search) and command.returns is not None,
    "ESORT": lambda command: isinstance(command, wire.Sort) and command.returns is not None,
    "IDLE": _kind(wire.Idle),
    "JMAPACCESS": _kind(wire.GetJmapAccess),
    "LIST-EXTENDED": lambda command: isinstance(command, wire.List) and command.extended,
    "LIST-METADATA": lambda command: isinstance(command, wire.List) and bool(command.metadata),
    "LIST-MYRIGHTS": lambda command: isinstance(command, wire.List) and wire.ListReturn.MYRIGHTS in command.returns,
    "LIST-STATUS": lambda command: isinstance(command, wire.List) and bool(command.status),
    "METADATA": _kind(wire.GetMetadata, wire.SetMetadata),
    "MOVE": _kind(wire.Move),
    "MULTIAPPEND": lambda command: isinstance(command, AppendReceived) and len(command.messages) > 1,
    "MULTISEARCH": _kind(wire.Esearch),
    "NAMESPACE": _kind(wire.Namespace),
    "NOTIFY": _kind(wire.Notify),
    "OBJECTID": _any(
        _searches(search.EmailIdIs, search.ThreadIdIs),
        _fetches(fetch.Item.EMAILID, fetch.Item.THREADID),
        _asks_status(wire.StatusItem.MAILBOXID),
    ),
    "PARTIAL": _needs_partial,
    "PREVIEW": _fetches(fetch.Preview),
    "QRESYNC": _needs_qresync,
    "QUOTA": _kind(wire.GetQuota, wire.GetQuotaRoot, wire.SetQuota),
    "QUOTASET": _kind(wire.SetQuota),
    "REPLACE": lambda command: isinstance(command, AppendReceived) and command.replaced is not None,
    "SAVEDATE": _any(_searches(search.SaveDate, search.SaveDateSupported), _fetches(fetch.Item.SAVEDATE)),
    "SEARCH=FUZZY": _is_fuzzy,
    "SEARCHRES": _saves,
    "SORT": _kind(wire.Sort),
    "SORT=DISPLAY": _sorts_by_display,
    "SPECIAL-USE": _lists(wire.ListSelect.SPECIAL_USE, wire.ListReturn.SPECIAL_USE),
    "STATUS=SIZE": _asks_status(wire.StatusItem.SIZE),
    "THREAD=ORDEREDSUBJECT": _threads_by("ORDEREDSUBJECT"),
    "THREAD=REFERENCES": _threads_by("REFERENCES"),
    "THREAD=REFS": _threads_by("REFS"),
    "UIDBATCHES": _kind(wire.UidBatches),
    "UIDPLUS": lambda command: isinstance(command, wire.Expunge) and command.uids is not None,
    "UNAUTHENTICATE": _kind(wire.Unauthenticate),
    "UNSELECT": _kind(wire.Unselect),
    "WITHIN": _searches(search.Older, search.Younger),
}
