"""THREAD gives what the steps of RFC 5256 §3 give, and hostile References cost no more than others."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from hongyan.mailboxes.thread_clusters import Clusters
from hongyan.mailboxes.thread_forest import GrowingForest, make_forest
from hongyan.mailboxes.thread_links import Threadable, ThreadAlgorithm


@dataclass(frozen=True)
class _Mail:
    """A message: its id, those that it answers, when it was sent, its subject, and whether it is a reply."""

    own: int | None
    answered: tuple[int, ...]
    sent: int
    subject: str
    is_reply: bool


_IDS = st.integers(0, 9)
_MAIL = st.builds(
    _Mail,
    own=st.none() | _IDS,
    answered=st.lists(_IDS, max_size=4).map(tuple),
    sent=st.integers(0, 5),
    subject=st.sampled_from(["", "a", "b"]),
    is_reply=st.booleans(),
)


def _known_of(mails: list[_Mail]) -> Threadable:
    subjects = {"": 0, "a": 1, "b": 2}
    ids = 1 + max([i for mail in mails for i in (mail.own or 0, *mail.answered)], default=0)
    return Threadable(
        ids=ids,
        own=[-1 if mail.own is None else mail.own for mail in mails],
        answered=[mail.answered for mail in mails],
        sent=[mail.sent for mail in mails],
        arrived=list(range(len(mails))),
        subjects=[subjects[mail.subject] for mail in mails],
        replies=[mail.is_reply for mail in mails],
        no_subject=0,
    )


def _threads(algorithm: ThreadAlgorithm, mails: list[_Mail]) -> str:
    forest = make_forest(algorithm, _known_of(mails), range(len(mails)))
    return forest.encode(range(1, len(mails) + 1)).decode()


# -- the steps of the RFC, on objects


@dataclass(eq=False)
class _Node:
    place: int | None = None
    parent: _Node | None = None
    children: list[_Node] = field(default_factory=list)

    def adopt(self, child: _Node) -> None:
        if child.parent is not None:
            child.parent.children.remove(child)
        child.parent = self
        self.children.append(child)

    def is_under(self, other: _Node) -> bool:
        node: _Node | None = self
        while node is not None and node is not other:
            node = node.parent
        return node is other


def _by_the_rfc(mails: list[_Mail]) -> str:
    nodes: dict[int, _Node] = {}
    everything: list[_Node] = []

    def node_of(id_: int) -> _Node:
        if id_ not in nodes:
            nodes[id_] = _Node()
            everything.append(nodes[id_])
        return nodes[id_]

    for place, mail in enumerate(mails):  # step 1
        if mail.own is None or node_of(mail.own).place is not None:
            own = _Node()
            everything.append(own)
        else:
            own = node_of(mail.own)
        own.place = place
        chain = [node_of(id_) for id_ in mail.answered]
        for parent, child in itertools.pairwise(chain):
            if child.parent is None and not parent.is_under(child):
                parent.adopt(child)
        if own.parent is not None:
            own.parent.children.remove(own)
            own.parent = None
        if chain and not chain[-1].is_under(own):
            chain[-1].adopt(own)
    root = _Node()  # step 2
    for node in everything:
        if node.parent is None:
            root.adopt(node)
    while _prune_once(root):  # step 3
        pass

    def date(node: _Node) -> tuple[int, int]:
        place = node.place if node.place is not None else node.children[0].place
        assert place is not None
        return mails[place].sent, place

    for node in root.children:  # step 4
        if node.place is None:
            node.children.sort(key=date)
    root.children.sort(key=date)
    _merge(root, mails)  # step 5
    _sort(root, date)  # step 6
    return "".join(f"({_told(node)})" for node in root.children)


def _prune_once(node: _Node, *, top: bool = True) -> bool:
    for child in list(node.children):
        if child.place is None and not (top and len(child.children) > 1):
            for grandchild in list(child.children):
                node.adopt(grandchild)
            node.children.remove(child)
            return True
        if _prune_once(child, top=False):
            return True
    return False


def _merge(root: _Node, mails: list[_Mail]) -> None:
    def first(node: _Node) -> _Mail:
        place = node.place if node.place is not None else node.children[0].place
        assert place is not None
        return mails[place]

    table: dict[str, _Node] = {}
    for node in root.children:
        subject = first(node).subject
        if not subject:
            continue
        other = table.get(subject)
        if other is None or (
            other.place is not None
            and (node.place is None or (mails[other.place].is_reply and not mails[node.place].is_reply))
        ):
            table[subject] = node
    for node in list(root.children):
        subject = first(node).subject
        if not subject or table[subject] is node:
            continue
        other = table[subject]
        if node.place is None and other.place is None:
            for child in list(node.children):
                other.adopt(child)
            root.children.remove(node)
        elif other.place is None or (
            node.place is not None and mails[node.place].is_reply and not mails[other.place].is_reply
        ):
            other.adopt(node)
        else:
            dummy = _Node()
            root.adopt(dummy)
            dummy.adopt(other)
            dummy.adopt(node)
            table[subject] = dummy


def _sort(node: _Node, date: object) -> None:
    for child in node.children:
        _sort(child, date)
    node.children.sort(key=date)  # type: ignore[arg-type]  # a function that is handed down


def _told(node: _Node) -> str:
    inner = [_told(child) for child in node.children]
    below = inner[0] if len(inner) == 1 else "".join(f"({text})" for text in inner)
    if node.place is None:
        return "".join(f"({text})" for text in inner)
    return f"{node.place + 1} {below}" if below else str(node.place + 1)


@settings(max_examples=400, deadline=None)
@given(st.lists(_MAIL, max_size=10))
def test_references_are_threaded_as_the_rfc_says(mails: list[_Mail]) -> None:
    assert _threads(ThreadAlgorithm.REFERENCES, mails) == _by_the_rfc(mails)


@settings(deadline=None)
@given(st.lists(_MAIL, max_size=10))
def test_ordered_subjects_are_threaded_as_the_rfc_says(mails: list[_Mail]) -> None:
    threads: dict[str, list[int]] = {}
    for place in sorted(range(len(mails)), key=lambda place: (mails[place].subject, mails[place].sent, place)):
        threads.setdefault(mails[place].subject, []).append(place)
    ordered = sorted(threads.values(), key=lambda thread: (mails[thread[0]].sent, thread[0]))
    told = []
    for first, *others in ordered:
        below = f" {others[0] + 1}" if len(others) == 1 else " " * bool(others) + "".join(f"({o + 1})" for o in others)
        told.append(f"({first + 1}{below})")
    assert _threads(ThreadAlgorithm.ORDEREDSUBJECT, mails) == "".join(told)


@settings(deadline=None)
@given(st.lists(_MAIL, max_size=10), st.sampled_from(ThreadAlgorithm))
def test_each_message_stands_in_one_thread_and_parentheses_match(
    mails: list[_Mail], algorithm: ThreadAlgorithm
) -> None:
    told = _threads(algorithm, mails)
    numbers = told.replace("(", " ").replace(")", " ").split()
    assert sorted(map(int, numbers)) == list(range(1, len(mails) + 1))
    depth = 0
    for character in told:
        depth += {"(": 1, ")": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0


@settings(max_examples=600, deadline=None)
@given(st.data(), st.lists(_MAIL, max_size=12), st.sampled_from(ThreadAlgorithm))
def test_a_forest_that_changes_with_the_mailbox_is_the_one_that_is_made_anew(
    data: st.DataObject, mails: list[_Mail], algorithm: ThreadAlgorithm
) -> None:
    clusters = Clusters(algorithm)
    there = data.draw(st.integers(0, len(mails)), "there at first")
    grown = GrowingForest(algorithm, _known_of(mails[:there]), range(there))
    for _ in range(4):
        there = data.draw(st.integers(there, len(mails)), "there then")
        members = BitMap(data.draw(st.sets(st.integers(0, there - 1)), "told") if there else ())
        of = _known_of(mails[:there])
        clusters.extend(of)
        if not grown.change(of, clusters, members):
            grown = GrowingForest(algorithm, of, list(members))
        assert grown.forest == GrowingForest(algorithm, of, list(members)).forest
        assert grown.members == members


@pytest.mark.parametrize("algorithm", list(ThreadAlgorithm))
def test_a_message_that_comes_or_goes_touches_its_own_threads_alone(algorithm: ThreadAlgorithm) -> None:
    count = 2000
    of = Threadable(
        ids=count,
        own=range(count),
        answered=[(number - 1,) if number % 5 else () for number in range(count)],
        sent=range(count),
        arrived=range(count),
        subjects=[1 + number // 5 for number in range(count)],
        replies=[bool(number % 5) for number in range(count)],
        no_subject=0,
    )
    clusters = Clusters(algorithm)
    clusters.extend(of)
    grown = GrowingForest(algorithm, of, range(count - 1))
    anew = make_forest(algorithm, of, range(count))
    own, of = of.own, dataclasses.replace(of, own=_Guarded(range(count), range(count - 10, count)))
    assert grown.change(of, clusters, BitMap(range(count)))
    assert grown.forest == anew
    assert grown.change(of, clusters, BitMap(range(count)) - BitMap([count - 4]))
    of = dataclasses.replace(of, own=own)
    assert grown.forest == make_forest(algorithm, of, [place for place in range(count) if place != count - 4])


class _Guarded(tuple[int, ...]):
    """Numbers of which only some may be looked at."""

    __slots__ = ()
    allowed: range

    def __new__(cls, numbers: range, allowed: range) -> Self:
        cls.allowed = allowed
        return super().__new__(cls, numbers)

    def __getitem__(self, at: object) -> int:  # type: ignore[override]  # only numbers are asked for
        assert at in self.allowed
        return super().__getitem__(at)  # type: ignore[call-overload,no-any-return]  # as above


def test_refs_stand_in_the_order_of_their_newest_messages_and_are_not_joined_by_subject() -> None:
    mails = [
        _Mail(1, (), 0, "a", is_reply=False),
        _Mail(2, (), 0, "a", is_reply=True),
        _Mail(3, (1,), 0, "b", is_reply=False),
    ]
    assert _threads(ThreadAlgorithm.REFS, mails) == "(2)(1 3)"


_MANY = 3000


@pytest.mark.parametrize(
    "answered",
    [
        lambda number: (number - 1,) if number else (),  # a chain
        lambda number: (number + 1,),  # the same backwards
        lambda number: ((number + 1) % _MANY,),  # a ring
        lambda number: tuple(range(max(number - 50, 0), number)),  # long References
        lambda number: (_MANY - 1, number) if number % 2 else (number + 1,),  # each is linked below a long chain
        lambda number: (number * 7919 % _MANY, number * 104729 % _MANY),  # anything
        lambda _: (0,),  # all answer one
    ],
)
@pytest.mark.parametrize("algorithm", list(ThreadAlgorithm))
def test_whatever_strangers_refer_to_ends(answered: object, algorithm: ThreadAlgorithm) -> None:
    mails = [_Mail(n, answered(n), n % 7, "a" if n % 2 else "", is_reply=True) for n in range(_MANY)]  # type: ignore[operator]  # it is a function
    steps = 0

    class Counting(list[int]):
        def __getitem__(self, at: object) -> int:  # type: ignore[override]  # only numbers are asked for
            nonlocal steps
            steps += 1
            return super().__getitem__(at)  # type: ignore[call-overload,no-any-return]  # as above

    of = Threadable(
        ids=_MANY + 2,
        own=Counting(range(_MANY)),
        answered=[mail.answered for mail in mails],
        sent=Counting(mail.sent for mail in mails),
        arrived=Counting(range(_MANY)),
        subjects=Counting(1 if mail.subject else 0 for mail in mails),
        replies=Counting([1] * _MANY),
        no_subject=0,
    )
    forest = make_forest(algorithm, of, range(_MANY))
    assert sorted(forest.places) == list(range(_MANY))
    assert steps < 40 * _MANY
