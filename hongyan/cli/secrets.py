"""Where a password comes from: never from the command line, which every user of the machine can read."""

from __future__ import annotations

__all__ = ["Source", "read_password"]

import getpass
import sys
from collections.abc import Mapping
from typing import Literal

from hongyan.cli.fault import UsageFault
from hongyan.cli.words import say

Source = Literal["generate", "prompt", "stdin", "none"]

_MAX_OCTETS = 4096


def read_password(source: Source) -> Mapping[str, object]:
    """Return the parameters of an operation that say which password: one that is given, made up, or none."""
    match source:
        case "generate":
            return {"generate": True}
        case "prompt":
            return {"password": _ask()}
        case "stdin":
            return {"password": _read()}
        case "none":
            return {}


def _ask() -> str:
    if not sys.stdin.isatty():
        raise UsageFault("There is no terminal to ask for a password. Say --password stdin or --password generate.")
    first = getpass.getpass(f"{say('New password')}: ")
    if first != getpass.getpass(f"{say('Once more')}: "):
        raise UsageFault("The two passwords differ. Nothing was changed.")
    return first


def _read() -> str:
    line = sys.stdin.readline(_MAX_OCTETS).rstrip("\r\n")
    if not line:
        raise UsageFault("No password came on the standard input.")
    return line
