"""Which messages are one thread, and who answers whom: ORDEREDSUBJECT, REFERENCES and REFS (RFC 5256 §3).

Messages are told by their places; a higher place is a later message. Nothing here recurs, and each message is linked
in steps that a budget bounds: what strangers write in References can be a chain or a ring of any length.

REFS is REFERENCES without the joining of threads by subject, and its threads stand in the order of their newest
messages, by arrival (draft-ietf-morg-inthread §5; Dovecot does the same).
"""

from __future__ import annotations

__all__ = ["STEPS", "Thread", "ThreadAlgorithm", "Threadable", "Threads", "find_threads"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

STEPS = 64
"""Steps for each message, on the average, in search of a loop. A link that would need more is not made."""

_NOBODY = -1
Thread = tuple[int, ...]
"""The messages at the top of a thread: one, or several whose parent is not there."""


class ThreadAlgorithm(Enum):
    """How messages become threads; the value is its name in THREAD."""

    ORDEREDSUBJECT = "ORDEREDSUBJECT"
    REFERENCES = "REFERENCES"
    REFS = "REFS"


@dataclass(frozen=True, slots=True)
class Threadable:
    """What is known of messages by their places.

    `own` is the number of the message's id, or -1; `answered` the numbers of the ids that it answers, oldest first.
    Both count the same ids, of which there are `ids`. `subjects` are numbers of base subjects; `no_subject` is that
    of the empty one.
    """

    ids: int
    own: Sequence[int]
    answered: Sequence[Sequence[int]]
    sent: Sequence[int]
    arrived: Sequence[int]
    subjects: Sequence[int]
    replies: Sequence[int]
    no_subject: int


@dataclass(frozen=True, slots=True)
class Threads:
    """Threads in order, and what they are ordered by; `below` has the children of each message that has some.

    `steps` were gone in search of loops.
    """

    threads: Sequence[Thread]
    dates: Sequence[int]
    below: Mapping[int, Sequence[int]]
    steps: int = 0


def find_threads(algorithm: ThreadAlgorithm, of: Threadable, places: Sequence[int]) -> Threads:
    """Return the threads of the messages at these places, which ascend. Those of one date are in order of place."""
    if algorithm is ThreadAlgorithm.ORDEREDSUBJECT:
        groups, below = _by_subject(of, places)
        return Threads(groups, [of.sent[group[0]] for group in groups], below)
    parents, holders, steps = _link(of, places)
    threads, children = _prune(places, parents, holders)
    date = of.sent if algorithm is ThreadAlgorithm.REFERENCES else of.arrived
    for siblings in children.values():
        siblings.sort(key=date.__getitem__)
    if algorithm is ThreadAlgorithm.REFERENCES:
        threads = _join_by_subject(of, threads, children)
        threads.sort(key=lambda thread: (date[thread[0]], thread[0]))
        return Threads(threads, [date[thread[0]] for thread in threads], children, steps)
    newest = _newest(date, threads, children)
    threads.sort(key=lambda thread: (newest[thread], thread[0]))
    return Threads(threads, [newest[thread] for thread in threads], children, steps)


# -- ORDEREDSUBJECT


def _by_subject(of: Threadable, places: Sequence[int]) -> tuple[list[Thread], dict[int, list[int]]]:
    ordered = sorted(places, key=of.sent.__getitem__)
    groups: dict[int, list[int]] = {}
    for place in ordered:
        groups.setdefault(of.subjects[place], []).append(place)
    # The groups were begun in the order of their first messages.
    return [(group[0],) for group in groups.values()], {group[0]: group[1:] for group in groups.values() if group[1:]}


# -- REFERENCES, step 1


def _link(of: Threadable, places: Sequence[int]) -> tuple[list[int], list[int], int]:
    """Return the parent of each id, and the message that has it; messages without an id of their own get one.

    The last is how many steps that took.
    """
    parents = [_NOBODY] * of.ids
    holders = [_NOBODY] * of.ids
    children = [0] * of.ids  # so many ids have this one as parent
    own_ids, answered = of.own, of.answered
    budget = STEPS * len(places)

    def loops(parent: int, child: int) -> bool:
        """Whether the parent is the child or comes from it."""
        nonlocal budget
        if not children[child]:
            return parent == child
        while parent != _NOBODY and parent != child and budget > 0:
            parent = parents[parent]
            budget -= 1
        return parent != _NOBODY

    for place in places:
        own = own_ids[place]
        if own == _NOBODY or holders[own] != _NOBODY:
            own = len(parents)
            parents.append(_NOBODY)
            holders.append(place)
            children.append(0)
        else:
            holders[own] = place
        before = _NOBODY
        for id_ in answered[place]:
            if before != _NOBODY and parents[id_] == _NOBODY and not loops(before, id_):
                parents[id_] = before
                children[before] += 1
            before = id_
        if parents[own] != _NOBODY:  # It was only presumed, from a truncated References.
            children[parents[own]] -= 1
            parents[own] = _NOBODY
        if before != _NOBODY and not loops(before, own):
            parents[own] = before
            children[before] += 1
    return parents, holders, STEPS * len(places) - budget


# -- REFERENCES, steps 2 and 3


def _prune(places: Sequence[int], parents: list[int], holders: list[int]) -> tuple[list[Thread], dict[int, list[int]]]:
    """Leave out ids without a message. Return the threads, and the children of each message, in order of place.

    The children of an id without a message go to its parent; those that have no message above them stay together.
    """
    children: dict[int, list[int]] = {}
    tops: dict[int, list[int]] = {}
    above: dict[int, int] = {}  # of ids without a message: the id of the message above, or the last id
    ids = [_NOBODY] * (places[-1] + 1 if places else 0)
    for id_, holder in enumerate(holders):
        if holder != _NOBODY:
            ids[holder] = id_
    for place in places:
        id_ = ids[place]
        parent = parents[id_]
        if parent == _NOBODY:
            tops[id_] = [place]
            continue
        if holders[parent] == _NOBODY:
            parent = _find_above(parent, parents, holders, above)
        holder = holders[parent]
        (tops.setdefault(parent, []) if holder == _NOBODY else children.setdefault(holder, [])).append(place)
    return [tuple(top) for top in tops.values()], children


def _find_above(id_: int, parents: list[int], holders: list[int], above: dict[int, int]) -> int:
    """Return the next id above that has a message, or the last one."""
    walked = []
    while id_ not in above and holders[id_] == _NOBODY and parents[id_] != _NOBODY:
        walked.append(id_)
        id_ = parents[id_]
    found = above.get(id_, id_)
    above.update(dict.fromkeys(walked, found))
    return found


# -- REFERENCES, steps 4 to 6


def _join_by_subject(of: Threadable, threads: list[Thread], children: dict[int, list[int]]) -> list[Thread]:
    """Join threads that have one subject."""
    sent = of.sent
    threads = [tuple(sorted(thread, key=sent.__getitem__)) if len(thread) > 1 else thread for thread in threads]
    threads.sort(key=lambda thread: (sent[thread[0]], thread[0]))
    chosen: dict[int, Thread] = {}
    for thread in threads:
        subject = of.subjects[thread[0]]
        if subject == of.no_subject:
            continue
        other = chosen.setdefault(subject, thread)
        if len(other) == 1 and (len(thread) > 1 or (of.replies[other[0]] and not of.replies[thread[0]])):
            chosen[subject] = thread
    joined = _Joined(of, children, chosen)
    for thread in threads:
        joined.add(thread)
    return joined.threads()


class _Joined:
    """Threads of one subject come together under the thread that was chosen for it (step 5 C)."""

    __slots__ = ("_alone", "_children", "_chosen", "_dummies", "_more", "_of")

    def __init__(self, of: Threadable, children: dict[int, list[int]], chosen: dict[int, Thread]) -> None:
        self._of = of
        self._children = children
        self._chosen = chosen
        self._alone: list[Thread] = []
        self._dummies: dict[int, list[int]] = {
            subject: list(thread) for subject, thread in chosen.items() if len(thread) > 1
        }
        self._more: set[int] = set()  # messages that got children by their subject

    def add(self, thread: Thread) -> None:
        of, (first, *_) = self._of, thread
        subject = of.subjects[first]
        if subject == of.no_subject:
            self._alone.append(thread)
            return
        chosen = self._chosen[subject]
        if thread is chosen:
            return
        dummy = self._dummies.get(subject)
        if dummy is not None:
            dummy.extend(thread)
        elif of.replies[first] and not of.replies[chosen[0]]:
            self._children.setdefault(chosen[0], []).append(first)
            self._more.add(chosen[0])
        else:
            self._dummies[subject] = [chosen[0], first]

    def threads(self) -> list[Thread]:
        """Return all threads, the messages of one level in order of date."""

        def date(place: int) -> tuple[int, int]:
            return self._of.sent[place], place

        for parent in self._more:
            self._children[parent].sort(key=date)
        for subject, chosen in self._chosen.items():
            dummy = self._dummies.get(subject)
            self._alone.append(chosen if dummy is None else tuple(sorted(dummy, key=date)))
        return self._alone


# -- REFS


def _newest(date: Sequence[int], threads: list[Thread], children: dict[int, list[int]]) -> dict[Thread, int]:
    """Return the date of the newest message of each thread, and order the messages at its top."""
    newest: dict[Thread, int] = {}
    for at, thread in enumerate(threads):
        if len(thread) > 1:
            thread = threads[at] = tuple(sorted(thread, key=date.__getitem__))
        latest = max([date[place] for place in thread])
        pending = [place for place in thread if place in children]
        while pending:
            for child in children[pending.pop()]:
                latest = max(latest, date[child])
                if child in children:
                    pending.append(child)
        newest[thread] = latest
    return newest
