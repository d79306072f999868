"""The flags of every message of a mailbox: a code for each message, and what the codes mean.

Messages of a mailbox have few different *sets* of flags, so a message needs one octet: the number of its set.
To set `\\Seen` on a run of messages is then one `bytes.translate`, to count the unseen one `count`, and a FLAGS
listing reads ready texts from a table. When a mailbox has more than 256 sets, codes take four octets each and the
same operations run over `array`.

Flag names are compared without letter case (RFC 9051 §2.3.2); the first spelling stays.
"""

from __future__ import annotations

__all__ = ["COMMON_FLAGS", "MAX_FLAGS", "Codes", "FlagChange", "FlagColumn", "TooManyKeywords"]

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import compress

from hongyan.errors import OverLimit
from hongyan.store.changes import Flag

MAX_FLAGS = 200
"""Different flags and keywords in one mailbox. Clients show them as a list.

Who brings new ones asks `require_room` before anything is committed; what is in the log is always taken in.
"""

_NARROW = 256
_SPELLING: dict[bytes, Flag] = {
    flag.lower(): flag
    for flag in (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft", b"$Junk", b"$NotJunk")
}

COMMON_FLAGS = frozenset(_SPELLING.values())
"""Flags that every mailbox may have: who brings no others need not ask."""

_ORDER = {b"\\answered": 0, b"\\flagged": 1, b"\\deleted": 2, b"\\seen": 3, b"\\draft": 4}

Codes = bytearray | array  # type: ignore[type-arg]  # array('I') once there are many sets

FlagChange = Callable[[frozenset[bytes]], frozenset[bytes]]
"""What becomes of a set of flags, names folded."""


class TooManyKeywords(OverLimit):
    """The mailbox has as many different keywords as it may have."""


class FlagColumn:
    """A code for each message by its position, and the table of what codes mean.

    `texts[code]` is the set as IMAP lists it, without parentheses. Code 0 is the empty set.
    """

    __slots__ = ("_codes_of", "_sets", "_spellings", "codes", "texts")

    def __init__(self) -> None:
        self.codes: Codes = bytearray()
        self.texts: list[bytes] = [b""]
        self._sets: list[frozenset[bytes]] = [frozenset()]
        self._codes_of: dict[frozenset[bytes], int] = {self._sets[0]: 0}
        self._spellings: dict[bytes, Flag] = dict(_SPELLING)

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def of(cls, codes: Codes, texts: Sequence[bytes]) -> FlagColumn:
        """Return a column as a snapshot kept it; `texts[0]` must be empty."""
        column = cls()
        for text in texts[1:]:
            column.code_of(text.split())
        column.codes = codes
        return column

    def copy(self) -> FlagColumn:
        """Return the same column, which goes its own way."""
        other = FlagColumn()
        other.codes, other.texts, other._sets = self.codes[:], self.texts[:], self._sets[:]
        other._codes_of, other._spellings = dict(self._codes_of), dict(self._spellings)
        return other

    def compact(self) -> None:
        """Forget the sets and the keywords that no message has."""
        used = sorted({0, *self.codes})
        fresh = FlagColumn()
        mapping = [0] * len(self._sets)
        for code in used:
            mapping[code] = fresh.code_of(self.texts[code].split())
        if len(used) < len(self._sets):
            codes = self._translated(mapping, self.codes)
            if isinstance(codes, array) and len(used) <= _NARROW:
                codes = bytearray(list(codes))
            self.codes = codes
            self.texts, self._sets, self._codes_of = fresh.texts, fresh._sets, fresh._codes_of
        self._spellings = fresh._spellings

    # -- what flags are there

    @property
    def flags(self) -> list[Flag]:
        """The flags that some set of the table has, system flags first."""
        used = frozenset().union(*self._sets)
        return [self._spellings[flag] for flag in sorted(used, key=_rank)]

    def require_room(self, flags: Iterable[Flag]) -> None:
        """Raise `TooManyKeywords` if the mailbox may not have these flags beside those that it has."""
        known = self._spellings
        new = {low for low in map(bytes.lower, flags) if low not in known}
        if not new or len(known) + len(new) <= MAX_FLAGS:
            return
        self.compact()
        if len(self._spellings) + len(new) > MAX_FLAGS:
            raise TooManyKeywords("The mailbox has as many different keywords as it may have.")

    def code_of(self, flags: Iterable[Flag]) -> int:
        """Return the code of a set of flags, making one for a new set."""
        return self._code(self._spelled(flags))

    def _spelled(self, flags: Iterable[Flag]) -> frozenset[bytes]:
        """Return the set of flags, names folded; how they are written here first is how they stay."""
        spellings = self._spellings
        folded = []
        for flag in flags:
            low = flag.lower()
            if low not in spellings:
                spellings[low] = flag
            folded.append(low)
        return frozenset(folded)

    def _code(self, folded: frozenset[bytes]) -> int:
        code = self._codes_of.get(folded)
        if code is None:
            code = self._codes_of[folded] = len(self._sets)
            self._sets.append(folded)
            self.texts.append(b" ".join(self._spellings[flag] for flag in sorted(folded, key=_rank)))
            if code == _NARROW:
                self.codes = _widened(self.codes)
        return code

    def set_of(self, position: int) -> list[Flag]:
        """Return the flags of one message."""
        return self.texts[self.codes[position]].split()

    # -- changing

    def append(self, flags: Iterable[Flag], count: int = 1) -> None:
        """Add `count` messages with these flags at the end."""
        code = self.code_of(flags) if flags else 0
        self.codes.extend([code] * count)

    def adding(self, flags: Iterable[Flag]) -> FlagChange:
        """Return the change of a set that puts these flags into it."""
        more = self._spelled(flags)
        return lambda have: have | more

    def removing(self, flags: Iterable[Flag]) -> FlagChange:
        """Return the change of a set that takes these flags from it."""
        less = frozenset(map(bytes.lower, flags))
        return lambda have: have - less

    def replacing(self, flags: Iterable[Flag]) -> FlagChange:
        """Return the change of a set that leaves exactly these flags."""
        new = self._spelled(flags)
        return lambda _have: new

    def change(self, change: FlagChange, start: int, stop: int) -> None:
        """Change the sets of positions [start, stop)."""
        changed = self.changed(change, start, stop)
        self.codes[start:stop] = changed  # type: ignore[assignment]  # both are of one kind now

    def changed(self, change: FlagChange, start: int, stop: int) -> Codes:
        """Return what the codes of positions [start, stop) would be."""
        part = self.codes[start:stop]
        mapping = list(range(len(self._sets)))
        for code in set(part):
            mapping[code] = self._code(change(self._sets[code]))
        return self._translated(mapping, part)

    def _translated(self, mapping: Sequence[int], part: Codes) -> Codes:
        if isinstance(part, bytearray) and len(self._sets) <= _NARROW:
            return part.translate(bytes(mapping) + bytes(_NARROW - len(mapping)))
        return array("I", map(mapping.__getitem__, part))

    # -- asking

    def having(self, flag: Flag) -> list[int]:
        """Return, for each code, 1 if its set has the flag, else 0."""
        low = flag.lower()
        return [int(low in have) for have in self._sets]

    def choose(self, values: Sequence[int], truth: Sequence[int]) -> Iterable[int]:
        """Return those of the values, one for each message in order, whose code is true in `truth`."""
        return compress(values, self._translated(truth, self.codes))

    def positions(self, truth: Sequence[int], start: int = 0, stop: int | None = None) -> Iterable[int]:
        """Return the positions in [start, stop) whose code is true in `truth`, ascending."""
        stop = len(self.codes) if stop is None else stop
        return compress(range(start, stop), self._translated(truth, self.codes[start:stop]))

    def count(self, truth: Sequence[int], stop: int | None = None) -> int:
        """Return how many of the first `stop` messages have a code that is true in `truth`."""
        return self._translated(truth, self.codes[:stop]).count(1)

    def first(self, truth: Sequence[int], stop: int | None = None) -> int | None:
        """Return the first position whose code is true in `truth`."""
        try:
            return self._translated(truth, self.codes[:stop]).index(1)
        except ValueError:
            return None


def _widened(codes: Codes) -> Codes:
    # Not from the octets themselves: an array would read four of them as one number.
    return array("I", list(codes))


def _rank(folded: bytes) -> tuple[int, bytes]:
    return _ORDER.get(folded, 9), folded
