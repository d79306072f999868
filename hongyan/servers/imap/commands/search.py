"""SEARCH and UID SEARCH, with RETURN (RFC 9051 §6.4.4, RFC 4731, RFC 5182)."""

from __future__ import annotations

__all__ = ["search"]

from pyroaring import BitMap

from hongyan.errors import HongyanError
from hongyan.servers.imap.searching import Searcher
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import Search
from hongyan.wire.imap.search import (
    ModSeqSince,
    Partial,
    SearchKey,
    SearchOption,
    SearchReturn,
    iterate_keys,
    names_seqs,
)
from hongyan.wire.imap.sequence import format_numbers


def search(session: ImapSession, command: Search) -> Work | None:
    """Tell which messages meet the keys."""
    selected = session.require_selected()
    if _names_modseq(command.key):
        session.enable_condstore()
    searcher = Searcher(session.services, selected)
    found = searcher.run_now(command.key)
    if found is None:
        return _search(session, selected, command, searcher)
    _answer(session, selected, command, found)
    return None


async def _search(session: ImapSession, selected: Selected, command: Search, searcher: Searcher) -> None:
    try:
        found = await searcher.run(command.key)
    except HongyanError:
        if command.returns is not None and SearchOption.SAVE in command.returns.options:
            selected.view.saved = BitMap()  # RFC 9051 §6.4.4.1
        raise
    _answer(session, selected, command, found)


def _answer(session: ImapSession, selected: Selected, command: Search, found: BitMap) -> None:
    numbers = found if command.uid else _seqs(selected, found)
    returns = command.returns
    modseq = _highest(selected, _told(returns, found)) if found and _names_modseq(command.key) else None
    if returns is None and "IMAP4REV2" in session.enabled:
        returns = SearchReturn(frozenset({SearchOption.ALL}))  # RFC 9051 §6.4.4: rev2 answers by ESEARCH
    if returns is None:
        session.send(responses.search(numbers, modseq=modseq))
    else:
        if SearchOption.SAVE in returns.options:
            selected.view.saved = _told(returns, found)
        if returns.options != {SearchOption.SAVE} or returns.partial is not None:
            session.send(_esearch(command, returns, numbers, modseq))
    # RFC 9051 §7.5.1: no sequence number may change while a SEARCH is answered.
    session.done(command.tag, "Done.", expunge=command.uid and not names_seqs(command.key))


def _seqs(selected: Selected, found: BitMap) -> BitMap:
    """Return sequence numbers for UIDs."""
    view = selected.view
    if not found:
        return found
    first, last = view.uids[0], view.uids[view.exists - 1]
    if last - first + 1 == view.exists:
        return found.shift(1 - first)  # Nothing was ever expunged between them: numbers and UIDs run side by side.
    return BitMap([seq for seq, uid in enumerate(view.uids[: view.exists], 1) if uid in found])


def _highest(selected: Selected, found: BitMap) -> int:
    state = selected.state
    return max(
        (state.modseqs[at] for start, stop in state.position_runs(found) for at in range(start, stop)), default=0
    )


def _told(returns: SearchReturn | None, found: BitMap) -> BitMap:
    """Return what the answer speaks of, and `$` means: of MIN and MAX alone only those.

    RFC 9051 §6.4.4.1; RFC 7162 §3.1.10 for MODSEQ.
    """
    if not found or returns is None or returns.options & {SearchOption.ALL, SearchOption.COUNT}:
        return found
    chosen = BitMap()
    if SearchOption.MIN in returns.options:
        chosen.add(found.min())
    if SearchOption.MAX in returns.options:
        chosen.add(found.max())
    return chosen or found


def _esearch(command: Search, returns: SearchReturn, numbers: BitMap, modseq: int | None) -> bytes:
    wanted = returns.options
    return responses.esearch(
        command.tag,
        uid=command.uid,
        minimum=numbers.min() if numbers and SearchOption.MIN in wanted else None,
        maximum=numbers.max() if numbers and SearchOption.MAX in wanted else None,
        all_=format_numbers(numbers) if SearchOption.ALL in wanted else b"",
        count=len(numbers) if SearchOption.COUNT in wanted else None,
        partial=None if returns.partial is None else (returns.partial, _part(returns.partial, numbers)),
        modseq=modseq,
    )


def _part(partial: Partial, numbers: BitMap) -> bytes:
    """Return the results from `first` to `last`, from the end where they are negative (RFC 9394 §3.1)."""
    start, stop = partial.slice_of(len(numbers))
    chosen = numbers[start:stop]
    return format_numbers(chosen) if chosen else b""


def _names_modseq(key: SearchKey) -> bool:
    return any(isinstance(part, ModSeqSince) for part in iterate_keys(key))
