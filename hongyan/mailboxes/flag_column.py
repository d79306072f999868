"""The flags of every message of a mailbox: a code for each message, and what the codes mean.

Messages of a mailbox have few different *sets* of flags, so a message needs one octet: the number of its set.
To set `\\Seen` on a run of messages is then one `bytes.translate`, to count the unseen one `count`, and a FLAGS
listing reads ready texts from a table. When a mailbox has more than 256 sets, codes take four octets each and the
same operations run over `array`.

Flag names are compared without letter case (RFC 9051 §2.3.2); the first spelling stays.
"""

from __future__ import annotations

__all__ = ["Codes", "FlagChange", "FlagColumn", "TooManyKeywords"]

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import compress

from hongyan.errors import OverLimit
from hongyan.store.changes import Flag

MAX_FLAGS = 200
"""Different flags and keywords in one mailbox. Clients show them as a list."""

_NARROW = 256
_SPELLING: dict[bytes, Flag] = {
    flag.lower(): flag
    for flag in (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft", b"$Junk", b"$NotJunk")
}
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

    def compact(self) -> None:
        """Forget the sets that no message has."""
        used = sorted({0, *self.codes})
        if len(used) == len(self._sets):
            return
        fresh = FlagColumn()
        mapping = [0] * len(self._sets)
        for code in used:
            mapping[code] = fresh.code_of(self.texts[code].split())
        codes = self._translated(mapping, self.codes)
        narrow = len(used) <= _NARROW and isinstance(codes, array)
        self.codes = bytearray(codes) if narrow else codes
        self.texts, self._sets, self._codes_of = fresh.texts, fresh._sets, fresh._codes_of

    # -- what flags are there

    @property
    def flags(self) -> list[Flag]:
        """The flags that some set of the table has, system flags first."""
        used = frozenset().union(*self._sets)
        return [self._spellings[flag] for flag in sorted(used, key=_rank)]

    def code_of(self, flags: Iterable[Flag]) -> int:
        """Return the code of a set of flags, making one for a new set. Raises `TooManyKeywords`."""
        folded: list[bytes] = []
        for flag in flags:
            low = flag.lower()
            if low not in self._spellings:
                if len(self._spellings) >= MAX_FLAGS:
                    raise TooManyKeywords("The mailbox has as many different keywords as it may have.")
                self._spellings[low] = flag
            folded.append(low)
        return self._code(frozenset(folded))

    def _code(self, folded: frozenset[bytes]) -> int:
        code = self._codes_of.get(folded)
        if code is None:
            code = self._codes_of[folded] = len(self._sets)
            self._sets.append(folded)
            self.texts.append(b" ".join(self._spellings[flag] for flag in sorted(folded, key=_rank)))
            if code == _NARROW:
                self.codes = array("I", self.codes)
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
        more = self._folded(flags)
        return lambda have: have | more

    def removing(self, flags: Iterable[Flag]) -> FlagChange:
        """Return the change of a set that takes these flags from it."""
        less = self._folded(flags)
        return lambda have: have - less

    def replacing(self, flags: Iterable[Flag]) -> FlagChange:
        """Return the change of a set that leaves exactly these flags."""
        new = self._folded(flags)
        return lambda _have: new

    def _folded(self, flags: Iterable[Flag]) -> frozenset[bytes]:
        return self._sets[self.code_of(flags)]

    def change(self, change: FlagChange, start: int, stop: int) -> None:
        """Change the sets of positions [start, stop)."""
        changed = self.changed(change, start, stop)
        if isinstance(changed, array) and not isinstance(self.codes, array):
            self.codes = array("I", self.codes)
        self.codes[start:stop] = changed  # type: ignore[assignment]  # both are of one kind now

    def changed(self, change: FlagChange, start: int, stop: int) -> Codes:
        """Return what the codes of positions [start, stop) would be."""
        part = self.codes[start:stop]
        mapping = list(range(len(self._sets)))
        for code in set(part):
            mapping[code] = self._code(change(self._sets[code]))
        return self._translated(mapping, part)

    def _translated(self, mapping: Sequence[int], part: Codes) -> Codes:
        if isinstance(part, bytearray):
            if len(self._sets) <= _NARROW:
                return part.translate(bytes(mapping) + bytes(_NARROW - len(mapping)))
            part = array("I", part)
        return array("I", map(mapping.__getitem__, part))

    # -- asking

    def having(self, flag: Flag) -> list[int]:
        """Return, for each code, 1 if its set has the flag, else 0."""
        low = flag.lower()
        return [int(low in have) for have in self._sets]

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


def _rank(folded: bytes) -> tuple[int, bytes]:
    return _ORDER.get(folded, 9), folded
