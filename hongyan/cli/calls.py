"""What a command asks of a service, whichever way it reaches it."""

from __future__ import annotations

__all__ = ["Backend", "Document", "Progress", "make_fault"]

from collections.abc import Callable, Mapping
from typing import Protocol

from hongyan.cli.fault import CommandFault, UsageFault

Document = Mapping[str, object]
Progress = Callable[[int, int], None]
"""Is told what is done, and how much there is to do."""

_USAGE_KINDS = frozenset({"address-fault"})


class Backend(Protocol):
    """Carries operations out."""

    def call(self, method: str, parameters: Document, progress: Progress) -> Document:
        """Do it, and return the answer. Raises `CommandFault` or `UsageFault`."""
        ...


def make_fault(kind: str, sentence: str) -> CommandFault | UsageFault:
    """Return an error as the operation told it."""
    return UsageFault(sentence) if kind in _USAGE_KINDS else CommandFault(kind, sentence)
