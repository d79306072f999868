"""The statistical filter's counts, and what they say of a message. Pure.

For each token (its place in a table of fixed size) it is counted in how many wanted and in how many unwanted messages
it was seen. How a message looks follows Robinson and Fisher: each known token has a degree of belief that a message
with it is spam, drawn towards 1/2 as long as little is known; the tokens that say most are combined by the chi-squared
distribution into 0 (wanted) … 1 (unwanted), and what speaks for both comes out near 1/2. A token's rate is its share of
all tokens counted on its side, not of the messages: else the side that says more per message would always win.

Two tables are asked together: the server's, which all share, and the account's own, whose word weighs more. What only
one account has taught the server counts for nothing there: each place remembers for either side, in sixteen bits,
about who has voted so. Counts are halved now and then, so that what is old fades and nothing overflows.
"""

from __future__ import annotations

__all__ = [
    "ALL_VOTERS",
    "OWN_PLACES",
    "SERVER_PLACES",
    "Counts",
    "Score",
    "fold_places",
    "places_of",
    "score",
    "voter_bit",
]

import math
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hongyan.errors import Corrupt
from hongyan.types import AccountId

SERVER_PLACES: Final = 1 << 18
OWN_PLACES: Final = 1 << 16
ALL_VOTERS: Final = 0xFFFF
"""Whoever trains by files is the operator, and counts as many."""

_STRENGTH: Final = 0.45  # how many messages' worth the neutral belief of 1/2 is
_LEAST_DEVIATION: Final = 0.1  # from 1/2; tokens that say less are left out
_MOST_TOKENS: Final = 150
_SERVER_WEIGHT: Final = 1000  # messages; what the server has learnt beyond weighs no more beside an account's own
_OWN_WEIGHT: Final = 10  # a vote of one's own weighs as many of others
_MOST_REASONS: Final = 8
_FULL: Final = 0xFFFF


class Counts:
    """One table: of the server (with voters) or of an account (without)."""

    __slots__ = ("_fades_at", "_ham", "_places", "_spam", "_voters", "ham", "ham_tokens", "spam", "spam_tokens")

    def __init__(self, places: int, *, shared: bool, fades_at: int) -> None:
        """`fades_at`: when so many messages are counted, all counts are halved."""
        self.ham = self.spam = 0
        self.ham_tokens = self.spam_tokens = 0
        self._places = places
        self._fades_at = fades_at
        self._ham = array("H", bytes(2 * places))
        self._spam = array("H", bytes(2 * places))
        self._voters = (array("H", bytes(2 * places)), array("H", bytes(2 * places))) if shared else None

    def learn(self, places: Iterable[int], *, is_spam: bool, voter: int = 0) -> None:
        """Count a message."""
        counts = self._spam if is_spam else self._ham
        voters = None if self._voters is None else self._voters[is_spam]
        new = 0
        for place in places:
            if counts[place] < _FULL:
                counts[place] += 1
                new += 1
            if voters is not None:
                voters[place] |= voter
        self._add(new, 1, is_spam=is_spam)
        if self.ham + self.spam >= self._fades_at:
            self._fade()

    def unlearn(self, places: Iterable[int], *, is_spam: bool) -> None:
        """Take a message back that was counted. What has faded meanwhile stops at 0."""
        counts = self._spam if is_spam else self._ham
        gone = 0
        for place in places:
            if counts[place]:
                counts[place] -= 1
                gone += 1
        self._add(-gone, -1, is_spam=is_spam)

    def _add(self, tokens: int, messages: int, *, is_spam: bool) -> None:
        if is_spam:
            self.spam = max(self.spam + messages, 0)
            self.spam_tokens += tokens
        else:
            self.ham = max(self.ham + messages, 0)
            self.ham_tokens += tokens

    def seen(self, place: int, agreement: int) -> tuple[int, int]:
        """Return in how many wanted and unwanted messages; 0 on a side for which fewer voters are than asked for."""
        ham, spam = self._ham[place], self._spam[place]
        if self._voters is not None:
            for_ham, for_spam = self._voters
            if ham and for_ham[place].bit_count() < agreement:
                ham = 0
            if spam and for_spam[place].bit_count() < agreement:
                spam = 0
        return ham, spam

    @property
    def used(self) -> int:
        """How many places are not empty."""
        return sum(1 for ham, spam in zip(self._ham, self._spam, strict=True) if ham or spam)

    def _fade(self) -> None:
        self.ham //= 2
        self.spam //= 2
        self._ham = array("H", [count >> 1 for count in self._ham])
        self._spam = array("H", [count >> 1 for count in self._spam])
        self._sum_up()

    def _sum_up(self) -> None:
        self.ham_tokens, self.spam_tokens = sum(self._ham), sum(self._spam)

    def to_octets(self) -> bytes:
        """Return the table for the store."""
        tables = (self._ham, self._spam, *(self._voters or ()))
        return zlib.compress(b"".join(_little(table) for table in tables), 1)

    def restore(self, ham: int, spam: int, octets: bytes) -> None:
        """Take what `to_octets` gave. Raises `Corrupt`."""
        tables = 2 if self._voters is None else 4
        size = 2 * self._places
        try:
            plain = zlib.decompressobj().decompress(octets, tables * size + 1)
        except zlib.error as error:
            raise Corrupt(cause=f"a table of the spam filter cannot be read: {error}") from error
        if len(plain) != tables * size:
            raise Corrupt(cause="a table of the spam filter has another size")
        read = [_from_little(plain[at * size : (at + 1) * size]) for at in range(tables)]
        self.ham, self.spam = ham, spam
        self._ham, self._spam = read[0], read[1]
        if self._voters is not None:
            self._voters = read[2], read[3]
        self._sum_up()


def _little(table: array[int]) -> bytes:
    """Return a table in little-endian order, whatever the machine's is."""
    if array("H", [1]).tobytes() == b"\1\0":
        return table.tobytes()
    swapped = array("H", table)
    swapped.byteswap()
    return swapped.tobytes()


def _from_little(octets: bytes) -> array[int]:
    table = array("H", octets)
    if array("H", [1]).tobytes() != b"\1\0":
        table.byteswap()
    return table


def places_of(tokens: Sequence[str]) -> list[int]:
    """Return the places of tokens in the server's table. `fold_places` gives those in an account's."""
    crc, mask = zlib.crc32, SERVER_PLACES - 1
    return [crc(token.encode("utf-8", "replace")) & mask for token in tokens]


def fold_places(places: Sequence[int]) -> set[int]:
    """Return the places in an account's smaller table, each once."""
    return {place & (OWN_PLACES - 1) for place in places}


def voter_bit(account: AccountId) -> int:
    """Return the bit by which a place of the server's table remembers an account."""
    return 1 << (zlib.crc32(b"%d" % account) & 15)


@dataclass(frozen=True, slots=True)
class Score:
    """How a message looks."""

    value: float
    """0: wanted … 1: unwanted."""
    reasons: tuple[tuple[str, float], ...]
    """The tokens that say most, each with its own belief, those for the outcome first."""


def score(tokens: Sequence[str], server: Counts, own: Counts | None = None, *, agreement: int = 1) -> Score:
    """Return how a message with these tokens looks to the server, or to an account with a table of its own."""
    beliefs = _beliefs(tokens, server, own, agreement)
    beliefs.sort(reverse=True)
    del beliefs[_MOST_TOKENS:]
    if not beliefs:
        return Score(0.5, ())
    count = len(beliefs)
    spam = _chi_squared(-2.0 * sum(math.log(belief) for _, belief, _ in beliefs), count)
    ham = _chi_squared(-2.0 * sum(math.log(1.0 - belief) for _, belief, _ in beliefs), count)
    value = (1.0 + spam - ham) / 2.0
    speaking = [(token, belief) for _, belief, token in beliefs if (belief > 0.5) is (value > 0.5)]
    return Score(value, tuple(speaking[:_MOST_REASONS]))


def _beliefs(
    tokens: Sequence[str], server: Counts, own: Counts | None, agreement: int
) -> list[tuple[float, float, str]]:
    """Return for each token that says something: how far from 1/2, the belief, the token."""
    weight = min(1.0, _SERVER_WEIGHT / max(server.ham + server.spam, 1))
    ham_total, spam_total = weight * server.ham_tokens, weight * server.spam_tokens
    if own is not None:
        ham_total += _OWN_WEIGHT * own.ham_tokens
        spam_total += _OWN_WEIGHT * own.spam_tokens
    if not ham_total or not spam_total:
        return []
    beliefs: list[tuple[float, float, str]] = []
    for token, place in zip(tokens, places_of(tokens), strict=True):
        ham, spam = server.seen(place, agreement)
        seen = float(ham + spam)
        ham_share, spam_share = weight * ham, weight * spam
        if own is not None:
            own_ham, own_spam = own.seen(place & (OWN_PLACES - 1), 0)
            seen += own_ham + own_spam
            ham_share += _OWN_WEIGHT * own_ham
            spam_share += _OWN_WEIGHT * own_spam
        if not seen:
            continue
        spam_rate, ham_rate = spam_share / spam_total, ham_share / ham_total
        belief = (_STRENGTH * 0.5 + seen * spam_rate / (spam_rate + ham_rate)) / (_STRENGTH + seen)
        if abs(belief - 0.5) >= _LEAST_DEVIATION:
            beliefs.append((abs(belief - 0.5), belief, token))
    return beliefs


def _chi_squared(value: float, pairs: int) -> float:
    """Return the chance that chi-squared with 2 × `pairs` degrees of freedom is `value` or more."""
    half = value / 2.0
    if half > 700.0:  # exp(-half) would be nothing; so would the sum be, with as few terms as we have
        return 0.0
    term = total = math.exp(-half)
    for number in range(1, pairs):
        term *= half / number
        total += term
    return min(total, 1.0)
