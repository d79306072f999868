"""A text that is looked for loosely: its words anywhere, in any order (SEARCH=FUZZY, RFC 6203).

Each word has to be there as a word, of the last one its beginning will do, as somebody may still be typing. Chinese
and Japanese have no words to go by: a run of their characters has to be there in pieces of two characters at least,
all of them, wherever each is: a search for 北京大学 finds 大学 and 北京 apart, and never 东京大学. The same needle is
asked of an index and of messages that are read, and finds the same.
"""

from __future__ import annotations

__all__ = [
    "ALL_POINTS",
    "ENDED",
    "MAX_CLAUSES",
    "MET",
    "PROMINENT",
    "PROMINENT_TOGETHER",
    "TOGETHER",
    "LooseNeedle",
    "judge",
    "loose_needle",
    "tokens_of",
]

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from hongyan.search.tokenize import Kind, cut, name_of, pairs_of
from hongyan.store.index import Clause, TokenStart

MAX_CLAUSES = 50
"""Words and pairs of characters that are looked for; those beyond are left aside."""

# What is added up for a score from 1 to 100. Subject and sender weigh most, if not they alone are searched.
MET = 1
ENDED = 19
"""Every word is there whole."""
TOGETHER = 30
"""The text stands there as it is, or its only word whole."""
PROMINENT = 30
"""All of it is met where it weighs most."""
PROMINENT_TOGETHER = 20

ALL_POINTS = MET + ENDED + TOGETHER + PROMINENT + PROMINENT_TOGETHER


@dataclass(frozen=True, slots=True)
class LooseNeedle:
    """Of each clause one token at least is there. `folded` is the whole text."""

    folded: str
    clauses: tuple[Clause, ...]

    @property
    def is_single(self) -> bool:
        """Whether there is but one word."""
        return len(self.clauses) == 1

    @property
    def ended(self) -> LooseNeedle:
        """The same, but that the beginning of the last word will not do."""
        *others, last = self.clauses
        # A single ideograph stays open: with the next one it makes a pair, not a longer word.
        whole = tuple(token._replace(is_open=token.is_open and len(token.text) == 1) for token in last)
        return replace(self, clauses=(*others, whole))

    def is_met(self, tokens: frozenset[str]) -> bool:
        """Whether a message of these tokens has what is looked for."""
        return all(any(_is_there(token, tokens) for token in clause) for clause in self.clauses)


def _is_there(token: TokenStart, tokens: frozenset[str]) -> bool:
    return token.text in tokens or (token.is_open and any(one.startswith(token.text) for one in tokens))


def loose_needle(folded: str) -> LooseNeedle | None:
    """Return what to look for; None where there is no word in the text."""
    folded = folded.strip()
    clauses: dict[Clause, None] = {}
    pieces = cut(folded)
    for at, (kind, text) in enumerate(pieces):
        if kind is Kind.WORD:
            # A single letter begins too much to be the beginning of a word.
            is_open = at == len(pieces) - 1 and len(text) > 1
            clauses[(TokenStart(name_of(text), is_open),)] = None
        elif kind is Kind.UNSPACED:
            clauses |= dict.fromkeys(_clauses_of_run(text))
    return LooseNeedle(folded, tuple(clauses)[:MAX_CLAUSES]) if clauses else None


def _clauses_of_run(run: str) -> Iterator[Clause]:
    """Yield which pairs are there if a run is there in pieces: where it is cut, the pairs beside are whole."""
    if len(run) == 1:
        yield (TokenStart(run, is_open=True),)
        return
    pairs = [TokenStart(pair) for pair in pairs_of(run)[:-1]]
    yield (pairs[0],)
    yield from pairwise(pairs[1:-1])
    yield (pairs[-1],)


def judge(needle: LooseNeedle, texts: Iterable[str], prominent: Iterable[str]) -> int:
    """Return the points of a message by its folded texts, and those of them that weigh most; 0 if it is not met."""
    texts, prominent = list(texts), list(prominent)
    tokens = tokens_of(texts)
    if not needle.is_met(tokens):
        return 0
    points = MET + ENDED * needle.ended.is_met(tokens) + TOGETHER * _stands_in(needle, texts)
    if needle.is_met(tokens_of(prominent)):
        points += PROMINENT + PROMINENT_TOGETHER * _stands_in(needle, prominent)
    return points


def _stands_in(needle: LooseNeedle, texts: Sequence[str]) -> bool:
    if needle.is_single:
        return needle.ended.is_met(tokens_of(texts))
    return any(needle.folded in text for text in texts)


def tokens_of(folded: Iterable[str]) -> frozenset[str]:
    """Return the tokens of texts: words, and pairs of characters."""
    tokens: set[str] = set()
    for text in folded:
        for kind, piece in cut(text):
            if kind is Kind.WORD:
                tokens.add(name_of(piece))
            elif kind is Kind.UNSPACED:
                tokens.update(pairs_of(piece))
    return frozenset(tokens)
