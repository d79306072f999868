"""The virus scanner: is it there, what does it know?"""

from __future__ import annotations

__all__ = ["virus_operations"]

from collections.abc import Mapping

from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services
from hongyan.operations.calling import Caller, Document, Operation


def virus_operations(ground: Ground, services: Services) -> Mapping[str, Operation]:
    """Return the operations on the virus scanner, by name."""
    group = _Virus(ground, services)
    return {"virus.status": group.status}


class _Virus:
    def __init__(self, ground: Ground, services: Services) -> None:
        self._options = ground.config.virus
        self._clamd = services.screening.clamd

    async def status(self, caller: Caller) -> Document:  # noqa: ARG002
        """Ask the scanner whether it serves, and tell the settings."""
        options, clamd = self._options, self._clamd
        return {
            "clamd": options.clamd,
            "serves": clamd is not None and await clamd.serves(),
            "version": "" if clamd is None else await clamd.version(),
            "on_infected": options.on_infected,
            "on_failure": options.on_failure,
            "on_too_large": options.on_too_large,
            "largest": options.largest,
        }
