"""`python -m bench`: start the servers, let them work in turns, tell what it took, leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvloop

from bench.demo import Demo
from bench.machine import describe_machine
from bench.meters import Meter, make_meter
from bench.options import Options, parse_options
from bench.peers import PostfixCyrus, PostfixDovecot, raised_watches
from bench.programs import ProgramFault
from bench.report import Report
from bench.rounds import Rounds
from bench.server import Product, Server
from bench.tables import line_of, page_of, put_into_page
from bench.terms import Terms
from bench.work import all_work

_FILES_SPARE = 2000  # beyond the idle connections


def main(arguments: Sequence[str]) -> int:
    options = parse_options(arguments)
    signal.signal(signal.SIGTERM, _end)
    _allow_files(options.idle + _FILES_SPARE)
    with ExitStack() as running:
        try:
            folder = running.enter_context(_data_folder(options.keep))
            if "dovecot" in options.servers:
                running.enter_context(raised_watches())
            servers = [running.enter_context(_running(name, kind, folder)) for name, kind in _named(options.servers)]
            report = Report(
                command=options.command,
                machine=describe_machine(folder),
                versions={server.name: server.product.version for server in servers},
                big=options.big,
                exact=all(server.meter.exact for server in servers),
            )
            _run(_measure(options, servers, report))
        except ProgramFault as fault:
            print(f"bench: {fault}", file=sys.stderr)
            return 2
        except (asyncio.CancelledError, KeyboardInterrupt):
            print("bench: stopped", file=sys.stderr)
            return 130
    return _tell(options, report)


async def _measure(options: Options, servers: Sequence[Server], report: Report) -> None:
    terms = Terms(scale=options.scale, big=options.big, idle=options.idle, seed=options.seed)
    rounds = Rounds(terms, servers, options.repeat, _say)
    _say(f"# {report.machine}")
    _say(f"# {'; '.join(report.versions.values())}")
    for work in all_work(terms):
        if options.wants(work.name):
            measurement = await rounds.measure(work)
            report.measurements.append(measurement)
            _say(line_of(report, measurement))


def _tell(options: Options, report: Report) -> int:
    page = page_of(report)
    print(f"\n{page}")
    if options.json is not None:
        options.json.write_text(json.dumps(report.record(), indent=1, ensure_ascii=False) + "\n")
    if options.write is not None:
        options.write.write_text(put_into_page(options.write.read_text(), page))
    if report.wrong:
        print(f"{len(report.wrong)} of {len(report.measurements)} figures are wrong: {', '.join(report.wrong)}")
    return 1 if report.wrong else 0


def _say(line: str) -> None:
    print(line, flush=True)


def _named(kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Two servers of one kind need two names."""
    seen: Counter[str] = Counter()
    for kind in kinds:
        seen[kind] += 1
        yield (kind if seen[kind] == 1 else f"{kind}-{seen[kind]}"), kind


@contextmanager
def _running(name: str, kind: str, folder: Path) -> Iterator[Server]:
    meter = make_meter(name)
    with ExitStack() as cleaning:
        cleaning.callback(meter.close)
        server = Server(name, _product(kind, folder / name, meter), meter)
        cleaning.callback(server.stop)
        server.start()
        yield server


def _product(kind: str, folder: Path, meter: Meter) -> Product:
    kinds: dict[str, Callable[[Path, Meter], Product]] = {"dovecot": PostfixDovecot, "cyrus": PostfixCyrus}
    return Demo(folder, meter) if kind == "hongyan" else kinds[kind](folder, meter)


@contextmanager
def _data_folder(keep: Path | None) -> Iterator[Path]:
    """A directory on a real disk: /tmp may be memory, where durability costs nothing and means nothing."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="hongyan-bench-", dir="/var/tmp") as made:
        yield Path(made)


def _allow_files(wanted: int) -> None:
    """Raise the limit of open files, ours and that of the servers that we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(max(wanted, 16384), hard)), hard))


def _run(doing: Coroutine[None, None, None]) -> None:
    """Run it; SIGINT and SIGTERM cancel it, and what was begun is ended."""

    async def cancellable() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await doing

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(cancellable())


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End by way of all clean-ups."""
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
