"""Every setting with its sentence, its type, its default and its unit: for the reference page, the example, the CLI."""

from __future__ import annotations

__all__ = ["Section", "Setting", "find_settings", "list_sections", "make_example", "make_page"]

import json
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from hongyan.config import Config
from hongyan.configuration.values import is_section, type_words
from hongyan.options import Option, describe

_HEAD = """\
# Configuration

Made by `make docs` from the settings as the code declares them; do not edit. The same as a file with every default, to
copy from: [hongyan.example.toml](hongyan.example.toml).

One TOML file, which `hongyan serve` looks for in this order: `--config FILE`, `$HONGYAN_CONFIG`, `./hongyan.toml`,
`/etc/hongyan/hongyan.toml`. A setting that is not named has its default. What is not known, of another type or cannot
be together is refused at the start with file, line and remedy; `hongyan config check` says the same without a start.
A relative path starts at the file's own directory. Times are numbers of the unit that is named, sizes too.
"""

_EXAMPLE_HEAD = """\
# Hongyan's configuration, with every setting at its default. A line that begins with #name is a setting: take away
# the # to change it. Made by `make docs` from the code; the same as a page: docs/configuration.md.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `default` is written as TOML."""

    path: str
    kind: str
    default: str
    unit: str
    sentence: str

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the file. `header` is written as TOML; where it stands for several, with an example's name."""

    header: str
    sentence: str
    settings: Sequence[Setting]


def list_sections() -> Sequence[Section]:
    """Return all sections in their order."""
    return list(_walk("", "", Config, Config()))[1:]


def find_settings(name: str) -> Sequence[Setting]:
    """Return the settings of that name: a path, a section or the end of a path; none if nobody has it."""
    everything = [setting for section in list_sections() for setting in section.settings]
    if not name:
        return everything
    exact = [setting for setting in everything if setting.path == name or setting.path.startswith(f"{name}.")]
    return exact or [setting for setting in everything if setting.name == name]


def make_page() -> str:
    """Return the reference page."""
    parts = [_HEAD]
    for section in list_sections():
        parts.append(f"\n## `{section.header}`\n\n{section.sentence}\n")
        if section.settings:
            parts.append("\n| setting | type | default | unit | |\n|--|--|--|--|--|\n")
            parts += map(_row, section.settings)
    return "".join(parts)


def make_example() -> str:
    """Return a file with every setting at its default, commented."""
    parts = [_EXAMPLE_HEAD]
    for section in list_sections():
        parts.append(f"\n\n# {section.sentence}\n#{section.header}\n")
        for setting in section.settings:
            unit = f" ({setting.unit})" if setting.unit else ""
            parts.append(f"\n# {setting.sentence}{unit}\n#{setting.name} = {setting.default}\n")
    return "".join(parts)


def _walk(header: str, sentence: str, kind: type[object], default: object) -> Iterator[Section]:
    """Yield a section and those within it."""
    options = [(option, getattr(default, option.name)) for option in describe(kind)]
    settings = [_setting(header, option, value) for option, value in options if not _holds_sections(option.kind)]
    yield Section(f"[{header}]", sentence, settings)
    for option, value in options:
        if _holds_sections(option.kind):
            yield from _walk_inner(f"{header}.{option.name}".lstrip("."), option, value)


def _walk_inner(path: str, option: Option, value: object) -> Iterator[Section]:
    if is_section(option.kind):
        yield from _walk(path, option.doc, option.kind, value)
        return
    arguments = typing.get_args(option.kind)
    element = arguments[-1] if typing.get_origin(option.kind) is dict else arguments[0]
    if typing.get_origin(option.kind) is dict:
        names = ", ".join(typing.get_args(arguments[0]))
        which = f" NAME is one of: {names}." if names else ""
        yield from _walk(f"{path}.NAME", f"{option.doc}{which}", element, element())
        return
    settings = [_setting(path, inner, inner.default) for inner in describe(element)]
    yield Section(f"[[{path}]]", option.doc, settings)


def _setting(section: str, option: Option, default: object) -> Setting:
    path = f"{section}.{option.name}" if section else option.name
    return Setting(path, type_words(option.kind), _toml(default), option.unit or "", option.doc)


def _holds_sections(kind: object) -> bool:
    """Whether values of the type are sections, or tables or lists of sections."""
    return is_section(kind) or any(is_section(argument) for argument in typing.get_args(kind))


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Enum():
            return json.dumps(value.value)
        case tuple() | list():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{key} = {_toml(element)}" for key, element in value.items()) + "}"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def _row(setting: Setting) -> str:
    sentence = setting.sentence.replace("|", "\\|")
    return f"| `{setting.name}` | {setting.kind} | `{setting.default}` | {setting.unit} | {sentence} |\n"
