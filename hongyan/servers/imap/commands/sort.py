"""SORT and UID SORT, with RETURN (RFC 5256 §3, RFC 5957, RFC 5267 §3, RFC 9394 §3, RFC 6203 §6)."""

from __future__ import annotations

__all__ = ["sort"]

from collections.abc import Mapping, Sequence

from pyroaring import BitMap

from hongyan.errors import HongyanError
from hongyan.mailboxes.order import OrderBy, Ordering
from hongyan.servers.imap.found import highest_modseq, names_modseq, numbers_of, scores_of
from hongyan.servers.imap.searching import Searcher
from hongyan.servers.imap.selected import Selected
from hongyan.servers.imap.session import ImapSession, Work
from hongyan.wire.imap import responses
from hongyan.wire.imap.commands import Sort, SortKey
from hongyan.wire.imap.search import SearchOption, SearchReturn, names_seqs
from hongyan.wire.imap.sequence import format_ordered

_BY = {
    SortKey.ARRIVAL: OrderBy.ARRIVAL,
    SortKey.CC: OrderBy.CC,
    SortKey.DATE: OrderBy.SENT,
    SortKey.FROM: OrderBy.FROM,
    SortKey.SIZE: OrderBy.SIZE,
    SortKey.SUBJECT: OrderBy.SUBJECT,
    SortKey.TO: OrderBy.TO,
    SortKey.DISPLAYFROM: OrderBy.FROM_NAME,
    SortKey.DISPLAYTO: OrderBy.TO_NAME,
    SortKey.RELEVANCY: OrderBy.RELEVANCY,
}


def sort(session: ImapSession, command: Sort) -> Work:
    """Tell which messages meet the keys, in order."""
    selected = session.require_selected()
    if names_modseq(command.key):
        session.enable_condstore()
    return _sort(session, selected, command)


async def _sort(session: ImapSession, selected: Selected, command: Sort) -> None:
    services = session.services
    orderings = tuple(dict.fromkeys(Ordering(_BY[order.key], order.reverse) for order in command.orders))
    try:
        searcher = Searcher(services, selected, progress=session.working.progress)
        found = await searcher.run(command.key)
        scores = await searcher.find_scores(command.key, found) if _wants_scores(command) else None
        there = BitMap(selected.state.uids)
        uids = await services.orderings.sort(
            selected.account, selected.state.mailbox_id, there, orderings, found, scores
        )
    except HongyanError:
        if command.returns is not None and SearchOption.SAVE in command.returns.options:
            selected.view.saved = BitMap()  # RFC 9051 §6.4.4.1
        raise
    _answer(session, selected, command, uids, scores)


def _wants_scores(command: Sort) -> bool:
    returns = command.returns
    return (returns is not None and SearchOption.RELEVANCY in returns.options) or any(
        order.key is SortKey.RELEVANCY for order in command.orders
    )


def _answer(
    session: ImapSession,
    selected: Selected,
    command: Sort,
    uids: Sequence[int],
    scores: Mapping[int, int] | None,
) -> None:
    returns = command.returns
    told = _told(returns, uids)
    modseq = highest_modseq(selected, BitMap(told)) if uids and names_modseq(command.key) else None
    if returns is None:
        session.send(responses.sort(numbers_of(selected, uids, uid=command.uid), modseq=modseq))
    else:
        if SearchOption.SAVE in returns.options:
            selected.view.saved = BitMap(told)
        if returns.options != {SearchOption.SAVE} or returns.partial is not None:
            numbers = numbers_of(selected, uids, uid=command.uid)
            session.send(_esearch(command, returns, numbers, modseq, scores_of(returns, uids, told, scores)))
    session.done(command.tag, "Done.", expunge=command.uid and not names_seqs(command.key))


def _told(returns: SearchReturn | None, uids: Sequence[int]) -> Sequence[int]:
    """Return what the answer speaks of, and `$` means; MIN and MAX are the ends of the order (RFC 5267 §3)."""
    if not uids or returns is None or returns.options & {SearchOption.ALL, SearchOption.COUNT}:
        return uids
    ends = [at for option, at in ((SearchOption.MIN, 0), (SearchOption.MAX, -1)) if option in returns.options]
    return [uids[at] for at in ends] or uids


def _esearch(
    command: Sort, returns: SearchReturn, numbers: Sequence[int], modseq: int | None, relevancy: Sequence[int] | None
) -> bytes:
    wanted, partial = returns.options, returns.partial
    part = None
    if partial is not None:
        start, stop = partial.slice_of(len(numbers))
        part = partial, format_ordered(numbers[start:stop])
    return responses.esearch(
        command.tag,
        uid=command.uid,
        minimum=numbers[0] if numbers and SearchOption.MIN in wanted else None,
        maximum=numbers[-1] if numbers and SearchOption.MAX in wanted else None,
        all_=format_ordered(numbers) if SearchOption.ALL in wanted else b"",
        count=len(numbers) if SearchOption.COUNT in wanted else None,
        partial=part,
        modseq=modseq,
        relevancy=relevancy,
    )
