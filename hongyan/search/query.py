"""From a needle to what an index of tokens is asked: phrases, each with what it proves.

A needle may begin and end within a word. The words of the index that end with its beginning are looked up in the
vocabulary; its end is a prefix. What is found by a phrase that says all of the needle is *sure*; by one that leaves
something open (a joint that is a `GAP`, the end of a run that is `LONG`, a joint at the edge of the needle that may be
part of a longer one) it is *doubtful*, and whoever asks reads the message. What is found by none is not there: no
needle is missed. Most needles have phrases of both kinds, and few messages are found by doubtful ones alone.
"""

from __future__ import annotations

__all__ = ["MAX_HEADS", "MAX_WORDS", "Phrase", "Plan", "Vocabulary", "plan_needle"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import NamedTuple

from hongyan.search.tokenize import (
    GAP,
    LONG,
    LONGEST_NAME,
    Kind,
    Piece,
    cut,
    grams_of,
    is_long,
    joint_token,
    name_of,
    pairs_of,
)

MAX_WORDS = 1000
"""Words with the needle in them that are looked up one by one; those seen first are the most frequent."""

MAX_HEADS = 100
"""Words that end with a needle's first word, each of which begins a phrase."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens one behind the other, the last perhaps cut off, and runs that only grams tell of.

    Without tokens the grams are all there is to look for. What a phrase finds that is not `is_sure` may be wrong.
    """

    tokens: tuple[str, ...]
    is_prefix: bool = False
    long_runs: tuple[str, ...] = ()
    is_sure: bool = True

    @property
    def grams(self) -> tuple[str, ...]:
        """The grams that a message has which holds the long runs; `short_grams` are beginnings of some."""
        return tuple(gram for run in self.long_runs for gram in grams_of(run) if len(gram) == 3)

    @property
    def short_grams(self) -> tuple[str, ...]:
        """Long runs that are shorter than a gram: some gram of the message begins with each."""
        return tuple(run for run in self.long_runs if len(run) < 3)


class Vocabulary:
    """The words of an index, those first that came first."""

    __slots__ = ("_joined",)

    def __init__(self, words: str) -> None:
        """`words` are parted by line ends."""
        self._joined = f"\n{words}\n"

    def with_more(self, words: str) -> Vocabulary:
        """Return these words and others behind them."""
        return Vocabulary(f"{self._joined[1:]}{words}")

    @property
    def size(self) -> int:
        """Characters, about."""
        return len(self._joined)

    def containing(self, part: str) -> Iterator[str]:
        """Yield the words that hold the part."""
        return self._find(part)

    def ending(self, part: str) -> Iterator[str]:
        """Yield the words that end with the part."""
        return self._find(f"{part}\n")

    def _find(self, part: str) -> Iterator[str]:
        joined = self._joined
        at = joined.find(part)
        while at >= 0:
            start = joined.rfind("\n", 0, at + 1) + 1
            end = joined.find("\n", at)
            yield joined[start:end]
            at = joined.find(part, end)


class _Head(Enum):
    """How much is known of the beginning of the first word."""

    WHOLE = "whole"
    END = "end of a word"
    PART = "part of a word"


class _Part(NamedTuple):
    """Tokens, and the long runs of which they do not tell all."""

    tokens: tuple[str, ...] = ()
    long_runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a needle is made of. `head` is its first word if it is one, `tail` the last if its end is open.

    `edges` are the joints that it begins and ends with, as tokens; None where that cannot be told.
    """

    head: str
    how: _Head
    middle: _Part
    tail: str
    edges: tuple[_Part, _Part] | None
    has_edge: bool
    has_gap: bool

    def phrases(self, vocabulary: Vocabulary) -> tuple[Sequence[Phrase], bool]:
        """Return what to look for, and whether that is all: else the needle may be where no phrase finds it."""
        if self.how is _Head.PART:
            return self._phrases_of_part(vocabulary)
        heads, is_all = self._heads(vocabulary)
        tail = _Part()
        if self.tail:
            tail = _Part((name_of(self.tail),), (self.tail,) if len(self.tail) > LONGEST_NAME else ())
        found = []
        for head in heads:
            tokens = head.tokens + self.middle.tokens + tail.tokens
            runs = head.long_runs + self.middle.long_runs + tail.long_runs
            is_sure = is_all and not self.has_gap and not runs
            if tokens:
                found.append(Phrase(tokens, bool(self.tail), runs, is_sure and not self.has_edge))
            if self.has_edge and self.edges is not None:
                before, after = self.edges
                found.append(Phrase(before.tokens + tokens + after.tokens, bool(self.tail), runs, is_sure))
        return found, bool(found)

    def _heads(self, vocabulary: Vocabulary) -> tuple[list[_Part], bool]:
        """Return how the phrases may begin, and whether each begins as the needle does."""
        if not self.head:
            return [_Part()], True
        whole = _tokens_of(self.head)
        if self.how is _Head.WHOLE:
            return [whole], True
        heads = [_Part((word,)) for word in islice(vocabulary.ending(self.head), MAX_HEADS + 1)]
        if len(heads) > MAX_HEADS:
            return [_Part()], False  # The rest of the needle is looked for, and then its beginning is read.
        if is_long(self.head):
            heads.append(whole)
        return [_Part((LONG,), (self.head,)), *heads], True

    def _phrases_of_part(self, vocabulary: Vocabulary) -> tuple[Sequence[Phrase], bool]:
        long = Phrase((), False, (self.head,), is_sure=False)
        if is_long(self.head):
            beginning = Phrase((name_of(self.head),), True, is_sure=len(self.head) <= LONGEST_NAME)
            return [beginning, long], True
        words = list(islice(vocabulary.containing(self.head), MAX_WORDS + 1))
        phrases = [Phrase((word,)) for word in words[:MAX_WORDS]]
        return [long, Phrase((self.head,), True), *phrases], len(words) <= MAX_WORDS


def plan_needle(folded: str) -> Plan | None:
    """Return what a folded needle is made of; None if an index is of no use for it."""
    pieces = cut(folded)
    before = after = ""
    if pieces and pieces[0].kind is Kind.JOINT:
        before = pieces.pop(0).text
    if pieces and pieces[-1].kind is Kind.JOINT:
        after = pieces.pop().text
    if not pieces:
        return None
    head, how = "", _Head.WHOLE
    edges = (_edge(before), _edge(after))
    known = None if None in edges else (edges[0] or _Part(), edges[1] or _Part())
    if pieces[0].kind is Kind.WORD:
        head = pieces[0].text
        if not before:
            how = _Head.PART if len(pieces) == 1 and not after else _Head.END
        elif len(pieces) == 1 and not after:
            return Plan("", _Head.WHOLE, _Part(), head, known, has_edge=True, has_gap=False)
    middle, tail = _tokens(pieces, 1 if head else 0, is_ended=bool(after))
    return Plan(head, how, middle, tail, known, has_edge=bool(before or after), has_gap=GAP in middle.tokens)


def _edge(joint: str) -> _Part | None:
    """Return the token of a joint at the edge; None if none says it, or it depends on what is beyond."""
    if not joint:
        return _Part()
    token = joint_token(joint, None, None)
    return None if token == GAP or joint == " " else _Part((token,))


def _tokens_of(word: str) -> _Part:
    """Return the tokens of a word that is there from its beginning to its end."""
    if not is_long(word):
        return _Part((word,))
    return _Part((name_of(word), LONG), (word,) if len(word) >= LONGEST_NAME else ())


def _tokens(pieces: Sequence[Piece], start: int, *, is_ended: bool) -> tuple[_Part, str]:
    """Return the tokens from a piece on, and the last one if its end is open."""
    tokens: list[str] = []
    runs: list[str] = []
    tail = ""
    for at in range(start, len(pieces)):
        kind, text = pieces[at]
        is_open = at == len(pieces) - 1 and not is_ended
        match kind:
            case Kind.JOINT:
                tokens += filter(None, (joint_token(text, pieces[at - 1].kind, pieces[at + 1].kind),))
            case Kind.UNSPACED if is_open:
                # The last character begins one more token, of which the pair before it knows the beginning.
                tokens += pairs_of(text)[:-1]
                tail = text if len(text) == 1 else ""
            case Kind.UNSPACED:
                tokens += pairs_of(text)
            case Kind.WORD if is_open:
                tail = text
            case Kind.WORD:
                word = _tokens_of(text)
                tokens += word.tokens
                runs += word.long_runs
    return _Part(tuple(tokens), tuple(runs)), tail
