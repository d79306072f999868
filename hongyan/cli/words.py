"""What people read, in their language: English as it stands in the code, or Chinese by a catalogue.

The language is that of LC_ALL, LC_MESSAGES or LANG, as everywhere (locale(7)). `say` is for sentences of the command
line itself: its argument is the key of the catalogue, with names in braces for what is put in. `translate` is for
finished sentences that come from further in, errors above all: they are recognised by the same keys.
"""

from __future__ import annotations

__all__ = ["Language", "language", "say", "translate", "translate_to"]

import os
import re
from functools import lru_cache
from typing import Literal

Language = Literal["en", "zh"]

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_PLACE = re.compile(r"\\\{(\w+)\\\}")


def language() -> Language:
    """Return the language of whoever started this program."""
    chosen = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    return "zh" if chosen.startswith("zh") else "en"


def say(sentence: str, /, **values: object) -> str:
    """Return a sentence in the reader's language, with these values in the places of their names."""
    known = _catalogue(language()).get(sentence, sentence)
    return known.format(**values) if values else known


def translate(sentence: str) -> str:
    """Return a finished sentence in the reader's language; as it is, if the catalogue does not know it."""
    return translate_to(language(), sentence)


def translate_to(reader: Language, sentence: str) -> str:
    """Return a finished sentence in a language; as it is, if the catalogue does not know it."""
    catalogue = _catalogue(reader)
    if not catalogue:
        return sentence
    if "\n" in sentence:
        return "\n".join(translate_to(reader, line) for line in sentence.split("\n"))
    if sentence in catalogue:
        return catalogue[sentence]
    for pattern, known in _patterns(reader):
        found = pattern.fullmatch(sentence)
        if found is not None:
            return known.format(**{name: translate_to(reader, value) for name, value in found.groupdict().items()})
    return sentence


@lru_cache(maxsize=2)
def _catalogue(reader: Language) -> dict[str, str]:
    if reader == "en":
        return {}
    from hongyan.cli.chinese import CATALOGUE  # here: whoever reads English does not wait for it

    return CATALOGUE


@lru_cache(maxsize=2)
def _patterns(reader: Language) -> list[tuple[re.Pattern[str], str]]:
    """Return what recognises finished sentences, the most particular first."""
    keys = sorted(
        (key for key in _catalogue(reader) if "{" in key), key=lambda key: -len(_PLACE.sub("", re.escape(key)))
    )
    return [(re.compile(_PLACE.sub(r"(?P<\1>.+?)", re.escape(key))), _catalogue(reader)[key]) for key in keys]
