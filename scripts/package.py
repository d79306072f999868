"""The build hook of the wheel: the web client is built before it is packed."""

from __future__ import annotations

import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["ClientHook"]

sys.path.insert(0, str(Path(__file__).resolve().parent))


class ClientHook(BuildHookInterface):  # type: ignore[type-arg] # its configuration is none of ours
    """Builds the client with the Node that the build asks for."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:  # noqa: ARG002 - as hatchling calls it
        from webclient import build

        build()
