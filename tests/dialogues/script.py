"""Dialogues as text: scenes of lines that a client says, lines that the server answers, and sentences between.

README.md tells the form. Reading a script does nothing yet; `play` acts it out.
"""

from __future__ import annotations

__all__ = ["Act", "Hear", "Say", "Scene", "ScriptFault", "Step", "read_scenes"]

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(?P<who>[CS])(?P<number>[0-9]?)(?P<kind>[+*]?):(?: (?P<text>.*))?")
_TIMES = re.compile(r"(.*) \{([0-9]+) times\}")
_INDENT = "    "


class ScriptFault(Exception):
    """The script itself is not well formed."""


@dataclass(frozen=True, slots=True)
class Say:
    """What a client sends in one write: lines, each with CRLF, or octets as they are (`raw`)."""

    at: int
    connection: str
    lines: tuple[str, ...]
    raw: bool


@dataclass(frozen=True, slots=True)
class Hear:
    """A line that the server has to send next, and how many times; `is_regex`: any that matches."""

    at: int
    connection: str
    text: str
    is_regex: bool
    times: int = 1


@dataclass(frozen=True, slots=True)
class Act:
    """A sentence for the stage, with the indented lines below it."""

    at: int
    sentence: str
    block: tuple[str, ...]


Step = Say | Hear | Act


@dataclass(frozen=True, slots=True)
class Scene:
    """One test: what all scenes of the file begin with, then its own steps."""

    file: Path
    title: str
    steps: tuple[Step, ...]


def read_scenes(file: Path) -> list[Scene]:
    """Return the scenes of a file."""
    lines = list(enumerate(file.read_text().splitlines(), start=1))
    heads = [index for index, (_, line) in enumerate(lines) if line.startswith("== ")]
    if not heads:
        raise ScriptFault(f"{file}: no scene; one begins with == and its title")
    prologue = tuple(_read_steps(lines[: heads[0]]))
    scenes = []
    for index, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        title = lines[index][1].removeprefix("== ").strip()
        scenes.append(Scene(file, title, prologue + tuple(_read_steps(lines[index + 1 : end]))))
    titles = [scene.title for scene in scenes]
    if len(set(titles)) != len(titles):
        raise ScriptFault(f"{file}: two scenes have the same title")
    return scenes


def _read_steps(lines: list[tuple[int, str]]) -> Iterator[Step]:
    at = 0
    while at < len(lines):
        number, line = lines[at]
        at += 1
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            block, at = _read_block(lines, at)
            yield Act(number, " ".join(line.split()), block)
        elif match["who"] == "S":
            text, times = match["text"] or "", _TIMES.fullmatch(match["text"] or "")
            said, count = (times[1], int(times[2])) if times else (text, 1)
            yield Hear(number, match["number"], said, match["kind"] == "*", count)
        else:
            raw = match["kind"] == "+"
            speech = [match["text"] or ""]
            while at < len(lines) and (more := _same_speech(lines[at][1], match)) is not None:
                speech.append(more)
                at += 1
            yield Say(number, match["number"], tuple(speech), raw)


def _same_speech(line: str, first: re.Match[str]) -> str | None:
    """Return the text of a line that leaves in the same write as the one before, or None."""
    match = _LINE.fullmatch(line)
    if match is None or match.group("who", "number", "kind") != first.group("who", "number", "kind"):
        return None
    return match["text"] or ""


def _read_block(lines: list[tuple[int, str]], at: int) -> tuple[tuple[str, ...], int]:
    """Return the indented lines from `at` on; an empty line between two of them belongs to them."""
    block: list[str] = []
    end = at
    for index in range(at, len(lines)):
        line = lines[index][1]
        if line.startswith(_INDENT):
            block += [""] * (index - end) + [line.removeprefix(_INDENT)]
            end = index + 1
        elif line.strip():
            break
    return tuple(block), end
