"""What a run says: a line for each piece of work while it runs, tables when it is done, JSON for programs."""

from __future__ import annotations

__all__ = ["Report", "put_into_page"]

import dataclasses
import re
import statistics
from collections.abc import Sequence

from bench.figures import Spread, paired_ratios
from bench.goals import Verdict, judge
from bench.laps import Lap
from bench.machine import Machine
from bench.rounds import Measurement

_BEGIN, _END = "<!-- figures: `make bench` writes them -->", "<!-- end of figures -->"
_LAP_FIELDS = ("operations", "octets", "wall", "server_cpu", "client_cpu", "neighbours", "speed", "notes", "wrong")
_FULL_SIZE = 100_000


@dataclasses.dataclass(slots=True)
class Report:
    """All that is known of a run."""

    command: str
    machine: Machine
    versions: dict[str, str]  # of the servers, ours first, and the peer's second if there is one
    big: int
    exact: bool  # CPU was counted by cgroups
    measurements: list[Measurement] = dataclasses.field(default_factory=list)

    @property
    def ours(self) -> str:
        return next(iter(self.versions))

    @property
    def peer(self) -> str | None:
        return next(iter([*self.versions][1:]), None)

    @property
    def is_right(self) -> bool:
        return all(measurement.is_right for measurement in self.measurements)

    def verdicts(self) -> list[Verdict]:
        return judge(self.measurements, self.ours, self.peer, is_full_size=self.big == _FULL_SIZE)

    # For people.

    def line(self, measurement: Measurement) -> str:
        """What is told as soon as a piece of work is done."""
        told = [self._brief(measurement, name) for name in self.versions]
        ratio = self._cpu_ratio(measurement)
        return f"{measurement.name:<24} " + "   ".join(told) + (f"   ratio {_spread(ratio)}" if ratio else "")

    def _brief(self, measurement: Measurement, server: str) -> str:
        cpu, rate = measurement.cpu(server), measurement.rate(server)
        if cpu is None or rate is None:
            return f"{server} FAILED: {measurement.failures.get(server, 'not done')}"
        p50, p99 = (_number(measurement.latency_ms(server, share)) for share in (0.5, 0.99))
        text = f"{server} {_cpu(cpu.median)} {_number(rate.median)}/s p50 {p50} p99 {p99} ms"
        if notes := self._notes(measurement, server):
            text += f" ({notes})"
        if wrong := measurement.wrong(server):
            text += f" WRONG: {'; '.join(wrong)}"
        if server in measurement.failures:
            text += f" FAILED: {measurement.failures[server]}"
        return text

    def _notes(self, measurement: Measurement, server: str) -> str:
        keys = dict.fromkeys(key for lap in measurement.done(server) for key in lap.notes)
        return ", ".join(f"{key} {_number(measurement.note(server, key))}" for key in keys)

    def page(self) -> str:
        """The tables of a run in Markdown."""
        parts = [self._heading(), self._table()]
        if any("kib_per_connection" in lap.notes for lap in self._laps()):
            parts.append(self._idle_table())
        if verdicts := self.verdicts():
            parts.append(self._goal_table(verdicts))
        return "\n\n".join(parts) + "\n"

    def _heading(self) -> str:
        counted = "cgroups" if self.exact else "the clocks of processes"
        speeds = Spread.of([lap.speed for lap in self._laps()])
        others = statistics.median([lap.neighbours for lap in self._laps()] or [0.0])
        lines = (
            f"Command: `{self.command}`",
            f"Machine: {self.machine}",
            f"During the run: {_spread(speeds, 1)} million steps a second; others used {100 * others:.0f} % of a core",
            f"Servers: {'; '.join(self.versions.values())}; CPU counted by {counted}",
        )
        return "\n".join(f"* {line}." for line in lines)

    def _table(self) -> str:
        names = list(self.versions)
        head = ["work", "unit", *(f"{name} CPU" for name in names)]
        if self.peer:
            head.append("CPU ratio")
        head += [f"{name} /s" for name in names] + [f"{name} p50 / p99 ms" for name in names]
        rows = []
        for one in self.measurements:
            row = [f"`{one.name}`", one.unit, *(self._cpu_cell(one, name) for name in names)]
            if self.peer:
                ratio = self._cpu_ratio(one)
                row.append(_spread(ratio) if ratio else "–")
            row += [_number(rate.median) if (rate := one.rate(name)) else "–" for name in names]
            row += [f"{self._latency(one, name, 0.5)} / {self._latency(one, name, 0.99)}" for name in names]
            rows.append(row)
        return _markdown(head, rows)

    def _cpu_cell(self, measurement: Measurement, server: str) -> str:
        cpu = measurement.cpu(server)
        text = "–" if cpu is None else _cpu(cpu.median)
        if measurement.wrong(server):
            text += " **WRONG**"
        return text + (" **FAILED**" if server in measurement.failures else "")

    def _latency(self, measurement: Measurement, server: str, share: float) -> str:
        return _number(measurement.latency_ms(server, share))

    def _cpu_ratio(self, measurement: Measurement) -> Spread | None:
        if self.peer is None:
            return None
        pairs = measurement.paired(self.ours, self.peer)
        return paired_ratios([one.cpu_ms for one, _ in pairs], [other.cpu_ms for _, other in pairs])

    def _idle_table(self) -> str:
        head = ["idle connections", "server", "KiB each (PSS)", "CPU to open one", "CPU a second of all", "PSS MiB"]
        rows = []
        for one in self.measurements:
            for name in self.versions:
                if (kib := one.note(name, "kib_per_connection")) is not None:
                    opened, idle, total = (
                        one.note(name, key) for key in ("open_cpu_ms", "idle_cpu_ms_per_s", "pss_mib")
                    )
                    row = [f"`{one.name}`", name, _number(kib), f"{_number(opened)} ms", f"{_number(idle)} ms"]
                    rows.append([*row, _number(total)])
        return _markdown(head, rows)

    def _goal_table(self, verdicts: Sequence[Verdict]) -> str:
        head = ["goal", "at most", "measured", "peer", "peer's landmark", "normalised", "verdict"]
        rows = []
        for verdict in verdicts:
            goal, show = verdict.goal, _number if verdict.goal.note else _cpu
            told = [show(value) if value is not None else "–" for value in (verdict.peer, goal.landmark)]
            missed = f"**missed** by {100 * (verdict.normalised / goal.limit - 1):.0f} %"
            row = [f"{goal.says} (`{goal.work}`)", show(goal.limit), show(verdict.measured), *told]
            rows.append([*row, show(verdict.normalised), "met" if verdict.met else missed])
        return _markdown(head, rows)

    def _laps(self) -> list[Lap]:
        return [lap for one in self.measurements for name in self.versions for lap in one.done(name)]

    # For programs.

    def record(self) -> dict[str, object]:
        """All laps, and what was made of them."""
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
        ratio = self._cpu_ratio(measurement)
        servers = {
            name: {
                "cpu_ms": _as_dict(measurement.cpu(name)),
                "rate": _as_dict(measurement.rate(name)),
                "p50_ms": measurement.latency_ms(name, 0.5),
                "p99_ms": measurement.latency_ms(name, 0.99),
                "laps": [{key: getattr(lap, key) for key in _LAP_FIELDS} for lap in measurement.done(name)],
                "wrong": measurement.wrong(name),
                "failure": measurement.failures.get(name),
            }
            for name in self.versions
        }
        return {
            "name": measurement.name,
            "unit": measurement.unit,
            "cpu_ratio": _as_dict(ratio),
            "servers": servers,
        }


def put_into_page(page: str, figures: str) -> str:
    """Return a page with the figures of this run in the place of those that it had."""
    begin, end = page.find(_BEGIN), page.find(_END)
    if not 0 <= begin < end:
        raise ValueError(f"the page has no {_BEGIN} … {_END} to put figures into")
    return f"{page[:begin]}{_BEGIN}\n\n{figures}\n{page[end:]}"


def _as_dict(spread: Spread | None) -> dict[str, float] | None:
    return None if spread is None else dataclasses.asdict(spread)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table: words to the left, figures to the right."""
    figures = [all(re.match(r"[-–*\d]", row[column]) for row in rows) for column in range(len(head))]
    rule = ["--:" if is_figure else "--" for is_figure in figures]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _number(value: float | None) -> str:
    """Three digits that count."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _cpu(milliseconds: float) -> str:
    """Milliseconds, or microseconds where those would be crumbs."""
    return f"{_number(1000 * milliseconds)} µs" if milliseconds < 0.01 else f"{_number(milliseconds)} ms"


def _spread(spread: Spread | None, digits: int = 2) -> str:
    if spread is None:
        return "–"
    return f"{spread.median:.{digits}f} ({spread.low:.{digits}f}–{spread.high:.{digits}f})"
