"""What SEARCH, SORT and THREAD have found: from UIDs to the numbers that the client knows, and how it is told."""

from __future__ import annotations

__all__ = ["esearch_line", "highest_modseq", "names_modseq", "numbers_of", "scores_of", "seqs_of", "told_of"]

from collections.abc import Mapping, Sequence

from pyroaring import BitMap

from hongyan.servers.imap.selected import Selected
from hongyan.wire.imap import responses
from hongyan.wire.imap.search import ModSeqSince, Partial, SearchKey, SearchOption, SearchReturn, iterate_keys
from hongyan.wire.imap.sequence import format_numbers


def seqs_of(selected: Selected, found: BitMap) -> BitMap:
    """Return sequence numbers for UIDs."""
    view = selected.view
    if not found:
        return found
    offset = _offset(selected)
    if offset is not None:
        return found.shift(-offset)
    return BitMap([seq for seq, uid in enumerate(view.uids[: view.exists], 1) if uid in found])


def numbers_of(selected: Selected, uids: Sequence[int], *, uid: bool) -> Sequence[int]:
    """Return for each of the UIDs, in their order, the number by which the client is told of it; 0 if it has none."""
    view = selected.view
    if uid or not view.exists:
        return uids
    offset = _offset(selected)
    if offset is not None:
        return [number - offset for number in uids]
    seqs = {number: seq for seq, number in enumerate(view.uids[: view.exists], 1)}
    return [seqs.get(number, 0) for number in uids]


def _offset(selected: Selected) -> int | None:
    """Return how far UIDs are ahead of numbers, if nothing was ever expunged between them."""
    view = selected.view
    first, last = view.uids[0], view.uids[view.exists - 1]
    return first - 1 if last - first + 1 == view.exists else None


def highest_modseq(selected: Selected, found: BitMap) -> int:
    """Return the highest MODSEQ of the messages (RFC 7162 §3.1.5)."""
    state = selected.state
    return max(
        (state.modseqs[at] for start, stop in state.position_runs(found) for at in range(start, stop)), default=0
    )


def names_modseq(key: SearchKey) -> bool:
    """Whether the key speaks of MODSEQs, which enables CONDSTORE (RFC 7162 §3.1)."""
    return any(isinstance(part, ModSeqSince) for part in iterate_keys(key))


def told_of(returns: SearchReturn | None, found: BitMap) -> BitMap:
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


def esearch_line(
    tag: bytes,
    returns: SearchReturn,
    numbers: BitMap,
    *,
    uid: bool,
    modseq: int | None = None,
    mailbox: tuple[bytes, int] | None = None,
    relevancy: Sequence[int] | None = None,
) -> bytes:
    """Return the ESEARCH response; `mailbox` as `responses.esearch` has it."""
    wanted = returns.options
    return responses.esearch(
        tag,
        uid=uid,
        minimum=numbers.min() if numbers and SearchOption.MIN in wanted else None,
        maximum=numbers.max() if numbers and SearchOption.MAX in wanted else None,
        all_=format_numbers(numbers) if SearchOption.ALL in wanted else b"",
        count=len(numbers) if SearchOption.COUNT in wanted else None,
        partial=None if returns.partial is None else (returns.partial, _part(returns.partial, numbers)),
        modseq=modseq,
        mailbox=mailbox,
        relevancy=relevancy,
    )


def scores_of(
    returns: SearchReturn | None,
    uids: Sequence[int] | BitMap,
    told: Sequence[int] | BitMap,
    scores: Mapping[int, int] | None,
) -> list[int] | None:
    """Return how relevant those messages are that the answer speaks of, in its order; None if it does not say so."""
    if returns is None or scores is None or SearchOption.RELEVANCY not in returns.options:
        return None
    if returns.partial is not None:
        start, stop = returns.partial.slice_of(len(uids))
        told = uids[start:stop]
    return [scores[uid] for uid in told]


def _part(partial: Partial, numbers: BitMap) -> bytes:
    """Return the results from `first` to `last`, from the end where they are negative (RFC 9394 §3.1)."""
    start, stop = partial.slice_of(len(numbers))
    chosen = numbers[start:stop]
    return format_numbers(chosen) if chosen else b""
