"""What a request may take, by where it goes: most are small and quick, an upload is neither."""

from __future__ import annotations

__all__ = ["Allowance", "Allowances", "usual_allowances"]

from collections.abc import Mapping
from dataclasses import dataclass

from hongyan.web.options import WebOptions


@dataclass(frozen=True, slots=True)
class Allowance:
    """Octets of the body, and seconds until the answer has gone; None: the route itself ends it."""

    max_body: int
    timeout: float | None


class Allowances:
    """What each place allows: the longest beginning of the path decides."""

    def __init__(self, usual: Allowance, places: Mapping[str, Allowance] | None = None) -> None:
        self._usual = usual
        self._places = sorted((places or {}).items(), key=lambda place: len(place[0]), reverse=True)

    def find(self, path: str) -> Allowance:
        """Return what a request for this path may take."""
        return next((allowance for beginning, allowance in self._places if path.startswith(beginning)), self._usual)


def usual_allowances(options: WebOptions, places: Mapping[str, Allowance] | None = None) -> Allowances:
    """Return what requests may take by the options, and in places of their own."""
    return Allowances(Allowance(options.max_body, options.request_timeout), places)
