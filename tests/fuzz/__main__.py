"""Fuzz parsers for a time: `python -m tests.fuzz [NAME …] --seconds 60`. Without names: every target.

With `--minutes` the targets take turns of `--seconds` of CPU time, those first that have stood least since their
sources changed; `--status` tells how much that is, `--fold` adds the runs of this machine to the kept record.
An input that violates an invariant is made short, kept in `.cache/fuzz/NAME/` and tried again by `--replay FILE`.
Inputs that reach something new are kept too, and the next run begins with them. The exit code is 1 when anything
was found.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.fuzz import Target, find_targets, run
from tests.fuzz.mutate import Corpus, shrink
from tests.fuzz.record import KEPT, LOCAL, Entry, at_present, digest_sources, fold, note, read_record, sum_records

CRASHERS = Path(__file__).resolve().parents[2] / ".cache" / "fuzz"
LEARNED = CRASHERS / "learned"

_HOUR = 3600
_KINDS_SHOWN = 5  # So many different violations of one target are enough for one run.


def main() -> int:
    options = parse_arguments()
    targets = find_targets()
    if unknown := set(options.names) - targets.keys():
        print(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(targets)}", file=sys.stderr)
        return 2
    if options.replay:
        return replay(targets[options.names[0]], options.replay)
    sources = {name: digest_sources(name) for name in targets}
    if options.fold:
        fold(options.fold, sources)
    if options.status or options.fold:
        print("\n".join(status(sources)))
        return 0
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    print(f"seed {seed}, {options.seconds:g} s of CPU time for each target", flush=True)
    work = partial(fuzz, seconds=options.seconds, seed=seed, sources=sources)
    with ProcessPoolExecutor(max_workers=options.jobs) as pool:
        if not options.minutes:
            return 1 if sum(pool.map(work, options.names or targets)) else 0
        found, end = 0, time.monotonic() + 60 * options.minutes
        while time.monotonic() < end:
            found += sum(pool.map(work, in_need(sources, options.names)[: options.jobs]))
        return 1 if found else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="targets: modules of tests/fuzz")
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU time for each target (default: 60)")
    parser.add_argument("--minutes", type=float, help="let targets take turns for so long, those in need first")
    parser.add_argument("--seed", type=int, help="the same seed gives the same inputs (default: a new one, printed)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time (default: one a core)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="give one target this input and nothing else")
    parser.add_argument("--status", action="store_true", help="tell what each target has stood, and run nothing")
    parser.add_argument(
        "--fold", type=Path, nargs="?", const=LOCAL, metavar="FILE", help="move a record of runs into the kept one"
    )
    options = parser.parse_args()
    if options.replay and len(options.names) != 1:
        parser.error("--replay takes exactly one target")
    return options


def fuzz(name: str, *, seconds: float, seed: int, sources: Mapping[str, str]) -> int:
    """Fuzz one target, report, and return how many kinds of violation were found."""
    target = find_targets()[name]
    corpus = Corpus((*target.corpus, *read_learned(name)), seed)
    seeds = len(corpus.inputs)
    test = partial(run, target)
    kinds: set[str] = set()
    inputs, begin = 0, time.process_time()
    while time.process_time() - begin < seconds and len(kinds) < _KINDS_SHOWN:
        octets = corpus.next_input()
        inputs += 1
        violation = corpus.try_input(octets, test)
        if violation is not None and kind_of(violation) not in kinds:
            kinds.add(kind_of(violation))
            report(target, shrink(octets, test))
    keep_learned(name, corpus.inputs[seeds:])
    note(LOCAL, name, Entry(sources[name], round(time.process_time() - begin), inputs, len(kinds)))
    print(f"{name}: {inputs} inputs, {len(corpus.inputs)} in the corpus, {len(kinds)} violations", flush=True)
    return len(kinds)


def in_need(sources: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Return targets in the order of need: the least time with their present sources first."""
    record = sum_records(*(at_present(read_record(file), sources) for file in (KEPT, LOCAL)))
    return sorted(names or record, key=lambda name: record[name].seconds)


def status(sources: Mapping[str, str]) -> Iterator[str]:
    """Tell of each target what it stood since its sources changed, and before."""
    record = sum_records(*(at_present(read_record(file), sources) for file in (KEPT, LOCAL)))
    yield f"{'target':18} {'minutes':>8} {'inputs':>12} {'findings':>8}   {'with earlier sources':>20}"
    for name, entry in sorted(record.items(), key=lambda named: -named[1].seconds):
        earlier = f"{entry.earlier_seconds / 60:.1f} min, {entry.earlier_findings} findings"
        yield f"{name:18} {entry.seconds / 60:8.1f} {entry.inputs:12,} {entry.findings:8}   {earlier:>20}"
    whole = sum(entry.seconds for entry in record.values())
    hours = sum(entry.seconds >= _HOUR for entry in record.values())
    yield f"{len(record)} targets, {whole / _HOUR:.1f} hours of CPU time; {hours} stood an hour or more"


def read_learned(name: str) -> list[bytes]:
    """Return inputs that reached something in an earlier run."""
    return [file.read_bytes() for file in sorted((LEARNED / name).glob("*"))]


def keep_learned(name: str, inputs: Sequence[bytes]) -> None:
    folder = LEARNED / name
    folder.mkdir(parents=True, exist_ok=True)
    for octets in inputs:
        (folder / hashlib.sha256(octets).hexdigest()[:16]).write_bytes(octets)


def kind_of(violation: Exception) -> str:
    """Two violations at the same place are one."""
    frames = traceback.extract_tb(violation.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(violation).__name__} {place}"


def report(target: Target, octets: bytes) -> None:
    folder = CRASHERS / target.name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / hashlib.sha256(octets).hexdigest()[:16]
    file.write_bytes(octets)
    print(f"\n{target.name} violates: {target.invariant}")
    print(f"input ({len(octets)} octets): {octets[:200]!r}{' …' if len(octets) > 200 else ''}")
    print(f"again: python -m tests.fuzz {target.name} --replay {file}")
    replay(target, file)


def replay(target: Target, file: Path) -> int:
    violation = run(target, file.read_bytes())
    print("".join(traceback.format_exception(violation)) if violation else "no violation", flush=True)
    return 1 if violation else 0


if __name__ == "__main__":
    sys.exit(main())
