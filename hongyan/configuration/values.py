"""From the values of TOML to those of a section: types, nested tables, names that nobody knows.

What is wrong is noted and the reading goes on, so that an operator sees all of it at once.
"""

from __future__ import annotations

__all__ = ["WrongValue", "build", "dotted", "is_section", "type_words"]

import dataclasses
import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, TypeGuard, TypeVar

from hongyan.config import Config
from hongyan.configuration.positions import KeyPath
from hongyan.errors import HongyanError
from hongyan.options import describe

Section = TypeVar("Section")

_WORD = re.compile(r"[a-z][a-z0-9_]*")
_PATH = "path"

_WORDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}


@dataclass(frozen=True, slots=True)
class WrongValue:
    """A key or a value that cannot be, and what to do about it."""

    path: KeyPath
    sentence: str


def build(
    section: type[Section],
    table: Mapping[str, object],
    path: KeyPath,
    wrong: list[WrongValue],
    base: Path,
    default: Section | None = None,
) -> Section | None:
    """Return a section made of a table and, for what that does not say, of a default; None if it cannot be.

    Faults are added to `wrong`; relative paths start at `base`.
    """
    before = len(wrong)
    known = {option.name: option for option in describe(section)}
    wrong += [WrongValue((*path, key), _unknown(key, path, list(known))) for key in table if key not in known]
    values: dict[str, object] = {}
    for option in known.values():
        start = option.default if default is None else getattr(default, option.name)
        if option.name in table:
            values[option.name] = _convert(option.kind, table[option.name], start, (*path, option.name), wrong, base)
        elif is_section(option.kind):
            values[option.name] = _convert(option.kind, {}, start, (*path, option.name), wrong, base)
        else:
            values[option.name] = start
        if option.unit == _PATH and values[option.name]:
            values[option.name] = str(base / str(values[option.name]))
    if len(wrong) > before:
        return None
    try:
        return section(**values)
    except (ValueError, HongyanError) as error:
        said = str(error).rstrip(".")
        wrong.append(WrongValue(_place(said, table, path), f"{dotted(path)}: {said}."))
        return None


def _convert(
    kind: object, value: object, default: object, path: KeyPath, wrong: list[WrongValue], base: Path
) -> object:
    """Return a value as the type `kind` wants it; None, with the fault noted, if it cannot be."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if is_section(kind) and isinstance(value, dict):
        return build(kind, value, path, wrong, base, default if isinstance(default, kind) else None)
    if origin is tuple and isinstance(value, list):
        return tuple(
            _convert(arguments[0], element, None, (*path, index), wrong, base) for index, element in enumerate(value)
        )
    if origin is dict and isinstance(value, dict):
        names = [str(name) for name in typing.get_args(arguments[0])]
        known = {key: element for key, element in value.items() if not names or key in names}
        wrong += [WrongValue((*path, key), _unknown(key, path, names)) for key in value if key not in known]
        return {key: _convert(arguments[1], known[key], None, (*path, key), wrong, base) for key in known}
    return _convert_plain(kind, value, path, wrong)


def _convert_plain(kind: object, value: object, path: KeyPath, wrong: list[WrongValue]) -> object:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind or (typing.get_origin(kind) is Literal and value in typing.get_args(kind)):
        return value
    if isinstance(kind, type) and issubclass(kind, Enum) and value in {member.value for member in kind}:
        return kind(value)
    wrong.append(WrongValue(path, f"{dotted(path)} is {type_words(kind)}, and not {_shown(value)}."))
    return None


def is_section(kind: object) -> TypeGuard[type[object]]:
    """Whether the values of that type are sections: tables with options of their own."""
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def dotted(path: KeyPath) -> str:
    """Return the name of a setting as people write it: `listen.smtp.port`, `certificates[0].chain`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def type_words(kind: object) -> str:
    """Return what a value of that type is, in words."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return _one_of(map(str, arguments))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _one_of(str(member.value) for member in kind)
    if origin is tuple:
        return f"a list, each element {type_words(arguments[0])}"
    if origin is dict or is_section(kind):
        return "a table"
    return _WORDS.get(kind, str(kind))


def _one_of(values: Iterator[str] | map[str]) -> str:
    return "one of " + ", ".join(f'"{value}"' for value in values)


def _shown(value: object) -> str:
    match value:
        case str():
            return f'the text "{value[:40]}"'
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"the date {value}"


def _unknown(key: str, path: KeyPath, names: list[str]) -> str:
    said = f'There is no setting "{dotted((*path, key))}".'
    near = difflib.get_close_matches(key, names, 1)
    if near:
        return f'{said} Did you mean "{near[0]}"?'
    elsewhere = _elsewhere(key)
    if elsewhere:
        return f'{said} It stands in another section: "{elsewhere}".'
    return f"{said} Here may stand: {', '.join(names)}."


def _elsewhere(key: str) -> str:
    """Return where a setting of that name belongs, if there is one such place."""
    found = [
        f"{section.name}.{key}"
        for section in describe(Config)
        if is_section(section.kind) and key in {option.name for option in describe(section.kind)}
    ]
    return found[0] if len(found) == 1 else ""


def _place(said: str, table: Mapping[str, object], path: KeyPath) -> KeyPath:
    """A section says what is wrong in words: the first of its settings that it names is the place to look at."""
    named = [word for word in _WORD.findall(said) if word in table] or list(table)
    return (*path, named[0]) if named else path
