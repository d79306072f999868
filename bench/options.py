"""The options of `python -m bench`."""

from __future__ import annotations

__all__ = ["SERVERS", "Options", "parse_options"]

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SERVERS = ("hongyan", "dovecot")  # dovecot is Dovecot with Postfix in front


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is to do."""

    scale: float
    repeat: int
    only: tuple[str, ...]
    big: int
    idle: int
    seed: int
    servers: tuple[str, ...]
    keep: Path | None
    json: Path | None
    write: Path | None
    command: str

    def wants(self, name: str) -> bool:
        return not self.only or any(text in name for text in self.only)


def parse_options(arguments: Sequence[str]) -> Options:
    """Read the command line; what makes no sense ends the program with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    whole, quick = {"scale": 1.0, "repeat": 4, "big": 100_000, "idle": 2000}, "a short run: 0.1, 2, 5000, 200"
    parser.add_argument("--quick", action="store_true", help=f"{quick} for --scale, --repeat, --big, --idle")
    parser.add_argument("--scale", type=float, help="how many operations, as a part of the whole (1.0)")
    parser.add_argument("--repeat", type=int, help="rounds; an even number lets each be first as often (4)")
    parser.add_argument("--big", type=int, metavar="N", help="messages in the big mailbox (100000)")
    parser.add_argument("--idle", type=int, metavar="N", help="connections that idle (2000)")
    parser.add_argument("--only", default="", metavar="TEXT,…", help="work whose name contains one of these")
    parser.add_argument("--seed", type=int, default=1, help="of the made mail")
    parser.add_argument("--servers", default=",".join(SERVERS), help="one or two of hongyan, dovecot; ratios: 1st/2nd")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep data there, and use again what is there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all laps there")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    told = parser.parse_args(arguments)
    if told.quick:
        whole = {"scale": 0.1, "repeat": 2, "big": 5000, "idle": 200}
    for name, value in whole.items():
        if getattr(told, name) is None:
            setattr(told, name, value)
    servers = tuple(told.servers.split(","))
    if not set(servers) <= set(SERVERS) or len(servers) not in (1, 2):
        parser.error(f"--servers takes one or two of {', '.join(SERVERS)}")
    if told.scale <= 0 or min(told.repeat, told.idle) < 1 or told.big < 200:
        parser.error("--scale, --repeat and --idle are more than nothing, and --big is at least 200")
    return Options(
        scale=told.scale,
        repeat=told.repeat,
        only=tuple(filter(None, told.only.split(","))),
        big=told.big,
        idle=told.idle,
        seed=told.seed,
        servers=servers,
        keep=told.keep,
        json=told.json,
        write=told.write,
        command=_command(arguments),
    )


def _command(arguments: Sequence[str]) -> str:
    """The command by which anybody may repeat the run."""
    return f'make bench ARGS="{" ".join(arguments)}"' if arguments else "make bench"
