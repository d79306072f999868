"""What the command line says, in Chinese: the sentence in English, and its translation."""

from __future__ import annotations

__all__ = ["CATALOGUE"]

CATALOGUE: dict[str, str] = {}
