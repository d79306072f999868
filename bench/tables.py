"""A report for people: a line for each piece of work while it runs, and tables in Markdown when all is done."""

from __future__ import annotations

__all__ = ["line_of", "page_of", "put_into_page"]

import re
import statistics
from collections.abc import Sequence

from bench.figures import Spread
from bench.goals import Verdict
from bench.report import Report
from bench.rounds import Measurement

_BEGIN, _END = "<!-- figures: `make bench` writes them -->", "<!-- end of figures -->"

_IDLE_NOTES = {
    "kib_per_connection": "KiB (PSS) for each",
    "open_cpu_ms": "ms of CPU to open one",
    "idle_cpu_ms_per_s": "ms of CPU a second for all of them",
}


def line_of(report: Report, measurement: Measurement) -> str:
    """What is told as soon as a piece of work is done."""
    told = [_brief(measurement, name) for name in report.servers]
    ratio = report.cpu_ratio(measurement)
    return f"{measurement.name:<24} " + "   ".join([*told, *([f"ratio {_spread(ratio)}"] if ratio else [])])


def _brief(measurement: Measurement, server: str) -> str:
    cpu, rate = measurement.cpu(server), measurement.rate(server)
    if cpu is None or rate is None:
        return f"{server} FAILED: {measurement.failures.get(server, 'not done')}"
    text = f"{server} {_cpu(cpu.median)} {_number(rate.median)}/s {_latency(measurement, server)} ms"
    keys = dict.fromkeys(key for lap in measurement.done(server) for key in lap.notes)
    if notes := ", ".join(f"{key} {_number(measurement.note(server, key))}" for key in keys):
        text += f" ({notes})"
    if wrong := measurement.wrong(server):
        text += f" WRONG: {'; '.join(wrong)}"
    if server in measurement.failures:
        text += f" FAILED: {measurement.failures[server]}"
    return text


def page_of(report: Report) -> str:
    """The tables of a run."""
    parts = [_heading(report), _work_table(report)]
    if verdicts := report.verdicts():
        parts.append(_goal_table(verdicts))
    parts.append(_memory_table(report))
    if idle := _idle_table(report):
        parts.append(idle)
    return "\n\n".join(parts) + "\n"


def put_into_page(page: str, figures: str) -> str:
    """Return a page with the figures of this run in the place of those that it had."""
    begin, end = page.find(_BEGIN), page.find(_END)
    if not 0 <= begin < end:
        raise ValueError(f"the page has no {_BEGIN} … {_END} to put figures into")
    return f"{page[:begin]}{_BEGIN}\n\n{figures}\n{page[end:]}"


def _heading(report: Report) -> str:
    laps = report.laps()
    speeds = Spread.of([lap.speed for lap in laps])
    others = statistics.median([lap.neighbours for lap in laps] or [0.0])
    lines = (
        f"Command: `{report.command}`",
        f"Machine: {report.machine}",
        f"During the run: {_spread(speeds, 1)} million steps a second; others used {100 * others:.0f} % of a core",
        f"Servers: {'; '.join(report.versions.values())}",
        f"CPU was counted by {'cgroups' if report.exact else 'the clocks of processes'}",
    )
    return "\n".join(f"* {line}." for line in lines)


def _work_table(report: Report) -> str:
    names = report.servers
    head = ["work", "CPU for each", *names, *(["ratio"] if report.peer else [])]
    head += [f"{name} /s" for name in names] + [f"{name} p50 / p99 ms" for name in names]
    rows = []
    for one in report.measurements:
        row = [f"`{one.name}`", one.unit, *(_cpu_cell(one, name) for name in names)]
        if report.peer:
            row.append(_spread(report.cpu_ratio(one)))
        row += [_number(rate.median if (rate := one.rate(name)) else None) for name in names]
        rows.append([*row, *(_latency(one, name) for name in names)])
    return _markdown(head, rows)


def _cpu_cell(measurement: Measurement, server: str) -> str:
    cpu = measurement.cpu(server)
    text = "–" if cpu is None else _cpu(cpu.median)
    if measurement.wrong(server):
        text += " **WRONG**"
    return text + (" **FAILED**" if server in measurement.failures else "")


def _latency(measurement: Measurement, server: str) -> str:
    return " / ".join(_number(measurement.latency_ms(server, share)) for share in (0.5, 0.99))


def _goal_table(verdicts: Sequence[Verdict]) -> str:
    head = ["goal", "at most", "measured", "peer", "peer's landmark", "normalised", "verdict"]
    rows = []
    for verdict in verdicts:
        goal, show = verdict.goal, _number if verdict.goal.note else _cpu
        told = [show(value) if value is not None else "–" for value in (verdict.peer, goal.landmark)]
        missed = f"**missed** by {100 * (verdict.normalised / goal.limit - 1):.0f} %"
        row = [f"{goal.says} (`{goal.work}`)", show(goal.limit), show(verdict.measured), *told]
        rows.append([*row, show(verdict.normalised), "met" if verdict.met else missed])
    return _markdown(head, rows)


def _memory_table(report: Report) -> str:
    """The most that a server held at the end of a lap of each kind of work."""
    groups = dict.fromkeys(one.name.partition("/")[0] for one in report.measurements)
    rows = []
    for group in groups:
        ones = [one for one in report.measurements if one.name.partition("/")[0] == group]
        held = [max((lap.pss_mib for one in ones for lap in one.done(name)), default=None) for name in report.servers]
        rows.append([f"`{group}`", *_compared(report, held)])
    return _markdown(["memory after (PSS, MiB)", *_compared_head(report)], rows)


def _idle_table(report: Report) -> str:
    """What connections cost that do nothing."""
    rows = []
    for one in report.measurements:
        for key, says in _IDLE_NOTES.items():
            values = [one.note(name, key) for name in report.servers]
            if any(value is not None for value in values):
                rows.append([f"`{one.name}`: {says}", *_compared(report, values)])
    return _markdown(["idle connections", *_compared_head(report)], rows) if rows else ""


def _compared_head(report: Report) -> list[str]:
    return [*report.servers, *(["ratio"] if report.peer else [])]


def _compared(report: Report, values: Sequence[float | None]) -> list[str]:
    cells = [_number(value) for value in values]
    if report.peer:
        ours, theirs = values
        cells.append(f"{ours / theirs:.2f}" if ours is not None and theirs else "–")
    return cells


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
    """The median, and in brackets the lowest and the highest."""
    if spread is None:
        return "–"
    return f"{spread.median:.{digits}f} ({spread.low:.{digits}f}–{spread.high:.{digits}f})"
