"""Where the configuration lies. Kept free of everything that takes long to import: each command asks."""

from __future__ import annotations

__all__ = ["VARIABLE", "find_data", "find_file"]

import os
import tomllib
from pathlib import Path

VARIABLE = "HONGYAN_CONFIG"
_NAME = "hongyan.toml"
_SYSTEM = Path("/etc/hongyan")


def find_file(given: Path | None = None) -> Path | None:
    """Return the file to read: the one given, that of the environment, that of this directory, that of the system."""
    named = given or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is not None:
        return named
    return next((folder / _NAME for folder in (Path(), _SYSTEM) if (folder / _NAME).is_file()), None)


def find_data(path: Path) -> Path | None:
    """Return the data directory that a file names; None if it does not say, or says something that is wrong."""
    try:
        server = tomllib.loads(path.read_text()).get("server")
    except (OSError, ValueError):
        return None
    data = server.get("data") if isinstance(server, dict) else None
    return path.absolute().parent / data if isinstance(data, str) else None
