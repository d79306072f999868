"""The threads of a mailbox as THREAD writes them (RFC 5256 §4), made once and changed with the mailbox.

What a message changes by its coming or going stays within its cluster. So the threads of that cluster are found anew,
and take the places of those that they were; the threads are then what they would be had all been found anew.
"""

from __future__ import annotations

__all__ = ["Forest", "GrowingForest", "make_forest"]

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from hongyan.mailboxes.thread_clusters import Clusters
from hongyan.mailboxes.thread_links import STEPS, Thread, Threadable, ThreadAlgorithm, find_threads

_PLACE_BITS = 32
_MOST_CHANGED = 100  # messages, or threads, from which on all is made anew sooner than changed
_NOBODY = -1
_NONE = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Forest:
    """Threads as they are written: a template with a place for each number, and the messages in that order."""

    template: bytes
    places: Sequence[int]

    def encode(self, numbers: Sequence[int]) -> bytes:
        """Write the threads; `numbers` are those of the messages by place."""
        return self.template % tuple([numbers[place] for place in self.places])


def make_forest(algorithm: ThreadAlgorithm, of: Threadable, places: Sequence[int]) -> Forest:
    """Return the threads of the messages at these places, which ascend."""
    return GrowingForest(algorithm, of, places).forest


class GrowingForest:
    """The threads of some messages of a mailbox."""

    __slots__ = ("_algorithm", "_keys", "_lengths", "_places", "_steps", "_templates", "_tops", "forest", "members")

    def __init__(self, algorithm: ThreadAlgorithm, of: Threadable, places: Sequence[int]) -> None:
        self._algorithm = algorithm
        self.members = BitMap(places)
        found = find_threads(algorithm, of, places)
        self._steps = found.steps
        # By thread, in order: its date and first message, its template, how many messages it has.
        self._keys = [date << _PLACE_BITS | thread[0] for date, thread in zip(found.dates, found.threads, strict=True)]
        self._templates: list[bytes] = []
        self._lengths = array("I")
        self._places: list[int] = []
        self._tops = array("q", [_NONE]) * len(of.sent)  # the date of the thread that a message begins
        for date, thread in zip(found.dates, found.threads, strict=True):
            self._tops[thread[0]] = date
            if len(thread) == 1 and thread[0] not in found.below:
                self._templates.append(b"(%d)")
                self._places.append(thread[0])
                self._lengths.append(1)
            else:
                template, written = _write_thread(thread, found.below)
                self._templates.append(template)
                self._places += written
                self._lengths.append(len(written))
        self.forest = Forest(b"".join(self._templates), self._places)

    def change(self, of: Threadable, clusters: Clusters, members: BitMap) -> bool:
        """Make it the threads of other members, if these are nearly the same; return whether it is.

        The clusters are of all messages that there are.
        """
        changed = members ^ self.members
        if len(changed) > _MOST_CHANGED:
            return False
        around = clusters.around(changed, len(of.sent) // 8 + _MOST_CHANGED)
        if around is None:
            return False
        old = [place for cluster in around for place in cluster if self._begins_thread(place)]
        fresh = [(cluster, *self._find_anew(of, cluster)) for cluster in _among(around, members)]
        steps = self._steps + sum(steps for _, _, steps in fresh)
        if len(old) > _MOST_CHANGED or steps >= STEPS * min(len(members), len(self.members)):
            return False
        if any(steps >= STEPS * len(cluster) for cluster, _, steps in fresh):
            return False  # Among all, a link that was not made might have been.
        self._places = list(self._places)  # Somebody may still write those of before.
        self._tops.extend([_NONE] * (len(of.sent) - len(self._tops)))
        for place in old:
            self._take_out(place)
        for _, threads, _ in fresh:
            for date, template, places in threads:
                self._put_in(date, template, places)
        self._steps = steps
        self.members = members
        self.forest = Forest(b"".join(self._templates), self._places)
        return True

    def _begins_thread(self, place: int) -> bool:
        return place < len(self._tops) and self._tops[place] != _NONE

    def _find_anew(self, of: Threadable, cluster: Sequence[int]) -> tuple[list[tuple[int, bytes, list[int]]], int]:
        """Return the threads of a cluster: date, template and places of each; and the steps that it took."""
        found = find_threads(self._algorithm, _part_of(of, cluster), range(len(cluster)))
        threads = []
        for date, thread in zip(found.dates, found.threads, strict=True):
            template, places = _write_thread(thread, found.below)
            threads.append((date, template, [cluster[place] for place in places]))
        return threads, found.steps

    def _take_out(self, first: int) -> None:
        at = bisect_left(self._keys, self._tops[first] << _PLACE_BITS | first)
        start = self._start_of(at)
        del self._places[start : start + self._lengths[at]]
        del self._keys[at], self._templates[at], self._lengths[at]
        self._tops[first] = _NONE

    def _start_of(self, at: int) -> int:
        """Return how many messages stand before a thread."""
        if at * 2 < len(self._lengths):
            return sum(self._lengths[:at])
        return len(self._places) - sum(self._lengths[at:])

    def _put_in(self, date: int, template: bytes, places: Sequence[int]) -> None:
        key = date << _PLACE_BITS | places[0]
        at = bisect_left(self._keys, key)
        start = self._start_of(at)
        self._places[start:start] = places
        self._keys.insert(at, key)
        self._templates.insert(at, template)
        self._lengths.insert(at, len(places))
        self._tops[places[0]] = date

    @property
    def weight(self) -> int:
        """About how many octets this takes."""
        return 48 * len(self._keys) + 24 * len(self._places) + 8 * len(self._tops)


def _among(clusters: Sequence[Sequence[int]], members: BitMap) -> list[list[int]]:
    left = [[place for place in cluster if place in members] for cluster in clusters]
    return [cluster for cluster in left if cluster]


def _part_of(of: Threadable, places: Sequence[int]) -> Threadable:
    """Return what is known of some messages, by places and ids of their own, in the same order."""
    ids: dict[int, int] = {}
    own = [_NOBODY if of.own[place] == _NOBODY else ids.setdefault(of.own[place], len(ids)) for place in places]
    answered = [[ids.setdefault(id_, len(ids)) for id_ in of.answered[place]] for place in places]
    return Threadable(
        len(ids),
        own,
        answered,
        [of.sent[place] for place in places],
        [of.arrived[place] for place in places],
        [of.subjects[place] for place in places],
        [of.replies[place] for place in places],
        of.no_subject,
    )


def _write_thread(thread: Thread, children: Mapping[int, Sequence[int]]) -> tuple[bytes, list[int]]:
    # thread-list    = "(" (thread-members / thread-nested) ")"
    # thread-members = nz-number *(SP nz-number) [SP thread-nested]
    # thread-nested  = 2*thread-list
    pieces: list[bytes] = []
    places: list[int] = []
    pieces.append(b"(")
    is_open = len(thread) == 1
    # What is to be written, the next at the end: messages, and _NOBODY for the end of a thread within.
    pending = list(thread) if is_open else [at for place in reversed(thread) for at in (_NOBODY, place)]
    while pending:
        place = pending.pop()
        if place == _NOBODY:
            pieces.append(b")")
            is_open = False
            continue
        pieces.append(b"%d" if is_open else b"(%d")
        places.append(place)
        below = children.get(place)
        if below is None:
            continue
        pieces.append(b" ")
        if len(below) == 1:
            pending.append(below[0])
            is_open = True
        else:
            for child in reversed(below):
                pending += (_NOBODY, child)
            is_open = False
    pieces.append(b")")
    return b"".join(pieces), places
