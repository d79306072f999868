"""What goes wrong in a command."""

from __future__ import annotations

__all__ = ["CommandFault", "UsageFault"]

from hongyan.errors import UserFault


class UsageFault(UserFault):
    """The command itself was wrong: nothing was tried."""


class CommandFault(UserFault):
    """It could not be done. `kind` is the name of the error, as programs read it."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self._kind = kind

    @property
    def kind(self) -> str:
        return self._kind
