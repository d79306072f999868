"""A cause, as the catalogue of answers tells it in both languages: the one that the reader speaks."""

from __future__ import annotations

__all__ = ["advice_words", "cause_words"]

from hongyan.cli.words import language


def cause_words(cause: object) -> str:
    """Return what is wrong; nothing where there is no cause."""
    return _told(cause, "english", "chinese")


def advice_words(cause: object) -> str:
    """Return what the sender can do."""
    return _told(cause, "advice", "advice_chinese")


def _told(cause: object, english: str, chinese: str) -> str:
    return str(cause[chinese if language() == "zh" else english]) if isinstance(cause, dict) else ""
