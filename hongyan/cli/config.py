"""`config`: is a file good, and what can stand in it?"""

from __future__ import annotations

__all__ = ["app"]

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from hongyan.cli.commands import DEGRADED, DONE, FAILED, Asked, about, command, group
from hongyan.cli.fault import CommandFault, UsageFault
from hongyan.cli.screen import print_json, tell
from hongyan.cli.words import say, translate
from hongyan.configuration.file import ConfigurationFaults, Fault, find_doubts_in
from hongyan.configuration.places import find_file
from hongyan.configuration.reference import Setting, find_settings

app = group("config", "The configuration file.")

_PLAIN = Asked()


@command(app)
def check(
    file: Annotated[Path | None, about("The file; else the one that `serve` would read.")] = None,
    /,
    *,
    asked: Asked = _PLAIN,
) -> int:
    """Say what is wrong with a configuration file, with line and remedy; start nothing."""
    path = find_file(file)
    if path is None:
        raise UsageFault("There is no configuration: name a file.")
    faults: Sequence[Fault] = ()
    doubts: Sequence[Fault] = ()
    try:
        doubts = find_doubts_in(path)
    except ConfigurationFaults as wrong:
        faults = wrong.faults
    if asked.json:
        print_json({"file": str(path), "faults": list(map(_as_json, faults)), "doubts": list(map(_as_json, doubts))})
    else:
        _print_check(path, faults, doubts)
    return FAILED if faults else DEGRADED if doubts else DONE


@command(app)
def describe(
    name: Annotated[str, about("A section, a setting, or the end of its name; else all.")] = "",
    /,
    *,
    asked: Asked = _PLAIN,
) -> int:
    """Print settings: what each does, its type, its default, its unit."""
    settings = find_settings(name)
    if not settings:
        raise CommandFault("not-found", "There is no such setting.")
    if asked.json:
        print_json([_setting_as_json(setting) for setting in settings])
    else:
        for setting in settings:
            unit = f" {setting.unit}" if setting.unit else ""
            tell(f"{setting.path} = {setting.default}{unit}")
            tell(f"    {translate(setting.sentence)} ({translate(setting.kind)})")
    return DONE


def _print_check(path: Path, faults: Sequence[Fault], doubts: Sequence[Fault]) -> None:
    for fault in (*faults, *doubts):
        tell(f"{fault.file}:{fault.line}: {translate(fault.sentence)}")
    if not faults and not doubts:
        tell(say("{path} is good.", path=path))


def _as_json(fault: Fault) -> dict[str, object]:
    return {"line": fault.line, "sentence": translate(fault.sentence)}


def _setting_as_json(setting: Setting) -> dict[str, object]:
    return {
        "name": setting.path,
        "type": setting.kind,
        "default": setting.default,
        "unit": setting.unit,
        "sentence": translate(setting.sentence),
    }
