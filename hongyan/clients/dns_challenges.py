"""Proof by DNS that a name is ours (RFC 8555 §8.4): a TXT record, put there by a dynamic update (RFC 2136)."""

from __future__ import annotations

__all__ = ["DnsChallenges"]

from collections.abc import Mapping, Sequence

from hongyan import telemetry
from hongyan.clients.dns_update import Change, DnsUpdateOptions, DnsUpdater, find_options
from hongyan.clients.resolver import RecordResolver
from hongyan.clock import Clock
from hongyan.domains.authority import Challenge, ChallengeKind
from hongyan.domains.dns_records import quote_text
from hongyan.errors import Unavailable

log = telemetry.logger("domains")


class DnsChallenges:
    """Shows answers in the zones that we may change; a `Solver`."""

    def __init__(self, options: Sequence[DnsUpdateOptions], resolver: RecordResolver, clock: Clock) -> None:
        self._updaters = {entry: DnsUpdater(entry, resolver, clock) for entry in options}

    @property
    def kind(self) -> ChallengeKind:
        return "dns-01"

    async def show(self, challenges: Sequence[Challenge]) -> Mapping[str, str]:
        failed: dict[str, str] = {}
        written: list[tuple[DnsUpdater, Challenge]] = []
        for challenge in challenges:
            updater = self._find(challenge)
            if updater is None:
                failed[challenge.name] = "no key in [[dns_update]] is for its zone"
                continue
            try:
                await updater.change([Change.add(_place(challenge), "TXT", quote_text(challenge.answer))])
            except Unavailable as fault:
                failed[challenge.name] = fault.sentence
            else:
                written.append((updater, challenge))
        for updater, challenge in written:
            try:
                await updater.wait_until_shown(_place(challenge), "TXT", quote_text(challenge.answer))
            except Unavailable as fault:
                failed[challenge.name] = fault.sentence
        return failed

    async def remove(self, challenges: Sequence[Challenge]) -> None:
        for challenge in challenges:
            updater = self._find(challenge)
            if updater is None:
                continue
            try:
                await updater.change([Change.remove(_place(challenge), "TXT", quote_text(challenge.answer))])
            except Unavailable as fault:
                log.warning("challenge-left", name=_place(challenge), cause=fault.sentence)

    def _find(self, challenge: Challenge) -> DnsUpdater | None:
        entry = find_options(self._updaters, challenge.name)
        return None if entry is None else self._updaters[entry]


def _place(challenge: Challenge) -> str:
    return f"_acme-challenge.{challenge.name}"
