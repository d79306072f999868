"""All that is known of a run, and what programs get of it."""

from __future__ import annotations

__all__ = ["Report"]

import dataclasses
from dataclasses import dataclass, field

from bench.figures import Spread, paired_ratios
from bench.goals import Verdict, judge
from bench.laps import Lap
from bench.machine import Machine
from bench.rounds import Measurement

_FULL_SIZE = 100_000
_OF_A_LAP = (
    "operations",
    "octets",
    "wall",
    "server_cpu",
    "client_cpu",
    "neighbours",
    "speed",
    "pss_mib",
    "notes",
    "wrong",
)


@dataclass(slots=True)
class Report:
    """A run. The first server is ours, and the second, if there is one, the peer that it is compared with."""

    command: str
    machine: Machine
    versions: dict[str, str]  # by the servers' names
    big: int
    exact: bool  # CPU was counted by cgroups
    measurements: list[Measurement] = field(default_factory=list)

    @property
    def servers(self) -> list[str]:
        return [*self.versions]

    @property
    def ours(self) -> str:
        return self.servers[0]

    @property
    def peer(self) -> str | None:
        return next(iter(self.servers[1:]), None)

    @property
    def wrong(self) -> list[str]:
        """The work that failed or was answered wrongly."""
        return [one.name for one in self.measurements if not one.is_right]

    def laps(self) -> list[Lap]:
        return [lap for one in self.measurements for name in self.servers for lap in one.done(name)]

    def verdicts(self) -> list[Verdict]:
        return judge(self.measurements, self.ours, self.peer, is_full_size=self.big == _FULL_SIZE)

    def cpu_ratio(self, measurement: Measurement) -> Spread | None:
        """Our CPU as a part of the peer's."""
        if self.peer is None:
            return None
        pairs = measurement.paired(self.ours, self.peer)
        return paired_ratios([one.cpu_ms for one, _ in pairs], [other.cpu_ms for _, other in pairs])

    def record(self) -> dict[str, object]:
        """All laps, and what was made of them, for JSON."""
        return {
            "command": self.command,
            "machine": dataclasses.asdict(self.machine),
            "servers": self.versions,
            "big": self.big,
            "exact": self.exact,
            "measurements": [self._record_of(one) for one in self.measurements],
            "goals": [dataclasses.asdict(verdict) | {"met": verdict.met} for verdict in self.verdicts()],
        }

    def _record_of(self, measurement: Measurement) -> dict[str, object]:
        servers = {
            name: {
                "cpu_ms": _as_dict(measurement.cpu(name)),
                "rate": _as_dict(measurement.rate(name)),
                "p50_ms": measurement.latency_ms(name, 0.5),
                "p99_ms": measurement.latency_ms(name, 0.99),
                "laps": [{key: getattr(lap, key) for key in _OF_A_LAP} for lap in measurement.done(name)],
                "wrong": measurement.wrong(name),
                "failure": measurement.failures.get(name),
            }
            for name in self.servers
        }
        ratio = _as_dict(self.cpu_ratio(measurement))
        return {"name": measurement.name, "unit": measurement.unit, "cpu_ratio": ratio, "servers": servers}


def _as_dict(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else dataclasses.asdict(spread)
