"""What messages are sorted by, in compact columns: numbers, and texts of which each is kept once."""

from __future__ import annotations

__all__ = ["Numbers", "Texts"]

from array import array
from collections.abc import Callable, Sequence
from itertools import compress

OCTETS_OF_TEXT = 150
"""About what a text takes in memory that no other message has."""


class Numbers:
    """A number for each message."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: array[int] = array("q")

    def extend(self, values: Sequence[int]) -> None:
        self.values.extend(values)

    def ranks(self) -> Sequence[int]:
        """Return what orders messages as the column does."""
        return self.values

    def comparing(self) -> Callable[[int, int], int]:
        """Return who tells of two messages which comes first, while nothing changes: below 0 if the first does."""
        values = self.values
        return lambda one, two: values[one] - values[two]

    def keep(self, chosen: Sequence[bool]) -> None:
        """Leave out the messages that are not chosen."""
        self.values = array("q", compress(self.values, chosen))

    @property
    def weight(self) -> int:
        """About how many octets this takes."""
        return 8 * len(self.values)


class Texts:
    """A text for each message, told by its number in the order in which texts were first met."""

    __slots__ = ("_numbers", "_order", "_ranks", "values")

    def __init__(self) -> None:
        self.values: array[int]
        self._numbers: dict[str, int]
        self._order: list[str]
        self._ranks: array[int]
        self._begin()

    def _begin(self) -> None:
        self.values, self._numbers = array("I"), {}
        self._order, self._ranks = [], array("I")

    def extend(self, texts: Sequence[str]) -> None:
        numbers = self._numbers
        self.values.extend([numbers.setdefault(text, len(numbers)) for text in texts])

    def number_of(self, text: str) -> int:
        """Return the number of a text, -1 if no message has it."""
        return self._numbers.get(text, -1)

    def ranks(self) -> Sequence[int]:
        """Return what orders messages as the column does."""
        if len(self._order) < len(self._numbers):
            fresh = list(self._numbers)[len(self._order) :]
            self._order = sorted([*self._order, *fresh])  # mostly in order already
            ranks = array("I", bytes(4 * len(self._order)))
            for rank, text in enumerate(self._order):
                ranks[self._numbers[text]] = rank
            self._ranks = ranks
        ranks = self._ranks
        return [ranks[value] for value in self.values]

    def comparing(self) -> Callable[[int, int], int]:
        """Return who tells of two messages which comes first, while nothing changes: below 0 if the first does."""
        texts, values = list(self._numbers), self.values
        return lambda one, two: (texts[values[one]] > texts[values[two]]) - (texts[values[one]] < texts[values[two]])

    def keep(self, chosen: Sequence[bool]) -> None:
        """Leave out the messages that are not chosen, and the texts that nobody has any more."""
        texts = list(self._numbers)
        left = [texts[value] for value in compress(self.values, chosen)]
        self._begin()
        self.extend(left)

    @property
    def weight(self) -> int:
        """About how many octets this takes."""
        return 8 * len(self.values) + OCTETS_OF_TEXT * len(self._numbers)
