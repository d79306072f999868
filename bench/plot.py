"""Small panels of one line each, drawn as SVG: growth over sizes, both axes logarithmic."""

from __future__ import annotations

__all__ = ["Panel", "plot"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 250, 190  # of a panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 34, 30  # its margins
_INSET = 18  # between the frame and the first and last size
_COLUMNS = 3
_STYLE = """
text { font: 11px system-ui, sans-serif; fill: #444 } .title { font-weight: 600; font-size: 12px; fill: #111 }
.grid { stroke: #ddd } .line { fill: none; stroke: #1f6feb; stroke-width: 2 } .dot { fill: #1f6feb }
.value { font-size: 10px; fill: #111 } .paper { fill: #fff }
@media (prefers-color-scheme: dark) {
 text { fill: #aaa } .title, .value { fill: #eee } .grid { stroke: #333 } .line { stroke: #6cb0ff }
 .dot { fill: #6cb0ff } .paper { fill: #0d1117 }
}
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """A value for each size; all are more than nothing."""

    title: str
    unit: str
    sizes: Sequence[float]
    values: Sequence[float]


def plot(panels: Sequence[Panel]) -> str:
    """Return the drawing of all panels, three in a row."""
    columns = min(_COLUMNS, len(panels))
    width, height = columns * _WIDTH, -(-len(panels) // columns) * _HEIGHT
    drawn = [_draw(panel, each % columns * _WIDTH, each // columns * _HEIGHT) for each, panel in enumerate(panels)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<style>{_STYLE}</style><rect class="paper" width="{width}" height="{height}"/>{"".join(drawn)}</svg>\n'
    )


def _draw(panel: Panel, left: int, top: int) -> str:
    low, high = _decades(panel.values)
    first, last = _decades(panel.sizes)

    def x(size: float) -> float:
        return _LEFT + _INSET + (math.log10(size) - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT - 2 * _INSET)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (math.log10(value) - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    points = [(x(size), y(value)) for size, value in zip(panel.sizes, panel.values, strict=True)]
    parts = [f'<text class="title" x="{_LEFT}" y="18">{escape(panel.title)}, {escape(panel.unit)}</text>']
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for power in range(first, last + 1):
        name = f"{10**power:,}"
        parts.append(f'<text x="{x(10.0**power):.1f}" y="{_HEIGHT - 10}" text-anchor="middle">{name}</text>')
    parts.append(f'<path class="line" d="M{"L".join(f"{a:.1f} {b:.1f}" for a, b in points)}"/>')
    for (a, b), value in zip(points, panel.values, strict=True):
        parts.append(f'<circle class="dot" cx="{a:.1f}" cy="{b:.1f}" r="3"/>')
        parts.append(f'<text class="value" x="{a:.1f}" y="{b - 7:.1f}" text-anchor="middle">{value:.3g}</text>')
    return f'<g transform="translate({left} {top})">{"".join(parts)}</g>'


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Return the powers of ten that hold them all, two at least."""
    low = math.floor(math.log10(min(values)))
    return low, max(math.ceil(math.log10(max(values))), low + 1)
