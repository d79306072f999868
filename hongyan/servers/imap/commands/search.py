"""SEARCH and UID SEARCH, with RETURN (RFC 9051 §6.4.4, RFC 4731, RFC 5182)."""

from __future__ import annotations

__all__ = ["search"]

from collections.abc import Mapping

from pyroaring import BitMap

from hongyan.errors import HongyanError
from hongyan.servers.imap.found import esearch_line, highest_modseq, names_modseq, scores_of, seqs_of, told_of
from hongyan.servers.imap.message_limit import answer, find_message_limit
from hongyan.servers.imap.searching import Searcher
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import Search
from hongyan.wire.imap.search import SearchOption, SearchReturn, names_seqs


def search(session: ImapSession, command: Search) -> Work | None:
    """Tell which messages meet the keys."""
    selected = session.require_selected()
    if names_modseq(command.key):
        session.enable_condstore()
    searcher = Searcher(session.services, selected, progress=session.working.progress)
    limited = searcher.limit(command.key, find_message_limit(session))
    found = None if _wants_scores(command) else searcher.run_now(command.key)
    if found is None:
        return _search(session, selected, command, searcher, limited)
    _answer(session, selected, command, found, limited)
    return None


async def _search(
    session: ImapSession, selected: Selected, command: Search, searcher: Searcher, limited: bytes
) -> None:
    try:
        found = await searcher.run(command.key)
        scores = await searcher.find_scores(command.key, found) if _wants_scores(command) else None
    except HongyanError:
        if command.returns is not None and SearchOption.SAVE in command.returns.options:
            selected.view.saved = BitMap()  # RFC 9051 §6.4.4.1
        raise
    _answer(session, selected, command, found, limited, scores)


def _wants_scores(command: Search) -> bool:
    return command.returns is not None and SearchOption.RELEVANCY in command.returns.options


def _answer(
    session: ImapSession,
    selected: Selected,
    command: Search,
    found: BitMap,
    limited: bytes,
    scores: Mapping[int, int] | None = None,
) -> None:
    numbers = found if command.uid else seqs_of(selected, found)
    returns = command.returns
    told = told_of(returns, found)
    modseq = highest_modseq(selected, told) if found and names_modseq(command.key) else None
    if returns is None and "IMAP4REV2" in session.enabled:
        returns = SearchReturn(frozenset({SearchOption.ALL}))  # RFC 9051 §6.4.4: rev2 answers by ESEARCH
    if returns is None:
        session.send(responses.search(numbers, modseq=modseq))
    else:
        if SearchOption.SAVE in returns.options:
            selected.view.saved = told
        if returns.options != {SearchOption.SAVE} or returns.partial is not None:
            relevancy = scores_of(returns, found, told, scores)
            session.send(
                esearch_line(command.tag, returns, numbers, uid=command.uid, modseq=modseq, relevancy=relevancy)
            )
    # RFC 9051 §7.5.1: no sequence number may change while a SEARCH is answered.
    session.tell_news(expunge=command.uid and not names_seqs(command.key))
    answer(session, command.tag, "Done.", limited)
