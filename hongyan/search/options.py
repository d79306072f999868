"""The section `[search]` of the configuration."""

from __future__ import annotations

__all__ = ["SearchOptions"]

from dataclasses import dataclass

from hongyan.options import option


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The section `[search]`."""

    index: bool = option(True, "Keep an index of the words of all mail; without it every search reads the messages.")
    share: float = option(0.25, "Share of its time that the server gives to indexing while there is something to do.")
    settle: float = option(5.0, "How long new mail may wait, so that more of it is indexed together.", unit="s")
    reserve: int = option(
        256,
        "Free disk space that the index leaves to mail; `reserve` of `[storage]` is the least.",
        unit="MiB",
    )

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 or not 0 <= self.settle <= 3600:
            raise ValueError("share lies above 0 and is at most 1, settle is from 0 to 3600 seconds")
        if self.reserve < 0:
            raise ValueError("reserve: not below 0")
