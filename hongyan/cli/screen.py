"""What the operator sees: one JSON document, or sentences and tables. NO_COLOR is respected (https://no-color.org)."""

from __future__ import annotations

__all__ = ["console", "fail", "moment_words", "octets_words", "print_json", "print_lines", "print_table", "tell"]

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from hongyan.cli.words import say, translate

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_WIDTH = 160
_ERROR_STYLE = "bold red"


def print_json(document: object) -> None:
    """Print a document on one line, for programs."""
    print(json.dumps(document, ensure_ascii=False), flush=True)


def tell(sentence: str) -> None:
    """Print a line as it is, however long: people copy it."""
    console().print(sentence, soft_wrap=True, highlight=False, markup=False)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        tell(line)


def fail(kind: str, sentence: str, code: int, *, as_json: bool) -> int:
    """Say why it could not be done, and return the exit code."""
    said = translate(sentence)
    if as_json:
        print_json({"error": {"kind": kind, "sentence": said}})
    else:
        lines = console(errors=True)
        lines.print(f"{say('Error')}: ", style=_ERROR_STYLE, end="", highlight=False)
        lines.print(said, soft_wrap=True, highlight=False, markup=False)
    return code


def print_table(
    heads: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", empty: str = "There is none."
) -> None:
    """Print rows under translated heads; without rows, a sentence."""
    from rich.table import Table
    from rich.text import Text

    lines = [[Text(str(cell)) for cell in row] for row in rows]
    if not lines:
        tell(say(empty))
        return
    table = Table(*map(say, heads), box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for line in lines:
        table.add_row(*line)
    console().print(table)


@lru_cache(maxsize=2)
def console(*, errors: bool = False) -> Console:
    """Return where text goes: as wide as the terminal, or wide enough where nobody folds lines."""
    from rich.console import Console

    stream = sys.stderr if errors else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else _PIPED_WIDTH)


def moment_words(moment: object) -> str:
    """Return a moment, told in ISO 8601, as people read it: `2026-11-23 12:48:28Z`, to the second and in UTC."""
    return "" if not moment else f"{datetime.fromisoformat(str(moment)).astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def octets_words(octets: object) -> str:
    """Return a size as people read it: `1.5 MiB`; of none, nothing."""
    if not isinstance(octets, int):
        return ""
    size = float(octets)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if size >= 100 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
