"""One TOML file becomes a `Config`, or is refused with every fault that it has: file, line and remedy.

A key that no section has is a fault (a setting that is spelled wrong must not be off in silence), so is a value of
another type, and so is what cannot be together (`configuration.conflicts`). Relative paths start at the file's own
directory.
"""

from __future__ import annotations

__all__ = ["ConfigurationFaults", "Fault", "find_doubts_in", "load_config", "read_config"]

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hongyan.config import Config
from hongyan.configuration.conflicts import find_conflicts, find_doubts
from hongyan.configuration.positions import KeyPath, find_line, find_lines
from hongyan.configuration.values import WrongValue, build
from hongyan.errors import ConfigurationError

_LARGEST = 1 << 20
_TOML_LINE = re.compile(r" ?\(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one place of a file."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


class ConfigurationFaults(ConfigurationError):
    """The file has these faults."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def load_config(path: Path) -> Config:
    """Read a configuration file. Raises `ConfigurationFaults`, or `ConfigurationError` when there is no such file."""
    return read_config(_read(path), path)


def read_config(text: str, path: Path) -> Config:
    """Read a configuration from the text of a file. Raises `ConfigurationFaults`."""
    tables = _parse(text, path)
    lines = find_lines(text)
    wrong: list[WrongValue] = []
    config = build(Config, tables, (), wrong, path.absolute().parent)
    if config is not None and not wrong:
        wrong += find_conflicts(config)
    if wrong or config is None:
        raise ConfigurationFaults(_place(wrong, path, lines))
    return config


def find_doubts_in(path: Path) -> Sequence[Fault]:
    """Return what a server can run with, and an operator rarely wants. Raises as `load_config` does."""
    text = _read(path)
    config = read_config(text, path)
    return _place(find_doubts(config), path, find_lines(text))


def _read(path: Path) -> str:
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    if len(octets) > _LARGEST:
        raise ConfigurationError(f"{path} is too large to be a configuration.")
    try:
        return octets.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ConfigurationFaults([Fault(str(path), line, "This is not UTF-8. Save the file as UTF-8.")]) from error


def _place(wrong: Iterable[WrongValue], path: Path, lines: Mapping[KeyPath, int]) -> Sequence[Fault]:
    """Return faults with their lines, in their order, each once."""
    faults = {Fault(str(path), find_line(lines, fault.path), fault.sentence): None for fault in wrong}
    return sorted(faults, key=lambda fault: fault.line)


def _parse(text: str, path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        place = _TOML_LINE.search(said)
        line = int(place[1]) if place else text.count("\n") + 1
        reason = _TOML_LINE.sub("", said).removesuffix(" (at end of document)")
        raise ConfigurationFaults([Fault(str(path), line, f"This is not TOML: {reason}.")]) from error
