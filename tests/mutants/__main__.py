"""`python -m tests.mutants [NAME …]`: switch defences off in turn, all of them or those named, and see red.

First the tests run without any mutant: all must pass. Then each mutant gets a process of its own, `-j` of them at a
time. What was seen is noted in `.cache/mutants.json`; `--resume` goes on with a run that was ended, as long as no
source has changed. The last line tells how many there are, which survived, and how long it took. The exit code is 1
when one survives, or when the tests are red without it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.mutants import Mutant, find_mutants

ROOT = Path(__file__).resolve().parents[2]
NOTES = ROOT / ".cache" / "mutants.json"
TESTERS = 2
_PATIENCE = 120.0  # Seconds for the tests of one mutant: some defences are all that ends a wait.
_BASE_PATIENCE = 900.0
_NO_TRIAL = re.compile(r"(NameError|UnboundLocalError|SyntaxError|ImportError)\b")


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went with one mutant: the test that noticed it and by which words, or why nobody could."""

    mutant: Mutant
    killed_by: str
    words: str
    seconds: float


def main() -> int:
    """Run what is asked for; 0 when every mutant is noticed."""
    said = _arguments()
    mutants = find_mutants()
    if said.list:
        print("\n".join(f"{name:36} {mutant.row}" for name, mutant in mutants.items()))
        return 0
    if unknown := set(said.names) - mutants.keys():
        print(f"no such mutant: {', '.join(sorted(unknown))}; --list names them all", file=sys.stderr)
        return 2
    chosen = [mutants[name] for name in said.names or mutants]
    began = time.monotonic()
    notes = Notes(_digest_sources(), resume=said.resume)
    left = [mutant for mutant in chosen if mutant.name not in notes.noticed]
    if left and (red := _red_without(left, said.jobs)):
        print("these tests fail without any mutant:", *red, sep="\n  ")
        return 1
    survivors = []
    with ThreadPoolExecutor(said.jobs) as testers, tempfile.TemporaryDirectory() as folder:
        for trial in testers.map(partial(try_mutant, folder=Path(folder)), left):
            print(_line(trial), flush=True)
            if trial.killed_by:
                notes.add(trial.mutant.name)
            else:
                survivors.append(trial.mutant.name)
    outcome = f"{len(survivors)} SURVIVED ({', '.join(survivors)})" if survivors else "each was noticed"
    before = f", {len(chosen) - len(left)} of them before" if len(left) < len(chosen) else ""
    minutes = (time.monotonic() - began) / 60
    print(f"{len(chosen)} defences switched off in turn{before}: {outcome}, {minutes:.1f} minutes")
    return 1 if survivors else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them if none is named")
    parser.add_argument("--list", action="store_true", help="name all mutants and their rows of docs/hostile.md")
    parser.add_argument("-j", "--jobs", type=int, default=TESTERS, help=f"how many at a time (default: {TESTERS})")
    parser.add_argument("--resume", action="store_true", help="leave out what the run before has noticed")
    return parser.parse_args()


class Notes:
    """Which mutants were noticed, for sources of one digest."""

    def __init__(self, digest: str, *, resume: bool) -> None:
        self._digest = digest
        known = json.loads(NOTES.read_text()) if resume and NOTES.exists() else {}
        self.noticed: set[str] = set(known["noticed"]) if known.get("sources") == digest else set()

    def add(self, name: str) -> None:
        """Note one more."""
        self.noticed.add(name)
        NOTES.parent.mkdir(exist_ok=True)
        NOTES.write_text(json.dumps({"sources": self._digest, "noticed": sorted(self.noticed)}))


def _digest_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(path for part in ("hongyan", "tests") for path in (ROOT / part).rglob("*.*")):
        if path.suffix in {".py", ".txt"}:
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _red_without(mutants: list[Mutant], jobs: int) -> list[str]:
    """The tests that fail though no defence is switched off."""
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    with tempfile.TemporaryDirectory() as folder:
        outcome = Path(folder) / "outcome"
        done = _pytest([*tests, "-n", str(jobs), "--mutant-outcome", str(outcome)], _BASE_PATIENCE)
        red = [test for test, _ in _failures(outcome)]
        return red or (
            [] if done is not None and not done.returncode else [done.stdout[-2000:] if done else "time-out"]
        )


def try_mutant(mutant: Mutant, folder: Path) -> Trial:
    """Run the tests of a mutant in a process in which its defence is off."""
    outcome = folder / mutant.name
    began = time.monotonic()
    done = _pytest(
        [*mutant.tests, "-x", "-p", "no:xdist", "--mutant", mutant.name, "--mutant-outcome", str(outcome)], _PATIENCE
    )
    took = time.monotonic() - began
    failures = _failures(outcome)
    if done is None:
        return Trial(mutant, mutant.tests[0], "nothing ends it any more", took)
    if failures and not _NO_TRIAL.match(failures[0][1]):
        return Trial(mutant, *failures[0], took)
    # Red for another reason than a test: the mutant itself is broken, or the tests are not there.
    words = failures[0][1] if failures else "" if done.returncode == 0 else (done.stdout + done.stderr).strip()[-300:]
    return Trial(mutant, "", words, took)


def _pytest(arguments: list[str], patience: float) -> subprocess.CompletedProcess[str] | None:
    """Run pytest; None when it does not end."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutants.plugin", "--tb=short", *arguments]
    try:
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return None


def _failures(outcome: Path) -> list[tuple[str, str]]:
    return [tuple(json.loads(line)) for line in outcome.read_text().splitlines()] if outcome.exists() else []


def _line(trial: Trial) -> str:
    verdict = f"killed by {trial.killed_by}" if trial.killed_by else "SURVIVED"
    return f"{trial.mutant.name:36} {trial.seconds:5.1f} s  {verdict}  {' '.join(trial.words.split())[:120]}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
