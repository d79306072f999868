"""Hongyan as `hongyan demo` starts it: with the durability that users get, on free ports, ready when it says so."""

from __future__ import annotations

__all__ = ["Demo", "read_endpoints"]

import json
import os
import sys
from collections.abc import Collection
from pathlib import Path

import hongyan
from bench.clients import Endpoint
from bench.meters import Meter
from bench.programs import OneProgram, Program
from bench.server import ACCOUNTS, SECRET, Endpoints

_START_SECONDS = 120.0


class Demo(OneProgram):
    """A product of ours. Its data stay in `folder` from one start to the next."""

    index_seconds = 6.0

    def __init__(self, folder: Path, meter: Meter, *, dns: int = 0, without: Collection[str] | None = None) -> None:
        """`dns` is the port of the name server that is asked; 0: nobody is.

        `without` names the parts that `bench.composition` leaves out. None: it is started as users start it.
        """
        self._folder = folder
        self._meter = meter
        self._dns = dns
        self._without = without
        self.web = ""
        """The address of the web client, once it is started."""

    @property
    def version(self) -> str:
        return f"Hongyan {hongyan.__version__}"

    def start(self) -> Endpoints:
        self._folder.mkdir(parents=True, exist_ok=True)
        options = ["--json", "--data", str(self._folder / "data"), "--accounts", str(ACCOUNTS), "--secret", SECRET]
        options += ["--plaintext-auth", "--limits", "off"]
        options += ["--resolver", f"127.0.0.1:{self._dns}"] if self._dns else []
        command = [os.fspath(Path(sys.executable).with_name("hongyan")), "demo", *options]
        if self._without is not None:
            parts = ",".join(sorted(self._without))
            command = [sys.executable, "-m", "bench.composition", "--without", parts, "--", *options]
        self._program = Program("hongyan", command, self._folder, self._meter)
        self._program.wait_until(lambda: self._ready_line().endswith("\n"), _START_SECONDS)
        self.web = str(json.loads(self._ready_line())["http"])
        return read_endpoints(self._ready_line())

    def restart(self) -> Endpoints:
        self.stop()
        return self.start()

    def _ready_line(self) -> str:
        assert self._program is not None
        with self._program.output.open() as output:
            return output.readline()


def read_endpoints(line: str) -> Endpoints:
    """Read the line that `hongyan demo --json` prints when it is ready."""
    told = json.loads(line)
    imap, imaps, smtp, pop3 = (Endpoint.parse(told[name]) for name in ("imap", "imaps", "smtp", "pop3"))
    return Endpoints(smtp, imap, Endpoint(imaps.host, imaps.port, tls=True), pop3, told["domain"])
