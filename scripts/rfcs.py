"""Make docs/rfcs.md from the citations in the package: "RFC 9051 §6.4.5" in a docstring or a comment.

A row says where an RFC is obeyed and how far: whoever follows a rule cites it, and whoever looks
for the rule finds the module. How far is told by `rfc_status`, by hand; an RFC that is not in it is
followed in the sections that are cited. What is announced to clients comes first (`extensions`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import extensions
from rfc_status import STATUS
from rfc_titles import TITLES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "hongyan"
PAGE = ROOT / "docs" / "rfcs.md"

LINK = "[{0}](https://www.rfc-editor.org/rfc/rfc{0})"
AS_CITED = "as cited"

_GAP = r"[\s#]+"  # A citation may be broken over two lines of a comment.
_SECTION = r"§§?\s?([0-9]+(?:\.[0-9]+)*|[A-Z](?:\.[0-9]+)*)"
_CITATION = re.compile(rf"RFC{_GAP}([0-9]{{3,5}})((?:[\s#,/]|\b(?:and|or)\b|{_SECTION})*)")
_SECTIONS = re.compile(_SECTION)

HEAD = """\
# RFCs

Made by `make docs` from the code; do not edit. Two chapters: what clients are offered, beside what servers of this kind
offer (`scripts/extensions.py`; the status is read from what EHLO, CAPABILITY and CAPA say); and which RFC is followed
where, made from the citations in the code (`scripts/rfcs.py`; how far: `scripts/rfc_status.py`).

## Extensions and goals

*must*: for the first release that is whole; *should* and *later* follow; what is *not pursued* says why.
"""

CITED = """
## Cited in the code

| RFC | title | status | sections cited | where |
|--|--|--|--|--|
"""


class UnknownRfc(Exception):
    """A module cites an RFC whose title is not in scripts/rfc_titles.py."""


@dataclass(slots=True)
class Row:
    sections: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)


def make() -> str:
    """Return the page."""
    rows: defaultdict[int, Row] = defaultdict(Row)
    for path in sorted(PACKAGE.rglob("*.py")):
        for number, sections in citations(path.read_text()):
            rows[number].sections |= sections
            rows[number].places.add(place(path))
    numbers = {*rows, *STATUS, *extensions.numbers()}
    if unknown := sorted(numbers - TITLES.keys()):
        raise UnknownRfc(f"give a title in scripts/rfc_titles.py to RFC {', '.join(map(str, unknown))}")
    cited = "".join(line(number, rows[number]) for number in sorted(rows))
    return HEAD + extensions.chapters(LINK) + CITED + cited


def citations(source: str) -> list[tuple[int, set[str]]]:
    """Return the RFCs that a source cites, each with the sections named right after it."""
    return [(int(found[1]), set(_SECTIONS.findall(found[2]))) for found in _CITATION.finditer(source)]


def place(path: Path) -> str:
    """Two levels are enough to find it: `wire/imap`, `addresses`."""
    return "/".join(path.relative_to(PACKAGE).with_suffix("").parts[:2]).removesuffix("/__init__")


def line(number: int, row: Row) -> str:
    sections = ", ".join(f"§{section}" for section in sorted(row.sections, key=natural))
    places = ", ".join(f"`{name}`" for name in sorted(row.places))
    return f"| {LINK.format(number)} | {TITLES[number]} | {STATUS.get(number, AS_CITED)} | {sections} | {places} |\n"


def natural(section: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in section.split(".")]
