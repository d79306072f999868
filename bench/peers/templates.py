"""Configuration templates: `@NAME@` is filled in, all else is as it stands in the file."""

from __future__ import annotations

__all__ = ["fill_in"]

import re
from pathlib import Path

_FOLDER = Path(__file__).parent


def fill_in(template: str, **values: object) -> str:
    """Return a template of this folder with its gaps filled; each gap needs a value and each value a gap."""
    text = (_FOLDER / template).read_text()
    gaps = set(re.findall(r"@([A-Z0-9]+)@", text))
    if gaps != set(values):
        raise ValueError(f"{template} has the gaps {sorted(gaps)}, not {sorted(values)}")
    return re.sub(r"@([A-Z0-9]+)@", lambda gap: str(values[gap[1]]), text)
