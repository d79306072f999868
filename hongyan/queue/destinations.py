"""What is set for single destinations, and what holds for all others."""

from __future__ import annotations

__all__ = ["DestinationOptions", "Destinations"]

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from hongyan.addresses import Domain
from hongyan.options import option
from hongyan.queue.providers import Limits
from hongyan.queue.schedule import Schedule
from hongyan.store.queue import Claim


@dataclass(frozen=True, slots=True)
class DestinationOptions:
    """One entry of `[destinations]`: a domain, or the organisation of the hosts that serve it."""

    concurrency: int = option(0, "Deliveries at the same time; 0: as for all.")
    per_minute: int = option(0, "Deliveries within a minute; 0: any number.")
    pauses: tuple[int, ...] = option((), "Pauses before the next attempts; none: as for all.", unit="minutes")
    lifetime: int = option(0, "How long a message is tried; 0: as for all.", unit="hours")

    def __post_init__(self) -> None:
        if min(self.concurrency, self.per_minute, self.lifetime) < 0 or any(pause < 1 for pause in self.pauses):
            raise ValueError("what is set for a destination is not negative, and its pauses are one minute or longer")


class Destinations:
    """The rules for destinations: by their own name, by that of their provider, or the common ones."""

    def __init__(self, rules: Mapping[str, DestinationOptions], schedule: Schedule, *, first: int, most: int) -> None:
        """`first` and `most` are deliveries at a time to a provider that nothing is set for."""
        self._rules = {Domain.parse(name).text: rule for name, rule in rules.items()}
        self._schedule = schedule
        self._common = Limits(first, most)

    @property
    def schedules(self) -> list[Schedule]:
        """All schedules that are in use."""
        return [self._schedule, *(self._of(rule) for rule in self._rules.values())]

    def limits(self, name: str) -> Limits:
        """Return the limits of a provider."""
        rule = self._rules.get(name)
        if rule is None:
            return self._common
        most = rule.concurrency or self._common.most
        return Limits(min(self._common.first, most), most, rule.per_minute)

    def schedule(self, destination: str, provider: str) -> Schedule:
        """Return when a destination is tried again."""
        rule = self._find(destination, provider)
        return self._schedule if rule is None else self._of(rule)

    def bound(self, claim: Claim, provider: str) -> Claim:
        """Return the claim with the lifetime that its destination has."""
        rule = self._find(claim.destination, provider)
        if rule is None or not rule.lifetime:
            return claim
        message = claim.message
        expires = min(message.expires, message.not_before + timedelta(hours=rule.lifetime))
        return replace(claim, message=replace(message, expires=expires))

    def _find(self, destination: str, provider: str) -> DestinationOptions | None:
        return self._rules.get(destination) or self._rules.get(provider)

    def _of(self, rule: DestinationOptions) -> Schedule:
        return replace(
            self._schedule,
            pauses=rule.pauses or self._schedule.pauses,
            lifetime=rule.lifetime or self._schedule.lifetime,
        )
