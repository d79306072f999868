"""Folded text as tokens that an index of words can hold, so that substrings are found again by phrases of tokens.

A text is cut into *runs* and the *joints* between them. Nothing gets lost on the way: from the tokens the text can be
read back, but for the cases named below, and so a phrase of tokens stands for a substring of the text.

* A run of letters and digits is one token, a *word*. Long ones, and longer ones with digits (ids, signatures, links),
  are no words of any language, and are kept out of the vocabulary. They are two tokens: their beginning (`name_of`),
  and `LONG`, the same for all, by which something behind their end is found. Their overlapping threes are gathered as
  *grams*, which say that a text *may* hold what is neither such a run whole nor its beginning.
* A run of ideographs or kana is one token for each character, of it and the next one; the last stands alone. So each
  character begins one token, and what is longer is a phrase.
* A joint of one or two characters is a token of itself; a longer one is `GAP`. The usual joint has none: between two
  words one space, beside an ideograph nothing.
* `END` stands behind each text, so that no phrase reaches into the next.

`Tokens` are for writing; `cut` gives runs and joints to whoever plans a search. An index knows its `VERSION`: one of
another is made anew.
"""

from __future__ import annotations

__all__ = [
    "END",
    "GAP",
    "LONG",
    "LONGEST_NAME",
    "VERSION",
    "Kind",
    "Piece",
    "Tokens",
    "cut",
    "grams_of",
    "is_long",
    "joint_token",
    "name_of",
    "pairs_of",
]

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from hongyan.message.fold import FOLD_VERSION

VERSION = FOLD_VERSION * 1000 + 3
"""Of the fold, the tokens, and how they are kept, together."""

# Characters for private use; in a text they are part of a joint that is a GAP.
GAP = "\ue000"
LONG = "\ue001"
END = "\ue002"
_SPACE = "\ue003"

LONGEST_NAME = 40
"""Characters of a long run that are kept together."""

_LONGEST_WORD = 20
_LONGEST_NUMBERED = 7  # of what has digits in it
_LONGEST_JOINT = 2

_UNSPACED = "\u3041-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = rf"(?:(?![{_UNSPACED}])[^\W_])"
_CUT = re.compile(rf"([{_UNSPACED}]+)|({_RUN}+)|((?:(?![{_UNSPACED}])[\W_])+)")
_ODD = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ue000-\uf8ff]")
_SPELT = re.compile(rf"(?![{_UNSPACED}])[^\W_]")

# In ASCII, a joint that is not one space between two words. Where it begins is found at once.
_ASCII_JOINT = re.compile("[^a-z0-9](?:[^a-z0-9]+|(?<! ))")


class Kind(Enum):
    """What a piece is."""

    WORD = "word"
    UNSPACED = "unspaced"
    JOINT = "joint"


class Piece(NamedTuple):
    """A run or a joint."""

    kind: Kind
    text: str


def cut(folded: str) -> list[Piece]:
    """Return runs and joints in order; two runs without a joint between them touch."""
    return [Piece(_KINDS[match.lastindex or 0], match[0]) for match in _CUT.finditer(folded)]


_KINDS = (Kind.JOINT, Kind.UNSPACED, Kind.WORD, Kind.JOINT)


class Tokens(NamedTuple):
    """The tokens of texts, in order."""

    tokens: Sequence[str]
    grams: frozenset[str]

    @classmethod
    def of(cls, folded: Iterable[str]) -> Tokens:
        """Return the tokens of folded texts."""
        tokens: list[str] = []
        grams: set[str] = set()
        for text in folded:
            if tokens:
                tokens.append(END)
            tokens += _ascii_tokens(text, grams) if text.isascii() else _tokens(text, grams)
        return cls(tokens, frozenset(grams))

    @property
    def text(self) -> str:
        """The tokens, parted by spaces."""
        return " ".join(self.tokens)

    def words(self, known: AbstractSet[str] = frozenset()) -> set[str]:
        """Return those tokens that are words, but for those that are known."""
        return {
            token
            for token in set(self.tokens).difference(known)
            if token.isalnum() and (token.isascii() or _SPELT.match(token)) and not is_long(token)
        }


def _ascii_tokens(folded: str, grams: set[str]) -> list[str]:
    tokens = _ASCII_JOINT.sub(_parting, folded).split()
    if not any(map(is_long, set(tokens))):
        return tokens
    return [part for token in tokens for part in _run_tokens(token, grams)]


def _parting(joint: re.Match[str]) -> str:
    text = joint[0]
    return _short_parting(text) if len(text) <= _LONGEST_JOINT else f" {GAP} "


@lru_cache(4096)
def _short_parting(joint: str) -> str:
    return f" {_joint(joint)} "


def _tokens(folded: str, grams: set[str]) -> list[str]:
    tokens: list[str] = []
    before: Kind | None = None
    pieces = cut(folded)
    for at, (kind, text) in enumerate(pieces):
        if kind is Kind.WORD:
            tokens += _run_tokens(text, grams)
        elif kind is Kind.UNSPACED:
            tokens += pairs_of(text)
        else:
            after = pieces[at + 1].kind if at + 1 < len(pieces) else None
            token = joint_token(text, before, after)
            if token:
                tokens.append(token)
        before = kind
    return tokens


def _run_tokens(run: str, grams: set[str]) -> tuple[str, ...]:
    if not is_long(run):
        return (run,)
    grams.update(grams_of(run))
    return name_of(run), LONG


def joint_token(joint: str, before: Kind | None, after: Kind | None) -> str:
    """Return the token of a joint between two kinds of runs; none for the usual one."""
    return "" if joint == " " and before is after is Kind.WORD else _joint(joint)


def _joint(joint: str) -> str:
    if len(joint) > _LONGEST_JOINT or _ODD.search(joint):
        return GAP
    return joint.replace(" ", _SPACE)


def is_long(run: str) -> bool:
    """Whether a run of letters and digits is not kept as a word."""
    return len(run) > _LONGEST_WORD or (len(run) > _LONGEST_NUMBERED and not run.isalpha())


def name_of(run: str) -> str:
    """Return the token that a long run has besides `LONG`: what it begins with."""
    return run[:LONGEST_NAME]


def grams_of(run: str) -> list[str]:
    """Return the overlapping threes of a run; the last two are shorter, so that each character begins one."""
    return [run[at : at + 3] for at in range(len(run))]


def pairs_of(run: str) -> list[str]:
    """Return the overlapping pairs of a run; the last one is a single character."""
    return [run[at : at + 2] for at in range(len(run))]
