"""What is wrong with a report that somebody sent."""

from __future__ import annotations

__all__ = ["ReportFault"]

from hongyan.errors import PeerFault


class ReportFault(PeerFault):
    """It is no report, or none that is read here. The cause says why; it holds nothing that a stranger wrote."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause=cause)
