"""Fuzz parsers for a time: `python -m tests.fuzz [NAME …] --seconds 60`. Without names: every target.

An input that violates an invariant is made short, kept in `.cache/fuzz/NAME/` and tried again by
`--replay FILE`. The same seed gives the same inputs. The exit code is 1 when anything was found.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.fuzz import Target, find_targets, run
from tests.fuzz.mutate import Corpus, shrink

CRASHERS = Path(__file__).resolve().parents[2] / ".cache" / "fuzz"

_KINDS_SHOWN = 5  # So many different violations of one target are enough for one run.


def main() -> int:
    options = parse_arguments()
    targets = find_targets()
    if unknown := set(options.names) - targets.keys():
        print(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(targets)}", file=sys.stderr)
        return 2
    if options.replay:
        return replay(targets[options.names[0]], options.replay)
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    print(f"seed {seed}, {options.seconds:g} s for each target", flush=True)
    with ProcessPoolExecutor(max_workers=options.jobs) as pool:
        found = pool.map(partial(fuzz, seconds=options.seconds, seed=seed), options.names or targets)
        return 1 if sum(found) else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="targets: modules of tests/fuzz")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long for each target (default: 60)")
    parser.add_argument("--seed", type=int, help="the same seed gives the same inputs (default: a new one, printed)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time (default: one a core)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="give one target this input and nothing else")
    options = parser.parse_args()
    if options.replay and len(options.names) != 1:
        parser.error("--replay takes exactly one target")
    return options


def fuzz(name: str, *, seconds: float, seed: int) -> int:
    """Fuzz one target, report, and return how many kinds of violation were found."""
    target = find_targets()[name]
    corpus = Corpus(target.corpus, seed)
    test = partial(run, target)
    kinds: set[str] = set()
    inputs, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline and len(kinds) < _KINDS_SHOWN:
        octets = corpus.next_input()
        inputs += 1
        violation = corpus.try_input(octets, test)
        if violation is not None and kind_of(violation) not in kinds:
            kinds.add(kind_of(violation))
            report(target, shrink(octets, test))
    print(f"{name}: {inputs} inputs, {len(corpus.inputs)} in the corpus, {len(kinds)} violations", flush=True)
    return len(kinds)


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
