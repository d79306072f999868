"""QR codes as SVG that a page takes in."""

from __future__ import annotations

__all__ = ["draw_code"]

import io

import segno


def draw_code(text: str) -> str:
    """Return the QR code of a text as an SVG element."""
    drawn = io.BytesIO()
    segno.make(text, micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=True, scale=4, dark="#000", light="#fff", omitsize=False
    )
    return drawn.getvalue().decode().strip()
