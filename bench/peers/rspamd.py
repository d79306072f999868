"""rspamd from Debian's package: what checks mail for Postfix, as its milter."""

from __future__ import annotations

__all__ = ["Rspamd"]

import subprocess
from pathlib import Path

from bench.meters import Meter
from bench.peers.dovecot import listens
from bench.peers.templates import fill_in
from bench.programs import OneProgram, Program
from tests.support import debian
from tests.support.ports import free_port

_ASKED_FOR = frozenset({"arc", "dkim", "dmarc", "milter_headers", "spf"})
_START_SECONDS = 60.0


class Rspamd(OneProgram):
    """`port` is that of the milter. With `everything` all modules of the package work, as Debian ships them."""

    def __init__(self, folder: Path, meter: Meter, dns: int, *, everything: bool) -> None:
        self._folder = folder
        self._meter = meter
        self._dns = dns
        self._everything = everything
        self._root = debian.unpack("rspamd")
        self.port = 0
        self.version = self._ask_version()

    def start(self) -> None:
        self.port = free_port()
        local = self._folder / "local" / "local.d"
        local.mkdir(parents=True, exist_ok=True)
        # The clients of the benchmark are on this machine, and are to be checked as strangers are.
        (local / "milter_headers.conf").write_text('use = ["authentication-results"];\nskip_local = false;\n')
        for module in ("arc", "dkim", "dmarc", "spf"):
            (local / f"{module}.conf").write_text("check_local = true;\n")
        if not self._everything:
            for found in (self._root / "etc" / "rspamd" / "modules.d").glob("*.conf"):
                if found.stem not in _ASKED_FOR:
                    (local / found.name).write_text("enabled = false;\n")
        configuration = self._folder / "rspamd.conf"
        configuration.write_text(fill_in("rspamd.conf", FOLDER=self._folder, PORT=self.port))
        filters = "chartable,dkim,regexp,fuzzy_check" if self._everything else "dkim"
        options = fill_in("rspamd-options.inc", FOLDER=self._folder, DNS=self._dns, FILTERS=filters)
        (local / "options.inc").write_text(options)
        names = {
            "CONFDIR": self._root / "etc" / "rspamd",
            "LOCAL_CONFDIR": self._folder / "local",
            "DBDIR": self._folder,
            "RUNDIR": self._folder,
            "LOGDIR": self._folder,
        }
        settings = [f"--var={name}={value}" for name, value in names.items()]
        command = ["rspamd", "--no-fork", "--insecure", f"--config={configuration}", *settings]
        self._program = Program("rspamd", debian.in_place(self._root, *command), self._folder, self._meter)
        self._program.wait_until(lambda: listens(self.port), _START_SECONDS)

    def _ask_version(self) -> str:
        command = debian.in_place(self._root, "rspamd", "--version")
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
