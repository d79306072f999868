"""How relevant messages are that were found: a score from 1 to 100 for each (RFC 6203 §4).

Several texts that were looked for loosely count alike: the score is the mean of those that a message meets. One that
was found for other reasons has 1, and all have 100 where nothing but what is met exactly was asked for loosely.
"""

from __future__ import annotations

__all__ = ["find_scores"]

from collections.abc import Iterator, Mapping

from pyroaring import BitMap

from hongyan.servers.imap.search_text import TextSearch
from hongyan.wire.imap.search import And, Fuzzy, InBody, InHeader, InText, Or, SearchKey

_LEAST, _MOST = 1, 100

_Sum = tuple[int, int]  # of points, and of how many keys


async def find_scores(texts: TextSearch, key: SearchKey, found: BitMap) -> Mapping[int, int]:
    """Return the scores by UID; the key is one of `spread_fuzzy`."""
    keys = list(_weighed(key))
    groups: dict[_Sum, BitMap] = {(0, 0): found}
    for part in keys:
        groups = _add(groups, await texts.weigh(part, found))
    scores: dict[int, int] = {}
    for (points, count), uids in groups.items():
        score = -(-points // count) if count else _LEAST if keys else _MOST
        scores.update(dict.fromkeys(uids, score))
    return scores


def _weighed(key: SearchKey) -> Iterator[InHeader | InBody | InText]:
    """Yield the texts that are looked for loosely; those that must not be there say nothing of what is."""
    match key:
        case And(keys):
            for part in keys:
                yield from _weighed(part)
        case Or(left, right):
            yield from _weighed(left)
            yield from _weighed(right)
        case Fuzzy(InHeader() | InBody() | InText() as inner):
            yield inner


def _add(groups: Mapping[_Sum, BitMap], weighed: Mapping[int, BitMap]) -> dict[_Sum, BitMap]:
    added: dict[_Sum, BitMap] = {}
    for (points, count), uids in groups.items():
        left = uids
        for more, met in weighed.items():
            if part := uids & met:
                sum_ = points + more, count + 1
                added[sum_] = added.get(sum_, BitMap()) | part
                left = left - met
        if left:
            added[points, count] = added.get((points, count), BitMap()) | left
    return added
