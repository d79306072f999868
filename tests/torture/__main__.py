"""`python -m tests.torture`: all scenarios of the durability harness, or those that are named.

kill       SIGKILL of the process tree at random instants under load
power      the power goes at random instants: what was not synced is forgotten
faults     the power goes while the disk fails, fills up or becomes read-only under load
trouble    a disk that is full, read-only or failing, and clocks that jump
restart    SIGKILL beside a mailbox of 100,000 messages: SELECT is answered within 5 s of the start
views      two dozen IMAP clients of one mailbox for an hour (--seconds): what they are told has to be true
mutations  servers that break a promise on purpose: each must be found out
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.server import SECRET, start_demo
from tests.torture.cycles import Options, Outcome, kill_cycles, power_cycles
from tests.torture.forgetful import why_not
from tests.torture.mounts import enter_private_namespace
from tests.torture.mutations import MUTATIONS
from tests.torture.restart import LIMIT, MESSAGES, restarts
from tests.torture.trouble import trouble
from tests.views.sockets import CLIENTS, play

_CYCLES = {"kill": 50, "power": 20, "faults": 20, "restart": 10}
_SECONDS = 3.0
_VIEWS_SECONDS = 3600.0
_TRIES = 6  # cycles within which a mutation must be found out


def main() -> int:
    """Run what is asked for; 1 when a promise was broken."""
    said = _arguments()
    if why_not():
        print(f"power is left out: {why_not()}")
    else:
        enter_private_namespace()
    scenarios: dict[str, Callable[[argparse.Namespace], bool]] = {
        "kill": lambda said: _cycles("kill", said),
        "power": lambda said: bool(why_not()) or _cycles("power", said),
        "faults": lambda said: bool(why_not()) or _cycles("faults", said),
        "trouble": lambda said: bool(why_not()) or _trouble(said),
        "restart": _restart,
        "views": _views,
        "mutations": _mutations,
    }
    began = time.monotonic()
    kept = [scenarios[name](said) for name in said.scenario or scenarios]
    print(f"{'all promises kept' if all(kept) else 'BROKEN PROMISES'}, {time.monotonic() - began:.0f} s, {said.seed=}")
    return 0 if all(kept) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help="all of them if none is named")
    parser.add_argument("--cycles", type=int, help="50 of kill, 20 of power and faults, 10 of restart")
    parser.add_argument("--seconds", type=float, help="of load in each cycle, at most: 3; of views: 3600")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="of chance; the clock plays too")
    parser.add_argument("--mutation", default="", choices=["", *MUTATIONS], help="break this promise")
    parser.add_argument("--part", default="", help="of trouble: only what is called so")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="of restart: in the mailbox")
    parser.add_argument("--limit", type=float, default=LIMIT, help="of restart: seconds that a start may take: 5")
    parser.add_argument("--folder", type=Path, help="keep the data and the log here")
    return parser.parse_args()


def _run(name: str, options: Options) -> Outcome:
    return asyncio.run((kill_cycles if name == "kill" else power_cycles)(options))


def _cycles(name: str, said: argparse.Namespace) -> bool:
    options = Options(
        said.cycles or _CYCLES[name],
        said.seed,
        said.seconds or _SECONDS,
        said.mutation,
        said.folder,
        faults=name == "faults",
    )
    outcome = _run(name, options)
    print(outcome.describe(), flush=True)
    if outcome.violations:
        print(outcome.log)
    return not outcome.violations


def _trouble(said: argparse.Namespace) -> bool:
    outcome = asyncio.run(trouble(Options(1, said.seed, folder=said.folder), said.part))
    if outcome.violations:
        print(outcome.log)
    return not outcome.violations


def _restart(said: argparse.Namespace) -> bool:
    options = Options(said.cycles or _CYCLES["restart"], said.seed, said.seconds or _SECONDS, folder=said.folder)
    outcome = asyncio.run(restarts(options, said.messages, said.limit))
    print(outcome.describe(), flush=True)
    if outcome.violations:
        print(outcome.log)
    return not outcome.violations


def _views(said: argparse.Namespace) -> bool:
    with start_demo("--accounts", "1", "--secret", SECRET, "--limits", "off") as demo:
        return not play(demo.told, demo.endpoint("imaps"), said.seconds or _VIEWS_SECONDS, said.seed, CLIENTS)


def _mutations(said: argparse.Namespace) -> bool:
    """Break each promise; true when every one is noticed."""
    missed = []
    for name, mutation in MUTATIONS.items():
        if said.mutation not in ("", name) or (mutation.scenario == "power" and why_not()):
            continue
        outcome = _run(
            mutation.scenario,
            Options(said.cycles or _TRIES, said.seed, 1.5, name, quiet=mutation.quiet, stops_at=mutation.evidence),
        )
        found = outcome.found(mutation.evidence)
        print(f"mutation {name}: {f'found after {outcome.blows} blows' if found else 'NOT FOUND'}", flush=True)
        if not found:
            missed.append(name)
    return not missed


if __name__ == "__main__":
    sys.exit(main())
