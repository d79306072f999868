"""Proof over HTTP that a name is ours (RFC 8555 §8.3): answers that our own listener for HTTP gives.

Nothing is found but what an order under way asks for, under the name that it asks for.
"""

from __future__ import annotations

__all__ = ["HttpChallenges"]

from collections.abc import Mapping, Sequence

from hongyan.domains.authority import Challenge, ChallengeKind


class HttpChallenges:
    """The answers of the moment; a `Solver`."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], str] = {}

    @property
    def kind(self) -> ChallengeKind:
        return "http-01"

    async def show(self, challenges: Sequence[Challenge]) -> Mapping[str, str]:
        for challenge in challenges:
            self._answers[challenge.name, challenge.token] = challenge.answer
        return {}

    async def remove(self, challenges: Sequence[Challenge]) -> None:
        for challenge in challenges:
            self._answers.pop((challenge.name, challenge.token), None)

    def find(self, host: str, token: str) -> str | None:
        """Return the answer to a token under a host name."""
        return self._answers.get((host, token))

    def asks_for(self, host: str) -> bool:
        """Whether an order under way asks for this name."""
        return any(name == host for name, _ in self._answers)
