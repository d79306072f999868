"""From inputs that make sense to inputs that almost do: the mutations, and a corpus that learns.

Now and then an input is run under a tracer; one that reaches a line of the package that none before
it did joins the corpus, so that the next mutations begin where this one got to.
"""

from __future__ import annotations

__all__ = ["Corpus", "shrink"]

import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import TraceFunction

MAX_OCTETS = 65536
_TRACED_EVERY = 8
_SHRINK_TRIES = 2000
_PACKAGE = str(Path(__file__).resolve().parents[2] / "hongyan")

# Where grammars of mail turn: line ends, quotes, brackets, escapes, the edges of octets.
_EDGES = b"\x00\r\n\t \"'\\()<>[]{}@:;,.*%&=+-~!|/?#_\x1b\x7f\x80\xbf\xc0\xc3\xe4\xf0\xff"
_NUMBERS = [b"0", b"-1", b"1", b"00", b"2147483648", b"4294967295", b"4294967296", b"9223372036854775808", b"9" * 40]


def _read_tokens() -> list[bytes]:
    lines = Path(__file__).with_name("tokens.txt").read_text().splitlines()
    return [line.encode().decode("unicode_escape").encode("latin-1") for line in lines if not line.startswith("# ")]


_TOKENS = _read_tokens()


class Corpus:
    """Inputs worth mutating, and the lines of the package that they have reached."""

    def __init__(self, seeds: tuple[bytes, ...], seed: int) -> None:
        self.inputs = list(seeds) or [b""]
        self._random = random.Random(seed)
        self._reached: set[tuple[str, int]] = set()
        self._given = 0

    def next_input(self) -> bytes:
        """Return the seeds as they are, then mutations without end."""
        self._given += 1
        if self._given <= len(self.inputs):
            return self.inputs[self._given - 1]
        octets = self._random.choice(self.inputs)
        for _ in range(self._random.choice((1, 1, 1, 2, 2, 4, 8))):
            octets = self._random.choice(_MUTATIONS)(self._random, octets, self._random.choice(self.inputs))
        return octets[:MAX_OCTETS]

    def try_input(self, octets: bytes, test: Callable[[bytes], Exception | None]) -> Exception | None:
        """Run a test on an input, now and then with an eye on where it gets."""
        if self._given > len(self.inputs) and self._given % _TRACED_EVERY:
            return test(octets)
        known = len(self._reached)
        before = sys.gettrace()
        sys.settrace(self._trace)  # Lines of the package only: all else runs at full speed.
        try:
            violation = test(octets)
        finally:
            sys.settrace(before)
        if len(self._reached) > known and octets not in self.inputs:
            self.inputs.append(octets)
        return violation

    def _trace(self, frame: FrameType, event: str, _: object) -> TraceFunction | None:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        if event == "line":
            self._reached.add((frame.f_code.co_filename, frame.f_lineno))
        return self._trace


def shrink(octets: bytes, test: Callable[[bytes], Exception | None]) -> bytes:
    """Return a shorter input that a test fails in the same way: chunks are cut out while it still does."""
    wanted = type(test(octets))
    size, tries = max(len(octets) // 2, 1), 0
    while size and tries < _SHRINK_TRIES:
        start = 0
        while start < len(octets) and tries < _SHRINK_TRIES:
            tries += 1
            shorter = octets[:start] + octets[start + size :]
            if type(test(shorter)) is wanted:
                octets = shorter
            else:
                start += size
        size //= 2
    return octets


def _flip_bits(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    changed = bytearray(octets or b"\0")
    for _again in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _set_edge(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    at = chance.randrange(len(octets) + 1)
    return octets[:at] + bytes([chance.choice(_EDGES)]) + octets[at + chance.randrange(2) :]


def _insert_token(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    at = chance.randrange(len(octets) + 1)
    return octets[:at] + chance.choice(_TOKENS) + octets[at:]


def _change_number(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    digits = [at for at, octet in enumerate(octets[:4096]) if 48 <= octet <= 57]
    if not digits:
        return _insert_token(chance, octets, b"")
    start = end = chance.choice(digits)
    while end < len(octets) and 48 <= octets[end] <= 57:
        end += 1
    return octets[:start] + chance.choice(_NUMBERS) + octets[end:]


def _delete(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    start, end = _span(chance, octets)
    return octets[:start] + octets[end:]


def _repeat(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    start, end = _span(chance, octets)
    times = chance.choice((2, 2, 3, 10, 100, 1000))
    return octets[:end] + octets[start:end][:64] * times + octets[end:]


def _splice(chance: random.Random, octets: bytes, other: bytes) -> bytes:
    return octets[: chance.randrange(len(octets) + 1)] + other[chance.randrange(len(other) + 1) :]


def _cut_short(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    return octets[: chance.randrange(len(octets) + 1)]


def _swap_lines(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    lines = octets.split(b"\r\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def _break_line_end(chance: random.Random, octets: bytes, _: bytes) -> bytes:
    ends = octets.count(b"\r\n")
    if not ends:
        return octets + b"\r\n"
    head = octets.split(b"\r\n", chance.randrange(ends) + 1)
    tail = head.pop()
    return b"\r\n".join(head) + chance.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\0\n", b"")) + tail


def _span(chance: random.Random, octets: bytes) -> tuple[int, int]:
    start = chance.randrange(len(octets) + 1)
    return start, min(len(octets), start + chance.choice((1, 2, 4, 16, 64, 1024)))


_MUTATIONS = (
    _flip_bits,
    _set_edge,
    _insert_token,
    _insert_token,  # Twice as likely: words get further than noise.
    _change_number,
    _delete,
    _repeat,
    _splice,
    _cut_short,
    _swap_lines,
    _break_line_end,
)
