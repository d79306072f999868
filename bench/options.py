"""The options of `python -m bench`."""

from __future__ import annotations

__all__ = ["SERVERS", "Options", "parse_options"]

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SERVERS = ("hongyan", "dovecot", "cyrus")  # the two peers with Postfix in front
_PAIR = "hongyan,dovecot"

_WHOLE = {"scale": 1.0, "repeat": 4, "big": 100_000, "idle": 2000}
_QUICK = {"scale": 0.1, "repeat": 2, "big": 5000, "idle": 200}
_LEAST_BIG = 200
_OF_THIS_MACHINE = {"keep", "json", "write"}


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
    parser = _parser()
    told = parser.parse_args(arguments)
    sizes = {name: getattr(told, name) for name in _WHOLE}
    for name, value in (_QUICK if told.quick else _WHOLE).items():
        if sizes[name] is None:
            sizes[name] = value
    servers = tuple(told.servers.split(","))
    if not set(servers) <= set(SERVERS) or len(servers) not in (1, 2):
        parser.error(f"--servers takes one or two of {', '.join(SERVERS)}")
    if sizes["scale"] <= 0 or min(sizes["repeat"], sizes["idle"]) < 1 or sizes["big"] < _LEAST_BIG:
        parser.error(f"--scale, --repeat and --idle are more than nothing, and --big is at least {_LEAST_BIG}")
    return Options(
        scale=sizes["scale"],
        repeat=sizes["repeat"],
        big=sizes["big"],
        idle=sizes["idle"],
        only=tuple(filter(None, told.only.split(","))),
        seed=told.seed,
        servers=servers,
        keep=told.keep,
        json=told.json,
        write=told.write,
        command=_command(parser, told),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, allow_abbrev=False)
    quick = " ".join(f"--{name} {value}" for name, value in _QUICK.items())
    parser.add_argument("--quick", action="store_true", help=f"a short run: {quick}")
    parser.add_argument("--scale", type=float, help="how many operations, as a part of the whole (1.0)")
    parser.add_argument("--repeat", type=int, help="rounds; of an even number each server begins half (4)")
    parser.add_argument("--big", type=int, metavar="N", help="messages in the big mailbox (100000)")
    parser.add_argument("--idle", type=int, metavar="N", help="connections that idle (2000)")
    parser.add_argument("--only", default="", metavar="TEXT,...", help="work whose name contains one of these")
    parser.add_argument("--seed", type=int, default=1, help="of the made mail")
    parser.add_argument("--servers", default=_PAIR, help="one or two of hongyan, dovecot, cyrus; ratio: 1st/2nd")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep data there, and use again what is there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all laps there")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    return parser


def _command(parser: argparse.ArgumentParser, told: argparse.Namespace) -> str:
    """The command by which anybody may repeat the run: no files of ours are in it."""
    words: list[str] = []
    for name, value in vars(told).items():
        if name in _OF_THIS_MACHINE or value == parser.get_default(name):
            continue
        words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return f'make bench ARGS="{" ".join(words)}"' if words else "make bench"
