"""What single parts of our own server cost: it runs whole, and again without each of them, in alternating rounds."""

from __future__ import annotations

__all__ = ["WHOLE", "costs_of", "parse_variants"]

from collections.abc import Mapping, Sequence

from bench.composition import PARTS
from bench.figures import Spread, paired_ratios
from bench.report import Report
from bench.rounds import Measurement

WHOLE = "whole"


def parse_variants(text: str) -> Mapping[str, frozenset[str]]:
    """Return what each server is to lack, by the name of the server.

    >>> [(name, sorted(parts)) for name, parts in parse_variants("consumers,timelines+correspondents").items()]
    [('whole', []), ('consumers', ['consumers']), ('timelines+correspondents', ['correspondents', 'timelines'])]
    """
    variants = {name: frozenset(name.split("+")) for name in text.split(",")}
    if not frozenset().union(*variants.values()) <= PARTS:
        raise ValueError(f"parts are {', '.join(sorted(PARTS))}; + leaves out several of them together")
    return {WHOLE: frozenset()} | variants


def costs_of(report: Report) -> str:
    """Return a table: of each piece of work, what each part takes of the CPU that it takes without the part."""
    names = [name for name in report.servers if name != WHOLE]
    head = ["work", f"{WHOLE}, ms", *(f"{name}: ms" for name in names), *(f"{name}: adds" for name in names)]
    rows = [[one.name, *_figures(one, [WHOLE, *names]), *_costs(one, names)] for one in report.measurements]
    rule = ["--", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _figures(one: Measurement, names: Sequence[str]) -> list[str]:
    return ["–" if (cpu := one.cpu(name)) is None else f"{cpu.median:.3f}" for name in names]


def _costs(one: Measurement, names: Sequence[str]) -> list[str]:
    return [_percent(_ratio(one, name)) for name in names]


def _ratio(one: Measurement, name: str) -> Spread | None:
    pairs = one.paired(WHOLE, name)
    return paired_ratios([whole.cpu_ms for whole, _ in pairs], [less.cpu_ms for _, less in pairs])


def _percent(ratio: Spread | None) -> str:
    """The median, and in brackets the lowest and the highest of the rounds."""
    if ratio is None:
        return "–"
    median, low, high = (100 * (value - 1) for value in (ratio.median, ratio.low, ratio.high))
    return f"{median:+.1f} % ({low:+.1f} … {high:+.1f})"
