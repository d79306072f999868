"""What every service stands on."""

from __future__ import annotations

__all__ = ["Ground"]

from dataclasses import dataclass
from pathlib import Path

from hongyan.assembly.engines import Engines
from hongyan.clock import Clock, Random
from hongyan.config import Config
from hongyan.engines.sql.units import SqlDatabase
from hongyan.servers.wheel import Wheel


@dataclass(frozen=True, slots=True)
class Ground:
    """Configuration, engines, time and chance."""

    config: Config
    engines: Engines
    clock: Clock
    random: Random
    wheel: Wheel

    @property
    def database(self) -> SqlDatabase:
        return self.engines.storage.database

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.engines.directory.path
