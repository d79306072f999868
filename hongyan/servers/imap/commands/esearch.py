"""ESEARCH: several mailboxes by one command, without leaving the one that is selected (RFC 7377).

One mailbox after the other is looked into, told of, and let go, so that however many there are no more is in memory
than for one. All of them share the time that a search may take.
"""

from __future__ import annotations

__all__ = ["esearch"]

import asyncio
from collections.abc import Mapping, Sequence

from pyroaring import BitMap

from hongyan.errors import HongyanError, NotFound, OverLimit
from hongyan.mailboxes.reach import Place
from hongyan.servers.imap.found import esearch_line, highest_modseq, names_modseq, scores_of, told_of
from hongyan.servers.imap.message_limit import answer, find_message_limit
from hongyan.servers.imap.search_index import Answers
from hongyan.servers.imap.searching import Searcher, SearchTimeout, require_modest
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.servers.imap.sources import find_sources, looked_into
from hongyan.wire.imap import codes
from hongyan.wire.imap.commands import Esearch
from hongyan.wire.imap.mailbox_name import encode_mailbox
from hongyan.wire.imap.search import SearchOption, names_seqs


def esearch(session: ImapSession, command: Esearch) -> Work | None:
    """Tell of each mailbox which of its messages meet the keys."""
    if command.is_about_selected and session.selected is None:
        session.bad(command.tag, "Select a mailbox first")  # RFC 7377 §2.2
        return None
    if names_modseq(command.key):
        session.enable_condstore()
    return _esearch(session, command)


async def _esearch(session: ImapSession, command: Esearch) -> None:
    try:
        require_modest(command.key)
        places = await find_sources(session, command.sources)
        if len(places) > session.services.options.search_mailboxes:
            raise OverLimit("Those are more mailboxes than one search looks into.")
        saved, limited = await _search_all(session, command, places)
    except SearchTimeout:
        _save(session, command, BitMap())
        session.done(command.tag, "That took too long; not everything was searched.", code=codes.LIMIT)
        return
    except HongyanError:
        _save(session, command, BitMap())
        raise
    _save(session, command, saved)
    session.tell_news(expunge=not names_seqs(command.key))
    answer(session, command.tag, "Done.", limited)


async def _search_all(session: ImapSession, command: Esearch, places: Sequence[Place]) -> tuple[BitMap, bytes]:
    """Search mailbox by mailbox; return what was found in the last one, and the code for a limit that was met."""
    most, limited = find_message_limit(session), b""
    services = session.services
    deadline = services.clock.monotonic() + services.options.search_timeout
    answers = Answers()
    is_weighed = SearchOption.RELEVANCY in command.returns.options
    found = BitMap()
    for place in places:
        await asyncio.sleep(0)  # a small mailbox is searched without a wait
        if not place.mailbox.messages:
            continue
        async with looked_into(session, place) as selected:
            if selected is None:
                continue
            try:
                searcher = Searcher(
                    services, selected, deadline=deadline, answers=answers, progress=session.working.progress
                )
                if searcher.limit(command.key, most):
                    limited = codes.messagelimit(most)  # of several mailboxes there is no lowest UID to tell
                found = await searcher.run(command.key)
                scores = await searcher.find_scores(command.key, found) if found and is_weighed else None
            except NotFound:
                continue  # It went away while it was looked into.
            if found and not selected.is_gone and not _only_saves(command):
                session.send(_line(session, command, place, selected, found, scores))
        await session.connection.drain()
    return found, limited


def _line(
    session: ImapSession,
    command: Esearch,
    place: Place,
    selected: Selected,
    found: BitMap,
    scores: Mapping[int, int] | None,
) -> bytes:
    returns = command.returns
    told = told_of(returns, found)
    return esearch_line(
        command.tag,
        returns,
        found,
        uid=True,
        modseq=highest_modseq(selected, told) if names_modseq(command.key) else None,
        mailbox=(encode_mailbox(place.name, session.utf8), selected.state.uidvalidity),
        relevancy=scores_of(returns, found, told, scores),
    )


def _only_saves(command: Esearch) -> bool:
    return command.returns.options == {SearchOption.SAVE} and command.returns.partial is None


def _save(session: ImapSession, command: Esearch, found: BitMap) -> None:
    """Let `$` mean what was found: the selected mailbox is the only one that was searched (RFC 7377 §2.2)."""
    if session.selected is not None and SearchOption.SAVE in command.returns.options:
        session.selected.view.saved = told_of(command.returns, found)
