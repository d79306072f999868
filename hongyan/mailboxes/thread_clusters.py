"""Which messages may belong to one thread: those that are joined by ids that they name, or by a subject.

Clusters only ever grow together, and may hold more than one thread. So what a message changes by its coming or going
stays within its cluster, and the threads of all others stay as they are.
"""

from __future__ import annotations

__all__ = ["Clusters"]

from array import array
from collections.abc import Iterable

from hongyan.mailboxes.thread_links import Threadable, ThreadAlgorithm

_NOBODY = -1


class Clusters:
    """The clusters of one mailbox's messages, by their places."""

    __slots__ = ("_by_ids", "_by_subject", "_first_with_id", "_first_with_subject", "_next", "_skips_empty", "_up")

    def __init__(self, algorithm: ThreadAlgorithm) -> None:
        self._by_ids = algorithm is not ThreadAlgorithm.ORDEREDSUBJECT
        self._by_subject = algorithm is not ThreadAlgorithm.REFS
        self._skips_empty = algorithm is ThreadAlgorithm.REFERENCES
        self._up = array("i")  # a message of the same cluster, nearer to the one that stands for it
        self._next = array("i")  # the messages of a cluster, in a ring
        self._first_with_id = array("i")
        self._first_with_subject = array("i")

    def extend(self, of: Threadable) -> None:
        """Take in the messages that are new."""
        first = len(self._up)
        fresh = range(first, len(of.sent))
        self._up.extend(fresh)
        self._next.extend(fresh)
        if self._by_ids:
            _lengthen(self._first_with_id, of.ids)
            own, answered, first_with = of.own, of.answered, self._first_with_id
            for place in fresh:
                if own[place] != _NOBODY:
                    self._join(place, own[place], first_with)
                for id_ in answered[place]:
                    self._join(place, id_, first_with)
        if self._by_subject and fresh:
            subjects = of.subjects
            _lengthen(self._first_with_subject, max(subjects[first:]) + 1)
            for place in fresh:
                if not self._skips_empty or subjects[place] != of.no_subject:
                    self._join(place, subjects[place], self._first_with_subject)

    def _join(self, place: int, key: int, first_with: array[int]) -> None:
        other = first_with[key]
        if other == _NOBODY:
            first_with[key] = place
            return
        one, other = self._find(place), self._find(other)
        if one != other:
            self._up[max(one, other)] = min(one, other)
            ring = self._next
            ring[one], ring[other] = ring[other], ring[one]

    def _find(self, place: int) -> int:
        up = self._up
        while up[place] != place:
            up[place] = place = up[up[place]]
        return place

    def around(self, places: Iterable[int], limit: int) -> list[list[int]] | None:
        """Return the clusters of these messages, each in ascending order; None if that are more messages in all."""
        found: dict[int, list[int]] = {}
        left = limit
        for place in places:
            root = self._find(place)
            if root in found:
                continue
            members = found[root] = [root]
            at = self._next[root]
            while at != root:
                members.append(at)
                at = self._next[at]
            left -= len(members)
            if left < 0:
                return None
            members.sort()
        return list(found.values())

    @property
    def weight(self) -> int:
        """About how many octets this takes."""
        return 4 * (2 * len(self._up) + len(self._first_with_id) + len(self._first_with_subject))


def _lengthen(numbers: array[int], length: int) -> None:
    numbers.extend([_NOBODY] * (length - len(numbers)))
